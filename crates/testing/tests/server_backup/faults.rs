//! The fault matrix: everything that can go wrong with a backup, and what is told.

use crate::world::World;
use stateward_engine::Cancellation;
use stateward_system_state::server_backup::backup::ServerBackupError;
use stateward_system_state::server_backup::staging::{StagingDisk, StagingError};
use std::fs;
use std::time::Duration;

/// What is played, the error's code, words of its text, and whether it may pass by itself.
const FAULTS: &[(&[&str], &str, &str, bool)] = &[
    // The program fails, and says that it did not.
    (&["versions-none", "backup-failed-with-success-text"], "server-backup-failed", "exit code 5", false),
    // It says that it made a backup, and made none.
    (
        &["versions-none", "backup-no-version", "versions-none"],
        "server-backup-without-version",
        "lists no new version",
        false,
    ),
    (
        &["versions-one", "backup-no-version", "versions-one"],
        "server-backup-without-version",
        "lists no new version",
        false,
    ),
    (
        &["versions-none", "backup-no-version", "versions-one"],
        "server-backup-without-version",
        "there is no new backup in",
        false,
    ),
    // It made one that isn't whole.
    (&["versions-none", "backup-cut-off", "versions-one"], "staged-image-damaged", "it was cut off", false),
    (
        &["versions-none", "backup-headers", "versions-one"],
        "staged-image-damaged",
        "neither of its headers",
        false,
    ),
    (
        &["versions-none", "backup-no-image", "versions-one"],
        "staged-image-damaged",
        "holds no virtual disk",
        false,
    ),
    (
        &["versions-none", "backup-torn-document", "versions-one"],
        "staged-document-damaged",
        "ends in the middle",
        false,
    ),
    (
        &["versions-none", "backup-no-components", "versions-one"],
        "staged-document-damaged",
        "has no `_Components.xml`",
        false,
    ),
    (
        &["versions-none", "backup-without-registry-writer", "versions-one"],
        "writer-missing",
        "`Registry Writer`",
        false,
    ),
    // It failed, and said why.
    (&["versions-none", "backup-disk-full"], "staging-full", "0x80070070", false),
    (&["versions-none", "backup-removable"], "staging-place-refused", "fixed NTFS volume", false),
    (&["versions-none", "backup-writer-timeout"], "writer-timed-out", "0x800423f2", true),
    (&["versions-none", "backup-efi-locked"], "efi-partition-locked", "virus scanner", true),
    (&["versions-none", "backup-shadow-space"], "shadow-storage-full", "vssadmin resize", false),
    (&["versions-none", "backup-engine-killed"], "server-backup-engine-ended", "0x800706be", true),
    (&["versions-none", "backup-unknown"], "server-backup-failed", "0x87654321", false),
    // It was ended from outside.
    (&["versions-none", "backup-killed"], "server-backup-failed", "no exit code", false),
];

#[test]
fn every_fault_is_told_with_its_cause_and_no_backup_is_believed() {
    for (steps, code, words, may_pass) in FAULTS {
        let world = World::new();
        let stand_ins = world.play(steps);
        let error = world.back_up(&stand_ins, &mut |_| {}).unwrap_err();
        stand_ins.expect_all_played();
        assert_eq!((error.code(), error.may_pass()), (*code, *may_pass), "{steps:?}: {error}");
        let text = error.to_string();
        assert!(text.contains(words) && !text.ends_with('.'), "{steps:?}: {text}");
    }
}

#[test]
fn a_backup_that_hangs_is_stopped_and_so_is_the_engine_behind_it() {
    let mut world = World::new();
    world.time_out = Duration::from_secs(2);
    let stand_ins = world.play(&["versions-none", "backup-hangs", "stop-job"]);
    let error = world.back_up(&stand_ins, &mut |_| {}).unwrap_err();
    assert_eq!(error.code(), "server-backup-timed-out", "{error}");
    stand_ins.expect_all_played();
}

#[test]
fn a_backup_that_somebody_stops_is_stopped_with_the_engine_behind_it() {
    let world = World::new();
    let stand_ins = world.play(&["versions-none", "backup-hangs", "stop-job"]);
    let cancellation = Cancellation::default();
    let error = world.back_up_until(&stand_ins, &mut |_| cancellation.cancel(), &cancellation).unwrap_err();
    assert_eq!(error.code(), "cancelled", "{error}");
    stand_ins.expect_all_played();
}

#[test]
fn a_backup_without_the_program_says_what_installs_it() {
    let world = World::new();
    let stand_ins = world.play(&[]);
    fs::remove_file(stand_ins.folder().join(format!("wbadmin{}", std::env::consts::EXE_SUFFIX))).unwrap();
    let error = world.back_up(&stand_ins, &mut |_| {}).unwrap_err();
    assert_eq!(error.code(), "server-backup-missing", "{error}");
}

#[test]
fn a_stand_in_that_is_asked_what_it_does_not_know_fails_the_test() {
    let world = World::new();
    let stand_ins = world.play(&["versions-one"]);
    let error = world.back_up(&stand_ins, &mut |_| {}).unwrap_err();
    assert!(matches!(error, ServerBackupError::Failed { exit_code: Some(97), .. }), "{error}");
    let refused = fs::read_to_string(stand_ins.folder().join("refused")).unwrap();
    assert!(refused.contains("nothing more is played"), "{refused}");
}

#[test]
fn a_staging_disk_is_made_once_then_attached_and_believed_by_its_volume() {
    let world = World::new();
    let disk = StagingDisk { file: world.disk(), mount: world.root(), bytes: 60 << 30 };
    let stop = &Cancellation::default();
    let stand_ins =
        world.play(&["diskpart-make", "diskpart-detach", "diskpart-attach", "diskpart-nothing-done"]);
    let commands = world.commands(&stand_ins);
    let made = disk.attach(&commands, &world.server, stop).unwrap();
    assert_eq!(made, disk.attach(&commands, &world.server, stop).unwrap(), "it's there already");
    disk.detach(&commands, &world.server, stop).unwrap();
    disk.detach(&commands, &world.server, stop).unwrap();
    assert_eq!(made, disk.attach(&commands, &world.server, stop).unwrap());
    let error = disk.detach(&commands, &world.server, stop).unwrap_err();
    assert!(matches!(error, StagingError::Unfit { .. }), "{error}");
    stand_ins.expect_all_played();
    assert!(!world.disk().with_extension("diskpart.txt").exists());
}

#[test]
fn a_staging_disk_that_is_refused_or_is_not_there_is_told() {
    for (step, words) in
        [("diskpart-refused", "can't make the virtual disk"), ("diskpart-nothing-done", "no NTFS volume")]
    {
        let world = World::new();
        let stand_ins = world.play(&[step]);
        let disk = StagingDisk { file: world.disk(), mount: world.root(), bytes: 60 << 30 };
        let error =
            disk.attach(&world.commands(&stand_ins), &world.server, &Cancellation::default()).unwrap_err();
        assert!(error.to_string().contains(words), "{step}: {error}");
        stand_ins.expect_all_played();
    }
}
