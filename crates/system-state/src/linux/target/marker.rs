//! The marker of a restore that goes on: which recovery point is laid into a folder, and that nobody else does it now.

use crate::open_error::TargetOpenError;
use rustix::fs::{AtFlags, FlockOperation, Mode, OFlags, Stat, flock, fstat, fsync, openat, unlinkat};
use rustix::io::Errno;
use stateward_model::PointHash;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::fd::OwnedFd;
use std::path::Path;

/// Its name in the target.
pub(super) const NAME: &[u8] = b".stateward-restore";

/// More than a recovery point's hash as text.
const BYTES_MAX: u64 = 256;

#[derive(Debug)]
pub(super) struct Marker {
    /// Locked as long as it is open.
    file: File,
    is_continued: bool,
}

/// How something that was just made looks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Makes {
    /// Its owner's number.
    pub user: u32,
    /// Whether what is made for its owner only is shown so.
    pub keeps_modes: bool,
}

impl Makes {
    /// Whether what is there may be what we just made, and not what somebody put in its place.
    pub fn may_be_ours(self, raw: &Stat) -> bool {
        let is_private =
            !self.keeps_modes || raw.st_mode & 0o077 == 0 || raw.st_mode & 0o170_000 == 0o120_000;
        raw.st_uid == self.user && is_private
    }
}

/// What stands in the way of a marker.
enum Refusal {
    Lock,
    Other,
    System(io::Error),
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}

impl From<Errno> for Refusal {
    fn from(error: Errno) -> Self {
        Self::System(error.into())
    }
}

impl Marker {
    /// Marks a folder that holds `names`: an empty one anew, one with a marker of the same point once more.
    pub fn take(
        root: &OwnedFd,
        names: &[&[u8]],
        point: &PointHash,
        path: &Path,
    ) -> Result<Self, TargetOpenError> {
        let path = path.to_owned();
        let taken = match names {
            [] => Self::make(root, point),
            names if names.contains(&NAME) => Self::renew(root, point, names.len() == 1),
            _ => return Err(TargetOpenError::NotEmpty { path }),
        };
        taken.map_err(|refusal| match refusal {
            Refusal::Lock => TargetOpenError::InUse { path },
            Refusal::Other => TargetOpenError::OtherPoint { path },
            Refusal::System(cause) => TargetOpenError::Unusable { path, cause },
        })
    }

    fn make(root: &OwnedFd, point: &PointHash) -> Result<Self, Refusal> {
        let file = open(root, OFlags::CREATE | OFlags::EXCL)?;
        lock(&file)?;
        write(root, file, point)
    }

    fn renew(root: &OwnedFd, point: &PointHash, is_alone: bool) -> Result<Self, Refusal> {
        let file = open(root, OFlags::empty())?;
        if !file.metadata()?.is_file() {
            return Err(Refusal::Other);
        }
        lock(&file)?;
        let mut text = String::new();
        (&file).take(BYTES_MAX).read_to_string(&mut text)?;
        match text.trim_end() {
            known if known == point.to_string() => Ok(Self { file, is_continued: true }),
            // Whoever made it ended, or had no space, before it was written whole: nothing was laid either.
            part if is_alone && point.to_string().starts_with(part) => write(root, file, point),
            _ => Err(Refusal::Other),
        }
    }

    /// Whether there was a restore before.
    pub fn is_continued(&self) -> bool {
        self.is_continued
    }

    /// What the file system makes of things that we make: whose they are, and whether it keeps modes. Not every one
    /// gives them to us: network file systems map users, some have none.
    pub fn makes(&self) -> io::Result<Makes> {
        let raw = fstat(&self.file)?;
        Ok(Makes { user: raw.st_uid, keeps_modes: raw.st_mode & 0o077 == 0 })
    }

    /// Takes the marker away, for good.
    pub fn remove(&self, root: &OwnedFd) -> Result<(), Errno> {
        unlinkat(root, NAME, AtFlags::empty())?;
        fsync(root)
    }
}

fn open(root: &OwnedFd, more: OFlags) -> Result<File, Errno> {
    let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC | more;
    openat(root, NAME, flags, Mode::RUSR | Mode::WUSR).map(File::from)
}

fn lock(file: &File) -> Result<(), Refusal> {
    match flock(file, FlockOperation::NonBlockingLockExclusive) {
        Err(Errno::WOULDBLOCK) => Err(Refusal::Lock),
        locked => Ok(locked?),
    }
}

fn write(root: &OwnedFd, mut file: File, point: &PointHash) -> Result<Marker, Refusal> {
    file.rewind()?;
    writeln!(file, "{point}")?;
    file.sync_all()?;
    fsync(root)?;
    Ok(Marker { file, is_continued: false })
}
