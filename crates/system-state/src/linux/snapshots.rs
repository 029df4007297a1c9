//! Making snapshots of what is about to be read, and removing them.
//!
//! Each file system that a source is known to read is looked at: its own snapshots (btrfs), else those of the volume
//! that it lies on (LVM), else none. One that can't be made costs the backup its moment, not the backup.

mod btrfs;
mod lvm;

use crate::linux::command::CommandError;
use crate::linux::device::Device;
use crate::linux::file_systems::FileSystemKind;
use crate::linux::moments::{Frozen, Moments, open_beneath};
use crate::linux::mounts::{Mount, Mounts};
use crate::linux::stat;
use crate::snapshots::{HeldSnapshots, SnapshotKind, SnapshotLedger, SnapshotPlace, SnapshotWish};
use crate::source_moment::no_snapshot;
use rustix::fs::{CWD, Mode, OFlags, fstat, openat, statvfs, syncfs};
use rustix::process::geteuid;
use stateward_model::Timestamp;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// A file system with less room than this gets no snapshot: what is written while a backup runs must fit beside it.
const ROOM_BYTES: u64 = 64 << 20;

/// How long one of the programs may take: what is not yet on the disk is written first.
const TIME_OUT: Duration = Duration::from_secs(300);

/// Where the walk of a source begins to read.
#[derive(Debug, Clone)]
pub(crate) struct Top {
    /// A path of this machine.
    pub path: PathBuf,
    /// Whether other file systems below it are read too.
    pub enters_file_systems: bool,
}

/// A file system that is about to be read.
#[derive(Debug, Clone)]
struct Planned {
    /// The topmost folder of it that the walk sees.
    entry: PathBuf,
    /// The top of what a snapshot is made of: the subvolume, or the mount's point.
    whole: PathBuf,
    mount: Mount,
}

/// Why a snapshot was not made.
enum NoSnapshot {
    /// Nothing here could make one; not worth a word before the backup.
    NoKind,
    /// One was to be had, but not now.
    Failed(String),
}

impl From<CommandError> for NoSnapshot {
    fn from(error: CommandError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<io::Error> for NoSnapshot {
    fn from(error: io::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

/// Makes a snapshot of each file system that a walk from `root` reads at or below `tops`, but not in `excluded`.
pub(crate) fn freeze<'a>(
    root: &Path,
    tops: &[Top],
    excluded: &[PathBuf],
    wish: &SnapshotWish<'_>,
    ledger: &'a dyn SnapshotLedger,
) -> (Moments, HeldSnapshots<'a>) {
    let mut held = HeldSnapshots::none(ledger);
    let mut moments = Moments::live(root);
    moments.is_asked_for = true;
    let planned = plan(root, tops, excluded, &moments.mounts);
    for (number, planned) in planned.iter().enumerate() {
        // The backup ends before it reads anything.
        if wish.cancellation.is_cancelled() {
            break;
        }
        let at = wish.clock.now();
        let made = make(planned, number, wish, &moments.mounts, &mut held, &mut moments.own);
        match made.and_then(|folder| Ok(frozen(planned, &folder, at, &moments.mounts)?)) {
            Ok(frozen) => moments.frozen.push(frozen),
            Err(NoSnapshot::NoKind) => {}
            Err(NoSnapshot::Failed(why)) => {
                held.problems.push(no_snapshot(&planned.entry, &why));
                moments.refused.push((planned.entry.clone(), why));
            }
        }
    }
    (moments, held)
}

/// The file systems that are known to be read, each once.
fn plan(root: &Path, tops: &[Top], excluded: &[PathBuf], mounts: &Mounts) -> Vec<Planned> {
    let mut planned: Vec<Planned> = Vec::new();
    let mut add = |path: &Path| {
        if excluded.iter().any(|excluded| path.starts_with(excluded)) {
            return;
        }
        let Some(found) = mounts.of(path).and_then(|mount| plan_one(root, path, mount)) else { return };
        if planned.iter().all(|known| known.entry != found.entry) {
            planned.push(found);
        }
    };
    for top in tops {
        // The walk follows no link; whatever lies behind one is read from where it lies.
        if top.path.canonicalize().is_ok_and(|real| real == top.path) {
            add(&top.path);
            let below = top.enters_file_systems.then(|| mounts.below(&top.path)).into_iter().flatten();
            below.for_each(|mount| add(&mount.point));
        }
    }
    planned
}

fn plan_one(root: &Path, path: &Path, mount: &Mount) -> Option<Planned> {
    let folder = if path.is_dir() { path } else { path.parent()? };
    let descriptor = open_folder(folder).ok()?;
    if FileSystemKind::of(&descriptor) != FileSystemKind::Local {
        return None;
    }
    let whole = btrfs::subvolume_of(folder, &mount.point).unwrap_or_else(|| mount.point.clone());
    let entry = if whole.starts_with(root) { whole.clone() } else { root.to_owned() };
    Some(Planned { entry, whole, mount: mount.clone() })
}

/// Makes the snapshot; gives the folder at which all of it is read.
fn make(
    planned: &Planned,
    number: usize,
    wish: &SnapshotWish<'_>,
    mounts: &Mounts,
    held: &mut HeldSnapshots<'_>,
    own: &mut Vec<(u64, u64)>,
) -> Result<PathBuf, NoSnapshot> {
    let name = format!("{}-{number}", wish.name);
    match planned.mount.kind.as_str() {
        "btrfs" => {
            check_rights_and_room(&planned.whole)?;
            let folder = btrfs::folder_for(&planned.whole, &planned.mount, wish.folder, mounts)?;
            let descriptor = open_folder(&folder)?;
            let raw = fstat(&descriptor).map_err(io::Error::from)?;
            own.push((Device::of(&descriptor, &raw).told, raw.st_ino));
            let place = SnapshotPlace { kind: SnapshotKind::Btrfs, path: folder.join(name), volume: None };
            held.hold(&place).map_err(NoSnapshot::Failed)?;
            // So that whatever was written before is in it, also of files that are being written on.
            syncfs(&descriptor).map_err(io::Error::from)?;
            btrfs::make(&planned.whole, &place.path)?;
            Ok(place.path)
        }
        _ => {
            let volume = lvm::volume_of(&planned.mount.source).ok_or(NoSnapshot::NoKind)?;
            check_rights_and_room(&planned.whole)?;
            let volume = lvm::describe(&volume)?;
            let plan = volume.plan(&name).ok_or_else(|| no_room("The volume group"))?;
            let path = wish.folder.join(&name);
            let place = SnapshotPlace { kind: SnapshotKind::Lvm, path, volume: Some(volume.snapshot(&name)) };
            held.hold(&place).map_err(NoSnapshot::Failed)?;
            lvm::make(&plan, &place, &planned.mount.kind)?;
            Ok(place.path)
        }
    }
}

fn check_rights_and_room(folder: &Path) -> Result<(), NoSnapshot> {
    if !geteuid().is_root() {
        return Err(NoSnapshot::Failed("only root can make one".to_owned()));
    }
    let found = statvfs(folder).map_err(io::Error::from)?;
    match found.f_bavail.saturating_mul(found.f_frsize) >= ROOM_BYTES {
        true => Ok(()),
        false => Err(no_room("The file system")),
    }
}

fn no_room(what: &str) -> NoSnapshot {
    NoSnapshot::Failed(format!("{what} has less than {} MiB free", ROOM_BYTES >> 20))
}

fn frozen(planned: &Planned, snapshot: &Path, at: Timestamp, mounts: &Mounts) -> io::Result<Frozen> {
    let live = open_folder(&planned.entry)?;
    let raw = fstat(&live)?;
    let within = planned.entry.strip_prefix(&planned.whole).unwrap_or(Path::new(""));
    let root = Arc::new(open_beneath(open_folder(snapshot)?, within)?);
    let device = Device { raw: fstat(&root)?.st_dev, told: Device::of(&live, &raw).told };
    Ok(Frozen {
        entry: planned.entry.clone(),
        kind: planned.mount.kind.clone(),
        at,
        identity: stat::identity(&raw),
        live,
        root,
        device,
        mounted: mounts.below(&planned.entry).map(|mount| mount.point.clone()).collect(),
    })
}

fn open_folder(path: &Path) -> io::Result<OwnedFd> {
    Ok(openat(CWD, path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?)
}

/// Removes a snapshot that was made here, or about to be. One that is not there is no error.
///
/// # Errors
/// Why it is still there.
pub fn remove_snapshot(place: &SnapshotPlace) -> Result<(), String> {
    match place.kind {
        SnapshotKind::Btrfs => btrfs::remove(&place.path),
        SnapshotKind::Lvm => lvm::remove(place),
    }
}

#[cfg(test)]
mod tests;
