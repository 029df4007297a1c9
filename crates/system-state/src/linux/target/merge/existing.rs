//! What lies at a place already, and whether it is what a restore would make.

use crate::linux::extended_attributes::{self, Holder};
use crate::linux::stat;
use crate::linux::target::beneath::Place;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, fstat, major, minor, openat, readlinkat, statat};
use rustix::io::{Errno, pread};
use stateward_engine::{ContentOf, ExistingFile, IsSame};
use stateward_format::{Attribute, Entry, EntryKind, Metadata};
use std::io;
use std::os::fd::{AsFd, OwnedFd};

/// What is there, the link itself if it is one.
pub(super) fn found(place: &Place<'_>) -> Result<Option<Stat>, Errno> {
    match statat(&place.folder, place.name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(raw) => Ok(Some(raw)),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error),
    }
}

/// How much of an entry must be there already for it to be the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sameness {
    /// Its content.
    Content,
    /// Its mode and extended attributes too.
    Access,
    /// Its owner as well, which only root can give it.
    Owner,
}

impl Sameness {
    /// Whether a file's or link's metadata are those that it would get.
    fn holds(self, raw: &Stat, metadata: &Metadata, holder: Holder<'_>, has_mode: bool) -> bool {
        if self == Self::Content {
            return true;
        }
        let is_owner = (raw.st_uid, raw.st_gid) == (metadata.user, metadata.group);
        let is_mode = !has_mode || raw.st_mode & 0o7777 == metadata.mode & 0o7777;
        if !is_mode || self == Self::Owner && !is_owner {
            return false;
        }
        let mut expected: Vec<_> = metadata.extended_attributes.iter().collect();
        expected.sort_by(|a, b| a.name.cmp(&b.name));
        extended_attributes::read(holder).is_ok_and(|found| found.iter().collect::<Vec<_>>() == expected)
    }
}

/// Whether what is there, as `raw` tells, is what the entry would be.
pub(super) fn is_same(
    place: &Place<'_>,
    raw: &Stat,
    entry: &Entry,
    sameness: Sameness,
    is_same_content: &mut IsSame<'_>,
) -> bool {
    let kind = stat::file_type(raw);
    let path = extended_attributes::path_in(place.folder.as_fd(), place.name);
    let holds = |has_mode| sameness.holds(raw, &entry.metadata, Holder::At(&path), has_mode);
    let is_device = |expected, numbers| {
        kind == expected && (major(raw.st_rdev), minor(raw.st_rdev)) == numbers && holds(true)
    };
    match &entry.kind {
        EntryKind::File { size, .. } => {
            kind == FileType::RegularFile
                && u64::try_from(raw.st_size) == Ok(*size)
                && !is_raw(&entry.metadata)
                && open(place).is_ok_and(|file| {
                    let same_file =
                        fstat(&file.0).is_ok_and(|now| stat::identity(&now) == stat::identity(raw));
                    let holder = Holder::Open(file.0.as_fd());
                    same_file
                        && sameness.holds(raw, &entry.metadata, holder, true)
                        && is_same_content(ContentOf::File, &file)
                })
        }
        EntryKind::SymbolicLink { target } => {
            let found = || readlinkat(&place.folder, place.name, Vec::new());
            kind == FileType::Symlink
                && found().is_ok_and(|found| found.as_bytes() == target.as_slice())
                && holds(false)
        }
        EntryKind::BlockDevice { major, minor } => is_device(FileType::BlockDevice, (*major, *minor)),
        EntryKind::CharacterDevice { major, minor } => is_device(FileType::CharacterDevice, (*major, *minor)),
        EntryKind::Fifo => kind == FileType::Fifo && holds(true),
        EntryKind::Socket => kind == FileType::Socket && holds(true),
        EntryKind::Folder => kind == FileType::Directory,
    }
}

/// Whether an entry's content is raw content of EFS: no file's here, also of one that holds the same bytes.
fn is_raw(metadata: &Metadata) -> bool {
    metadata.attributes.iter().any(|attribute| matches!(attribute, Attribute::EfsRaw { .. }))
}

/// A file that is there, open for reading.
struct Opened(OwnedFd);

/// Opens it without following a link, without waiting, and without a trace where that is allowed.
fn open(place: &Place<'_>) -> Result<Opened, Errno> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    match openat(&place.folder, place.name, flags | OFlags::NOATIME, Mode::empty()) {
        Err(Errno::PERM) => openat(&place.folder, place.name, flags, Mode::empty()),
        opened => opened,
    }
    .map(Opened)
}

impl ExistingFile for Opened {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match pread(&self.0, &mut buffer[filled..], offset + filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(filled)
    }
}
