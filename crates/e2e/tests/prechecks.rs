//! What is found on the way to the vault before a backup, and what becomes of the backup then.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]
#![cfg(target_os = "linux")]

use serde_json::Value;
use stateward_e2e::process::{DEADLINE, Outcome, run, wait_until};
use stateward_e2e::{TestServer, TestVault, faketime};
use std::fs;

fn prepared(vault: &TestVault) -> TestServer {
    let server = TestServer::registered(vault);
    let source = server.path("source");
    fs::create_dir(&source).unwrap();
    fs::write(source.join("file"), "content").unwrap();
    server.protect(&source);
    server
}

/// The messages of what was told before a backup, under a code.
fn told(lines: &[Value], code: &str) -> Vec<String> {
    let of_code = lines.iter().filter(|line| line["type"] == "precheck" && line["code"] == code);
    of_code.map(|line| line["message"].as_str().unwrap().to_owned()).collect()
}

/// How a recovery point keeps a finding.
fn kept(server: &TestServer, code: &str) -> Value {
    let shown = server.run(["recovery-point", "show", "latest"]).done().last();
    let all = shown["recovery_point"]["prechecks"].as_array().or_else(|| shown["prechecks"].as_array());
    let all = all.unwrap_or_else(|| panic!("no prechecks: {shown:#}"));
    let found = all.iter().find(|precheck| precheck["code"] == code);
    found.unwrap_or_else(|| panic!("no {code}: {shown:#}"))["outcome"].clone()
}

#[test]
fn a_vault_that_comes_back_is_waited_for_and_the_recovery_point_keeps_that() {
    let mut vault = TestVault::start();
    let server = prepared(&vault);
    server.backup();
    let passed = kept(&server, "vault-reachable");
    assert_eq!(kept(&server, "clock"), passed);
    vault.stop();
    let backup = server.start(["backup", "now", "--wait"]);
    wait_until("the finding is told", DEADLINE, || backup.stdout().contains("vault-reachable").then_some(()));
    vault.serve();
    let backup = backup.wait().done();
    assert_eq!(told(&backup.json(), "vault-reachable").len(), 1, "{backup:#?}");
    assert_ne!(kept(&server, "vault-reachable"), passed);
}

#[test]
fn a_backup_is_not_begun_without_its_vault_where_the_policy_says_so() {
    let mut vault = TestVault::start();
    let server = prepared(&vault);
    server.run(["settings", "set", "--precheck", "vault-reachable=block"]).done();
    vault.stop();
    let blocked = run(server.backup_command()).expect_code(14);
    assert_eq!(blocked.error_code(), "precheck-blocks");
    assert_eq!(told(&blocked.json(), "vault-reachable").len(), 1, "{blocked:#?}");
    vault.serve();
    server.backup();
}

#[test]
fn a_clock_that_is_off_by_minutes_is_told_kept_and_blocks_where_the_policy_says_so() {
    let vault = TestVault::start();
    let server = prepared(&vault);
    let backup = |shift: &str, more: &[&str]| -> Outcome {
        let mut command = server.backup_command();
        command.args(more);
        faketime::shift(&mut command, shift);
        run(command)
    };
    let warned = backup("+90s", &[]).done();
    let message = told(&warned.json(), "clock").remove(0);
    assert!(message.contains("s ahead of the vault's"), "{message}");
    let kept_as_warning = kept(&server, "clock");
    server.run(["settings", "set", "--precheck", "clock=block"]).done();
    let blocked = backup("-90s", &[]).expect_code(14);
    assert!(blocked.last()["message"].as_str().unwrap().contains("behind the vault's"), "{blocked:#?}");
    backup("-90s", &["--despite-prechecks"]).done();
    assert_ne!(kept(&server, "clock"), kept_as_warning);
    server.backup();
}
