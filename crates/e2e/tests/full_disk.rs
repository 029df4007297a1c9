//! Full disks, one after the other: each is named with what is free and what to do, nothing that was acknowledged is
//! lost, and the same command goes through when there is space again.
//!
//! Real file systems: one in memory and ext4; XFS and btrfs too by `STATEWARD_LONG=1`.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]
#![cfg(target_os = "linux")]

use serde_json::Value;
use stateward_e2e::disk::Kind;
use stateward_e2e::process::{DEADLINE, Outcome, run, wait_until};
use stateward_e2e::server::restored;
use stateward_e2e::{Dice, Disk, TestServer, TestVault, assert_same, tree};
use std::fs;
use std::path::{Path, PathBuf};

/// The error must have that code and name that place.
#[track_caller]
fn assert_full(outcome: Outcome, code: &str, place: &str) -> Outcome {
    let outcome = outcome.expect_code(1);
    assert_eq!(outcome.error_code(), code, "{outcome:#?}");
    let message = outcome.last()["message"].as_str().unwrap().to_owned();
    assert!(message.contains(place), "`{place}` is not named: {message}");
    assert!(message.contains("free"), "what is free is not told: {message}");
    outcome
}

/// Some small files, and bytes that take space.
fn plant(source: &Path, files: u64, bytes: usize) {
    fs::create_dir_all(source).unwrap();
    for number in 0..files {
        fs::write(source.join(format!("file-{number:04}")), Dice::new(number).bytes(64)).unwrap();
    }
    if bytes > 0 {
        tree::plant_large(&source.join("large"), bytes, &mut Dice::new(1));
    }
}

#[track_caller]
fn assert_restores(server: &TestServer, point: &str, source: &Path, name: &str) {
    let target = server.path(name);
    server.restore(point, &target, &[]).done();
    assert_same(source, &restored(&target, source));
    fs::remove_dir_all(target).unwrap();
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn protected(server: &TestServer, files: u64, bytes: usize) -> PathBuf {
    let source = server.path("source");
    plant(&source, files, bytes);
    server.protect(&source);
    source
}

#[test]
fn a_full_cache_folder_is_told_and_costs_nothing_that_was_acknowledged() {
    for kind in Kind::tried() {
        let Some(disk) = Disk::new(kind, 8) else { return };
        let vault = TestVault::start();
        let server = TestServer::fresh();
        server.prepare_registration(&vault);
        let cache = disk.path().join("cache");
        server.register("credentials", &["--cache", text(&cache)]).done();
        let source = protected(&server, 3000, 0);
        server.backup();
        let first = server.points();
        plant(&source, 3000, 40 << 20);
        // At once, and after the first packs have gone up.
        for left in [0, 24 << 10] {
            disk.fill_but(left);
            assert_full(run(server.backup_command()), "cache-full", text(&cache));
            assert_eq!(server.points(), first);
            disk.make_space();
        }
        disk.fill();
        let target = server.path("from-first");
        server.restore(&first[0], &target, &[]).done();
        disk.make_space();
        server.backup();
        assert_restores(&server, "latest", &source, "target");
        server.run(["verify", "--full"]).done();
    }
}

#[test]
fn a_full_home_is_told_by_every_command_and_each_goes_through_afterwards() {
    for kind in Kind::tried() {
        let Some(disk) = Disk::new(kind, 8) else { return };
        let vault = TestVault::start();
        let home = disk.path().join("home");
        let server = TestServer::fresh_at(&home);
        let cache = server.path("cache");
        let register = || server.register("credentials", &["--cache", text(&cache)]);
        server.prepare_registration(&vault);
        disk.fill();
        assert_full(register(), "home-full", text(&home));
        disk.make_space();
        register().done();
        let source = server.path("source");
        plant(&source, 20, 1 << 20);
        let path = text(&source);
        let commands: [&[&str]; 3] = [
            &["settings", "set", "--limit-rate", "50MB"],
            &["protect", "files", path],
            &["backup", "now", "--wait"],
        ];
        for command in commands {
            disk.fill();
            assert_full(server.run(command), "home-full", text(&home));
            // Nothing of it is in the way, and what was there is as it was.
            server.run(["status"]);
            disk.make_space();
            server.run(command).done();
        }
        disk.fill();
        assert_full(server.restore("latest", &server.path("no"), &[]), "home-full", text(&home));
        // Without the home it can be restored all the same.
        let target = server.path("recovered");
        let mut recover = server.command(["recover", "--store"]);
        recover.arg(vault.data()).arg("--passphrase-file").arg(server.passphrase_file());
        recover.args(["--recovery-point", "latest", "--target"]).arg(&target);
        run(recover).done();
        assert_same(&source, &restored(&target, &source));
        disk.make_space();
        assert_restores(&server, "latest", &source, "target");
    }
}

/// Waits until a backup moves packs; its job.
fn wait_for_transfer(server: &TestServer) -> String {
    wait_until("the backup transfers", DEADLINE, || {
        let jobs = server.run(["job", "list"]).json();
        let running = jobs.iter().find(|job| job["status"] == "Running")?;
        let file = server.home().join(format!("jobs/{}.json", running["job"].as_str()?));
        let record: Value = serde_json::from_slice(&fs::read(file).ok()?).ok()?;
        (record["figures"]["bytes"].as_u64()? > 0).then(|| running["job"].as_str().unwrap().to_owned())
    })
}

#[test]
fn a_job_whose_home_becomes_full_ends_in_a_true_state() {
    for kind in Kind::tried() {
        let Some(disk) = Disk::new(kind, 8) else { return };
        let vault = TestVault::start();
        let server = TestServer::fresh_at(&disk.path().join("home"));
        server.prepare_registration(&vault);
        server.register("credentials", &["--cache", text(&server.path("cache"))]).done();
        let source = protected(&server, 20, 10 << 20);
        let slow = ["backup", "now", "--limit-rate", "2MB"];

        // Inside the command, then in a process of its own.
        let backup = server.start([&slow[..], &["--wait"]].concat());
        let job = wait_for_transfer(&server);
        disk.fill();
        let outcome = backup.wait();
        let has_point = ends_truly(kind, &outcome.last());
        let shown = server.run(["job", "show", &job]).done();
        assert_eq!(shown.last()["status"], outcome.last()["status"], "{shown:#?}");
        assert_eq!(shown.last()["recovery_point"], outcome.last()["recovery_point"]);
        if has_point {
            assert_eq!(outcome.code(), Some(3), "{outcome:#?}");
            assert!(outcome.stdout.contains("head-not-kept"), "{outcome:#?}");
            let is_told =
                ["head-not-kept", "warnings-not-kept"].iter().any(|code| shown.stdout.contains(code));
            assert!(is_told, "{shown:#?}");
        }
        disk.make_space();
        let mut points = usize::from(has_point);
        assert_eq!(server.points().len(), points);

        tree::plant_large(&source.join("more"), 10 << 20, &mut Dice::new(2));
        server.run(slow).done();
        let job = wait_for_transfer(&server);
        disk.fill();
        let ended = wait_until("the job ends", DEADLINE, || {
            let shown = server.run(["job", "show", &job]).done().last();
            (shown["status"] != "Running").then_some(shown)
        });
        points += usize::from(ends_truly(kind, &ended));
        disk.make_space();

        // The head is noted by the next one, and no alarm is given. The process of the one that has just ended may hold the
        // home for another moment.
        wait_until("the home is free", DEADLINE, || {
            let next = server.run(["backup", "now", "--wait"]);
            (next.code() != Some(11)).then(|| next.done())
        });
        assert_eq!(server.points().len(), points + 1);
        assert_restores(&server, "latest", &source, "target");
    }
}

/// A job whose home became full has its recovery point, and says what it could not write down; whether it has one. On a
/// full btrfs not even space that was set aside can be written to for sure: there it may have failed, and say why, or be
/// known only by that its process is gone.
#[track_caller]
fn ends_truly(kind: Kind, job: &Value) -> bool {
    if kind == Kind::Btrfs && job["status"] == "Failed" {
        assert!(job["code"] == "home-full" || job["code"] == "job-lost", "{job}");
        return false;
    }
    assert_eq!(job["status"], "CompletedWithWarnings", "{job}");
    true
}

/// A vault whose data lie on that disk.
fn vault_on(disk: &Disk) -> TestVault {
    let mut vault = TestVault::init(disk.path().join("data"), tempfile::tempdir().unwrap());
    vault.serve();
    vault
}

#[test]
fn a_full_vault_still_restores_is_started_again_and_takes_backups_when_there_is_space() {
    for kind in Kind::tried() {
        let Some(disk) = Disk::new(kind, 96) else { return };
        let mut vault = vault_on(&disk);
        let server = TestServer::registered(&vault);
        let source = protected(&server, 20, 1 << 20);
        let first = server.backup();
        let kept = server.path("kept");
        let mut copy = std::process::Command::new("cp");
        copy.arg("-a").arg(&source).arg(&kept);
        run(copy).done();
        let first = first["recovery_point"].as_str().unwrap();
        let is_there = |name: &str| {
            let target = server.path(name);
            server.restore(first, &target, &[]).done();
            assert_same(&kept, &restored(&target, &source));
            fs::remove_dir_all(target).unwrap();
        };

        // By packs of its own.
        plant(&source, 20, 70 << 20);
        disk.fill_but(24 << 20);
        let full = assert_full(run(server.backup_command()), "vault-full", "the vault's");
        assert!(full.last()["message"].as_str().unwrap().contains("needed"), "{full:#?}");
        is_there("while-packs-fill-it");
        // By others, to the last byte.
        disk.fill();
        is_there("while-it-is-full");
        assert_full(run(server.backup_command()), "vault-full", "the vault's");
        vault.kill();
        vault.serve();
        is_there("started-on-a-full-disk");
        vault.stop();
        vault.serve();
        is_there("started-again");
        assert!(vault.logs().contains("the reserve is let go"), "{}", vault.logs());
        assert_eq!(server.points(), [first]);

        disk.make_space();
        if kind == Kind::Memory {
            disk.resize(200);
        }
        let made = server.backup();
        assert_restores(&server, made["recovery_point"].as_str().unwrap(), &source, "target");
        is_there("after");
        server.run(["verify", "--full"]).done();
        assert!(disk.path().join("data/reserve/15").exists(), "space is kept back again");
    }
}

// Issue: a command beside the vault let the reserve go that the serving one went on counting on.
#[test]
fn a_command_beside_a_serving_vault_on_a_full_disk_leaves_the_reserve_where_it_is() {
    let Some(disk) = Disk::new(Kind::Memory, 96) else { return };
    let vault = vault_on(&disk);
    let data = disk.path().join("data");
    let last = data.join("reserve/15");
    wait_until("the reserve is whole", DEADLINE, || last.exists().then_some(()));
    disk.fill();
    for command in [&["principal", "list"][..], &["audit"], &["audit", "--verify"], &["packages", "list"]] {
        let mut beside = std::process::Command::new(stateward_e2e::process::program("stateward-vault"));
        beside.args(command).arg("--data").arg(&data);
        run(beside).done();
        let left = fs::read_dir(data.join("reserve")).unwrap().count();
        assert_eq!(left, 16, "{command:?}: {}", vault.logs());
    }
}

#[test]
fn where_no_file_can_be_added_it_is_as_if_there_were_no_space() {
    let Some(disk) = Disk::new(Kind::Memory, 200) else { return };
    let Some(homes) = Disk::new(Kind::Memory, 200) else { return };
    let mut vault = vault_on(&disk);
    let home = homes.path().join("home");
    let server = TestServer::fresh_at(&home);
    server.prepare_registration(&vault);
    server.register("credentials", &[]).done();
    let source = protected(&server, 200, 1 << 20);
    server.backup();
    let first = server.points();
    plant(&source, 300, 2 << 20);

    let target = homes.path().join("target");
    homes.limit_files(homes.files());
    assert_full(run(server.backup_command()), "home-full", text(&home));
    homes.limit_files(homes.files() + 60);
    assert_full(server.restore("latest", &target, &[]), "target-full", text(&target));
    homes.limit_files(0);
    server.restore(&first[0], &target, &[]).done();
    fs::remove_dir_all(&target).unwrap();

    // The vault lets its reserve go, so it gives back what it has, and can be started.
    disk.limit_files(disk.files());
    server.restore(&first[0], &target, &[]).done();
    assert_full(run(server.backup_command()), "vault-full", "room for");
    vault.stop();
    vault.serve();
    vault.kill();
    vault.serve();
    assert_full(run(server.backup_command()), "vault-full", "room for");
    disk.limit_files(0);
    server.backup();
    assert_restores(&server, "latest", &source, "whole");
    server.run(["verify", "--full"]).done();
}

#[test]
fn a_full_target_is_told_and_the_restore_goes_on_when_there_is_space() {
    for kind in Kind::tried() {
        let Some(disk) = Disk::new(kind, 40) else { return };
        let vault = TestVault::start();
        let server = TestServer::registered(&vault);
        let source = protected(&server, 500, 20 << 20);
        server.backup();
        let target = disk.path().join("target");
        for left in [0, 10 << 20] {
            disk.fill_but(left);
            let full = assert_full(server.restore("latest", &target, &[]), "target-full", text(&target));
            if left > 0 {
                let message = full.last()["message"].as_str().unwrap().to_owned();
                assert!(message.contains("still to be restored"), "{message}");
            }
            disk.make_space();
        }
        server.restore("latest", &target, &[]).done();
        assert_same(&source, &restored(&target, &source));
    }
}

#[test]
fn a_log_that_cannot_be_written_stops_nothing_and_says_what_is_missing() {
    let Some(disk) = Disk::new(Kind::Memory, 1) else { return };
    let mut vault = TestVault::start();
    vault.stop();
    let log = disk.path().join("vault.log");
    disk.fill();
    let mut serve = vault.serve_command();
    serve.arg("--log-file").arg(&log).env("STATEWARD_LOG", "debug");
    vault.serve_by(serve);
    let server = TestServer::registered(&vault);
    let source = protected(&server, 20, 0);
    server.backup();
    assert_restores(&server, "latest", &source, "target");
    assert_eq!(fs::metadata(&log).unwrap().len(), 0);
    disk.make_space();
    server.backup();
    let text = fs::read_to_string(&log).unwrap();
    assert!(text.contains(" before this one could not be written"), "{text}");
}

#[test]
fn what_a_command_could_not_write_is_not_in_the_way_of_the_next_try() {
    let Some(disk) = Disk::new(Kind::Memory, 4) else { return };
    let vault = TestVault::start();
    let server = TestServer::registered(&vault);
    let out = disk.path().join("new.credentials");
    let credentials = || server.run(["vault", "credentials", "vault", "--out", text(&out)]);
    disk.fill();
    assert_full(credentials(), "output-full", text(&out));
    assert!(!out.exists());
    disk.make_space();
    credentials().done();

    let data = disk.path().join("vault");
    let init = || {
        let mut init = std::process::Command::new(stateward_e2e::process::program("stateward-vault"));
        init.args(["init", "--listen", "127.0.0.1:0", "--json", "--data", text(&data)]);
        run(init)
    };
    disk.fill_but(20 << 10);
    let refused = init().expect_code(1);
    assert!(refused.stderr.contains("space") && refused.stderr.contains(text(&data)), "{refused:#?}");
    disk.make_space();
    init().done();
}
