//! A folder that a recovery point is laid into.
//!
//! Everything is reached from the target's own handle, one folder of ours after the other, never through a reparse point. A
//! folder counts as ours if this target made it, known by its number on the volume. What is made is for its owner, the
//! administrators and the system only, from its first moment until it has its own access list.
//!
//! The target must be absent or empty. While a restore goes on, a marker file in it tells of which recovery point; one
//! that was interrupted can be continued, and then what it left is taken over (folders) or made again (the rest).

mod encrypted;
mod made;
mod marker;
mod merge;
mod metadata;
mod new_file;
mod streams;

pub use merge::MergeTarget;

use self::made::{MadeFolders, Place};
use self::marker::Marker;
use self::new_file::NewFile;
use crate::open_error::TargetOpenError;
use stateward_engine::{GiveStream, Target, TargetError, TargetFile};
use stateward_format::manifest::Warning;
use stateward_format::{Attribute, Entry, EntryKind, Metadata};
use stateward_model::PointHash;
use stateward_windows::handle::{Expected, Handle, Wish, rights};
use stateward_windows::{access, metadata as win};
use std::io;
use std::path::{Path, PathBuf};

/// All that may be done with what is made.
const MAKE: u32 = rights::LOOK
    | rights::READ
    | rights::WRITE
    | rights::OWN
    | rights::DELETE
    | rights::GO_THROUGH
    | rights::EMPTY;

/// The bit of file attributes that says that it is a folder.
const FOLDER: u32 = 0x10;

/// A folder as a [`Target`].
#[derive(Debug)]
pub struct FolderTarget {
    marker: Marker,
    made: MadeFolders,
    /// The security descriptor of what is made, until it has its own.
    descriptor: Vec<u8>,
}

impl FolderTarget {
    /// Opens the folder at `path` for the recovery point `point`; makes it, and the folders above it, if it is absent.
    /// It must be empty, or hold what an interrupted restore of the same recovery point left.
    pub fn open(path: &Path, point: &PointHash) -> Result<Self, TargetOpenError> {
        let unusable = |cause: io::Error| TargetOpenError::Unusable { path: path.to_owned(), cause };
        super::privileges();
        let path = make_root(path).map_err(unusable)?;
        let root =
            Handle::open_folder(&path, rights::LOOK | rights::READ | rights::WRITE | rights::GO_THROUGH);
        let root = root.map_err(unusable)?;
        let (listed, error) = root.list();
        if let Some(error) = error {
            return Err(unusable(error));
        }
        let words = access::private_words(false).map_err(unusable)?;
        let descriptor = access::from_words(&words).map_err(unusable)?;
        let names: Vec<String> = listed.iter().map(|listed| String::from_utf16_lossy(&listed.name)).collect();
        let marker = Marker::take(&path, &names, point)?;
        Ok(Self { marker, made: MadeFolders::new(root), descriptor })
    }

    /// Ends a restore: makes everything durable and takes the marker away. Without this the folder can be continued
    /// with.
    pub fn finish(self) -> Result<(), TargetError> {
        self.sync()?;
        self.marker.remove().map_err(|cause| failed(marker::NAME.as_bytes(), cause))
    }

    /// The folder that holds `path`, one of ours, and the name in it.
    fn place(&self, path: &[u8]) -> Result<Place, TargetError> {
        let place = self.made.place(path)?;
        let is_marker =
            place.is_at_top && String::from_utf16_lossy(&place.name).eq_ignore_ascii_case(marker::NAME);
        if is_marker { Err(in_the_way(path)) } else { Ok(place) }
    }

    /// Makes something; where an interrupted restore left something there, in its stead.
    fn make(&self, place: &Place, expected: Expected) -> io::Result<Handle> {
        let wish = Wish::to(MAKE).making(expected, Some(&self.descriptor));
        match place.folder.open_at(&place.name, wish) {
            Err(error) if is_there(&error) && self.marker.is_continued() => {
                remove(place, Expected::File)?;
                place.folder.open_at(&place.name, wish)
            }
            made => made,
        }
    }

    /// Takes a folder that is there already for ours, if it is or if an interrupted restore left it.
    fn adopt(&self, path: &[u8], place: &Place) -> Result<(), TargetError> {
        let wish = Wish::to(MAKE).expecting(Expected::Folder);
        let handle = place.folder.open_at(&place.name, wish).map_err(|error| failed(path, error))?;
        let look = handle.look().map_err(|error| failed(path, error))?;
        if self.made.has(&look) {
            return Ok(());
        }
        if look.is_reparse_point() || !self.marker.is_continued() {
            return Err(in_the_way(path));
        }
        handle.set_security(&self.descriptor, false).map_err(|error| failed(path, error))?;
        self.made.add(path, &look, handle);
        Ok(())
    }

    /// A folder that is one of ours, and its place.
    fn open_made(&self, path: &[u8]) -> Result<(Place, Handle), TargetError> {
        let place = self.place(path)?;
        let wish = Wish::to(MAKE).expecting(Expected::Folder);
        let handle = place.folder.open_at(&place.name, wish).map_err(|error| failed(path, error))?;
        let look = handle.look().map_err(|error| failed(path, error))?;
        if self.made.has(&look) { Ok((place, handle)) } else { Err(in_the_way(path)) }
    }

    /// A reparse point with all of its metadata; taken away again where none can be made.
    fn make_reparse_point(&self, path: &[u8], metadata: &Metadata) -> Result<Vec<Warning>, TargetError> {
        let place = self.place(path)?;
        let handle = self.make(&place, kind_of_point(metadata)).map_err(|error| failed(path, error))?;
        match self::metadata::set_reparse_point(&handle, metadata) {
            Ok(()) => self::metadata::set(&handle, path, metadata),
            Err(cause) => {
                handle.delete().map_err(|error| failed(path, error))?;
                Ok(vec![self::metadata::not_made(path, &format!("it can't be made: {cause}"))])
            }
        }
    }
}

/// What a reparse point is besides: a folder, or none.
fn kind_of_point(metadata: &Metadata) -> Expected {
    let is_folder = metadata
        .attributes
        .iter()
        .any(|attribute| matches!(attribute, Attribute::FileAttributes(bits) if bits & FOLDER != 0));
    if is_folder { Expected::Folder } else { Expected::File }
}

/// What is told of what Windows has no such thing for.
fn of_unix_only(path: &[u8], kind: &EntryKind) -> Warning {
    let what = match kind {
        EntryKind::SymbolicLink { target } => {
            let target = String::from_utf8_lossy(target);
            return self::metadata::not_made(path, &format!("it is a link of Unix, to `{target}`"));
        }
        EntryKind::Fifo => "named pipe",
        EntryKind::Socket => "socket",
        _ => "device",
    };
    self::metadata::no_such_thing(path, what)
}

/// Sees that a name is that of a file: an answer of success is not believed.
fn see_that_it_is(file: &Handle, folder: &Handle, name: &[u16]) -> io::Result<()> {
    let other = folder.open_at(name, Wish::to(rights::LOOK))?;
    match file.is_same(&other)? {
        true => Ok(()),
        false => Err(io::Error::other("the name that it was given is not the same file")),
    }
}

/// Makes the target and the folders above it; gives its path without links.
fn make_root(path: &Path) -> io::Result<PathBuf> {
    std::fs::create_dir_all(path)?;
    path.canonicalize()
}

/// Takes away what lies at a place.
fn remove(place: &Place, expected: Expected) -> io::Result<()> {
    let wish = Wish::to(rights::LOOK | rights::MARK | rights::DELETE).expecting(expected);
    let handle = place.folder.open_at(&place.name, wish)?;
    // What may only be read can't be removed.
    handle.set_basic(win::Basic { attributes: NORMAL, ..win::Basic::default() })?;
    handle.delete()
}

/// `FILE_ATTRIBUTE_NORMAL`: none of the others.
const NORMAL: u32 = 0x80;

fn is_there(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::AlreadyExists
}

fn shown_path(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}

fn in_the_way(path: &[u8]) -> TargetError {
    TargetError::InTheWay { path: shown_path(path) }
}

/// What an error of the operating system means.
fn failed(path: &[u8], cause: io::Error) -> TargetError {
    if win::is_full(&cause) {
        return TargetError::Full;
    }
    if win::is_disk_failure(&cause) {
        return TargetError::Broken { path: shown_path(path), cause };
    }
    match cause.kind() {
        io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory | io::ErrorKind::IsADirectory => {
            in_the_way(path)
        }
        _ => TargetError::Failed { path: shown_path(path), cause },
    }
}

impl Target for FolderTarget {
    fn keeps_streams(&self) -> bool {
        true
    }

    fn make_folder(&self, path: &[u8]) -> Result<(), TargetError> {
        let place = self.place(path)?;
        let wish = Wish::to(MAKE).making(Expected::Folder, Some(&self.descriptor));
        let handle = match place.folder.open_at(&place.name, wish) {
            Err(error) if is_there(&error) => return self.adopt(path, &place),
            made => made.map_err(|error| failed(path, error))?,
        };
        let look = handle.look().map_err(|error| failed(path, error))?;
        self.made.add(path, &look, handle);
        Ok(())
    }

    fn make_file(&self, path: &[u8]) -> Result<Box<dyn TargetFile>, TargetError> {
        let place = self.place(path)?;
        let handle = self.make(&place, Expected::File).map_err(|error| failed(path, error))?;
        Ok(Box::new(NewFile::new(handle, place, path)))
    }

    fn make_hard_link(&self, existing: &[u8], path: &[u8]) -> Result<(), TargetError> {
        let (from, to) = (self.place(existing)?, self.place(path)?);
        let wish = Wish::to(rights::LOOK | rights::MARK).expecting(Expected::File);
        let link = || -> io::Result<()> {
            let file = from.folder.open_at(&from.name, wish)?;
            match file.link_at(&to.folder, &to.name) {
                Err(error) if is_there(&error) && self.marker.is_continued() => {
                    remove(&to, Expected::File)?;
                    file.link_at(&to.folder, &to.name)?;
                }
                linked => linked?,
            }
            see_that_it_is(&file, &to.folder, &to.name)
        };
        link().map_err(|error| failed(path, error))
    }

    fn remove_file(&self, path: &[u8]) -> Result<(), TargetError> {
        let place = self.place(path)?;
        match remove(&place, Expected::File) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(path, error)),
            _ => Ok(()),
        }
    }

    fn make_special(&self, path: &[u8], entry: &Entry) -> Result<Vec<Warning>, TargetError> {
        if self::metadata::is_reparse_point(&entry.metadata) {
            return self.make_reparse_point(path, &entry.metadata);
        }
        Ok(vec![of_unix_only(path, &entry.kind)])
    }

    fn begin_folder(&self, path: &[u8], metadata: &Metadata) -> Result<(), TargetError> {
        if let Some(handle) = self.made.added_last(path) {
            self::metadata::settle_case(&handle, metadata);
        }
        Ok(())
    }

    fn write_folder_streams(
        &self,
        path: &[u8],
        metadata: &Metadata,
        give: &mut GiveStream<'_>,
    ) -> Result<(), TargetError> {
        let (place, handle) = self.open_made(path)?;
        streams::write_all(&handle, &place, path, metadata, give)
    }

    fn finish_folder(&self, path: &[u8], metadata: &Metadata) -> Result<Vec<Warning>, TargetError> {
        let (_, handle) = self.open_made(path)?;
        let mut warnings = Vec::new();
        if let Err(cause) = self::metadata::set_reparse_point(&handle, metadata) {
            warnings.push(self::metadata::not_made(path, &format!("it is a plain folder now: {cause}")));
        }
        warnings.extend(self::metadata::set(&handle, path, metadata)?);
        Ok(warnings)
    }

    /// Files and folders were made durable one by one, for a volume as a whole can be by administrators only.
    fn sync(&self) -> Result<(), TargetError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
