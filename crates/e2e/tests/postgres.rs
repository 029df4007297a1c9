//! A vault whose database is PostgreSQL: backups come back; several processes serve one vault; a process or a database that
//! dies costs nobody anything that was acknowledged.
//!
//! The PostgreSQL is started by the tests, from Debian's package. `STATEWARD_LONG=1` makes more rounds; the seed is printed,
//! and `STATEWARD_SEED` sets it. With `STATEWARD_DATABASE=postgres` all other tests of this room run over one, too.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]
#![cfg(target_os = "linux")]

use serde_json::Value;
use stateward_e2e::process::{DEADLINE, Running, run, wait_until};
use stateward_e2e::server::{VAULT, restored};
use stateward_e2e::vault::ObjectKind;
use stateward_e2e::{Dice, Postgres, TestServer, TestVault, assert_same, rounds, tree};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// New bytes of a backup that is to be met in the middle of its work: several packs.
const ROUND_BYTES: usize = 80 << 20;

/// Restores the newest point of a server and compares.
#[track_caller]
fn assert_comes_back(server: &TestServer, source: &Path) {
    let target = server.path("target");
    server.restore("latest", &target, &[]).done();
    assert_same(source, &restored(&target, source));
    fs::remove_dir_all(target).unwrap();
}

/// A registered server that protects a tree of its own.
fn protecting(vault: &TestVault, dice: &mut Dice) -> (TestServer, PathBuf) {
    let server = TestServer::registered(vault);
    let source = server.path("source");
    tree::plant(&source, tree::Size::SMALL, dice);
    server.protect(&source);
    (server, source)
}

/// Other bytes than before.
fn renew(source: &Path, dice: &mut Dice) {
    let large = source.join("large");
    fs::remove_dir_all(&large).unwrap();
    tree::plant_large(&large, ROUND_BYTES, dice);
}

/// A vault has logged no error but that this PostgreSQL does not wait for the disk.
#[track_caller]
fn assert_no_error(vault: &TestVault) {
    let logs = vault.logs();
    assert!(logs.contains("`fsync = off`"), "{logs}");
    let errors: Vec<_> = logs.lines().filter(|line| line.contains(" ERROR ")).collect();
    assert!(errors.iter().all(|line| line.contains("`fsync = off`")), "{errors:?}");
}

/// Makes backups take some seconds, so that they can be met in the middle of their work.
fn slow_down(server: &TestServer) {
    server.run(["settings", "set", "--limit-rate", "20MiB"]).done();
}

/// Waits until a backup sends packs.
#[track_caller]
fn wait_for_packs(running: &mut Running) {
    wait_until("the backup sends packs", DEADLINE, || {
        assert!(running.is_alive(), "it ended before: {}", running.stdout());
        running.stdout().contains("\"Transferring\"").then_some(())
    });
}

#[test]
fn a_backup_comes_back_from_a_vault_over_postgresql() {
    let Some(postgres) = Postgres::start() else { return };
    let mut vault = TestVault::start_over(Some(&postgres.database()));
    let mut dice = Dice::from_environment();
    let (server, source) = protecting(&vault, &mut dice);
    server.backup();
    assert_comes_back(&server, &source);
    renew(&source, &mut dice);
    server.backup();
    vault.stop();
    vault.serve();
    assert_comes_back(&server, &source);
    server.run(["verify", "--full"]).done();
    assert_eq!(server.points().len(), 2);
    let jobs = server.run(["job", "list"]).done().json();
    assert!(jobs.len() >= 5, "{jobs:?}");
    assert!(!vault.data().join("vault.db").exists());
    assert_no_error(&vault);
}

#[test]
fn two_processes_serve_one_vault_to_servers_that_call_either() {
    let Some(postgres) = Postgres::start() else { return };
    let one = TestVault::start_over(Some(&postgres.database()));
    let mut two = one.beside();
    two.serve();
    let mut dice = Dice::from_environment();
    let mut servers = vec![protecting(&one, &mut dice), protecting(&two, &mut dice)];
    // Two more in the domain of the first, so that they write into the same packs' rows.
    for (vault, label) in [(&one, "third"), (&two, "fourth")] {
        let server = TestServer::registered_in_domain(vault, &servers[0].0, label);
        let source = server.path("source");
        tree::plant(&source, tree::Size::SMALL, &mut dice);
        server.protect(&source);
        servers.push((server, source));
    }
    let backups = 2 * rounds(1);
    for number in 0..backups {
        // All at the same time; each calls the other process than last time.
        let running: Vec<_> =
            servers.iter().map(|(server, _)| Running::start(server.backup_command())).collect();
        for running in running {
            let result = running.wait().done().last();
            assert_eq!(result["status"], "Completed", "{result}");
        }
        for (at, (server, source)) in servers.iter().enumerate() {
            server.move_to(if (at as u32 + number).is_multiple_of(2) { &two } else { &one });
            assert_comes_back(server, source);
            renew(source, &mut dice);
        }
    }
    for (server, _) in &servers {
        server.run(["verify", "--full"]).done();
        assert_eq!(server.points().len() as u32, backups);
    }
    // Neither told of a fork, and an administrator sees the same at both.
    let admin = TestServer::fresh();
    let seen: Vec<Vec<Value>> = [&one, &two]
        .map(|vault| {
            admin.login(&vault.access).done();
            admin.run(["server", "list", "--vault", VAULT]).done().json()
        })
        .into();
    assert_eq!(seen[0].len(), 4);
    assert!(seen[0].iter().all(|server| server["forked_at"].is_null()), "{seen:?}");
    assert_eq!(seen[0], seen[1]);
    assert_no_error(&one);
    assert_no_error(&two);
}

#[test]
fn another_process_takes_the_place_of_one_that_dies_in_the_middle_of_a_backup() {
    let Some(postgres) = Postgres::start() else { return };
    let mut one = TestVault::start_over(Some(&postgres.database()));
    let mut two = one.beside();
    let mut dice = Dice::from_environment();
    let (server, source) = protecting(&one, &mut dice);
    server.backup();
    slow_down(&server);
    let address = one.address().to_owned();
    for _ in 0..rounds(1) {
        renew(&source, &mut dice);
        let before = one.bytes_of(ObjectKind::Pack);
        let mut backup = Running::start(server.backup_command());
        wait_for_packs(&mut backup);
        one.kill();
        let mut serve = two.serve_command();
        serve.args(["--listen", &address]);
        two.serve_by(serve);
        let result = backup.wait().done().last();
        assert_eq!(result["status"], "Completed", "{result}");
        let grown = one.bytes_of(ObjectKind::Pack) - before;
        assert!(grown < 2 * ROUND_BYTES as u64, "{grown} bytes for {ROUND_BYTES} new ones");
        assert_comes_back(&server, &source);
        std::mem::swap(&mut one, &mut two);
    }
    server.run(["verify", "--full"]).done();
}

#[test]
fn a_database_that_dies_in_the_middle_of_a_backup_costs_nothing() {
    let Some(mut postgres) = Postgres::start() else { return };
    let mut vault = TestVault::start_over(Some(&postgres.database()));
    let mut dice = Dice::from_environment();
    let (server, source) = protecting(&vault, &mut dice);
    let first = server.backup()["recovery_point"].as_str().unwrap().to_owned();
    slow_down(&server);
    for _ in 0..rounds(1) {
        renew(&source, &mut dice);
        let mut backup = Running::start(server.backup_command());
        wait_for_packs(&mut backup);
        postgres.kill();
        postgres.revive();
        let result = backup.wait().done().last();
        assert_eq!(result["status"], "Completed", "{result}");
        assert_comes_back(&server, &source);
        assert!(server.points().contains(&first));
    }
    server.run(["verify", "--full"]).done();

    // While it is away a command says what is wrong; so does a vault that is started.
    postgres.kill();
    let refused = server.run(["vault", "list"]).expect_code(10);
    assert_eq!(refused.error_code(), "vault-unavailable", "{refused:#?}");
    assert!(refused.stdout.contains("its database"), "{refused:#?}");
    vault.stop();
    let refused = run(vault.serve_command()).expect_code(1);
    for words in ["can't be reached", "see that PostgreSQL runs", "vault.json"] {
        assert!(refused.stderr.contains(words), "{refused:#?}");
    }
    postgres.revive();
    vault.serve();
    assert_comes_back(&server, &source);
}

fn init(folder: &Path, database: &str) -> Command {
    let mut init = Command::new(stateward_e2e::process::program("stateward-vault"));
    init.args(["init", "--listen", "127.0.0.1:0", "--json", "--database", database, "--data"]).arg(folder);
    init
}

#[test]
fn what_does_not_belong_together_is_refused_and_no_password_is_shown() {
    let Some(postgres) = Postgres::start() else { return };
    let database = format!("{}&password=hunter2", postgres.database());
    let mut vault = TestVault::start_over(Some(&database));
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    for (url, why) in [
        ("mysql://u:hunter2@localhost/d", "postgres://"),
        ("postgres://u:hunter2@localhost", "name a database"),
        ("postgres://u:hunter2@127.0.0.1:1/d", "see that PostgreSQL runs"),
        (database.as_str(), "a vault in the database already"),
    ] {
        let refused = run(init(&data, url)).expect_code(1);
        assert!(refused.stderr.contains(why), "{refused:#?}");
        assert!(!(refused.stdout + &refused.stderr).contains("hunter2"));
        assert!(fs::read_dir(&data).map_or(0, Iterator::count) == 0, "nothing is left");
    }
    // A second machine that has not mounted the store, and one that has another vault's key.
    let second = vault.beside();
    fs::remove_file(second.data().join("store")).unwrap();
    fs::create_dir(second.data().join("store")).unwrap();
    let refused = run(second.serve_command()).expect_code(1);
    assert!(refused.stderr.contains("is mounted"), "{refused:#?}");
    let second = vault.beside();
    fs::write(second.data().join("signing.key"), [7; 32]).unwrap();
    let refused = run(second.serve_command()).expect_code(1);
    assert!(refused.stderr.contains("signing.key"), "{refused:#?}");
    vault.stop();
    assert!(!vault.logs().contains("hunter2"), "{}", vault.logs());
}
