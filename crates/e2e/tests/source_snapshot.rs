//! Backups of a btrfs are of one moment, and leave no snapshot behind, however they end.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]
#![cfg(target_os = "linux")]

use rustix::process::Signal;
use serde_json::Value;
use stateward_e2e::btrfs::Btrfs;
use stateward_e2e::process::{DEADLINE, Running, run, wait_until};
use stateward_e2e::server::restored;
use stateward_e2e::{Dice, TestServer, TestVault, tree};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

struct Rig {
    server: TestServer,
    vault: TestVault,
    source: PathBuf,
    // Unmounted last.
    disk: Btrfs,
}

/// A server whose protected folder is a subvolume of a btrfs.
fn rig(bytes: u64) -> Option<Rig> {
    let disk = Btrfs::new(bytes)?;
    let vault = TestVault::start();
    let server = TestServer::registered(&vault);
    let source = disk.subvolume("data");
    fs::write(source.join("first"), "before").unwrap();
    fs::write(source.join("second"), "before").unwrap();
    server.protect(&source);
    Some(Rig { server, vault, source, disk })
}

impl Rig {
    /// Starts a backup and holds it as soon as its snapshot is there.
    fn held_after_snapshot(&self) -> Running {
        let mut backup = self.server.start(["backup", "now", "--wait"]);
        wait_until("there is a snapshot", DEADLINE, || {
            assert!(backup.is_alive(), "it ended before it was held: {}", backup.stdout());
            (!self.disk.snapshots().is_empty()).then_some(())
        });
        backup.signal(Signal::STOP);
        backup
    }

    fn shown(&self) -> Value {
        self.server.run(["recovery-point", "show", "latest"]).done().last()
    }

    fn restored_text(&self, target: &str, name: &str) -> String {
        let target = self.server.path(target);
        if !target.exists() {
            let told = self.server.restore("latest", &target, &[]).done().last();
            assert_eq!(told["one_moment"], true, "{told}");
        }
        fs::read_to_string(restored(&target, &self.source).join(name)).unwrap()
    }
}

#[test]
fn a_file_changed_while_the_backup_runs_comes_back_as_of_the_snapshot() {
    let Some(rig) = rig(512 << 20) else { return };
    let backup = rig.held_after_snapshot();
    fs::write(rig.source.join("first"), "after").unwrap();
    fs::remove_file(rig.source.join("second")).unwrap();
    fs::write(rig.source.join("third"), "after").unwrap();
    backup.signal(Signal::CONT);
    let told = backup.wait().done().last();
    assert_eq!((&told["status"], &told["files"]), (&"Completed".into(), &2.into()), "{told}");
    assert_eq!(rig.restored_text("a", "first"), "before");
    assert_eq!(rig.restored_text("a", "second"), "before");
    assert_eq!(rig.disk.snapshots(), Vec::<String>::new());

    let shown = rig.shown();
    assert_eq!((&shown["one_moment"], &shown["moment"]["is_one"]), (&true.into(), &true.into()), "{shown}");
    let source = shown["moment"]["sources"][0].as_str().unwrap();
    assert!(source.contains("btrfs") && source.contains(rig.source.to_str().unwrap()), "{source}");
    let listed = rig.server.run(["recovery-point", "list"]).done().json();
    assert_eq!(listed[0]["one_moment"], true, "{listed:?}");

    // What was written meanwhile is not lost: the next run has it.
    rig.server.backup();
    assert_eq!(rig.restored_text("b", "first"), "after");
    assert_eq!(rig.restored_text("b", "third"), "after");
}

#[test]
fn an_unchanged_run_opens_no_file_also_after_the_disk_was_mounted_again() {
    let Some(rig) = rig(512 << 20) else { return };
    tree::plant_large(&rig.source.join("large"), 8 << 20, &mut Dice::new(9));
    // What changed less than two seconds before the first run is looked at again.
    wait_until("the files are old enough", DEADLINE, || {
        rig.server.backup();
        let again = rig.server.backup();
        (again["files_unchanged"] == again["files"]).then_some(())
    });
    for _ in 0..2 {
        rig.disk.remount();
        let again = rig.server.backup();
        // One in 256 files is read again each run, and that is no change.
        let changed = again["files"].as_u64().unwrap() - again["files_unchanged"].as_u64().unwrap();
        assert!(changed <= 1, "{again}");
        assert_eq!(rig.shown()["one_moment"], true);
    }
}

#[test]
fn a_snapshot_goes_away_when_the_job_is_cancelled_or_fails_and_after_a_crash_by_the_next_run() {
    let Some(mut rig) = rig(512 << 20) else { return };
    let killed = rig.held_after_snapshot();
    killed.kill();
    assert_eq!(rig.disk.snapshots().len(), 1);
    // Another's snapshot in the same folder, however it is called, is left alone.
    let mut other = std::process::Command::new("btrfs");
    other.args(["subvolume", "snapshot", "-r"]).arg(&rig.source);
    other.arg(rig.source.join(".stateward-snapshots/stateward-of-somebody"));
    run(other).done();
    rig.server.backup();
    assert_eq!(rig.disk.snapshots(), ["data/.stateward-snapshots/stateward-of-somebody"]);

    let cancelled = rig.server.start(["backup", "now", "--wait"]);
    wait_until("there is a snapshot", DEADLINE, || (rig.disk.snapshots().len() == 2).then_some(()));
    cancelled.signal(Signal::TERM);
    // It may have been done already.
    assert!([Some(130), Some(0)].contains(&cancelled.wait().code()));
    assert_eq!(rig.disk.snapshots().len(), 1);

    let failing = rig.server.start(["backup", "now", "--wait"]);
    wait_until("there is a snapshot", DEADLINE, || (rig.disk.snapshots().len() == 2).then_some(()));
    failing.signal(Signal::STOP);
    rig.vault.kill();
    failing.signal(Signal::CONT);
    failing.signal(Signal::TERM);
    failing.wait();
    assert_eq!(rig.disk.snapshots().len(), 1);
}

#[test]
fn snapshots_can_be_turned_off_and_what_stands_in_their_way_is_told() {
    let Some(rig) = rig(128 << 20) else { return };
    // No room.
    let free = rustix::fs::statvfs(rig.disk.path()).unwrap();
    let most = (free.f_bavail * free.f_frsize).saturating_sub(32 << 20);
    fs::write(rig.disk.path().join("filler"), Dice::new(4).bytes(most as usize)).unwrap();
    let lines = rig.server.run(["backup", "now", "--wait"]).done().json();
    let told =
        lines.iter().find(|line| line["code"] == "source-snapshot").unwrap_or_else(|| panic!("{lines:?}"));
    assert!(told["message"].as_str().unwrap().contains("MiB free"), "{told}");
    assert_eq!(rig.shown()["one_moment"], false);

    let set = rig.server.run(["settings", "set", "--source-snapshot=off"]).done().last();
    assert_eq!(set["source_snapshot"], false);
    let lines = rig.server.run(["backup", "now", "--wait"]).done().json();
    assert!(lines.iter().all(|line| line["code"] != "source-snapshot"), "{lines:?}");
    let sources = rig.shown()["moment"]["sources"].to_string();
    assert!(sources.contains("turned off"), "{sources}");
}

#[test]
fn an_ordinary_user_is_told_that_only_root_can_make_one() {
    let Some(disk) = Btrfs::new(128 << 20) else { return };
    let vault = TestVault::start();
    let server = TestServer::registered_as(&vault, 65_534);
    fs::set_permissions(disk.path().parent().unwrap(), fs::Permissions::from_mode(0o755)).unwrap();
    let source = disk.subvolume("data");
    fs::write(source.join("file"), "x").unwrap();
    server.protect(&source);
    let lines = server.run(["backup", "now", "--wait"]).done().json();
    let told =
        lines.iter().find(|line| line["code"] == "source-snapshot").unwrap_or_else(|| panic!("{lines:?}"));
    assert!(told["message"].as_str().unwrap().contains("only root"), "{told}");
}
