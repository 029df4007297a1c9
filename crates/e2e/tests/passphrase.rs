//! A passphrase that is changed: the new one opens, the old one does not, and nothing of it happens without a security PIN.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]
#![cfg(target_os = "linux")]

use stateward_e2e::process::run;
use stateward_e2e::server::{VAULT, restored};
use stateward_e2e::{Dice, Outcome, TestServer, TestVault, assert_same, tree};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

const NEW: &str = "another passphrase altogether";

fn secret_file(server: &TestServer, name: &str, secret: &str) -> PathBuf {
    let path = server.path(name);
    fs::write(&path, secret).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path
}

fn change(server: &TestServer, pin: &str) -> Outcome {
    let mut command = server.command(["passphrase", "change", "--pin", pin, "--passphrase-file"]);
    command.arg(secret_file(server, "new", NEW));
    run(command)
}

/// A new home of a server that is known, by that passphrase.
fn register_again(server: &TestServer, credentials: &str, passphrase: &str) -> (TestServer, Outcome) {
    let again = TestServer::fresh();
    fs::copy(server.path(credentials), again.path("again")).unwrap();
    let mut command = again.command(["register", "--credentials"]);
    command.arg(again.path("again")).arg("--passphrase-file").arg(secret_file(&again, "secret", passphrase));
    let done = run(command);
    (again, done)
}

#[test]
fn a_changed_passphrase_opens_what_was_there_before_and_the_old_one_nothing() {
    let vault = TestVault::start();
    let server = TestServer::registered(&vault);
    let source = server.path("source");
    tree::plant_large(&source, 1_000_000, &mut Dice::new(17));
    server.protect(&source);
    server.run(["backup", "now", "--wait"]).done();
    assert_eq!(change(&server, "12345678").expect_code(1).error_code(), "security-pin-wrong");
    let pin =
        server.run(["pin", "create", "--vault", VAULT]).done().last()["pin"].as_str().unwrap().to_owned();
    change(&server, &pin).done();
    assert_eq!(change(&server, &pin).expect_code(1).error_code(), "security-pin-wrong");
    // What the home knows of its slots fits what the vault has.
    server.run(["verify", "--full"]).done();
    server.run(["backup", "now", "--wait"]).done();

    let label = server.run(["status"]).done().last()["label"].as_str().unwrap().to_owned();
    for name in ["first", "second"] {
        server.credentials(name, &["--server", &label]).done();
    }
    let (_, old) = register_again(&server, "first", stateward_e2e::server::PASSPHRASE);
    assert_eq!(old.expect_code(12).error_code(), "wrong-passphrase");
    let (again, new) = register_again(&server, "second", NEW);
    new.done();
    let target = again.path("restored");
    let first = again.points().last().unwrap().clone();
    again.restore(first.as_str(), &target, &[]).done();
    assert_same(&source, &restored(&target, &source));
}
