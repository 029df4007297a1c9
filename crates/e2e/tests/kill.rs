//! Killed at random moments: what was acknowledged comes back, and the next run goes on where the last one ended.
//!
//! Three rounds each; `STATEWARD_LONG=1` makes 25. The seed is printed; `STATEWARD_SEED` sets it.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "what a run was made of is told with its result"
)]
#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]
#![cfg(target_os = "linux")]

use stateward_e2e::process::{Running, run};
use stateward_e2e::server::restored;
use stateward_e2e::vault::ObjectKind;
use stateward_e2e::{Dice, TestServer, TestVault, assert_same, rounds, tree};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// New bytes of each round: several packs.
const ROUND_BYTES: usize = 80 << 20;

/// What may go up twice when one process is killed: packs that were on their way (one for each uploading thread) and
/// chunks of a pack that was not full yet.
const LOST_BYTES: u64 = 5 * (17 << 20);

struct Rig {
    vault: TestVault,
    server: TestServer,
    source: PathBuf,
    dice: Dice,
}

impl Rig {
    fn new() -> Self {
        let mut dice = Dice::from_environment();
        let vault = TestVault::start();
        let server = TestServer::registered(&vault);
        let source = server.path("source");
        tree::plant(&source, tree::Size::SMALL, &mut dice);
        server.protect(&source);
        Self { vault, server, source, dice }
    }

    /// How long a backup of one round's bytes takes when nobody is killed.
    fn calibrate(&mut self) -> Duration {
        self.renew();
        run(self.server.backup_command()).done().took
    }

    /// Other bytes in place of the last round's.
    fn renew(&mut self) {
        let large = self.source.join("large");
        fs::remove_dir_all(&large).unwrap();
        tree::plant_large(&large, ROUND_BYTES, &mut self.dice);
    }

    fn restore(&self, point: &str, name: &str) -> PathBuf {
        let target = self.server.path(name);
        self.server.restore(point, &target, &[]).done();
        restored(&target, &self.source)
    }

    /// Everything that was acknowledged is listed and comes back: the newest point, and the one before it.
    fn assert_acknowledged(&self, points: &[(String, PathBuf)]) {
        let listed = self.server.points();
        for (point, _) in points {
            assert!(listed.contains(point), "{point} was acknowledged and is not listed");
        }
        for (point, expected) in points.iter().rev().take(2) {
            let target = format!("check-{}-{}", points.len(), &point[..8]);
            assert_same(expected, &self.restore(point, &target));
            fs::remove_dir_all(self.server.path(&target)).unwrap();
        }
    }

    /// A copy of the source as it is now, to compare with later.
    fn keep(&self, number: usize) -> PathBuf {
        let kept = self.server.path(&format!("kept-{number}"));
        let mut copy = std::process::Command::new("cp");
        copy.args(["-a", "--sparse=auto"]).arg(&self.source).arg(&kept);
        run(copy).done();
        kept
    }
}

fn remove(path: &Path) {
    if path.exists() {
        fs::remove_dir_all(path).unwrap();
    }
}

#[test]
fn a_killed_agent_loses_nothing_and_goes_on() {
    let mut rig = Rig::new();
    let whole = rig.calibrate();
    let mut points = Vec::new();
    for round in 0..rounds(3) {
        rig.renew();
        let before = rig.vault.bytes_of(ObjectKind::Pack);
        let moment = rig.dice.share_of(whole);
        let was_alive = Running::start(rig.server.backup_command()).kill_after(moment);
        eprintln!("round {round}: agent killed after {moment:?} of {whole:?}, alive: {was_alive}");
        rig.assert_acknowledged(&points);
        let result = rig.server.backup();
        let grown = rig.vault.bytes_of(ObjectKind::Pack) - before;
        assert!(
            grown <= ROUND_BYTES as u64 + LOST_BYTES,
            "{grown} bytes of packs for {ROUND_BYTES} new ones"
        );
        let kept = rig.keep(points.len());
        points.push((result["recovery_point"].as_str().unwrap().to_owned(), kept));
        rig.assert_acknowledged(&points);
    }
    rig.server.run(["verify", "--full"]).done();
}

#[test]
fn a_killed_vault_that_is_started_again_loses_nothing_and_the_job_goes_on() {
    let mut rig = Rig::new();
    let whole = rig.calibrate();
    let mut points = Vec::new();
    for round in 0..rounds(3) {
        rig.renew();
        let before = rig.vault.bytes_of(ObjectKind::Pack);
        let moment = rig.dice.share_of(whole);
        let backup = Running::start(rig.server.backup_command());
        std::thread::sleep(moment);
        rig.vault.kill();
        rig.vault.serve();
        eprintln!("round {round}: vault killed after {moment:?} of {whole:?}");
        let outcome = backup.wait().done();
        let grown = rig.vault.bytes_of(ObjectKind::Pack) - before;
        assert!(
            grown <= ROUND_BYTES as u64 + LOST_BYTES,
            "{grown} bytes of packs for {ROUND_BYTES} new ones"
        );
        let kept = rig.keep(points.len());
        points.push((outcome.last()["recovery_point"].as_str().unwrap().to_owned(), kept));
        rig.assert_acknowledged(&points);
    }
    rig.server.run(["verify", "--full"]).done();
}

#[test]
fn a_restore_survives_the_death_of_the_vault_and_is_continued_after_its_own() {
    let mut rig = Rig::new();
    rig.calibrate();
    let target = rig.server.path("measure");
    let whole = run(rig.server.restore_command("latest", &target, &[])).done().took;
    for round in 0..rounds(3) {
        let target = rig.server.path(&format!("agent-killed-{round}"));
        let moment = rig.dice.share_of(whole);
        let was_alive = Running::start(rig.server.restore_command("latest", &target, &[])).kill_after(moment);
        eprintln!("round {round}: agent killed after {moment:?} of {whole:?}, alive: {was_alive}");
        if was_alive {
            // Into the same folder: an interrupted restore of the same point is continued. One that had ended, and whose
            // process was killed before it could say so, is whole: the folder is then left alone, and compared below.
            let again = rig.server.restore("latest", &target, &[]);
            if again.code() != Some(0) {
                assert_eq!(again.error_code(), "target-not-empty", "{again:#?}");
                eprintln!("round {round}: the restore had ended already");
            }
        }
        assert_same(&rig.source, &restored(&target, &rig.source));
        remove(&target);

        let target = rig.server.path(&format!("vault-killed-{round}"));
        let moment = rig.dice.share_of(whole);
        let restore = Running::start(rig.server.restore_command("latest", &target, &[]));
        std::thread::sleep(moment);
        rig.vault.kill();
        rig.vault.serve();
        eprintln!("round {round}: vault killed after {moment:?} of {whole:?}");
        restore.wait().done();
        assert_same(&rig.source, &restored(&target, &rig.source));
        remove(&target);
    }
}
