//! System State by Windows Server Backup, driven against stand-ins that play transcripts: what works, and everything that can
//! go wrong. Nothing of it ran on Windows.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]

#[cfg(target_os = "linux")]
mod capture;
mod faults;
mod recorded;
mod world;

use stateward_engine::Cancellation;
use stateward_system_state::server_backup::prechecks::{PASS, WARN, sfc, writers};
use stateward_system_state::server_backup::staging::{StagingError, trim};
use world::World;

#[test]
fn a_backup_is_believed_by_what_can_be_looked_at() {
    for (made, after) in [
        ("backup-success", "versions-one"),
        ("backup-success-vhd", "versions-one"),
        ("backup-success-german", "versions-one-german"),
    ] {
        let world = World::new();
        let stand_ins = world.play(&["versions-none", made, after]);
        let mut percentages = Vec::new();
        let staged = world.back_up(&stand_ins, &mut |percent| percentages.push(percent)).unwrap();
        stand_ins.expect_all_played();
        assert_eq!(staged.version.to_string(), "06/30/2026-19:26");
        assert!(staged.folder.ends_with("WindowsImageBackup/SRV01/Backup 2026-06-30 192626"));
        assert_eq!((staged.images.len(), staged.images[0].facts.blocks, staged.writers.len()), (1, 3, 6));
        assert_eq!(percentages.last(), Some(&100), "{made}");
    }
}

#[test]
fn the_next_backup_takes_the_place_of_the_last() {
    let world = World::new();
    let stand_ins = world.play(&[
        "versions-none",
        "backup-success",
        "versions-one",
        "versions-one",
        "backup-success-again",
        "versions-two",
    ]);
    world.back_up(&stand_ins, &mut |_| {}).unwrap();
    let second = world.back_up(&stand_ins, &mut |_| {}).unwrap();
    assert_eq!(second.version.to_string(), "07/01/2026-19:26");
    assert!(second.folder.ends_with("Backup 2026-07-01 192626"));
    stand_ins.expect_all_played();
}

#[test]
fn what_was_staged_is_removed_and_what_stays_is_told() {
    let world = World::new();
    let stand_ins = world.play(&["versions-one", "delete-all", "versions-none", "versions-none"]);
    let run = |stand_ins: &stateward_testing::stand_in::StandIns| {
        trim(&world.commands(stand_ins), &world.target(), "SRV01", &Cancellation::default())
    };
    std::fs::create_dir_all(world.root().join("WindowsImageBackup")).unwrap();
    run(&stand_ins).unwrap();
    assert!(!world.root().join("WindowsImageBackup").exists());
    run(&stand_ins).unwrap();
    stand_ins.expect_all_played();
    let stand_ins = world.play(&["versions-one", "delete-denied", "versions-one"]);
    let error = run(&stand_ins).unwrap_err();
    assert!(
        matches!(&error, StagingError::NotTrimmed(why) if why.contains("System Volume Information")),
        "{error}"
    );
}

#[test]
fn system_files_and_writers_are_judged_by_what_their_programs_do() {
    let world = World::new();
    for (step, outcome, words) in [
        ("sfc-whole", PASS, "as they should be"),
        ("sfc-whole-german", PASS, "as they should be"),
        ("sfc-damaged", WARN, "1 of them"),
        ("sfc-not-done", WARN, "doesn't run"),
    ] {
        let stand_ins = world.play(&[step]);
        let commands = world.commands(&stand_ins);
        let found = sfc::system_files(&world.machine(&commands), &Cancellation::default());
        assert!(found.outcome == outcome && found.message.contains(words), "{step}: {found:?}");
        stand_ins.expect_all_played();
    }
    for (step, outcome, words) in
        [("writers-stable", PASS, "2 VSS writers"), ("writers-failed", WARN, "`WMI Writer` (restart")]
    {
        let stand_ins = world.play(&[step]);
        let found = writers::writers(&world.commands(&stand_ins), &Cancellation::default());
        assert!(found.outcome == outcome && found.message.contains(words), "{step}: {found:?}");
    }
}
