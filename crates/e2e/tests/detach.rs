//! A job goes on when its terminal is closed.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]
#![cfg(target_os = "linux")]

use serde_json::Value;
use stateward_e2e::process::{DEADLINE, Running, is_installed, run, wait_until};
use stateward_e2e::server::restored;
use stateward_e2e::{Dice, TestServer, TestVault, assert_same, tree};
use std::process::Command;

fn jobs(server: &TestServer) -> Vec<Value> {
    run(server.command(["job", "list"]))
        .done()
        .json()
        .into_iter()
        .filter(|line| !line["job"].is_null())
        .collect()
}

fn wait_for_one_completed_job(server: &TestServer) {
    wait_until("the job is completed", DEADLINE, || {
        let jobs = jobs(server);
        let status = jobs.last()?["status"].as_str()?.to_owned();
        assert!(!["Failed", "Cancelled"].contains(&&*status), "{jobs:?}");
        (status == "Completed").then_some(())
    });
    assert_eq!(jobs(server).len(), 1);
}

fn rig() -> (TestVault, TestServer, std::path::PathBuf) {
    let vault = TestVault::start();
    let server = TestServer::registered(&vault);
    let source = server.path("source");
    tree::plant_large(&source, 400 << 20, &mut Dice::new(5));
    server.protect(&source);
    (vault, server, source)
}

#[test]
fn a_waiting_backup_goes_on_when_its_terminal_is_closed() {
    assert!(is_installed("script"), "`script` (package bsdutils) is needed to make a terminal");
    let (_vault, server, source) = rig();
    // `script` holds the terminal: killed, it closes it, and the kernel sends SIGHUP to the session in it.
    let line = format!("{:?}", server.backup_command());
    let shell_line = line.replace("env -u RUST_LOG ", "");
    let mut script = Command::new("script");
    script.args(["--quiet", "--flush", "--command", &shell_line, "/dev/null"]);
    let mut terminal = Running::start(script);
    wait_until("the backup has begun", DEADLINE, || {
        assert!(terminal.is_alive(), "it ended too early: {}", terminal.stdout());
        jobs(&server).first().filter(|job| job["status"] == "Running").map(drop)
    });
    terminal.kill();
    wait_for_one_completed_job(&server);
    let target = server.path("restored");
    server.restore("latest", &target, &[]).done();
    assert_same(&source, &restored(&target, &source));
}

#[test]
fn a_backup_that_nobody_waits_for_runs_in_a_session_of_its_own() {
    let (_vault, server, _source) = rig();
    let told = server.run(["backup", "now"]).done().last();
    assert!(told["job"].is_string(), "{told}");
    wait_for_one_completed_job(&server);
    let shown = server.run(["job", "show", told["job"].as_str().unwrap()]).done().last();
    assert_eq!(shown["status"], "Completed");
}

#[test]
fn a_cancelled_job_ends_with_its_own_code_and_the_next_begins_at_once() {
    let (_vault, server, _source) = rig();
    let mut backup = server.start(["backup", "now", "--wait"]);
    let job = wait_until("the backup has begun", DEADLINE, || {
        assert!(backup.is_alive(), "it ended too early: {}", backup.stdout());
        let job = jobs(&server).first()?.clone();
        (job["status"] == "Running").then(|| job["job"].as_str().map(str::to_owned))?
    });
    server.run(["job", "cancel", &job]).done();
    backup.wait().expect_code(130);
    assert_eq!(jobs(&server)[0]["status"], "Cancelled");
    server.backup();
}
