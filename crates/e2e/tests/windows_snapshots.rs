//! Backups of files and folders by `stateward.exe` under Wine from snapshots of volumes, against a vault on Linux.
//!
//! Wine has no VSS. What stands for it is a library that is compiled against mingw's header of VSS
//! (`crates/testing/stand-ins/vssapi.cpp`): it plays what each function answers, writes down what was called, and names a folder of the
//! test as the snapshot. So this shows that the tables of functions fit, the order of calls, and what becomes of answers; of VSS itself it
//! shows nothing. `scripts/test-windows.sh` runs these; they need what it makes.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]
#![cfg(target_os = "linux")]

use serde_json::Value;
use stateward_e2e::process::{DEADLINE, wait_until};
use stateward_e2e::wine::{LIBRARIES, machine_folder};
use stateward_e2e::{Outcome, Running, TestVault, WindowsServer};
use std::fs;
use std::path::PathBuf;

/// What a backup calls that goes well, of one drive and without writers.
const WHOLE: [&str; 18] = [
    "CreateVssBackupComponents",
    "InitializeForBackup",
    "SetContext 0x2",
    "SetBackupState 0 0 5 0",
    "GatherWriterMetadata",
    "StartSnapshotSet",
    "IsVolumeSupported C",
    "AddToSnapshotSet C",
    "PrepareForBackup",
    "DoSnapshotSet",
    "GatherWriterStatus",
    "GetWriterStatusCount",
    "FreeWriterStatus",
    "GetSnapshotProperties C",
    "BackupComplete",
    "GatherWriterStatus",
    "GetWriterStatusCount",
    "FreeWriterStatus",
];

/// What is called at last, whatever came before: everything was given back.
const RELEASED: &str = "Release, of 0 operations and 0 properties that are left";

/// A server that protects a folder of its drive `C:`, and a folder that is played as that drive's snapshot.
struct Rig {
    server: WindowsServer,
    vault: TestVault,
    live: PathBuf,
    /// The root of the snapshot, on the same drive, so that what lies there may be the same file. As the program names it, too.
    shadow: (PathBuf, String),
    /// In the snapshot, the folder that is protected.
    frozen: PathBuf,
}

impl Rig {
    #[track_caller]
    fn new() -> Self {
        Self::protecting(&[])
    }

    /// The same, which protects more beside that folder.
    #[track_caller]
    fn protecting(more: &[&str]) -> Self {
        let vault = TestVault::start();
        let mut server = WindowsServer::registered(&vault.access);
        let (live, named) = server.on_system_drive("frozen");
        server.run(["protect", "files", &named].into_iter().chain(more.iter().copied())).done();
        server.set_variable("WINEDLLOVERRIDES", &format!("{LIBRARIES};vssapi=n"));
        server.set_variable("STATEWARD_VSS_SCENE", &server.named("vss"));
        fs::create_dir(server.path("vss")).unwrap();
        let shadow = server.on_system_drive("shadow");
        let frozen = shadow.0.join(live.file_name().unwrap());
        fs::create_dir(&frozen).unwrap();
        let rig = Self { server, vault, live, shadow, frozen };
        rig.play(&[]);
        rig
    }

    /// What the stand-in plays from now on, besides the snapshot of `C:`.
    fn play(&self, rules: &[&str]) {
        let shadow = format!(r"shadow C \\?\{}", self.shadow.1);
        let scene = [&[shadow.as_str()][..], rules].concat().join("\n");
        fs::write(self.server.path("vss/scene"), scene).unwrap();
        let _ = fs::remove_file(self.server.path("vss/calls"));
    }

    /// What was called since.
    fn calls(&self) -> Vec<String> {
        let text = fs::read_to_string(self.server.path("vss/calls")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    fn back_up(&self) -> Outcome {
        self.server.run(["backup", "now", "--wait"])
    }

    /// Whether the newest recovery point is of one moment, and what it says of that.
    #[track_caller]
    fn moment(&self) -> (Value, String) {
        let shown = self.server.run(["recovery-point", "show", "latest"]).done().last();
        (shown["one_moment"].clone(), shown["moment"].to_string())
    }

    /// What the newest recovery point has of a file; `None` if it hasn't it.
    #[track_caller]
    fn restored(&self, target: &str, name: &str) -> Option<String> {
        let folder = self.server.path(target);
        if !folder.exists() {
            let outcome = self.server.restore(target, &[]);
            assert!(matches!(outcome.code(), Some(0 | 3)), "{outcome:#?}");
        }
        let path = folder.join("C").join(self.live.file_name().unwrap()).join(name);
        path.exists().then(|| fs::read_to_string(path).unwrap())
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.live);
        let _ = fs::remove_dir_all(&self.shadow.0);
    }
}

/// What a backup told of a code.
fn of_code(lines: &[Value], code: &str) -> Vec<String> {
    let of_it = lines.iter().filter(|line| line["code"] == code);
    of_it.map(|line| line["message"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
#[ignore = "needs stateward.exe and Wine: scripts/test-windows.sh"]
fn a_backup_has_what_was_there_at_the_moment_and_calls_vss_in_its_order() {
    let rig = Rig::new();
    for (name, text) in [("first", "after"), ("third", "made later")] {
        fs::write(rig.live.join(name), text).unwrap();
    }
    for (name, text) in [("first", "before"), ("second", "removed later")] {
        fs::write(rig.frozen.join(name), text).unwrap();
    }
    rig.play(&["pending 3"]);
    let lines = rig.back_up().done().json();
    let last = lines.last().unwrap();
    assert_eq!((&last["status"], &last["files"]), (&"Completed".into(), &2.into()), "{lines:?}");
    assert_eq!(of_code(&lines, "source-snapshot"), Vec::<String>::new());
    assert_eq!(rig.calls(), [&WHOLE[..], &[RELEASED]].concat());

    assert_eq!(rig.restored("restored", "first").as_deref(), Some("before"));
    assert_eq!(rig.restored("restored", "second").as_deref(), Some("removed later"));
    assert_eq!(rig.restored("restored", "third"), None);
    let (one, moment) = rig.moment();
    assert_eq!(one, true, "{moment}");
    assert!(moment.contains(r"`C:\\`") && moment.contains("from a snapshot"), "{moment}");
}

/// The files of the snapshot are the live ones, as those of a snapshot have the numbers that they have on their volume.
#[test]
#[ignore = "needs stateward.exe and Wine: scripts/test-windows.sh"]
fn what_is_unchanged_is_known_from_snapshot_to_snapshot_and_from_live_to_snapshot() {
    let rig = Rig::new();
    for number in 0..20 {
        let (live, frozen) = (rig.live.join(number.to_string()), rig.frozen.join(number.to_string()));
        fs::write(&live, format!("content {number}").repeat(5000)).unwrap();
        fs::hard_link(live, frozen).unwrap();
    }
    rig.server.run(["settings", "set", "--source-snapshot=off"]).done();
    // What changed less than two seconds before the first run is looked at again.
    wait_until("the files are old enough", DEADLINE, || {
        rig.server.back_up();
        let again = rig.server.back_up();
        (again["files_unchanged"] == again["files"]).then_some(())
    });
    assert_eq!(rig.calls(), Vec::<String>::new(), "nobody asked for a snapshot");
    assert!(rig.moment().1.contains("turned off"));
    rig.server.run(["settings", "set", "--source-snapshot=on"]).done();
    for _ in 0..2 {
        let again = rig.server.back_up();
        // One in 256 files is read again each run, and that is no change.
        let changed = again["files"].as_u64().unwrap() - again["files_unchanged"].as_u64().unwrap();
        assert!(changed <= 1, "{again}");
        assert_eq!(rig.moment().0, true);
    }
}

#[test]
#[ignore = "needs stateward.exe and Wine: scripts/test-windows.sh"]
fn whatever_fails_is_told_with_its_code_everything_is_given_back_and_the_files_are_read_live() {
    let rig = Rig::new();
    fs::write(rig.live.join("file"), "live").unwrap();
    fs::write(rig.frozen.join("file"), "frozen").unwrap();
    for (rule, told) in [
        ("answer CreateVssBackupComponents 80070005", "`CreateVssBackupComponents` answers 0x80070005"),
        ("answer InitializeForBackup 80042302", "`InitializeForBackup` answers 0x80042302"),
        ("answer SetContext 8004231b", "`SetContext` answers 0x8004231b"),
        ("answer SetBackupState 80042301", "`SetBackupState` answers 0x80042301"),
        ("answer GatherWriterMetadata 80042318", "`GatherWriterMetadata` answers 0x80042318"),
        ("outcome GatherWriterMetadata 80042319", "`GatherWriterMetadata` answers 0x80042319"),
        ("answer StartSnapshotSet 80042302", "`StartSnapshotSet` answers 0x80042302"),
        ("answer IsVolumeSupported 80042308", "`IsVolumeSupported` answers 0x80042308"),
        ("unsupported C", "`IsVolumeSupported` answers 0x8004230c"),
        ("answer AddToSnapshotSet 80042317", "`AddToSnapshotSet` answers 0x80042317"),
        ("outcome PrepareForBackup 80042302", "`PrepareForBackup` answers 0x80042302"),
        ("answer DoSnapshotSet 80042306", "`DoSnapshotSet` answers 0x80042306"),
        ("outcome DoSnapshotSet 8004231f", "vssadmin resize shadowstorage"),
        ("outcome DoSnapshotSet 4230b", "`DoSnapshotSet` was stopped"),
        ("answer GetSnapshotProperties 80042308", "`GetSnapshotProperties` answers 0x80042308"),
    ] {
        rig.play(&[rule, "pending 1"]);
        let lines = rig.back_up().done().json();
        let problems = of_code(&lines, "source-snapshot");
        let (one, moment) = rig.moment();
        assert_eq!(one, false, "{rule}: {moment}");
        assert!(moment.contains(told), "{rule}: {moment}");
        // That a drive never has one comes as no warning.
        let warnings: Vec<_> =
            problems.iter().filter(|text| text.contains(told) && text.contains(r"`C:\`")).collect();
        assert_eq!(
            (warnings.len(), problems.len()),
            if rule.starts_with("unsupported") { (0, 0) } else { (1, 1) }
        );
        let calls = rig.calls();
        let end = match calls.len() {
            1 => &["CreateVssBackupComponents"][..],
            3 => &["InitializeForBackup", RELEASED],
            _ => &["AbortBackup", RELEASED],
        };
        assert!(calls.ends_with(&end.iter().map(|call| (*call).to_owned()).collect::<Vec<_>>()), "{calls:?}");
        assert!(!calls.iter().any(|call| call.contains("out of order")), "{calls:?}");
        assert!(!calls.contains(&"BackupComplete".to_owned()), "{calls:?}");
    }
    assert_eq!(rig.restored("restored", "file").as_deref(), Some("live"));
}

#[test]
#[ignore = "needs stateward.exe and Wine: scripts/test-windows.sh"]
fn a_snapshot_that_cannot_be_opened_is_no_empty_drive() {
    let rig = Rig::new();
    fs::write(rig.live.join("file"), "live").unwrap();
    fs::remove_dir_all(&rig.shadow.0).unwrap();
    let lines = rig.back_up().done().json();
    let problems = of_code(&lines, "source-snapshot");
    assert!(problems.len() == 1 && problems[0].contains("can't be opened"), "{problems:?}");
    assert_eq!(rig.calls(), [&WHOLE[..], &[RELEASED]].concat());
    assert_eq!(rig.restored("restored", "file").as_deref(), Some("live"));
}

#[test]
#[ignore = "needs stateward.exe and Wine: scripts/test-windows.sh"]
fn while_another_makes_a_snapshot_it_is_tried_again() {
    let rig = Rig::new();
    fs::write(rig.frozen.join("file"), "frozen").unwrap();
    rig.play(&["answer StartSnapshotSet 80042316 80042316"]);
    let lines = rig.back_up().done().json();
    assert_eq!(of_code(&lines, "source-snapshot"), Vec::<String>::new());
    let tries = rig.calls().iter().filter(|call| *call == "StartSnapshotSet").count();
    assert_eq!(tries, 3);
    assert_eq!(rig.restored("restored", "file").as_deref(), Some("frozen"));
}

#[test]
#[ignore = "needs stateward.exe and Wine: scripts/test-windows.sh"]
fn a_writer_that_failed_is_named_and_the_snapshot_is_used_unless_it_is_to_block() {
    let rig = Rig::new();
    fs::write(rig.frozen.join("file"), "frozen").unwrap();
    let writers =
        ["writer 1 0 Registry Writer", "writer 9 800423f2 SqlServerWriter", "writer 5 0 WMI Writer"];
    rig.play(&writers);
    let lines = rig.back_up().done().json();
    let told = of_code(&lines, "writers");
    assert!(told.len() == 1 && told[0].ends_with("`SqlServerWriter` (0x800423f2)"), "{told:?}");
    assert_eq!(rig.moment().0, true);
    assert_eq!(rig.restored("restored", "file").as_deref(), Some("frozen"));

    // A backup that doesn't begin ends the snapshot, too.
    rig.server.run(["settings", "set", "--precheck", "writers=block"]).done();
    rig.play(&writers);
    rig.back_up().expect_code(14);
    let calls = rig.calls();
    assert!(calls.contains(&"BackupComplete".to_owned()), "{calls:?}");
    assert_eq!(calls.last().unwrap(), RELEASED);
}

#[test]
#[ignore = "needs stateward.exe and Wine: scripts/test-windows.sh"]
fn two_drives_are_of_one_moment_and_one_that_can_have_none_is_read_live() {
    let name = format!("second-{}", std::process::id());
    let second = machine_folder().join("drive_e").join(&name);
    fs::create_dir_all(&second).unwrap();
    fs::write(second.join("file"), "live").unwrap();
    let rig = Rig::protecting(&[&format!(r"E:\{name}")]);
    let shadow = rig.server.path("shadow of e");
    fs::create_dir_all(shadow.join(&name)).unwrap();
    fs::write(shadow.join(&name).join("file"), "frozen").unwrap();
    fs::write(rig.frozen.join("file"), "frozen").unwrap();
    let of_second = format!(r"shadow E \\?\{}", rig.server.named("shadow of e"));
    let second_file = |target: &str| {
        rig.restored(target, "file");
        fs::read_to_string(rig.server.path(target).join("E").join(&name).join("file")).unwrap()
    };

    rig.play(&[&of_second]);
    assert_eq!(of_code(&rig.back_up().done().json(), "source-snapshot"), Vec::<String>::new());
    let (one, moment) = rig.moment();
    assert_eq!(one, true, "{moment}");
    assert_eq!(second_file("restored"), "frozen");

    rig.play(&[&of_second, "unsupported E"]);
    let problems = of_code(&rig.back_up().done().json(), "source-snapshot");
    assert_eq!(problems, Vec::<String>::new(), "that it never has one is told by the recovery point only");
    let (one, moment) = rig.moment();
    assert!(one == false && moment.contains("1 of 2 file systems are of one moment"), "{moment}");
    assert_eq!(second_file("restored again"), "live");
    let calls = rig.calls();
    assert_eq!(calls.last().unwrap(), RELEASED, "{calls:?}");
    fs::remove_dir_all(second).unwrap();
}

#[test]
#[ignore = "needs stateward.exe and Wine: scripts/test-windows.sh"]
fn a_backup_that_is_cancelled_or_fails_lets_vss_go() {
    let mut rig = Rig::new();
    fs::write(rig.frozen.join("file"), "frozen").unwrap();
    let started = |rig: &Rig, step: &str| {
        let mut backup = Running::start(rig.server.command(["backup", "now", "--wait"]));
        wait_until("VSS is at it", DEADLINE, || {
            assert!(backup.is_alive(), "{}", backup.stdout());
            rig.calls().iter().any(|call| call == step).then_some(())
        });
        backup
    };
    let job = |rig: &Rig| {
        let listed = rig.server.run(["job", "list"]).done().json();
        let running = |line: &&Value| line["status"] == "Running";
        let job = listed.iter().find(running).unwrap_or_else(|| panic!("{listed:?}"));
        job["job"].as_str().unwrap().to_owned()
    };
    // Never done by itself.
    rig.play(&["pending 100000"]);
    let backup = started(&rig, "GatherWriterMetadata");
    rig.server.run(["job", "cancel", &job(&rig)]).done();
    backup.wait().expect_code(130);
    let calls = rig.calls();
    let end = ["GatherWriterMetadata", "Cancel GatherWriterMetadata", "AbortBackup", RELEASED];
    assert!(calls.ends_with(&end.map(str::to_owned)), "{calls:?}");

    // Long enough for the vault to go away while the snapshot is made.
    rig.play(&["pending 12"]);
    let backup = started(&rig, "DoSnapshotSet");
    let id = job(&rig);
    rig.vault.kill();
    wait_until("the snapshot is there", DEADLINE, || {
        rig.calls().iter().any(|call| call == "GetSnapshotProperties C").then_some(())
    });
    // It may wait for the vault, or have failed already.
    rig.server.run(["job", "cancel", &id]);
    assert_ne!(backup.wait().code(), Some(0));
    let calls = rig.calls();
    assert!(calls.contains(&"BackupComplete".to_owned()), "{calls:?}");
    assert_eq!(calls.last().unwrap(), RELEASED, "{calls:?}");
}

/// Without the stand-in it is Wine's own library that is asked.
#[test]
#[ignore = "needs stateward.exe and Wine: scripts/test-windows.sh"]
fn where_vss_is_not_built_that_is_told_and_the_files_are_read_live() {
    let vault = TestVault::start();
    let server = WindowsServer::registered(&vault.access);
    let (live, named) = server.on_system_drive("live");
    fs::write(live.join("file"), "live").unwrap();
    server.run(["protect", "files", &named]).done();
    let lines = server.run(["backup", "now", "--wait"]).done().json();
    let problems = of_code(&lines, "source-snapshot");
    assert!(problems.len() == 1 && problems[0].contains("VSS isn't built here"), "{problems:?}");
    assert_eq!(lines.last().unwrap()["status"], "Completed");
    server.run(["settings", "set", "--source-snapshot=off"]).done();
    let lines = server.run(["backup", "now", "--wait"]).done().json();
    assert_eq!(of_code(&lines, "source-snapshot"), Vec::<String>::new());
    fs::remove_dir_all(live).unwrap();
}
