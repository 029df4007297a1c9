//! Places for what programs insist on writing into files: for their maker only, and gone when they are no longer used.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

/// Where small secrets lie for a moment: in memory, so that no disk ever holds them.
const IN_MEMORY: &str = "/run";

/// Where large dumps lie while they are read.
const ON_DISK: &str = "/var/tmp";

/// How each folder's name begins; then come the process and a number.
const BEGINNING: &str = "stateward-scratch-";

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
        remove_those_of_dead_processes(parent);
        for number in 0..TRIES {
            let path = parent.join(format!("{BEGINNING}{}-{number}", std::process::id()));
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

/// What a process that was killed left behind may be secret. Only this user's own folders are touched, and no link in
/// them is followed. What can't be removed is tried again the next time.
fn remove_those_of_dead_processes(parent: &Path) {
    let me = rustix::process::geteuid().as_raw();
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let rest =
            name.to_str().and_then(|name| name.strip_prefix(BEGINNING)).and_then(|rest| rest.split_once('-'));
        let Some(process) = rest.and_then(|(process, _)| process.parse::<u32>().ok()) else { continue };
        let is_ours = entry.metadata().is_ok_and(|found| found.is_dir() && found.uid() == me);
        if is_ours && !Path::new(&format!("/proc/{process}")).exists() {
            let _ = fs::remove_dir_all(entry.path());
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
    fn what_a_killed_process_left_behind_is_removed_and_that_of_a_living_one_is_not() {
        let parent = tempfile::tempdir().unwrap();
        // No process ever has this number (`PID_MAX_LIMIT` is 2^22), and 1 always lives.
        let names =
            ["stateward-scratch-4294967295-0", "stateward-scratch-1-0", "stateward-scratch-x-0", "else"];
        names.iter().for_each(|name| fs::create_dir(parent.path().join(name)).unwrap());
        fs::write(parent.path().join(names[0]).join("secret"), "x").unwrap();
        let made = Scratch::make(parent.path()).unwrap();
        let is_here: Vec<bool> = names.iter().map(|name| parent.path().join(name).exists()).collect();
        assert_eq!(is_here, [false, true, true, true]);
        assert!(made.path().exists());
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
