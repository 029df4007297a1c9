//! The main job: what is protected goes into a vault and comes back, in every respect.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]
#![cfg(target_os = "linux")]

use stateward_e2e::process::run;
use stateward_e2e::server::{PASSPHRASE, restored};
use stateward_e2e::vault::ObjectKind;
use stateward_e2e::{Dice, TestServer, TestVault, assert_same, compare, tree};
use std::fs;
use std::path::Path;

#[test]
fn a_tree_of_every_kind_is_backed_up_changed_restored_and_recovered() {
    let mut dice = Dice::from_environment();
    let mut vault = TestVault::start();
    let server = TestServer::registered(&vault);
    let source = server.path("source");
    tree::plant(&source, tree::Size::SMALL, &mut dice);
    server.protect(&source);

    // FIFOs, sockets and dangling links are no warnings: `backup` asserts that there are none.
    let first = server.backup();
    assert!(first["files"].as_u64().unwrap() > 300, "{first}");
    assert!(first["bytes"].as_u64().unwrap() > 10 << 20, "{first}");
    let id = first["recovery_point"].as_str().unwrap();
    let target = server.path("restored-first");
    server.restore(id, &target, &[]).done();
    assert_same(&source, &restored(&target, &source));

    unchanged_costs_next_to_nothing(&vault, &server);

    tree::change(&source, &mut dice);
    let changed = server.backup();
    let uploaded = changed["bytes_uploaded"].as_u64().unwrap();
    assert!(uploaded < 3 << 20, "only what changed goes up: {changed}");
    let target = server.path("restored-changed");
    server.restore("latest", &target, &[]).done();
    assert_same(&source, &restored(&target, &source));

    let target = server.path("restored-first-again");
    server.restore(id, &target, &[]).done();
    assert_same(&restored(&server.path("restored-first"), &source), &restored(&target, &source));
    assert_eq!(server.points().len(), 3);

    one_path_comes_back_alone(&server, &source);

    server.run(["verify", "--full"]).done();
    server.run(["verify"]).done();

    vault.stop();
    recovers_without_a_vault(&vault, &server, &source);
}

fn unchanged_costs_next_to_nothing(vault: &TestVault, server: &TestServer) {
    let before = vault.bytes();
    server.backup();
    let grown = vault.bytes() - before;
    assert!(grown <= 64 << 10, "an unchanged backup adds {grown} bytes of objects");
}

fn one_path_comes_back_alone(server: &TestServer, source: &Path) {
    let wanted = source.join("many/001");
    let target = server.path("restored-path");
    server.restore("latest", &target, &["--path", wanted.to_str().unwrap()]).done();
    assert_same(&wanted, &restored(&target, &wanted));
    let beside: Vec<_> = fs::read_dir(restored(&target, source)).unwrap().collect();
    assert_eq!(beside.len(), 1, "nothing else of the tree is there: {beside:?}");
}

/// From the data folder, and from a copy of one vault's store alone.
fn recovers_without_a_vault(vault: &TestVault, server: &TestServer, source: &Path) {
    let copy = server.path("copy-of-store");
    let mut copying = std::process::Command::new("cp");
    copying.arg("-a").arg(vault.data().join("store")).arg(&copy);
    run(copying).done();
    for (number, store) in [vault.data(), &copy].into_iter().enumerate() {
        // With a home that knows nothing.
        let stranger = TestServer::fresh();
        let recover = |more: &[&str]| {
            let mut command = stranger.command(["recover", "--store"]);
            command.arg(store).arg("--passphrase-file").arg(stranger.passphrase_file()).args(more);
            run(command)
        };
        let listed = recover(&["--list"]).done().json();
        assert!(listed.iter().any(|line| line.to_string().contains("files")), "{listed:?}");
        let target = server.path(&format!("recovered-{number}"));
        recover(&["--recovery-point", "latest", "--target", target.to_str().unwrap()]).done();
        assert_same(source, &restored(&target, source));
    }
}

#[test]
fn system_state_of_another_root_comes_back_whole_and_by_component() {
    let vault = TestVault::start();
    let server = TestServer::registered(&vault);
    let root = server.path("root");
    for (path, content) in [
        ("etc/passwd", "root:x:0:0::/root:/bin/sh\n"),
        ("etc/shadow", "root:*:1::::::\n"),
        ("etc/hostname", "test\n"),
        ("etc/motd", "welcome\n"),
        ("etc/crontab", "# nothing\n"),
        ("etc/systemd/system/test.service", "[Service]\nExecStart=/bin/true\n"),
        ("boot/vmlinuz-1", "kernel"),
        ("usr/bin/program", "#!/bin/sh\n"),
        ("var/lib/dpkg/status", "Package: test\n\n"),
        ("home/somebody/private", "user data is no System State"),
        ("var/log/syslog", "nor are logs"),
    ] {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    server.run(["protect", "system-state", "--root", root.to_str().unwrap()]).done();
    server.backup();

    let target = server.path("all");
    server.restore("latest", &target, &["--item", "system-state"]).done();
    for path in ["etc/passwd", "etc/motd", "boot/vmlinuz-1", "usr/bin/program", "var/lib/dpkg/status"] {
        assert_same(&root.join(path), &target.join(path));
    }
    assert!(!target.join("home/somebody").exists(), "user data is left out");
    assert!(!target.join("var/log/syslog").exists(), "logs are left out");

    let target = server.path("accounts");
    server.restore("latest", &target, &["--component", "accounts"]).done();
    assert_same(&root.join("etc/shadow"), &target.join("etc/shadow"));
    for path in ["etc/motd", "usr", "boot/vmlinuz-1"] {
        assert!(!target.join(path).exists(), "{path} is of another component");
    }
}

#[test]
fn several_items_are_backed_up_by_one_command_and_latest_needs_one_of_them() {
    let vault = TestVault::start();
    let server = TestServer::registered(&vault);
    for name in ["one", "two"] {
        fs::create_dir(server.path(name)).unwrap();
        fs::write(server.path(name).join("file"), name).unwrap();
        server.protect(&server.path(name));
    }
    let results: Vec<_> = run(server.backup_command())
        .done()
        .json()
        .into_iter()
        .filter(|line| line["type"] == "result")
        .collect();
    assert_eq!(results.len(), 2, "{results:?}");
    let outcome = server.restore("latest", &server.path("unclear"), &[]).expect_code(2);
    assert_eq!(outcome.error_code(), "item-needed");
    for (item, name) in [("files", "one"), ("files-2", "two")] {
        let target = server.path(&format!("restored-{name}"));
        server.restore("latest", &target, &["--item", item]).done();
        let path = server.path(name);
        assert!(compare::differences(&path, &restored(&target, &path)).is_empty());
    }
}

#[test]
fn a_recovery_code_recovers_when_the_passphrase_is_lost() {
    let vault = TestVault::start();
    let server = TestServer::fresh();
    server.login(&vault.access).done();
    server.run(["vault", "create", stateward_e2e::server::VAULT]).done();
    server.credentials("credentials", &[]).done();
    let code = server.path("recovery-code");
    server.register("credentials", &["--recovery-code-file", code.to_str().unwrap()]).done();
    assert_eq!(vault.objects(ObjectKind::Slot).len(), 2);
    let source = server.path("source");
    fs::create_dir(&source).unwrap();
    fs::write(source.join("file"), "content").unwrap();
    server.protect(&source);
    server.backup();
    let target = server.path("recovered");
    let stranger = TestServer::fresh();
    let mut recover = stranger.command(["recover", "--recovery-point", "latest", "--store"]);
    recover.arg(vault.data()).arg("--recovery-code-file").arg(&code).arg("--target").arg(&target);
    run(recover).done();
    assert_same(&source, &restored(&target, &source));
    let told = fs::read_to_string(&code).unwrap();
    assert!(stateward_e2e::canary::find_below(vault.data(), told.trim()).is_empty());
    assert!(stateward_e2e::canary::find_below(&server.home(), told.trim()).is_empty());
    assert!(stateward_e2e::canary::find_below(&server.home(), PASSPHRASE).is_empty());
}
