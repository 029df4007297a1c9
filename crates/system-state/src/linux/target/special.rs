//! Symbolic links, devices, FIFOs and sockets.

use crate::linux::target::beneath::Place;
use crate::linux::target::marker::Makes;
use crate::linux::target::metadata::{Holder, warning};
use crate::linux::target::{failed, in_the_way};
use rustix::fs::{FileType, Mode, OFlags, fstat, makedev, mknodat, openat, symlinkat};
use rustix::io::Errno;
use stateward_engine::TargetError;
use stateward_format::manifest::Warning;
use stateward_format::{Entry, EntryKind};
use std::os::fd::{AsFd, OwnedFd};

/// Whether only root may make it.
pub(super) fn is_device(kind: &EntryKind) -> bool {
    matches!(kind, EntryKind::BlockDevice { .. } | EntryKind::CharacterDevice { .. })
}

/// What is told of a device that was not made.
pub(super) fn not_made(path: &[u8]) -> Warning {
    let message = "It is a device, which only root may make".to_owned();
    warning("device-not-restored", path, message)
}

/// What `mknod` makes, and of which device; `None` for what it does not make.
fn node(kind: &EntryKind) -> Option<(FileType, u64)> {
    match *kind {
        EntryKind::BlockDevice { major, minor } => Some((FileType::BlockDevice, makedev(major, minor))),
        EntryKind::CharacterDevice { major, minor } => {
            Some((FileType::CharacterDevice, makedev(major, minor)))
        }
        EntryKind::Fifo => Some((FileType::Fifo, 0)),
        EntryKind::Socket => Some((FileType::Socket, 0)),
        EntryKind::File { .. } | EntryKind::Folder | EntryKind::SymbolicLink { .. } => None,
    }
}

/// Makes it, for its owner only.
pub(super) fn make(place: &Place<'_>, kind: &EntryKind) -> Result<(), Errno> {
    make_in(&place.folder, place.name, kind)
}

/// Makes it in a folder, for its owner only.
pub(super) fn make_in(folder: &OwnedFd, name: &[u8], kind: &EntryKind) -> Result<(), Errno> {
    if let EntryKind::SymbolicLink { target } = kind {
        return symlinkat(target.as_slice(), folder, name);
    }
    let (file_type, device) = node(kind).ok_or(Errno::INVAL)?;
    mknodat(folder, name, file_type, Mode::RUSR | Mode::WUSR, device)
}

/// Sets its metadata, if it is still what was just made.
pub(super) fn finish(
    path: &[u8],
    place: &Place<'_>,
    entry: &Entry,
    makes: Makes,
    inherits: bool,
) -> Result<Vec<Warning>, TargetError> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let opened =
        openat(&place.folder, place.name, flags, Mode::empty()).map_err(|error| failed(path, error))?;
    let raw = fstat(&opened).map_err(|error| failed(path, error))?;
    let (expected, device) = node(&entry.kind).unwrap_or((FileType::Symlink, 0));
    let is_ours = FileType::from_raw_mode(raw.st_mode) == expected
        && (!is_device(&entry.kind) || raw.st_rdev == device)
        && makes.may_be_ours(&raw)
        && raw.st_nlink == 1;
    let holder = Holder::Beneath(opened.as_fd());
    match (is_ours, expected) {
        // Somebody put something else in its place.
        (false, _) => Err(in_the_way(path)),
        (true, FileType::Symlink) => holder.set_of_link(path, &entry.metadata),
        (true, _) => holder.set(path, &entry.metadata, inherits),
    }
}
