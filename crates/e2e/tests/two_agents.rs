//! One home, one agent at a time; and what happens when there are two agents of one server all the same.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]
#![cfg(target_os = "linux")]

use rustix::process::Signal;
use serde_json::Value;
use stateward_e2e::process::{DEADLINE, Outcome, Running, wait_until};
use stateward_e2e::server::{VAULT, restored};
use stateward_e2e::{Dice, TestServer, TestVault, assert_same, faketime, tree};
use std::fs;
use std::path::Path;

/// Starts a backup, slow enough to be met in the middle of its work, and holds it there.
#[track_caller]
fn held(server: &TestServer) -> Running {
    let mut running = server.start(["backup", "now", "--wait", "--limit-rate", "10MB"]);
    wait_until("the backup has begun", DEADLINE, || {
        assert!(running.is_alive(), "it ended before it could be stopped: {}", running.stdout());
        running.stdout().contains("\"Transferring\"").then_some(())
    });
    running.signal(Signal::STOP);
    running
}

/// The codes of the warnings that a command told.
fn warned(outcome: &Outcome) -> Vec<String> {
    let lines = outcome.json();
    let warnings = lines.iter().filter(|line| line["type"] == "warning");
    warnings.map(|line| line["code"].as_str().unwrap().to_owned()).collect()
}

/// A backup that has nothing to say but that there is another agent; the recovery point's id.
#[track_caller]
fn backup_beside_another(server: &TestServer) -> String {
    let outcome = server.run(["backup", "now", "--wait"]).expect_code(3);
    assert_eq!(warned(&outcome), ["chain-forked"]);
    let result = outcome.last();
    assert_eq!(result["status"], "CompletedWithWarnings", "{result}");
    result["recovery_point"].as_str().unwrap().to_owned()
}

#[track_caller]
fn content_of(server: &TestServer, point: &str, source: &Path) -> String {
    let target = server.path(&format!("restored-{point}"));
    server.restore(point, &target, &[]).done();
    fs::read_to_string(restored(&target, source).join("file")).unwrap()
}

/// What the vault's administrator sees of its one server.
#[track_caller]
fn seen_by_administrator(server: &TestServer) -> Value {
    let servers = server.run(["server", "list", "--vault", VAULT]).done().json();
    assert_eq!(servers.len(), 1, "{servers:?}");
    servers[0].clone()
}

#[test]
fn a_second_process_with_the_same_home_is_told_to_wait_and_harms_nobody() {
    let vault = TestVault::start();
    let server = TestServer::registered(&vault);
    let source = server.path("source");
    tree::plant_large(&source, 40 << 20, &mut Dice::new(3));
    server.protect(&source);
    server.backup();
    tree::plant_large(&source.join("more"), 40 << 20, &mut Dice::new(4));
    let first = held(&server);
    let target = server.path("restored");
    let restore = ["restore", "--wait", "--recovery-point", "latest", "--target", target.to_str().unwrap()];
    for second in [&["backup", "now", "--wait"][..], &["backup", "now"], &["verify", "--full"], &restore] {
        let second = server.run(second).expect_code(11);
        assert_eq!(second.error_code(), "busy");
        let message = second.last()["message"].as_str().unwrap().to_owned();
        assert!(message.contains(&first.pid().to_string()), "{second:#?}");
    }
    assert!(!target.exists());
    // What only looks is answered meanwhile.
    server.run(["job", "list"]).done();
    assert_eq!(server.points().len(), 1);
    first.signal(Signal::CONT);
    first.wait().done();
    server.backup();
    server.restore("latest", &target, &[]).done();
    assert_same(&source, &restored(&target, &source));
}

#[test]
fn two_copies_of_a_home_both_go_on_keep_their_data_and_are_told() {
    let vault = TestVault::start();
    let server = TestServer::registered(&vault);
    let source = server.path("source");
    fs::create_dir(&source).unwrap();
    let write = |text: &str| fs::write(source.join("file"), text).unwrap();
    write("before");
    server.protect(&source);
    server.backup();
    let copy = server.copied();
    write("of the original");
    let original_point = server.backup()["recovery_point"].as_str().unwrap().to_owned();
    assert!(seen_by_administrator(&server)["forked_at"].is_null());
    write("of the copy");
    let copied_point = backup_beside_another(&copy);
    assert!(seen_by_administrator(&server)["forked_at"].is_string());
    write("of the original, later");
    let later_point = backup_beside_another(&server);
    // Nothing came from the copy since, so there is nothing new to say; the copy hears of the original.
    server.backup();
    write("of the copy, later");
    let copied_later = backup_beside_another(&copy);
    for (point, text) in [
        (original_point, "of the original"),
        (copied_point, "of the copy"),
        (later_point, "of the original, later"),
        (copied_later, "of the copy, later"),
    ] {
        assert_eq!(content_of(&server, &point, &source), text);
        assert_eq!(content_of(&copy, &point, &source), text);
    }
    assert_eq!(server.points().len(), 6);
    let verified = server.run(["verify", "--full"]).done().last();
    assert_eq!(verified["problems"], 0, "{verified}");
    let explained = server.run(["explain", "chain-forked"]).done().last();
    assert!(explained["remedy"].as_str().unwrap().contains("register"), "{explained}");
}

#[test]
fn an_agent_that_slept_beyond_its_lease_is_fenced_off_by_the_one_that_took_over() {
    let mut vault = TestVault::start();
    let server = TestServer::registered(&vault);
    let source = server.path("source");
    tree::plant_large(&source, 60 << 20, &mut Dice::new(7));
    fs::write(source.join("file"), "before").unwrap();
    server.protect(&source);
    server.backup();
    let other = server.copied();
    tree::plant_large(&source.join("more"), 60 << 20, &mut Dice::new(8));
    let sleeper = held(&server);
    // Its lease lives, so the other must wait.
    let busy = other.run(["backup", "now", "--wait"]).expect_code(11);
    assert_eq!(busy.error_code(), "vault-busy");
    vault.kill();
    let mut later = vault.serve_command();
    faketime::shift(&mut later, "+2m");
    vault.serve_by(later);
    fs::write(source.join("file"), "of the other").unwrap();
    let taken_over = other.backup()["recovery_point"].as_str().unwrap().to_owned();
    sleeper.signal(Signal::CONT);
    let fenced = sleeper.wait().expect_code(1);
    assert_eq!(fenced.error_code(), "session-lost");
    assert!(fenced.last()["message"].as_str().unwrap().contains("session"), "{fenced:#?}");
    // Nothing of it was committed.
    assert_eq!(other.points().len(), 2);
    fs::write(source.join("file"), "of the sleeper").unwrap();
    let next = backup_beside_another(&server);
    assert_eq!(content_of(&server, &next, &source), "of the sleeper");
    assert_eq!(content_of(&other, &taken_over, &source), "of the other");
    server.run(["verify", "--full"]).done();
}

#[test]
fn a_lost_home_is_repaired_by_vault_credentials_and_the_passphrase() {
    let vault = TestVault::start();
    let lost = TestServer::registered(&vault);
    let source = lost.path("source");
    tree::plant_large(&source, 40 << 20, &mut Dice::new(5));
    fs::write(source.join("file"), "before").unwrap();
    lost.protect(&source);
    // Twice, so that what was written just before the first run is known to be unchanged.
    wait_until("everything is unchanged", DEADLINE, || {
        let result = lost.backup();
        (result["files"] == result["files_unchanged"]).then_some(())
    });
    let before = lost.points();
    let seen = seen_by_administrator(&lost);
    let label = seen["label"].as_str().unwrap();

    let repaired = TestServer::fresh();
    for name in ["again", "again-too"] {
        lost.credentials(name, &["--server", label]).done();
        fs::copy(lost.path(name), repaired.path(name)).unwrap();
    }
    fs::write(repaired.path("wrong"), "another passphrase altogether").unwrap();
    let mut wrong = repaired.command(["register", "--credentials"]);
    wrong.arg(repaired.path("again")).arg("--passphrase-file").arg(repaired.path("wrong"));
    assert_eq!(stateward_e2e::process::run(wrong).expect_code(12).error_code(), "wrong-passphrase");
    let registered = repaired.register("again", &[]).done().last();
    assert_eq!((&registered["server"], &registered["label"]), (&seen["server"], &seen["label"]));
    assert_eq!(repaired.points(), before);

    repaired.protect(&source);
    let first = repaired.backup();
    let sent = first["bytes_uploaded"].as_u64().unwrap();
    assert!(sent < 1 << 20, "{first}");
    // One in 256 files is read again each run.
    let read = first["files"].as_u64().unwrap() - first["files_unchanged"].as_u64().unwrap();
    assert!(read <= 1, "{first}");
    assert_eq!(first["sequence"].as_u64().unwrap(), before.len() as u64 + 1);
    let target = repaired.path("restored");
    repaired.restore("latest", &target, &[]).done();
    assert_same(&source, &restored(&target, &source));
    repaired.run(["verify", "--full"]).done();
    assert!(seen_by_administrator(&lost)["forked_at"].is_null());

    // Whatever still has the old login key is let in no more, and credentials are good once.
    let refused = lost.run(["backup", "now", "--wait"]).expect_code(13);
    assert_eq!(refused.error_code(), "server-refused");
    let second = TestServer::fresh();
    fs::copy(lost.path("again"), second.path("again")).unwrap();
    assert_eq!(second.register("again", &[]).expect_code(13).error_code(), "credentials-used-up");
}
