//! btrfs: read-only snapshots of subvolumes, made and removed by `btrfs` (btrfs-progs).

use super::TIME_OUT;
use crate::linux::command::{CommandError, run};
use crate::linux::mounts::{Mount, Mounts};
use std::ffi::OsStr;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

/// The number of a subvolume's topmost folder.
const TOP: u64 = 256;

/// The folder for snapshots of a file system on which the agent has nothing of its own. It stays: were it made anew each
/// time, the folder that it stands in would change with each backup.
const FOLDER: &str = ".stateward-snapshots";

/// The topmost folder of the subvolume in which a folder lies, if it is to be seen at or below the mount's point.
pub(super) fn subvolume_of(folder: &Path, point: &Path) -> Option<PathBuf> {
    let device = fs::symlink_metadata(folder).ok()?.dev();
    for at in folder.ancestors().take_while(|at| at.starts_with(point)) {
        let found = fs::symlink_metadata(at).ok()?;
        if found.dev() != device {
            return None;
        }
        if found.ino() == TOP {
            return Some(at.to_owned());
        }
    }
    None
}

/// The folder in which a snapshot is made: the agent's own, if it lies on the same file system.
pub(super) fn folder_for(
    subvolume: &Path,
    mount: &Mount,
    of_agent: &Path,
    mounts: &Mounts,
) -> io::Result<PathBuf> {
    if fs::metadata(subvolume)?.ino() != TOP {
        return Err(io::Error::other("only a part of its subvolume is mounted here"));
    }
    let of_agent = of_agent.canonicalize()?;
    if mounts.of(&of_agent).is_some_and(|found| found.device == mount.device) {
        return Ok(of_agent);
    }
    let folder = subvolume.join(FOLDER);
    DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
    // Who may not read a file must not find it readable in a snapshot whose folders were opened since.
    let found = fs::symlink_metadata(&folder)?;
    match found.is_dir() && found.uid() == 0 && found.mode() & 0o077 == 0 {
        true => Ok(folder),
        false => Err(io::Error::other(format!("`{}` isn't root's own folder", folder.display()))),
    }
}

/// Makes a snapshot.
pub(super) fn make(subvolume: &Path, snapshot: &Path) -> Result<(), CommandError> {
    let arguments = ["subvolume", "snapshot", "-r", "--"].map(OsStr::new);
    let paths = [subvolume.as_os_str(), snapshot.as_os_str()];
    run("btrfs", &[&arguments[..], &paths].concat(), &[0], TIME_OUT).map(drop)
}

/// Removes a snapshot.
pub(super) fn remove(snapshot: &Path) -> Result<(), String> {
    match fs::symlink_metadata(snapshot) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.to_string()),
        Ok(found) if !found.is_dir() || found.ino() != TOP => return Err("it is no subvolume".to_owned()),
        Ok(_) => {}
    }
    let arguments = ["subvolume", "delete", "--"].map(OsStr::new);
    let removed = run("btrfs", &[&arguments[..], &[snapshot.as_os_str()]].concat(), &[0], TIME_OUT);
    removed.map(drop).map_err(|error| error.to_string())
}
