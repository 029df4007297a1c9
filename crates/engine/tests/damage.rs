//! Damaged, missing, exchanged and rolled-back objects: found, named, gone around; never invented over.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]

mod server;

use server::{Server, varied_tree, without_root};
use stateward_engine::{EngineError, PointError, VaultError, VaultRead as _, VerifyShare};
use stateward_format::layout;
use stateward_testing::{Call, Fault, FaultPlan, MemoryTarget};
use std::collections::{BTreeMap, BTreeSet};

/// A tree whose content fills several packs.
fn server(seed: u64) -> Server {
    let mut server = Server::new(seed);
    varied_tree(&server);
    let tree = server.tree.component("files");
    tree.folder("big");
    for number in 0..40 {
        tree.random_file(format!("big/{number}"), 1 << 20, 100 + number);
    }
    server.backup();
    server
}

/// Restores around the damage; gives the paths that are named as lost. All others must be as they were.
fn lost(server: &Server) -> BTreeSet<Vec<u8>> {
    let target = MemoryTarget::new();
    let outcome = server.try_restore(&server.latest(), &[], &[], &target, None).unwrap();
    let lost: BTreeSet<_> = outcome.lost.iter().map(|lost| lost.path[1..].to_vec()).collect();
    let mut expected = without_root(server.tree.listing());
    let is_gap = outcome.lost.iter().any(|lost| lost.code == "entries-lost");
    let restored = without_root(target.listing());
    for path in &lost {
        assert!(is_gap || !restored.0.contains_key(path), "a lost file is not left at the target");
    }
    if is_gap {
        // Nobody can name what a lost segment named; but what did come back is right.
        expected.0.retain(|path, _| restored.0.contains_key(path));
    } else {
        expected.0.retain(|path, _| !lost.contains(path));
    }
    let differences = expected.differences(&restored);
    let differences: Vec<_> = differences.iter().filter(|line| !is_gap || !line.contains("mode")).collect();
    assert!(differences.is_empty(), "{differences:?}");
    lost
}

#[test]
fn a_missing_pack_is_found_and_only_its_files_are_lost() {
    let server = server(31);
    let packs = server.vault.names("packs/");
    assert!(packs.len() >= 3);
    for pack in packs {
        let bytes = server.vault.object(&pack).unwrap();
        server.vault.delete(&pack);
        let found = server.verify(VerifyShare::Full, &BTreeMap::new());
        assert!(found.problems.iter().any(|problem| problem.code == "pack-missing"));
        let lost = lost(&server);
        assert!(!lost.is_empty());
        let named: BTreeSet<_> = found
            .problems
            .iter()
            .filter(|problem| problem.code == "file-lost")
            .map(|problem| problem.path[1..].to_vec())
            .collect();
        assert!(named.is_subset(&lost), "verify names what restore loses");
        server.vault.replace(&pack, bytes);
    }
    assert!(lost(&server).is_empty());
}

#[test]
fn a_flipped_byte_anywhere_in_a_pack_is_found() {
    let server = server(32);
    for pack in server.vault.names("packs/") {
        let bytes = server.vault.object(&pack).unwrap();
        for at in [
            0,
            1000,
            bytes.len() / 2,
            bytes.len() - 1000,
            bytes.len() - 140,
            bytes.len() - 100,
            bytes.len() - 1,
        ] {
            server.vault.corrupt(&pack, at);
            let found = server.verify(VerifyShare::Full, &BTreeMap::new());
            assert!(
                found.problems.iter().any(|problem| problem.code == "pack-damaged"),
                "byte {at} of {pack}"
            );
            lost(&server);
            server.vault.replace(&pack, bytes.clone());
        }
    }
}

#[test]
fn a_cut_pack_is_found() {
    let server = server(33);
    let pack = &server.vault.names("packs/")[0];
    let bytes = server.vault.object(pack).unwrap();
    for length in [0, 1, 100, bytes.len() - 1] {
        server.vault.truncate(pack, length);
        let found = server.verify(VerifyShare::Full, &BTreeMap::new());
        assert!(!found.problems.is_empty(), "cut to {length}");
        assert!(!lost(&server).is_empty());
        server.vault.replace(pack, bytes.clone());
    }
}

#[test]
fn a_point_that_expired_is_a_link_of_the_chain_and_one_that_is_hidden_is_a_gap() {
    let mut server = server(35);
    server.backup();
    server.backup();
    let points = server.vault.points().unwrap();
    let middle = points[points.len() - 2];
    server.vault.expire(middle);
    assert!(!server.vault.points().unwrap().contains(&middle));
    assert_eq!(server.verify(VerifyShare::Full, &BTreeMap::new()).problems, []);
    server.vault.delete(&layout::point(server.trust.server, middle.sequence, middle.hash));
    let found = server.verify(VerifyShare::Full, &BTreeMap::new());
    assert_eq!(
        found.problems.iter().map(|problem| problem.code.as_str()).collect::<Vec<_>>(),
        ["chain-broken"]
    );
}

#[test]
fn a_pack_in_anothers_place_is_found() {
    let server = server(34);
    let packs = server.vault.names("packs/");
    let (one, other) = (server.vault.object(&packs[0]).unwrap(), server.vault.object(&packs[1]).unwrap());
    if one.len() == other.len() {
        server.vault.replace(&packs[0], other);
        server.vault.replace(&packs[1], one);
        let found = server.verify(VerifyShare::Full, &BTreeMap::new());
        assert!(found.problems.iter().filter(|problem| problem.code == "pack-damaged").count() >= 2);
    }
}

#[test]
fn a_damaged_point_is_refused_and_found() {
    let mut server = server(35);
    server.tree.component("files").write("etc/hosts", b"second");
    server.backup();
    let latest = server.latest();
    let name = server.vault.names("points/").into_iter().next_back().unwrap();
    let bytes = server.vault.object(&name).unwrap();
    for at in (0..bytes.len()).step_by(bytes.len() / 50 + 1) {
        server.vault.corrupt(&name, at);
        let refused = stateward_engine::points::open_point(
            &server.vault,
            &server.trust,
            std::slice::from_ref(&server.keys),
            latest.summary,
        );
        assert!(matches!(refused, Err(EngineError::Point(PointError::Damaged { .. }))), "byte {at}");
        server.vault.replace(&name, bytes.clone());
    }
    server.vault.corrupt(&name, 200);
    let found = server.verify(VerifyShare::Full, &BTreeMap::new());
    assert!(found.problems.iter().any(|problem| problem.code == "point-damaged"));
    server.vault.delete(&name);
    let found = server.verify(VerifyShare::Full, &BTreeMap::new());
    assert!(found.problems.iter().any(|problem| problem.code.starts_with("point-")), "{:?}", found.problems);
}

#[test]
fn a_point_that_is_gone_keeps_no_new_item_from_being_backed_up() {
    let mut server = server(45);
    let name = server.vault.names("points/").into_iter().next().unwrap();
    server.vault.delete(&name);
    server.item = stateward_model::ItemId([9; 16]);
    server.pinned_head = None;
    server.lose_cache();
    server.backup();
    server.assert_comes_back();
}

#[test]
fn a_missing_or_damaged_receipt_is_found() {
    let server = server(36);
    let name = server.vault.names("receipts/").pop().unwrap();
    let bytes = server.vault.object(&name).unwrap();
    server.vault.corrupt(&name, bytes.len() - 1);
    let codes = |server: &Server| {
        let found = server.verify(VerifyShare::Share(0.0), &BTreeMap::new());
        found.problems.into_iter().map(|problem| problem.code).collect::<Vec<_>>()
    };
    assert_eq!(codes(&server), ["receipt-missing"]);
    server.vault.delete(&name);
    assert_eq!(codes(&server), ["receipt-missing"]);
    server.vault.replace(&name, bytes);
    assert_eq!(codes(&server), Vec::<String>::new());
}

#[test]
fn the_next_backup_stores_again_what_the_vault_lost() {
    let mut server = server(37);
    for pack in server.vault.names("packs/") {
        server.vault.delete(&pack);
    }
    let outcome = server.backup();
    assert!(outcome.uploaded_bytes > 40 << 20);
    server.assert_comes_back();
}

/// Issue 4: a vault that withheld the newest point, or one pack, kept a server whose cache was lost from every backup.
#[test]
fn a_withheld_point_or_pack_keeps_no_server_from_its_backup() {
    let withheld = || Fault::Fail(VaultError::NotFound("it".to_owned()));
    for call in [Call::Point, Call::ReadPack] {
        let mut server = server(44);
        server.lose_cache();
        server.vault.forget_calls();
        server.vault.set_faults(FaultPlan::none().at(call, 1, withheld()));
        let outcome = server.backup();
        assert!(server.vault.count(call) > 0);
        assert_eq!(outcome.warnings, []);
        server.assert_comes_back();
    }
}

#[test]
fn packs_that_are_missed_at_the_commit_are_sent_again() {
    let mut server = server(38);
    server.tree.component("files").write("etc/hosts", b"changed");
    let vault = server.vault.clone();
    let lose = Fault::Run(std::sync::Arc::new(move || {
        let name = vault.names("packs/").remove(0);
        vault.delete(&name);
    }));
    server.vault.set_faults(FaultPlan::none().at(Call::Commit, 1, lose));
    server.backup();
    assert_eq!(server.vault.count(Call::Commit), 1 + 2);
    server.assert_comes_back();
}

#[test]
fn a_rolled_back_vault_is_named_and_the_server_stays_protected() {
    let mut server = server(39);
    server.backup();
    server.vault.roll_back();
    let outcome = server.backup();
    assert_eq!(
        outcome.warnings.iter().map(|warning| &warning.code[..]).collect::<Vec<_>>(),
        ["vault-rolled-back"]
    );
    server.assert_comes_back();
    assert_eq!(server.backup().warnings, []);
}

#[test]
fn a_lost_reply_to_a_commit_is_no_second_point() {
    let mut server = server(40);
    let lost = Fault::LoseReply(VaultError::Unreachable("reset".to_owned()));
    server.vault.set_faults(FaultPlan::none().at(Call::Commit, 1, lost));
    assert!(server.try_backup().is_err());
    // The home does not know whether the point was taken, but it wrote down that it offered it.
    let outcome = server.backup();
    assert_eq!((outcome.point.sequence, outcome.warnings), (3, Vec::new()));
}

#[test]
fn two_copies_of_a_home_each_go_on_on_their_own_branch_and_both_are_told() {
    let mut server = server(44);
    server.backup();
    let of_first = server.pinned_head;
    server.tree.component("files").file("by", b"first");
    let first = server.backup();
    // The copy knows what was known when it was made.
    let after_first = std::mem::replace(&mut server.pinned_head, of_first);
    server.lose_cache();
    server.tree.component("files").write("by", b"second");
    let second = server.backup();
    assert_eq!(second.warnings[0].code, "chain-forked");
    assert_eq!((first.point.sequence, second.point.sequence), (3, 3));
    let after_second = std::mem::replace(&mut server.pinned_head, after_first);
    server.lose_cache();
    let third = server.backup();
    assert_eq!(third.warnings[0].code, "chain-forked");
    assert_eq!(third.point.sequence, 4);
    // Nobody made anything since: there is nothing to tell.
    assert_eq!(server.backup().warnings, []);
    server.pinned_head = after_second;
    assert_eq!(server.backup().warnings[0].code, "chain-forked");
    // Each branch is whole, so nothing is missing.
    assert_eq!(server.verify(VerifyShare::Full, &BTreeMap::new()).problems, []);
    server.assert_comes_back();
}

#[test]
fn every_call_that_fails_ends_the_backup_with_its_error_and_the_next_one_completes() {
    let mut server = Server::new(41);
    varied_tree(&server);
    let tree = server.tree.component("files");
    tree.random_file("large", 40 << 20, 7);
    let mut number = 0;
    loop {
        number += 1;
        let fault = Fault::Fail(VaultError::Failed("planned".to_owned()));
        server.vault.set_faults(FaultPlan::none().at_call(number, fault));
        match server.try_backup() {
            Ok(_) if server.vault.calls().len() < number as usize => break,
            // A session that could not be closed is no failure.
            Ok(_) => {}
            Err(EngineError::Vault(VaultError::Failed(why))) => assert_eq!(why, "planned"),
            Err(error) => panic!("{error}"),
        }
        server.vault.forget_calls();
        server.vault.end_session();
        server.clock.advance_seconds(600);
        assert!(number < 100);
    }
    server.vault.set_faults(FaultPlan::none());
    server.backup();
    server.assert_comes_back();
}

#[test]
fn a_full_target_ends_the_restore_with_its_reason() {
    let server = server(42);
    let target = MemoryTarget::new();
    target.limit_space(1 << 20);
    let full = server.try_restore(&server.latest(), &[], &[], &target, None);
    assert!(matches!(full, Err(EngineError::Target(stateward_engine::TargetError::Full))));
}

#[test]
fn one_entry_that_cannot_be_made_is_named_and_the_others_come_back() {
    let server = server(43);
    let target = MemoryTarget::new();
    target.fail_at("etc/hosts");
    let outcome = server.try_restore(&server.latest(), &[], &[], &target, None).unwrap();
    assert_eq!(outcome.lost.iter().map(|lost| &lost.path[..]).collect::<Vec<_>>(), [b"/etc/hosts"]);
    let mut expected = without_root(server.tree.listing());
    expected.0.remove(&b"etc/hosts"[..]);
    assert_eq!(expected.differences(&without_root(target.listing())), Vec::<String>::new());
}

#[test]
fn a_file_that_somebody_put_in_the_way_is_named_and_stays() {
    use stateward_engine::Target as _;
    let server = server(46);
    let target = MemoryTarget::new();
    target.make_folder(b"etc").unwrap();
    let theirs = target.make_file(b"etc/hosts").unwrap();
    theirs.write_at(0, b"theirs").unwrap();
    let metadata = stateward_format::Metadata {
        mode: 0o600,
        user: 7,
        group: 7,
        modified_at: stateward_model::Timestamp(7),
        identity: None,
        is_hard_linked: false,
        extended_attributes: Vec::new(),
        attributes: Vec::new(),
    };
    theirs.finish(6, &metadata).unwrap();
    let outcome = server.try_restore(&server.latest(), &[], &[], &target, None).unwrap();
    assert_eq!(outcome.lost.iter().map(|lost| &lost.path[..]).collect::<Vec<_>>(), [b"/etc/hosts"]);
    assert_eq!(target.listing().0[&b"etc/hosts"[..]].user, 7);
}
