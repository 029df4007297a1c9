//! The marker of a restore that goes on: which recovery point is laid into a folder, and that nobody else does it now.

use crate::open_error::TargetOpenError;
use stateward_model::PointHash;
use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

/// Its name in the target.
pub(super) const NAME: &str = ".stateward-restore";

/// More than a recovery point's hash as text.
const BYTES_MAX: u64 = 256;

#[derive(Debug)]
pub(super) struct Marker {
    /// Locked as long as it is open.
    file: File,
    path: PathBuf,
    is_continued: bool,
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

impl Marker {
    /// Marks a folder that holds `names`: an empty one anew, one with a marker of the same point once more.
    pub fn take(root: &Path, names: &[String], point: &PointHash) -> Result<Self, TargetOpenError> {
        let (path, marker) = (root.to_owned(), root.join(NAME));
        let taken = match names {
            [] => make(marker, point),
            names if names.iter().any(|name| name == NAME) => renew(marker, point, names.len() == 1),
            _ => return Err(TargetOpenError::NotEmpty { path }),
        };
        taken.map_err(|refusal| match refusal {
            Refusal::Lock => TargetOpenError::InUse { path },
            Refusal::Other => TargetOpenError::OtherPoint { path },
            Refusal::System(cause) => TargetOpenError::Unusable { path, cause },
        })
    }

    /// Whether there was a restore before.
    pub fn is_continued(&self) -> bool {
        self.is_continued
    }

    /// Takes the marker away.
    pub fn remove(self) -> io::Result<()> {
        // It goes when its last handle does.
        drop(self.file);
        std::fs::remove_file(self.path)
    }
}

fn make(path: PathBuf, point: &PointHash) -> Result<Marker, Refusal> {
    let file = File::options().read(true).write(true).create_new(true).open(&path)?;
    lock(&file)?;
    write(file, path, point)
}

fn renew(path: PathBuf, point: &PointHash, is_alone: bool) -> Result<Marker, Refusal> {
    if !path.symlink_metadata()?.is_file() {
        return Err(Refusal::Other);
    }
    let file = File::options().read(true).write(true).open(&path)?;
    lock(&file)?;
    let mut text = String::new();
    (&file).take(BYTES_MAX).read_to_string(&mut text)?;
    match text.trim_end() {
        known if known == point.to_string() => Ok(Marker { file, path, is_continued: true }),
        // Whoever made it ended, or had no space, before it was written whole: nothing was laid either.
        part if is_alone && point.to_string().starts_with(part) => write(file, path, point),
        _ => Err(Refusal::Other),
    }
}

fn lock(file: &File) -> Result<(), Refusal> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(Refusal::Lock),
        Err(TryLockError::Error(cause)) => Err(cause.into()),
    }
}

fn write(mut file: File, path: PathBuf, point: &PointHash) -> Result<Marker, Refusal> {
    file.rewind()?;
    writeln!(file, "{point}")?;
    file.sync_all()?;
    Ok(Marker { file, path, is_continued: false })
}
