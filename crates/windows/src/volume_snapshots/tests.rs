//! Wine's own `vssapi.dll` says that it isn't built. What a VSS answers that makes snapshots, a stand-in plays
//! (`crates/testing/stand-ins/vssapi.cpp`), for the whole program in `crates/e2e/tests/windows_snapshots.rs`.

use super::*;
use crate::registry::Key;
use crate::volumes;
use std::fs;
use std::path::Path;

/// The volume of the system, which is on every machine.
fn system_volume() -> String {
    let all = volumes::list().unwrap();
    let is_it = |mount: &PathBuf| mount == Path::new(r"C:\");
    all.iter().find(|volume| volume.mounts.iter().any(is_it)).unwrap().id.clone()
}

#[test]
fn what_vss_refuses_is_told_of_each_volume() {
    let is_played = std::env::var_os("STATEWARD_VSS_SCENE").is_some();
    if is_played || Key::open(r"SOFTWARE\Wine").unwrap().is_none() {
        // On Windows it would make snapshots of the machine that the tests run on.
        return;
    }
    let ids = vec![system_volume(), r"\\?\Volume{none}\".to_owned()];
    let (prepared, refused) = prepare(ids.clone(), &|| false);
    assert!(prepared.is_none());
    let failure = Failure { step: "CreateVssBackupComponents", cause: Cause::Code(0x8000_4001) };
    assert_eq!(refused, ids.into_iter().map(|id| (id, failure.clone())).collect::<Vec<_>>());
    assert_eq!(failure.to_string(), "`CreateVssBackupComponents` answers 0x80004001");
}

#[test]
#[ignore = "needs a stand-in for VSS: scripts/test-windows.sh"]
fn snapshots_are_there_until_they_are_let_go_and_what_was_only_prepared_is_ended() {
    let scene =
        PathBuf::from(std::env::var_os("STATEWARD_VSS_SCENE").expect("scripts/test-windows.sh sets it"));
    let rules =
        ["shadow C \\\\?\\C:\\windows", "pending 2", "writer 9 800423f2 One Writer", "writer 1 0 Other"];
    fs::write(scene.join("scene"), rules.join("\n")).unwrap();
    let calls = || fs::read_to_string(scene.join("calls")).unwrap_or_default();
    let (prepared, refused) = prepare(vec![system_volume()], &|| false);
    assert_eq!(refused, []);
    let snapshots = prepared.unwrap().make(&|| false).unwrap();
    assert_eq!(snapshots.roots, [(system_volume(), PathBuf::from(r"\\?\C:\windows\"))]);
    assert!(snapshots.roots[0].1.join("system32").is_dir());
    let failed = FailedWriter { name: "One Writer".to_owned(), code: 0x8004_23f2 };
    assert_eq!(snapshots.writers, Ok(vec![failed]));
    assert!(!calls().contains("BackupComplete"));
    assert_eq!(snapshots.release(), Ok(()));
    let told = calls();
    assert!(told.contains("BackupComplete") && !told.contains("AbortBackup"), "{told}");
    assert!(told.ends_with("Release, of 0 operations and 0 properties that are left\n"), "{told}");

    fs::remove_file(scene.join("calls")).unwrap();
    drop(prepare(vec![system_volume()], &|| false));
    let told = calls();
    assert!(told.contains("AbortBackup\nRelease") && !told.contains("DoSnapshotSet"), "{told}");
    assert!(!told.contains("out of order") && !told.contains("another thread"), "{told}");
}
