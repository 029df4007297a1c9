//! What is not at its place yet: a file without a name, or something under a name of ours.

use crate::linux::target::beneath::Place;
use crate::linux::target::failed;
use crate::linux::target::merge::put::{Give, Pending, Put};
use crate::linux::target::metadata::proc_path;
use crate::linux::target::new_file::NewFile;
use rustix::fs::{AtFlags, CWD, Mode, OFlags, RenameFlags, linkat, openat, renameat_with, unlinkat};
use rustix::io::Errno;
use stateward_engine::{TargetError, TargetFile};
use stateward_format::Metadata;
use stateward_format::manifest::Warning;
use std::os::fd::OwnedFd;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What names of ours begin with.
const PREFIX: &str = ".stateward-restore-";

/// So many names of ours are tried: those of a process of the same number that was killed may be left.
const NAMES_MAX: u32 = 1000;

/// A name of ours; taken away at the end, unless what had it was given another.
pub(super) struct Named {
    folder: Arc<OwnedFd>,
    name: Vec<u8>,
    is_given: AtomicBool,
}

/// Makes something under a name of ours.
pub(super) fn named<T>(
    folder: &Arc<OwnedFd>,
    make: impl Fn(&OwnedFd, &[u8]) -> Result<T, Errno>,
) -> Result<(Named, T), Errno> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    for _ in 0..NAMES_MAX {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("{PREFIX}{:x}-{number:x}", process::id()).into_bytes();
        match make(folder, &name) {
            Err(Errno::EXIST) => {}
            made => {
                let named = Named { folder: Arc::clone(folder), name, is_given: AtomicBool::new(false) };
                return made.map(|made| (named, made));
            }
        }
    }
    Err(Errno::EXIST)
}

impl Named {
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// Gives what has it another name, if nothing has that.
    pub fn give(&self, folder: &OwnedFd, name: &[u8]) -> Result<(), Errno> {
        let mine = self.name.as_slice();
        match renameat_with(&self.folder, mine, folder, name, RenameFlags::NOREPLACE) {
            // The file system can't do it at once; the name of ours is taken away at the end.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
                linkat(&self.folder, mine, folder, name, AtFlags::empty())
            }
            renamed => {
                self.is_given.store(renamed.is_ok(), Ordering::Relaxed);
                renamed
            }
        }
    }
}

impl Drop for Named {
    fn drop(&mut self) {
        if !self.is_given.load(Ordering::Relaxed) {
            let _ = unlinkat(&self.folder, self.name.as_slice(), AtFlags::empty());
        }
    }
}

/// A file that was just made; it has no name at all, where the file system can do that.
pub(super) struct PendingFile {
    pub descriptor: OwnedFd,
    named: Option<Named>,
}

impl PendingFile {
    /// Makes one in a folder.
    pub fn make(folder: &Arc<OwnedFd>) -> Result<Self, Errno> {
        let flags = OFlags::WRONLY | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR;
        match openat(folder, ".", flags | OFlags::TMPFILE, mode) {
            Ok(descriptor) => Ok(Self { descriptor, named: None }),
            Err(Errno::NOTSUP | Errno::ISDIR | Errno::INVAL | Errno::NOENT | Errno::NOSYS) => {
                let flags = flags | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
                let (named, descriptor) = named(folder, |folder, name| openat(folder, name, flags, mode))?;
                Ok(Self { descriptor, named: Some(named) })
            }
            Err(error) => Err(error),
        }
    }

    /// Begins to write what belongs at `path`, which lies at `place`.
    pub fn begin(self, path: &[u8], place: &Place<'_>, put: Arc<Put>) -> MergedFile {
        let (folder, name) = (Arc::clone(&place.folder), place.name.into());
        let file = NewFile::new(self.descriptor, path, true);
        MergedFile { file, named: self.named, folder, name, path: path.into(), put }
    }
}

/// A file that is being put back.
pub(super) struct MergedFile {
    file: NewFile,
    named: Option<Named>,
    folder: Arc<OwnedFd>,
    name: Box<[u8]>,
    path: Box<[u8]>,
    put: Arc<Put>,
}

impl TargetFile for MergedFile {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<(), TargetError> {
        self.file.write_at(offset, bytes)
    }

    fn finish(&self, size: u64, metadata: &Metadata) -> Result<Vec<Warning>, TargetError> {
        let mut warnings = self.file.finish(size, metadata)?;
        let descriptor = self.file.descriptor();
        let give = |folder: &OwnedFd, name: &[u8]| match &self.named {
            Some(named) => named.give(folder, name),
            None => linkat(CWD, proc_path(descriptor), folder, name, AtFlags::SYMLINK_FOLLOW),
        };
        let give: &Give<'_> = &give;
        let pending = Pending { give, content: Some(descriptor) };
        let place = Place { folder: Arc::clone(&self.folder), name: &self.name, is_at_top: false };
        let done = self.put.put(&place, &self.path, &pending).map_err(|error| failed(&self.path, error))?;
        if metadata.is_hard_linked {
            self.put.note_name(&self.path, &done);
        }
        warnings.extend(done.warning);
        Ok(warnings)
    }
}
