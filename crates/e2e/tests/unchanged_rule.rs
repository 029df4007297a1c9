//! An unchanged file is known without opening it, and a changed one is never taken for it.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]
#![cfg(target_os = "linux")]

use stateward_e2e::server::restored;
use stateward_e2e::{TestServer, TestVault, assert_same, tree};
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

fn rig() -> (TestVault, TestServer, std::path::PathBuf) {
    let vault = TestVault::start();
    let server = TestServer::registered(&vault);
    let source = server.path("source");
    fs::create_dir(&source).unwrap();
    (vault, server, source)
}

fn assert_latest_is(source: &Path, server: &TestServer, target: &str) {
    let target = server.path(target);
    server.restore("latest", &target, &[]).done();
    assert_same(source, &restored(&target, source));
}

#[test]
fn other_bytes_of_the_same_size_with_the_old_time_set_back_are_caught() {
    let (_vault, server, source) = rig();
    for number in 0..50 {
        let path = source.join(format!("file-{number}"));
        fs::write(&path, format!("before {number:04}").repeat(100)).unwrap();
        tree::set_time(&path, (1_600_000_000, 123_456_789));
    }
    server.protect(&source);
    server.backup();
    for number in 0..50 {
        let path = source.join(format!("file-{number}"));
        let size = fs::metadata(&path).unwrap().size();
        // In place: the same inode.
        fs::write(&path, format!("after! {number:04}").repeat(100)).unwrap();
        tree::set_time(&path, (1_600_000_000, 123_456_789));
        assert_eq!(fs::metadata(&path).unwrap().size(), size);
    }
    server.backup();
    assert_latest_is(&source, &server, "restored");
}

#[test]
fn bytes_written_within_the_tick_of_the_clock_in_which_they_were_read_are_caught() {
    let (_vault, server, source) = rig();
    let path = |number: u32| source.join(format!("file-{number}"));
    for round in 0..4u32 {
        // Written just before the backup begins, and again as soon as it is over: with a coarse clock both may bear the
        // same time, as they bear the same size.
        for number in 0..500 {
            fs::write(path(number), format!("round {round} first  {number:04}")).unwrap();
        }
        if round == 0 {
            server.protect(&source);
        }
        server.backup();
        for number in 0..500 {
            let times = fs::metadata(path(number)).unwrap();
            fs::write(path(number), format!("round {round} second {number:04}")).unwrap();
            tree::set_time(&path(number), (times.mtime(), times.mtime_nsec()));
        }
        server.backup();
        assert_latest_is(&source, &server, &format!("restored-{round}"));
    }
}

#[test]
fn a_file_written_while_the_backup_runs_is_looked_at_again_by_the_next() {
    let (_vault, server, source) = rig();
    for number in 0..2000 {
        fs::write(source.join(format!("file-{number:04}")), format!("old {number:06}")).unwrap();
    }
    server.protect(&source);
    let backup = server.start(["backup", "now", "--wait"]);
    for number in (0..2000).rev() {
        fs::write(source.join(format!("file-{number:04}")), format!("new {number:06}")).unwrap();
    }
    // Done, or done with warnings about files that changed while they were read.
    let outcome = backup.wait();
    assert!(matches!(outcome.code(), Some(0 | 3)), "{outcome:#?}");
    server.backup();
    assert_latest_is(&source, &server, "restored");
}

#[test]
fn what_replaced_a_file_under_its_name_is_caught() {
    let (_vault, server, source) = rig();
    for name in ["renamed-over", "became-folder", "became-link"] {
        fs::write(source.join(name), "0123456789").unwrap();
        tree::set_time(&source.join(name), (1_600_000_000, 5));
    }
    server.protect(&source);
    server.backup();
    fs::write(source.join("other"), "9876543210").unwrap();
    tree::set_time(&source.join("other"), (1_600_000_000, 5));
    fs::rename(source.join("other"), source.join("renamed-over")).unwrap();
    fs::remove_file(source.join("became-folder")).unwrap();
    fs::create_dir(source.join("became-folder")).unwrap();
    fs::remove_file(source.join("became-link")).unwrap();
    std::os::unix::fs::symlink("0123456789", source.join("became-link")).unwrap();
    server.backup();
    assert_latest_is(&source, &server, "restored");
}
