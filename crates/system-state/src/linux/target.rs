//! A folder that a recovery point is laid into.
//!
//! Everything is reached from the target's own descriptor, one folder of ours after the other, never through a link.
//! A folder counts as ours if this target made it, known by its number in the file system and not by its name: so
//! whoever moves things at the target meanwhile gains nothing.
//!
//! The target must be absent or empty. While a restore goes on, a marker file in it tells of which recovery point; one
//! that was interrupted can be continued, and then what it left is taken over (folders) or made again (the rest).
//!
//! Begin with [`FolderTarget::open`]; when all is laid and synced, [`FolderTarget::finish`].

mod beneath;
mod direct;
mod made;
mod marker;
pub mod merge;
mod metadata;
mod new_file;
mod special;

use crate::linux::listing::Lister;
use crate::linux::stat;
use crate::linux::target::beneath::{FOLDER, Place};
use crate::linux::target::made::MadeFolders;
use crate::linux::target::marker::{Makes, Marker};
use crate::linux::target::metadata::Holder;
use crate::linux::target::new_file::NewFile;
use crate::open_error::TargetOpenError;
use rustix::fs::{AtFlags, CWD, Mode, OFlags, fchmod, fstat, linkat, mkdirat, openat, syncfs, unlinkat};
use rustix::io::Errno;
use stateward_engine::{Target, TargetError, TargetFile};
use stateward_format::manifest::Warning;
use stateward_format::{Entry, Metadata};
use stateward_model::PointHash;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;

/// A folder as a [`Target`].
#[derive(Debug)]
pub struct FolderTarget {
    root: Arc<OwnedFd>,
    marker: Marker,
    makes: Makes,
    made: MadeFolders,
    /// Whether things that are made may inherit an access list that is not theirs.
    inherits: bool,
}

impl FolderTarget {
    /// Opens the folder at `path` for the recovery point `point`; makes it, and the folders above it, if it is absent.
    /// It must be empty, or hold what an interrupted restore of the same recovery point left.
    pub fn open(path: &Path, point: &PointHash) -> Result<Self, TargetOpenError> {
        let unusable = |cause: io::Error| TargetOpenError::Unusable { path: path.to_owned(), cause };
        make_root(path).map_err(unusable)?;
        let flags = FOLDER.difference(OFlags::NOFOLLOW);
        let root = openat(CWD, path, flags, Mode::empty()).map_err(|error| unusable(error.into()))?;
        let (listed, error) = Lister::new().list(&root);
        if let Some(error) = error {
            return Err(unusable(error));
        }
        // A file system that was just made has this folder, and is as empty as can be.
        let names: Vec<&[u8]> =
            listed.iter().map(|listed| &*listed.name).filter(|name| *name != b"lost+found").collect();
        let marker = Marker::take(&root, &names, point, path)?;
        let inherits = marker.is_continued() || metadata::has_default_access_list(root.as_fd());
        let makes = marker.makes().map_err(unusable)?;
        let root = Arc::new(root);
        Ok(Self { made: MadeFolders::new(Arc::clone(&root)), root, marker, makes, inherits })
    }

    /// Whether this continues a restore that was interrupted.
    pub fn is_continued(&self) -> bool {
        self.marker.is_continued()
    }

    /// Ends a restore: makes everything durable and takes the marker away. Without this the folder can be continued
    /// with.
    pub fn finish(self) -> Result<(), TargetError> {
        self.sync()?;
        self.marker.remove(&self.root).map_err(|cause| failed(marker::NAME, cause))
    }

    /// The folder that holds `path`, one of ours, and the name in it.
    fn place<'a>(&self, path: &'a [u8]) -> Result<Place<'a>, TargetError> {
        let place = self.made.place(path)?;
        if place.is_at_top && place.name == marker::NAME {
            return Err(in_the_way(path));
        }
        Ok(place)
    }

    /// Makes something by `make`; where an interrupted restore left something there, in its stead.
    fn make<T>(&self, place: &Place<'_>, make: impl Fn() -> Result<T, Errno>) -> Result<T, Errno> {
        match make() {
            Err(Errno::EXIST) if self.marker.is_continued() => {
                // A folder is not taken away: this fails then, and it stays in the way.
                unlinkat(&place.folder, place.name, AtFlags::empty()).map_err(|_| Errno::EXIST)?;
                make()
            }
            made => made,
        }
    }

    /// Takes a folder that is there already for ours, if it is or if an interrupted restore left it.
    fn adopt(&self, path: &[u8], place: &Place<'_>) -> Result<(), TargetError> {
        let descriptor = openat(&place.folder, place.name, FOLDER | OFlags::PATH, Mode::empty());
        let descriptor = descriptor.map_err(|error| failed(path, error))?;
        let raw = fstat(&descriptor).map_err(|error| failed(path, error))?;
        if self.made.has(stat::identity(&raw)) {
            return Ok(());
        }
        if !self.marker.is_continued() {
            return Err(in_the_way(path));
        }
        // It may have been finished before, with a mode or an access list that do not let us go on.
        let holder = Holder::Beneath(descriptor.as_fd());
        holder.set_mode(Mode::RWXU).map_err(|error| failed(path, error))?;
        let descriptor = openat(&place.folder, place.name, FOLDER, Mode::empty());
        let descriptor = descriptor.map_err(|error| failed(path, error))?;
        Holder::Open(descriptor.as_fd()).forget_default_access_list();
        self.made.add(path, stat::identity(&raw), descriptor);
        Ok(())
    }
}

/// Makes the target and the folders above it.
fn make_root(path: &Path) -> io::Result<()> {
    if let Some(above) = path.parent() {
        std::fs::create_dir_all(above)?;
    }
    match mkdirat(CWD, path, Mode::RWXU) {
        Ok(()) | Err(Errno::EXIST) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn shown(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}

fn in_the_way(path: &[u8]) -> TargetError {
    TargetError::InTheWay { path: shown(path) }
}

/// What an error of the operating system means.
fn failed(path: &[u8], error: Errno) -> TargetError {
    match error {
        Errno::NOSPC | Errno::DQUOT => TargetError::Full,
        // The disk fails, or its file system is damaged or was made read-only, as the kernel does after such errors.
        Errno::IO | Errno::UCLEAN | Errno::ROFS => {
            TargetError::Broken { path: shown(path), cause: error.into() }
        }
        Errno::EXIST | Errno::LOOP | Errno::NOTDIR | Errno::ISDIR | Errno::XDEV => in_the_way(path),
        cause => TargetError::Failed { path: shown(path), cause: cause.into() },
    }
}

impl Target for FolderTarget {
    fn make_folder(&self, path: &[u8]) -> Result<(), TargetError> {
        let place = self.place(path)?;
        match mkdirat(&place.folder, place.name, Mode::RWXU) {
            Err(Errno::EXIST) => return self.adopt(path, &place),
            made => made.map_err(|error| failed(path, error))?,
        }
        let descriptor = openat(&place.folder, place.name, FOLDER, Mode::empty());
        let descriptor = descriptor.map_err(|error| failed(path, error))?;
        let raw = fstat(&descriptor).map_err(|error| failed(path, error))?;
        // Somebody may have put another folder in its place; theirs would not be ours, or open to others.
        if !self.makes.may_be_ours(&raw) {
            return Err(in_the_way(path));
        }
        if raw.st_mode & 0o700 != 0o700 {
            fchmod(&descriptor, Mode::RWXU).map_err(|error| failed(path, error))?;
        }
        if self.inherits {
            Holder::Open(descriptor.as_fd()).forget_default_access_list();
        }
        self.made.add(path, stat::identity(&raw), descriptor);
        Ok(())
    }

    fn make_file(&self, path: &[u8]) -> Result<Box<dyn TargetFile>, TargetError> {
        let place = self.place(path)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR;
        let made = self.make(&place, || openat(&place.folder, place.name, flags, mode));
        let descriptor = made.map_err(|error| failed(path, error))?;
        Ok(Box::new(NewFile::new(descriptor, path, self.inherits)))
    }

    fn make_hard_link(&self, existing: &[u8], path: &[u8]) -> Result<(), TargetError> {
        let (from, to) = (self.place(existing)?, self.place(path)?);
        let link = || linkat(&from.folder, from.name, &to.folder, to.name, AtFlags::empty());
        match self.make(&to, link) {
            // Another file system is mounted in between: that is no link in the way.
            Err(Errno::XDEV) => Err(TargetError::Failed { path: shown(path), cause: Errno::XDEV.into() }),
            made => made.map_err(|error| failed(path, error)),
        }
    }

    fn remove_file(&self, path: &[u8]) -> Result<(), TargetError> {
        let place = self.place(path)?;
        match unlinkat(&place.folder, place.name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(failed(path, error)),
        }
    }

    fn make_special(&self, path: &[u8], entry: &Entry) -> Result<Vec<Warning>, TargetError> {
        let place = self.place(path)?;
        match self.make(&place, || special::make(&place, &entry.kind)) {
            Err(Errno::PERM | Errno::ACCESS | Errno::NODEV) if special::is_device(&entry.kind) => {
                return Ok(vec![special::not_made(path)]);
            }
            made => made.map_err(|error| failed(path, error))?,
        }
        special::finish(path, &place, entry, self.makes, self.inherits)
    }

    fn finish_folder(&self, path: &[u8], metadata: &Metadata) -> Result<Vec<Warning>, TargetError> {
        let place = self.place(path)?;
        let descriptor = openat(&place.folder, place.name, FOLDER | OFlags::PATH, Mode::empty());
        let descriptor = descriptor.map_err(|error| failed(path, error))?;
        let raw = fstat(&descriptor).map_err(|error| failed(path, error))?;
        if !self.made.has(stat::identity(&raw)) {
            return Err(in_the_way(path));
        }
        Holder::Beneath(descriptor.as_fd()).set(path, metadata, self.inherits)
    }

    fn sync(&self) -> Result<(), TargetError> {
        syncfs(&self.root).map_err(|error| failed(b".", error))
    }
}

#[cfg(test)]
mod tests;
