//! Whatever is wrong with what the programs are given, they say so: each with its own code, message and remedy, and the
//! exit code that scripts rely on.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "what a run was made of is told with its result"
)]
#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]
#![cfg(target_os = "linux")]

use stateward_e2e::faketime;
use stateward_e2e::process::{Outcome, run};
use stateward_e2e::server::VAULT;
use stateward_e2e::vault::Access;
use stateward_e2e::{TestServer, TestVault};
use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

#[track_caller]
fn assert_error(outcome: Outcome, exit: i32, code: &str) {
    let outcome = outcome.expect_code(exit);
    assert_eq!(outcome.error_code(), code, "{outcome:#?}");
}

/// A registered server with one small recovery point.
fn backed_up(vault: &TestVault) -> (TestServer, PathBuf) {
    let server = TestServer::registered(vault);
    let source = server.path("source");
    fs::create_dir(&source).unwrap();
    fs::write(source.join("file"), "content").unwrap();
    server.protect(&source);
    server.backup();
    (server, source)
}

#[test]
fn a_wrong_passphrase_and_a_wrong_recovery_code_open_nothing() {
    let vault = TestVault::start();
    let (server, _) = backed_up(&vault);
    let recover = |flag: &str, secret: &str| {
        let file = server.path("secret");
        fs::write(&file, secret).unwrap();
        let mut command = server.command(["recover", "--list", "--store"]);
        command.arg(vault.data()).arg(flag).arg(file);
        run(command)
    };
    assert_error(recover("--passphrase-file", "another passphrase, just as long\n"), 12, "wrong-passphrase");
    let mistyped = recover("--recovery-code-file", "AAAA-BBBB\n");
    assert_error(mistyped, 12, "recovery-code-mistyped");
}

#[test]
fn credentials_that_cannot_be_used_are_refused_each_for_its_own_reason() {
    let vault = TestVault::start();
    let admin = TestServer::fresh();
    admin.login(&vault.access).done();
    admin.run(["vault", "create", VAULT]).done();
    admin.credentials("credentials", &[]).done();
    let text = fs::read_to_string(admin.path("credentials")).unwrap();
    let try_with = |content: &str| {
        let server = TestServer::fresh();
        fs::write(server.path("credentials"), content).unwrap();
        let outcome = server.register("credentials", &[]);
        // Nothing is half registered.
        assert_error(server.run(["backup", "now", "--wait"]), 13, "not-registered");
        outcome
    };

    assert_error(TestServer::fresh().register("absent", &[]), 13, "credentials-unreadable");
    assert_error(try_with("not JSON"), 13, "credentials-damaged");
    assert_error(try_with(&text[..text.len() / 2]), 13, "credentials-damaged");
    for (field, value) in [("expiresAt", "2099-01-01T00:00:00Z"), ("vaultName", "other")] {
        let mut tampered: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert!(tampered[field].is_string(), "{text}");
        tampered[field] = value.into();
        assert_error(try_with(&tampered.to_string()), 13, "credentials-tampered");
    }

    let first = TestServer::fresh();
    fs::write(first.path("credentials"), &text).unwrap();
    first.register("credentials", &[]).done();
    assert_error(first.register("credentials", &[]), 1, "already-registered");
    assert_error(try_with(&text), 13, "credentials-used-up");
}

#[test]
fn credentials_of_another_vault_are_refused_by_this_one() {
    let mut vault = TestVault::start();
    vault.stop();
    // The same machine, authority and signing key, before the credentials were made: it does not know them.
    let before = vault.data().with_file_name("before");
    copy(vault.data(), &before);
    vault.serve();
    let admin = TestServer::fresh();
    admin.login(&vault.access).done();
    admin.run(["vault", "create", VAULT]).done();
    admin.credentials("credentials", &[]).done();
    vault.stop();
    fs::rename(vault.data(), vault.data().with_file_name("after")).unwrap();
    fs::rename(&before, vault.data()).unwrap();
    vault.serve();
    assert_error(admin.register("credentials", &[]), 13, "credentials-refused");
}

#[test]
fn credentials_whose_time_is_over_are_refused_at_home_and_by_the_vault() {
    let mut vault = TestVault::start();
    let admin = TestServer::fresh();
    admin.login(&vault.access).done();
    admin.run(["vault", "create", VAULT]).done();
    admin.credentials("credentials", &["--valid-hours", "1"]).done();

    let mut register = admin.command(["register", "--credentials"]);
    register.arg(admin.path("credentials")).arg("--passphrase-file").arg(admin.passphrase_file());
    faketime::shift(&mut register, "+2h");
    assert_error(run(register), 13, "credentials-expired");

    vault.stop();
    let mut serve = vault.serve_command();
    faketime::shift(&mut serve, "+2h");
    vault.serve_by(serve);
    assert_error(admin.register("credentials", &[]), 13, "credentials-expired");
}

#[test]
fn a_clock_that_is_wrong_is_told_with_the_difference() {
    let vault = TestVault::start();
    let (server, source) = backed_up(&vault);
    for shift in ["+1h", "-1h"] {
        let mut list = server.backup_command();
        faketime::shift(&mut list, shift);
        let outcome = run(list);
        let message = outcome.last()["message"].to_string();
        assert_error(outcome, 13, "clock-skew");
        let seconds: String = message.chars().filter(|c| c.is_ascii_digit()).collect();
        let seconds: i64 = seconds.parse().unwrap();
        assert!((seconds - 3600).abs() < 60, "{message}");
    }
    fs::write(source.join("file"), "other").unwrap();
    server.backup();
}

#[test]
fn a_vault_that_is_not_there_not_trusted_or_another_is_told_apart() {
    let mut vault = TestVault::start();
    let (server, _) = backed_up(&vault);
    let other = TestVault::start();
    let stranger = TestServer::fresh();

    let wrong_ca = Access { ca_file: other.access.ca_file.clone(), ..vault.access.clone() };
    assert_error(stranger.login(&wrong_ca), 10, "vault-not-trusted");
    let secret = Access { client_secret: other.access.client_secret.clone(), ..vault.access.clone() };
    let refused = stranger.login(&secret);
    assert!(!(refused.stdout.clone() + &refused.stderr).contains(&secret.client_secret));
    assert_error(refused, 13, "sign-in-refused");

    // A secret may begin like a flag.
    let dash = Access { client_secret: "-begins-with-a-dash".to_owned(), ..vault.access.clone() };
    assert_error(stranger.login(&dash), 13, "sign-in-refused");

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let no_tls = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").unwrap();
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    });
    assert_error(stranger.login(&Access { url, ..vault.access.clone() }), 10, "wrong-vault");
    no_tls.join().unwrap();

    let nowhere = Access { url: "https://vault.invalid:7443".to_owned(), ..vault.access.clone() };
    assert_error(stranger.login(&nowhere), 10, "vault-unreachable");
    assert_error(server.run(["vault", "show", "absent"]), 10, "unknown-vault");

    vault.stop();
    assert_error(server.run(["vault", "list"]), 10, "vault-unreachable");
    assert_error(server.run(["recovery-point", "list"]), 10, "vault-unreachable");
}

#[test]
fn a_vault_that_was_made_anew_at_the_same_address_is_another() {
    let mut vault = TestVault::start();
    let (server, _) = backed_up(&vault);
    vault.stop();
    let mut other = TestVault::start();
    other.stop();
    // Its certificate and its key are trusted still, as after a move of the machine's name to a new vault.
    for folder_or_file in fs::read_dir(vault.data()).unwrap() {
        let path = folder_or_file.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.extension().is_some_and(|kind| kind == "pem") || name == "tls" {
            copy_over(&path, &other.data().join(name));
        }
    }
    let port = vault.access.url.rsplit(':').next().unwrap().to_owned();
    let mut serve = other.serve_command();
    serve.args(["--listen", &format!("127.0.0.1:{port}")]);
    other.serve_by(serve);
    assert_error(server.run(["recovery-point", "list"]), 10, "wrong-vault");
}

#[test]
fn an_unknown_point_item_or_component_is_named() {
    let vault = TestVault::start();
    let (server, _) = backed_up(&vault);
    let target = server.path("target");
    assert_error(server.restore(&"0".repeat(64), &target, &[]), 1, "unknown-recovery-point");
    assert_error(server.restore("zz", &target, &[]), 1, "unknown-recovery-point");
    assert_error(server.restore("latest", &target, &["--item", "absent"]), 1, "unknown-item");
    assert_error(server.run(["backup", "now", "--wait", "--item", "absent"]), 1, "unknown-item");
    assert_error(server.run(["protect", "system-state", "--component", "absent"]), 2, "unknown-component");
    assert_error(server.run(["job", "show", "00000000-0000-4000-8000-000000000000"]), 1, "unknown-job");
    assert_eq!(server.run(["backup", "soon"]).code(), Some(2));
    assert!(!target.exists(), "nothing was made for a restore that can't begin");
}

#[test]
fn a_target_that_cannot_be_written_or_is_not_empty_is_refused() {
    let vault = TestVault::start();
    let (server, _) = backed_up(&vault);
    let file = server.path("file");
    fs::write(&file, "a file").unwrap();
    assert_error(server.restore("latest", &file.join("below"), &[]), 1, "target-unusable");
    let full = server.path("full");
    fs::create_dir(&full).unwrap();
    fs::write(full.join("mine"), "mine").unwrap();
    assert_error(server.restore("latest", &full, &[]), 1, "target-not-empty");
    assert_eq!(fs::read_to_string(full.join("mine")).unwrap(), "mine");
    assert_eq!(fs::read_dir(&full).unwrap().count(), 1);
}

fn copy(from: &Path, to: &Path) {
    let mut command = Command::new("cp");
    command.arg("-a").arg(from).arg(to);
    run(command).done();
}

/// Copies a file, or what is in a folder, over what is there.
fn copy_over(from: &Path, to: &Path) {
    let mut command = Command::new("cp");
    command.args(["-a", "-T"]).arg(from).arg(to);
    run(command).done();
}
