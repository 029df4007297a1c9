//! That recovery points come back is proven on command and by the running agent, and leaves nothing behind.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]
#![cfg(target_os = "linux")]

use rustix::process::Signal;
use serde_json::{Value, json};
use stateward_e2e::disk::{Disk, Kind};
use stateward_e2e::process::{DEADLINE, wait_until};
use stateward_e2e::{Dice, TestServer, TestVault, tree};
use std::fs;

/// A server whose item has a recovery point of some files.
fn rig() -> (TestVault, TestServer) {
    let vault = TestVault::start();
    let server = TestServer::registered(&vault);
    let source = server.path("source");
    tree::plant_large(&source, 1_000_000, &mut Dice::new(11));
    server.protect(&source);
    server.run(["backup", "now", "--wait"]).done();
    (vault, server)
}

fn item(server: &TestServer) -> String {
    server.run(["status"]).done().last()["items"][0].as_str().unwrap().to_owned()
}

fn proofs(server: &TestServer) -> Value {
    server.run(["status"]).done().last()["proofs"].clone()
}

/// What is left of trial restores.
fn leftovers(server: &TestServer) -> usize {
    fs::read_dir(server.home().join("trial")).map_or(0, Iterator::count)
}

#[test]
fn a_trial_restore_on_command_is_noted_and_leaves_nothing_behind() {
    let (_vault, server) = rig();
    assert_eq!(proofs(&server)["trial_restores"][0]["proven"], Value::Null);
    let told = server.run(["verify", "--trial-restore", &item(&server)]).done().last();
    assert_eq!(told["status"], "Completed", "{told:#}");
    let proven = proofs(&server)["trial_restores"][0]["proven"].clone();
    assert_eq!(proven["recovery_point"], server.run(["status"]).done().last()["recovery_point"]);
    assert_eq!((&proven["files"], leftovers(&server)), (&told["files"], 0));
    let text = server.as_person(["status"]).done().stdout;
    assert!(text.contains("Last proven restore") && text.contains("Last verified"), "{text}");
}

#[test]
fn the_running_agent_proves_by_itself_what_waits_for_it() {
    let (_vault, server) = rig();
    // As an agent leaves it that ran in the summer.
    let since = json!({
        "version": 1, "since": "2026-06-01T00:00:00Z", "verify": { "proven": null, "tried_at": null }, "restores": {},
    });
    fs::write(server.home().join("proofs.json"), since.to_string()).unwrap();
    let cut_off = server.home().join("trial/stateward-trial-cut-off");
    fs::create_dir_all(&cut_off).unwrap();
    let agent = server.start(["agent", "run"]);
    let proven = wait_until("everything is proven", DEADLINE, || {
        let proofs = proofs(&server);
        let is_done = !proofs["verified_at"].is_null() && !proofs["trial_restores"][0]["proven"].is_null();
        is_done.then_some(proofs)
    });
    assert!(!proven["next_verify"].is_null() && !proven["trial_restores"][0]["next"].is_null(), "{proven:#}");
    agent.signal(Signal::TERM);
    agent.wait().done();
    assert_eq!(leftovers(&server), 0);
    let jobs = server.run(["job", "list"]).done().stdout;
    assert_eq!((jobs.matches("\"Restore\"").count(), jobs.matches("\"Verify\"").count()), (1, 1), "{jobs}");
}

#[test]
fn a_disk_is_not_filled_to_prove_something() {
    let Some(disk) = Disk::new(Kind::Memory, 64) else { return };
    let (_vault, server) = rig();
    let folder = disk.path().to_str().unwrap();
    server.run(["settings", "set", "--trial-folder", folder]).done();
    let refused = server.run(["verify", "--trial-restore", &item(&server)]).expect_code(1).last();
    assert_eq!(refused["code"], "trial-no-room", "{refused:#}");
    assert_eq!(fs::read_dir(disk.path()).unwrap().count(), 0);
    assert_eq!(proofs(&server)["trial_restores"][0]["proven"], Value::Null);
}
