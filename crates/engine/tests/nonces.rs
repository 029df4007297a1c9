//! No key seals under one nonce twice, whatever becomes of backups. Needs the feature `ledger`:
//! `cargo test -p stateward-engine --features ledger --test nonces`.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]

mod server;

use server::{Server, varied_tree};
use stateward_crypto::{
    DataKey, DomainOwner, EpochKeys, KdfCosts, Passphrase, RecoveryCode, Secret, SlotOwner, create_slot,
    ledger, seal_domain_key,
};
use stateward_engine::{Cancellation, EngineError, VaultError, VaultStore as _};
use stateward_testing::{Call, Fault, FaultPlan, MemoryVault, SeededRandom};
use std::sync::Arc;

/// One test: the ledger is the process's.
#[test]
fn no_key_seals_under_one_nonce_twice() {
    ledger::take();
    let mut server = Server::new(61);
    wrap_keys(&server, 1);
    backups_that_succeed(&mut server);
    backups_that_break_at_each_call(&mut server);
    backups_that_must_send_again(&mut server);
    a_new_epoch(&mut server);
    the_same_home_on_two_machines(&mut server);
    let ledger = ledger::take();
    assert_eq!(ledger.repeated(), []);
    // Each run that got as far as sealing has three keys for each of its packs, and one for its manifest.
    assert!(ledger.keys() > 300 && ledger.seals() > 500, "{} keys, {} seals", ledger.keys(), ledger.seals());

    a_random_source_that_begins_again();
    assert!(!ledger::take().repeated().is_empty(), "the ledger sees what it is there to see");
}

/// A passphrase and a recovery code, both changed; and a domain file given away twice.
fn wrap_keys(server: &Server, epoch: u32) {
    let random = &*server.random;
    let data_key = DataKey::generate(random);
    let owner = || SlotOwner {
        vault: server.trust.vault,
        server: server.trust.server,
        domain: server.trust.server,
        server_label: "web-01".parse().unwrap(),
        epoch,
    };
    let who = DomainOwner { vault: server.trust.vault, domain: server.trust.server, epoch };
    let phrases = ["correct horse battery staple", "correct horse battery stapler"];
    for phrase in phrases.map(|text| Passphrase::new(text.to_owned()).unwrap()) {
        let code = RecoveryCode::generate(random);
        // One secret for two slots: salts, not secrets, keep their keys apart.
        for secret in [Secret::Passphrase(&phrase), Secret::RecoveryCode(&code), Secret::RecoveryCode(&code)]
        {
            let slot = create_slot(secret, KdfCosts::FLOOR, owner(), &data_key, &server.signing_key, random);
            server.vault.put_slot(epoch, &slot.encode()).unwrap();
        }
        for _ in 0..2 {
            seal_domain_key(&phrase, KdfCosts::FLOOR, who, &data_key, random);
        }
    }
}

/// First, unchanged, changed; content that does not compress fills packs and makes frames be compressed more than once.
fn backups_that_succeed(server: &mut Server) {
    varied_tree(server);
    server.backup();
    server.backup();
    for turn in 0..12 {
        change(server, turn);
        server.backup();
    }
    server.lose_cache();
    server.backup();
}

fn change(server: &Server, turn: u64) {
    let tree = server.tree.component("files");
    tree.write("etc/hosts", format!("turn {turn}").as_bytes());
    tree.random_file(format!("etc/new-{turn}"), 200_000 + turn as usize * 77_777, 1000 + turn);
    if turn.is_multiple_of(4) {
        tree.random_file(format!("etc/large-{turn}"), 20 << 20, 2000 + turn);
    }
}

/// Crashes: from a call on nothing is answered, or one answer is lost, or the job is told to stop.
fn backups_that_break_at_each_call(server: &mut Server) {
    let lost = || VaultError::Unreachable("planned".to_owned());
    for number in 1..12 {
        for fault in [Fault::Fail(lost()), Fault::LoseReply(lost()), cancel(server)] {
            change(server, 100 + number);
            remove_new(server, 100 + number);
            server.vault.set_faults(FaultPlan::none().from_call(number, fault));
            let made = server.try_backup();
            server.vault.set_faults(FaultPlan::none());
            server.vault.end_session();
            server.cancellation = Cancellation::default();
            server.clock.advance_seconds(600);
            let is_planned = matches!(made, Ok(_) | Err(EngineError::Vault(_) | EngineError::Cancelled));
            assert!(is_planned, "{:?}", made.err());
        }
    }
    server.backup();
    server.assert_comes_back();
}

fn remove_new(server: &Server, turn: u64) {
    let tree = server.tree.component("files");
    tree.remove(format!("etc/new-{turn}"));
    if turn.is_multiple_of(4) {
        tree.remove(format!("etc/large-{turn}"));
    }
}

fn cancel(server: &Server) -> Fault {
    let cancellation = server.cancellation.clone();
    Fault::Run(Arc::new(move || cancellation.cancel()))
}

/// Packs that are missed at the commit are made anew, and so is the recovery point that names them.
fn backups_that_must_send_again(server: &mut Server) {
    for turn in 0..3 {
        change(server, 200 + turn);
        let vault = server.vault.clone();
        let lose = Fault::Run(Arc::new(move || lose_some_packs(&vault)));
        server.vault.set_faults(FaultPlan::none().at(Call::Commit, 1, lose));
        server.vault.forget_calls();
        server.backup();
        assert!(server.vault.count(Call::Commit) > 1);
    }
    server.assert_comes_back();
}

fn lose_some_packs(vault: &MemoryVault) {
    for name in vault.names("packs/").into_iter().step_by(3) {
        vault.delete(&name);
    }
}

/// After a leak: other keys for everything, the same salts would be no fault but must not come either.
fn a_new_epoch(server: &mut Server) {
    wrap_keys(server, 2);
    let data_key = DataKey::generate(&*server.random);
    server.keys = EpochKeys::derive(&data_key, server.trust.vault, server.trust.server, 2);
    server.lose_cache();
    for turn in 300..303 {
        change(server, turn);
        server.backup();
    }
}

/// A home that was copied: the same keys and the same tree, and no more in common.
fn the_same_home_on_two_machines(server: &mut Server) {
    let pinned = server.pinned_head;
    for turn in 400..404 {
        change(server, turn);
        server.random = Arc::new(SeededRandom::new(9000 + turn));
        server.lose_cache();
        server.pinned_head = pinned;
        server.backup();
    }
}

/// What the ledger is there to see: another content sealed with salts that were there before.
fn a_random_source_that_begins_again() {
    let mut server = Server::new(62);
    server.tree.component("files").file("etc/hosts", b"");
    for turn in 0..2 {
        change(&server, turn);
        server.random = Arc::new(SeededRandom::new(5));
        server.backup();
    }
}
