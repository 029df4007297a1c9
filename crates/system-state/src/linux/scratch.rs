//! Places for what programs insist on writing into files: for their maker only, and gone when they are no longer used.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// Where small secrets lie for a moment: in memory, so that no disk ever holds them.
const IN_MEMORY: &str = "/run";

/// Where large dumps lie while they are read.
const ON_DISK: &str = "/var/tmp";

/// More folders than one process ever has at a time.
const TRIES: u32 = 1000;

/// A folder for its maker only, removed with all that it holds when this value is dropped.
pub(crate) struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// One in memory, for what is small and secret. An ordinary user gets one on the disk.
    pub fn in_memory() -> io::Result<Self> {
        Self::make(Path::new(IN_MEMORY)).or_else(|_| Self::on_disk())
    }

    /// One on the disk, for what is large.
    pub fn on_disk() -> io::Result<Self> {
        Self::make(Path::new(ON_DISK))
    }

    fn make(parent: &Path) -> io::Result<Self> {
        for number in 0..TRIES {
            let path = parent.join(format!("stateward-{}-{number}", std::process::id()));
            // Never one that is there already: others may write to `parent`.
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(Self { path }),
                Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => {}
                Err(cause) => return Err(cause),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(cause) = fs::remove_dir_all(&self.path) {
            tracing::warn!(path = %self.path.display(), %cause, "a temporary folder can't be removed");
        }
    }
}

/// A new file that has no name any more, for a program's output of any length.
pub(crate) fn unnamed_file() -> io::Result<File> {
    let folder = Scratch::on_disk()?;
    File::options().read(true).write(true).create_new(true).open(folder.path().join("output"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Seek, Write};
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_scratch_folder_is_private_and_does_not_outlive_its_value() {
        for made in [Scratch::in_memory(), Scratch::on_disk()] {
            let (one, other) = (made.unwrap(), Scratch::on_disk().unwrap());
            assert_ne!(one.path(), other.path());
            assert_eq!(fs::metadata(one.path()).unwrap().permissions().mode() & 0o777, 0o700);
            fs::write(one.path().join("secret"), "x").unwrap();
            let path = one.path().to_owned();
            drop(one);
            assert!(!path.exists());
        }
    }

    #[test]
    fn an_unnamed_file_is_kept_as_long_as_it_is_open() {
        let mut file = unnamed_file().unwrap();
        file.write_all(b"dump").unwrap();
        file.rewind().unwrap();
        let mut content = String::new();
        file.read_to_string(&mut content).unwrap();
        assert_eq!(content, "dump");
    }
}
