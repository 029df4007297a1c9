//! The fault matrix: whatever goes wrong with a backup is told with its code, and leaves nothing behind, neither in the vault
//! nor where it was staged.

use crate::machine::WindowsMachine;
use crate::{BACKUP, back_up, points, protected};
use serde_json::Value;
use stateward_e2e::process::{DEADLINE, Running, wait_until};
use stateward_e2e::{TestVault, WindowsServer};
use std::fs;

/// What is played after the prechecks, and the code.
const FAULTS: &[(&[&str], &str)] = &[
    // The program fails, and says that it did not; or says that it made a backup, and made none.
    (
        &["versions-none", "backup-failed-with-success-text", "versions-one", "delete-all", "versions-none"],
        "server-backup-failed",
    ),
    (&["versions-none", "backup-no-version", "versions-none"], "server-backup-without-version"),
    // What it made isn't whole: removed with its version.
    (
        &["versions-none", "backup-cut-off", "versions-one", "versions-one", "delete-all", "versions-none"],
        "staged-image-damaged",
    ),
    (
        &["versions-none", "backup-no-image", "versions-one", "versions-one", "delete-all", "versions-none"],
        "staged-image-damaged",
    ),
    (
        &[
            "versions-none",
            "backup-torn-document",
            "versions-one",
            "versions-one",
            "delete-all",
            "versions-none",
        ],
        "staged-document-damaged",
    ),
    (
        &[
            "versions-none",
            "backup-without-registry-writer",
            "versions-one",
            "versions-one",
            "delete-all",
            "versions-none",
        ],
        "writer-missing",
    ),
    // The disk was full in the middle of the image: half of it lies there without a version.
    (&["versions-none", "backup-disk-full", "versions-none"], "staging-full"),
    // It failed and said why; its service was killed; it was killed itself.
    (&["versions-none", "backup-removable"], "staging-place-refused"),
    (&["versions-none", "backup-writer-timeout"], "writer-timed-out"),
    (&["versions-none", "backup-efi-locked"], "efi-partition-locked"),
    (&["versions-none", "backup-shadow-space"], "shadow-storage-full"),
    (&["versions-none", "backup-engine-killed"], "server-backup-engine-ended"),
    (&["versions-none", "backup-unknown"], "server-backup-failed"),
    (&["versions-none", "backup-killed"], "server-backup-failed"),
];

#[track_caller]
fn expect_nothing_left(machine: &WindowsMachine, server: &WindowsServer, count: usize) {
    let left: Vec<_> = fs::read_dir(machine.drive()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(points(server).len(), count, "nothing half made is in the vault");
    let kept = fs::read_to_string(server.path("home/staging.json")).unwrap_or_default();
    assert!(!kept.contains("\"begun\""), "{kept}");
}

#[test]
#[ignore = "needs stateward.exe and Wine: scripts/test-windows.sh"]
fn every_fault_has_its_code_and_leaves_nothing_behind() {
    let vault = TestVault::start();
    let machine = WindowsMachine::server();
    let server = protected(&vault);
    for (steps, code) in FAULTS {
        let steps = [&["writers-stable"][..], *steps].concat();
        let outcome = back_up(&machine, &server, &steps).expect_code(1);
        assert_eq!(outcome.error_code(), *code, "{steps:?}: {outcome:#?}");
        let left = fs::read_dir(machine.drive()).unwrap().count();
        assert_eq!(left, 0, "{steps:?}");
    }
    expect_nothing_left(&machine, &server, 0);
    // What can't be cleared away is told, and cleared away by the next.
    let mut steps = BACKUP.to_vec();
    steps.truncate(5);
    steps.extend(["delete-denied", "versions-one"]);
    let warned = back_up(&machine, &server, &steps).expect_code(3);
    assert!(warned.json().iter().any(|line| line["code"] == "staging-not-cleared"), "{warned:#?}");
    let cleared = ["versions-one", "delete-all", "versions-none"];
    back_up(&machine, &server, &[&cleared[..], &BACKUP].concat()).done();
    expect_nothing_left(&machine, &server, 2);
}

/// Begins a backup that hangs, and waits until it does.
fn begin(machine: &WindowsMachine, server: &WindowsServer, more: &[&str]) -> (Running, String) {
    machine.play(&[&["writers-stable", "versions-none", "backup-hangs"][..], more].concat());
    let mut backup = Running::start(server.command(["backup", "now", "--wait"]));
    wait_until("the backup hangs", DEADLINE, || {
        assert!(backup.is_alive(), "{}", backup.stdout());
        (machine.played() == 3).then_some(())
    });
    let listed = server.run(["job", "list"]).done().json();
    let running = |line: &&Value| line["status"] == "Running";
    let job = listed.iter().find(running).unwrap_or_else(|| panic!("{listed:?}"));
    let id = job["job"].as_str().unwrap().to_owned();
    (backup, id)
}

#[test]
#[ignore = "needs stateward.exe and Wine: scripts/test-windows.sh"]
fn a_backup_that_hangs_is_stopped_by_its_time_or_by_a_person() {
    let vault = TestVault::start();
    let machine = WindowsMachine::server();
    let server = protected(&vault);
    let (backup, job) = begin(&machine, &server, &["stop-job"]);
    server.run(["job", "cancel", &job]).done();
    backup.wait().expect_code(130);
    assert_eq!(machine.played(), 4, "the engine was told to stop, too");
    expect_nothing_left(&machine, &server, 0);

    server.run(["settings", "set", "--server-backup-time-out", "1"]).done();
    let steps = ["writers-stable", "versions-none", "backup-hangs", "stop-job"];
    let outcome = back_up(&machine, &server, &steps).expect_code(1);
    assert_eq!(outcome.error_code(), "server-backup-timed-out");
    expect_nothing_left(&machine, &server, 0);
}

/// Killed with half an image staged: as when the machine lost its power, and as when only the agent died and Windows Server
/// Backup goes on.
#[test]
#[ignore = "needs stateward.exe and Wine: scripts/test-windows.sh"]
fn what_a_killed_agent_had_staged_is_cleared_away_by_the_next_run() {
    let vault = TestVault::start();
    let machine = WindowsMachine::server();
    let server = protected(&vault);
    for (count, goes_on) in [(1, false), (2, true)] {
        let (backup, _) = begin(&machine, &server, &[]);
        let half =
            machine.drive().join("WindowsImageBackup").join(machine.name()).join("Backup 2026-06-30 192626");
        fs::create_dir_all(&half).unwrap();
        fs::write(half.join("half.vhdx"), "half an image").unwrap();
        backup.kill();
        if !goes_on {
            machine.end("wbadmin.exe");
        }
        let stopped: &[&str] = if goes_on { &["stop-job"] } else { &[] };
        back_up(&machine, &server, &[stopped, &["versions-none"], &BACKUP].concat()).done();
        machine.end("wbadmin.exe");
        expect_nothing_left(&machine, &server, count);
    }
}
