//! Wine's own `vssapi.dll` says that it is not built, Windows without rights that it denies: both are told, and nothing hangs. What a
//! VSS answers that makes snapshots, tests of the whole program play by a stand-in (`crates/e2e/tests/windows_snapshots.rs`).

use super::*;
use crate::registry::Key;
use crate::volumes;
use std::path::Path;

#[test]
fn what_vss_refuses_is_told_of_each_volume() {
    if Key::open(r"SOFTWARE\Wine").unwrap().is_none() {
        // On Windows it would make snapshots of the machine that the tests run on.
        return;
    }
    let all = volumes::list().unwrap();
    let volume = all.iter().find(|volume| volume.mounts.iter().any(|mount| mount == Path::new(r"C:\")));
    let ids = vec![volume.unwrap().id.clone(), r"\\?\Volume{none}\".to_owned()];
    let (prepared, refused) = prepare(ids.clone(), &|| false);
    assert!(prepared.is_none());
    let failure = Failure { step: "CreateVssBackupComponents", cause: Cause::Code(0x8000_4001) };
    assert_eq!(refused, ids.into_iter().map(|id| (id, failure.clone())).collect::<Vec<_>>());
    assert_eq!(failure.to_string(), "`CreateVssBackupComponents` answers 0x80004001");
}
