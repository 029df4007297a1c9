//! A tree goes into a vault and comes back.

mod server;

use server::{Server, varied_tree, without_root};
use stateward_crypto::{DataKey, EpochKeys};
use stateward_engine::{BackupOptions, EngineError, PointError, VerifyShare, points};
use stateward_format::manifest::ComponentResult;
use stateward_model::ServerId;
use stateward_testing::{Call, MemoryTarget};
use std::collections::BTreeMap;

#[test]
fn everything_that_linux_has_comes_back() {
    let mut server = Server::new(1);
    varied_tree(&server);
    let outcome = server.backup();
    assert_eq!(outcome.warnings, []);
    assert_eq!(outcome.files, 300 + 9);
    server.assert_comes_back();
}

#[test]
fn an_unchanged_backup_sends_next_to_nothing_and_opens_nothing() {
    let mut server = Server::new(2);
    varied_tree(&server);
    server.backup();
    let before = server.vault.stored_bytes();
    let outcome = server.backup();
    assert_eq!(outcome.unchanged_files, outcome.files);
    assert_eq!(outcome.uploaded_bytes, 0);
    assert!(server.vault.stored_bytes() - before < 4096);
    server.assert_comes_back();
}

#[test]
fn a_change_sends_only_what_is_new() {
    let mut server = Server::new(3);
    varied_tree(&server);
    server.backup();
    let tree = server.tree.component("files");
    tree.write("etc/hosts", b"changed").remove("etc/many-007").file("etc/new", b"new");
    tree.rename("etc/many-100", "etc/renamed").set_mode("etc/many-101", 0o600);
    let outcome = server.backup();
    assert_eq!(outcome.unchanged_files, outcome.files - 4);
    assert!(outcome.uploaded_bytes < 100_000, "{}", outcome.uploaded_bytes);
    server.assert_comes_back();
}

#[test]
fn a_lost_cache_is_made_again_from_the_vault() {
    let mut server = Server::new(4);
    varied_tree(&server);
    server.backup();
    server.lose_cache();
    let outcome = server.backup();
    assert_eq!(outcome.unchanged_files, outcome.files);
    assert_eq!(outcome.uploaded_bytes, 0);
    server.assert_comes_back();
}

#[test]
fn a_new_epoch_refers_to_nothing_that_the_old_one_sealed() {
    let mut server = Server::new(44);
    varied_tree(&server);
    server.backup();
    let first = server.latest();
    let before = server.vault.stored_bytes();
    let (vault, domain) = (server.trust.vault, server.trust.server);
    let keys = EpochKeys::derive(&DataKey::generate(&*server.random), vault, domain, 2);
    let old = std::mem::replace(&mut server.keys, keys);
    // With the cache folder as the old epoch left it: its tables and its parent are of no use any more.
    let outcome = server.backup();
    // But for the empty file, which needs no chunk.
    assert_eq!(outcome.unchanged_files, 1);
    assert!(server.vault.stored_bytes() > 2 * before - before / 4);
    server.assert_comes_back();
    let second = server.backup();
    assert_eq!((second.unchanged_files, second.uploaded_bytes), (second.files, 0));
    server.keys = old;
    let whole = server.try_restore(&first, &[], &[], &MemoryTarget::new(), Some(&server.cache())).unwrap();
    assert_eq!(whole.lost, []);
}

#[test]
fn a_damaged_cache_costs_time_only() {
    let mut server = Server::new(5);
    varied_tree(&server);
    server.backup();
    let mut files = vec![server.cache().path().to_owned()];
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            let mut bytes = std::fs::read(&path).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 0x55;
            std::fs::write(path, bytes).unwrap();
        }
    }
    server.tree.component("files").write("etc/hosts", b"changed");
    server.backup();
    server.assert_comes_back();
}

#[test]
fn components_and_paths_are_restored_by_themselves() {
    let mut server = Server::new(6);
    server.tree.component("one").folder("etc").file("etc/a", b"a").folder("etc/sub").file("etc/sub/b", b"b");
    server.tree.component("two").folder("etc").file("etc/c", b"c");
    server.tree.absent_component("three");
    let outcome = server.backup();
    let results: Vec<_> = outcome.components.iter().map(|component| component.result).collect();
    use ComponentResult::{Completed, NotPresent};
    assert_eq!(results, [Completed, Completed, NotPresent]);
    let names = |components: &[&str], paths: &[&str]| {
        let components: Vec<_> = components.iter().map(|name| name.parse().unwrap()).collect();
        let target = MemoryTarget::new();
        server.try_restore(&server.latest(), &components, paths, &target, Some(&server.cache())).unwrap();
        let names = without_root(target.listing()).0.into_keys().map(|name| String::from_utf8(name).unwrap());
        names.collect::<Vec<_>>()
    };
    assert_eq!(names(&[], &[]), ["etc", "etc/a", "etc/c", "etc/sub", "etc/sub/b"]);
    assert_eq!(names(&["two"], &[]), ["etc", "etc/c"]);
    assert_eq!(names(&[], &["/etc/sub"]), ["etc", "etc/sub", "etc/sub/b"]);
    assert_eq!(names(&["one"], &["/etc/a", "/nowhere"]), ["etc", "etc/a"]);
    let unknown =
        server.try_restore(&server.latest(), &["four".parse().unwrap()], &[], &MemoryTarget::new(), None);
    assert!(matches!(unknown, Err(EngineError::Point(_))));
}

#[test]
fn a_file_of_many_pieces_has_its_list_in_chunks_and_costs_nothing_unchanged() {
    let mut server = Server::new(7);
    server.tree.component("files").random_file("large", 24 << 20, 3).file("small", b"small");
    let first = server.backup();
    assert!(first.uploaded_bytes > 24 << 20);
    server.assert_comes_back();
    let second = server.backup();
    assert_eq!((second.unchanged_files, second.uploaded_bytes), (2, 0));
    server.lose_cache();
    let third = server.backup();
    assert_eq!((third.unchanged_files, third.uploaded_bytes), (2, 0));
    server.assert_comes_back();
}

#[test]
fn equal_content_is_stored_once() {
    let mut server = Server::new(8);
    let tree = server.tree.component("files");
    tree.random_file("a", 5 << 20, 4).random_file("b", 5 << 20, 4);
    let outcome = server.backup();
    assert!(outcome.uploaded_bytes < 6 << 20, "{}", outcome.uploaded_bytes);
    server.assert_comes_back();
}

#[test]
fn verify_reads_everything_or_the_share_that_waited_longest() {
    let mut server = Server::new(9);
    server.tree.component("files").random_file("large", 100 << 20, 5);
    server.backup();
    let full = server.verify(VerifyShare::Full, &BTreeMap::new());
    assert_eq!(full.problems, []);
    assert_eq!((full.packs, full.bytes, full.points), (full.packs_in_all, full.bytes_in_all, 1));
    let mut history = BTreeMap::new();
    let mut runs = 0;
    while (history.len() as u64) < full.packs_in_all {
        let some = server.verify(VerifyShare::Share(0.3), &history);
        assert!(some.packs < some.packs_in_all && some.problems.is_empty());
        assert!(some.history.len() > history.len(), "packs never verified come first");
        history = some.history;
        runs += 1;
    }
    assert!((2..=4).contains(&runs), "{runs} runs of 30 %");
}

#[test]
fn a_cancelled_job_stops_and_the_next_one_does_not_send_again_what_is_there() {
    let mut server = Server::new(10);
    server.tree.component("files").random_file("large", 64 << 20, 6);
    let cancellation = server.cancellation.clone();
    let fault = stateward_testing::Fault::Run(std::sync::Arc::new(move || cancellation.cancel()));
    server.vault.set_faults(stateward_testing::FaultPlan::none().at(Call::PutPack, 2, fault));
    assert!(matches!(server.try_backup(), Err(EngineError::Cancelled)));
    let sent = server.vault.bytes_of(Call::PutPack);
    server.vault.set_faults(stateward_testing::FaultPlan::none());
    server.cancellation = stateward_engine::Cancellation::default();
    server.vault.forget_calls();
    let outcome = server.backup();
    assert!(sent >= 16 << 20);
    assert!(
        outcome.uploaded_bytes + sent < (64 << 20) + 3 * (16 << 20),
        "{} and {sent}",
        outcome.uploaded_bytes
    );
    server.assert_comes_back();
}

#[test]
fn one_thread_and_many_make_the_same_tree() {
    for threads in [1, 5] {
        let mut server = Server::new(11);
        server.options = BackupOptions { threads, ..server.options };
        varied_tree(&server);
        server.backup();
        server.assert_comes_back();
    }
}

#[test]
fn a_server_of_anothers_domain_backs_up_restores_and_verifies_and_other_keys_are_named() {
    let mut server = Server::new(31);
    let data_key = || DataKey::from_bytes([7; 32]);
    let (vault, own) = (server.trust.vault, server.trust.server);
    server.keys = EpochKeys::derive(&data_key(), vault, ServerId([9; 16]), 1);
    varied_tree(&server);
    server.backup();
    let latest = server.latest();
    assert_eq!((latest.manifest.domain, latest.header.server), (ServerId([9; 16]), own));
    server.lose_cache();
    assert_eq!(server.backup().uploaded_bytes, 0);
    server.assert_comes_back();
    assert_eq!(server.verify(VerifyShare::Full, &BTreeMap::new()).problems, []);
    let keys_of_its_own = EpochKeys::derive(&data_key(), vault, own, 1);
    let refused = points::open_point(&server.vault, &server.trust, &[keys_of_its_own], latest.summary);
    let error = refused.unwrap_err();
    assert!(matches!(error, EngineError::Point(PointError::OtherKey { .. })), "{error}");
    assert!(error.to_string().contains("another domain's"), "{error}");
}
