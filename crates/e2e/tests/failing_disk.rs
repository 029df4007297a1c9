//! Disks that fail at the nth change: of an agent's home and cache, of a vault's data, of a restore's target.
//!
//! After each failure the disk works again and the same command is given once more: it goes through, and everything
//! that was acknowledged is there. A sync that fails loses what was not durable, as operating systems do it.
//!
//! A few of the changes of each command fail, chosen by dice; `STATEWARD_LONG=1` lets each of them fail in its turn.
//! The seed is printed; `STATEWARD_SEED` sets it.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]
#![allow(clippy::print_stderr, reason = "what a run was made of is told with its result")]
#![cfg(target_os = "linux")]

use stateward_e2e::failing_disk::Failure;
use stateward_e2e::process::{Outcome, program, run};
use stateward_e2e::server::restored;
use stateward_e2e::{Dice, FailingDisk, TestServer, TestVault, assert_same, rounds};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const FAILURES: [Failure; 3] = [Failure::Full, Failure::BrokenOnce, Failure::Broken];

/// So many changes fail in a short run, for each way of failing.
const FEW: u64 = 4;

/// The same for a command that derives a key from a passphrase each time, which takes its time.
const FEW_AND_SLOW: u64 = 2;

/// Which of that many changes fail.
fn chosen(changes: u64, few: u64, dice: &mut Dice) -> Vec<u64> {
    if rounds(1) > 1 || changes <= few {
        return (0..changes).collect();
    }
    let mut chosen: Vec<u64> = (0..few).map(|_| dice.below(changes)).collect();
    chosen.sort_unstable();
    chosen.dedup();
    chosen
}

/// It succeeded (perhaps with warnings), or failed with a code, a message and a remedy; it never crashed.
#[track_caller]
fn assert_civil(outcome: &Outcome, context: &str) {
    match outcome.code() {
        Some(0 | 3) => {}
        Some(1 | 10) => {
            let code = outcome.error_code_by_chance();
            assert!(code != "internal" && code != "job-lost", "{context}: {outcome:#?}");
        }
        _ => panic!("{context}: {outcome:#?}"),
    }
}

/// Lets each of the chosen changes fail while `command` runs; `recover` says whether all is well afterwards.
fn sweep(
    name: &str,
    few: u64,
    (disk, within): (&FailingDisk, &str),
    mut command: impl FnMut() -> Outcome,
    mut recover: impl FnMut(&Outcome, &str),
) {
    let mut dice = Dice::from_environment();
    let mut done = 0;
    for failure in FAILURES {
        // As many changes as it makes when nothing fails; counted anew, for what fails differs.
        disk.fail(within, u64::MAX, failure);
        let whole = command();
        let changes = disk.changes();
        assert_eq!(disk.heal(), 0);
        recover(&whole, &format!("{name}: nothing fails"));
        for after in chosen(changes, few, &mut dice) {
            let context = format!("{name}: {failure:?} after {after} of {changes} changes");
            disk.fail(within, after, failure);
            let outcome = command();
            let failed = disk.heal();
            assert_civil(&outcome, &context);
            recover(&outcome, &context);
            done += u64::from(failed > 0);
        }
    }
    eprintln!("{name}: {done} changes failed");
    assert!(done >= few, "{name}: only {done} changes failed");
}

struct Rig {
    server: TestServer,
    source: PathBuf,
    written: u64,
    acknowledged: Vec<String>,
}

impl Rig {
    fn new(server: TestServer) -> Self {
        let source = server.path("source");
        fs::create_dir(&source).unwrap();
        for number in 0..30 {
            fs::write(source.join(format!("file-{number}")), Dice::new(number).bytes(3000)).unwrap();
        }
        server.protect(&source);
        Self { server, source, written: 0, acknowledged: Vec::new() }
    }

    /// Backs up something new.
    fn backup(&mut self) -> Outcome {
        self.written += 1;
        fs::write(self.source.join("changing"), Dice::new(self.written).bytes(200_000)).unwrap();
        run(self.server.backup_command())
    }

    /// A backup's recovery point counts as acknowledged if the command said so.
    fn note(&mut self, outcome: &Outcome) {
        let point = outcome.last()["recovery_point"].as_str().map(str::to_owned);
        if let (Some(0 | 3), Some(point)) = (outcome.code(), point) {
            self.acknowledged.push(point);
        }
    }

    /// The next backup goes through; all that was acknowledged is listed; the newest comes back.
    fn assert_well(&mut self, context: &str) {
        let again = run(self.server.backup_command());
        assert_eq!(again.code(), Some(0), "{context}: {again:#?}");
        self.note(&again);
        let listed = self.server.points();
        for point in &self.acknowledged {
            assert!(listed.contains(point), "{context}: {point} was acknowledged and is not there");
        }
        let target = self.server.path("target");
        let restore = self.server.restore("latest", &target, &[]);
        assert_eq!(restore.code(), Some(0), "{context}: {restore:#?}");
        assert_same(&self.source, &restored(&target, &self.source));
        fs::remove_dir_all(target).unwrap();
    }

    /// At the end: everything that was ever acknowledged can be proved.
    fn assert_whole(&self) {
        self.server.run(["verify", "--full"]).done();
    }
}

#[test]
fn a_home_and_cache_that_fail_at_any_change_of_a_backup() {
    let Some(disk) = FailingDisk::new() else { return };
    let vault = TestVault::start();
    let server = TestServer::fresh_at(&disk.path().join("home"));
    server.prepare_registration(&vault);
    server.register("credentials", &[]).done();
    let rig = std::cell::RefCell::new(Rig::new(server));
    rig.borrow_mut().backup().done();
    sweep(
        "backup, home",
        FEW,
        (&disk, ""),
        || rig.borrow_mut().backup(),
        |outcome, context| {
            let mut rig = rig.borrow_mut();
            rig.note(outcome);
            rig.assert_well(context);
        },
    );
    rig.borrow().assert_whole();
}

#[test]
fn a_vaults_disk_that_fails_at_any_change_of_a_backup() {
    let Some(disk) = FailingDisk::new() else { return };
    let mut vault = TestVault::init(disk.path().join("data"), tempfile::tempdir().unwrap());
    vault.serve();
    let rig = std::cell::RefCell::new(Rig::new(TestServer::registered(&vault)));
    rig.borrow_mut().backup().done();
    let vault = std::cell::RefCell::new(vault);
    sweep(
        "backup, vault",
        FEW,
        (&disk, ""),
        || rig.borrow_mut().backup(),
        |outcome, context| {
            let mut rig = rig.borrow_mut();
            rig.note(outcome);
            rig.assert_well(context);
            // What was lost by a failed sync and was believed all the same would be missing now.
            vault.borrow_mut().kill();
            vault.borrow_mut().serve();
            rig.assert_well(context);
        },
    );
    rig.borrow().assert_whole();
}

#[test]
fn a_home_that_fails_at_any_change_of_a_registration() {
    let Some(disk) = FailingDisk::new() else { return };
    let vault = TestVault::start();
    let administrator = TestServer::fresh();
    administrator.login(&vault.access).done();
    administrator.run(["vault", "create", "vault"]).done();
    let number = std::cell::Cell::new(0);
    let server = std::cell::RefCell::new(None::<TestServer>);
    sweep(
        "register",
        FEW_AND_SLOW,
        (&disk, ""),
        || {
            number.set(number.get() + 1);
            let fresh = TestServer::fresh_at(&disk.path().join(format!("home-{}", number.get())));
            // More than one use: a failed registration may have used one.
            let file = fresh.path("credentials");
            let mut command = administrator.command(["vault", "credentials", "vault", "--out"]);
            command.arg(&file);
            run(command).done();
            let registered = fresh.register("credentials", &[]);
            *server.borrow_mut() = Some(fresh);
            registered
        },
        |outcome, context| {
            let server = server.borrow_mut().take().unwrap();
            if outcome.code() != Some(0) {
                // Unless it was done, and only making it durable failed.
                let again = server.register("credentials", &[]);
                assert!(
                    again.code() == Some(0) || again.error_code_by_chance() == "already-registered",
                    "{context}: {again:#?}"
                );
            }
            let mut rig = Rig::new(server);
            rig.assert_well(context);
            fs::remove_dir_all(rig.server.home()).unwrap();
        },
    );
}

#[test]
fn settings_that_cannot_be_written_stay_as_they_were() {
    let Some(disk) = FailingDisk::new() else { return };
    let server = TestServer::fresh_at(&disk.path().join("home"));
    let set = |rate: &str| server.run(["settings", "set", "--limit-rate", rate]);
    set("1MB").done();
    sweep(
        "settings",
        FEW,
        (&disk, ""),
        || set("2MB"),
        |outcome, context| {
            let shown = server.run(["settings", "show"]).done().last()["limit_rate"].clone();
            match outcome.code() {
                Some(0) => assert_eq!(shown, 2_000_000, "{context}"),
                _ => assert!(shown == 1_000_000 || shown == 2_000_000, "{context}: {shown}"),
            }
            set("1MB").done();
        },
    );
}

#[test]
fn a_target_that_fails_at_any_change_of_a_restore() {
    let Some(disk) = FailingDisk::new() else { return };
    let vault = TestVault::start();
    let mut rig = Rig::new(TestServer::registered(&vault));
    rig.backup().done();
    let number = std::cell::Cell::new(0);
    let target = || disk.path().join(format!("target-{}", number.get()));
    sweep(
        "restore",
        FEW,
        (&disk, "target-"),
        || {
            number.set(number.get() + 1);
            rig.server.restore("latest", &target(), &[])
        },
        |outcome, context| {
            if outcome.code() == Some(0) {
                assert_same(&rig.source, &restored(&target(), &rig.source));
            } else {
                let code = outcome.error_code_by_chance();
                assert!(["target-full", "disk-failed"].contains(&code.as_str()), "{context}: {outcome:#?}");
                let message = outcome.last()["message"].as_str().unwrap().to_owned();
                assert!(message.contains("target-"), "{context}: {message}");
                // Unless nothing but the marker was left to be taken away, the same folder is gone on with.
                let again = rig.server.restore("latest", &target(), &[]);
                assert!(
                    again.code() == Some(0) || again.error_code_by_chance() == "target-not-empty",
                    "{context}: {again:#?}"
                );
                assert_same(&rig.source, &restored(&target(), &rig.source));
            }
            fs::remove_dir_all(target()).unwrap();
        },
    );
}

#[test]
fn a_vault_that_could_not_be_made_can_be_made_again() {
    let Some(disk) = FailingDisk::new() else { return };
    let data = disk.path().join("vault");
    let init = |data: &Path| {
        let mut init = Command::new(program("stateward-vault"));
        init.args(["init", "--listen", "127.0.0.1:0", "--json", "--data"]).arg(data);
        run(init)
    };
    sweep(
        "init",
        FEW,
        (&disk, ""),
        || {
            let mut outcome = init(&data);
            // Its errors are for people: a code as the agent's is asked of no one here.
            if outcome.code() == Some(1) && outcome.stderr.starts_with("Error: ") {
                outcome.stdout = r#"{"code": "init", "message": "as told", "remedy": "as told"}"#.to_owned();
            }
            outcome
        },
        |outcome, context| {
            if outcome.code() != Some(0) {
                let again = init(&data);
                // A disk that broke for good just after the last step can't be cleared: the vault is there and said so.
                let is_there = context.contains("Broken after") && again.stderr.contains("already");
                assert!(again.code() == Some(0) || is_there, "{context}: {again:#?}");
            }
            fs::remove_dir_all(&data).unwrap();
        },
    );
}
