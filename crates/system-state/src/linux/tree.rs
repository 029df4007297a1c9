//! Small files of a system's tree, read as that system would see them: links stay within its root, also when the root
//! is another folder than `/`.

use rustix::fs::{CWD, Mode, OFlags, RawDir, ResolveFlags, openat, openat2};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Read};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// More than any file that is read here may have.
const FILE_BYTES_MAX: u64 = 256 << 20;

/// A system's root.
#[derive(Debug)]
pub(crate) struct Tree {
    root: OwnedFd,
    path: PathBuf,
}

impl Tree {
    /// Opens the root.
    pub fn open(path: &Path) -> io::Result<Self> {
        let root = openat(CWD, path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        Ok(Self { root, path: path.to_owned() })
    }

    /// Whether it is the running system's own.
    pub fn is_running_system(&self) -> bool {
        self.path == Path::new("/")
    }

    fn open_within(&self, path: &str, flags: OFlags) -> io::Result<OwnedFd> {
        let path = path.trim_start_matches('/');
        let flags = flags | OFlags::CLOEXEC;
        match openat2(&self.root, path, flags, Mode::empty(), ResolveFlags::IN_ROOT) {
            // Kernels before 5.6. A root that is `/` needs no guard.
            Err(Errno::NOSYS) if self.is_running_system() => {
                Ok(openat(&self.root, path, flags, Mode::empty())?)
            }
            Err(Errno::NOSYS) => Ok(openat(&self.root, path, flags | OFlags::NOFOLLOW, Mode::empty())?),
            opened => Ok(opened?),
        }
    }

    /// A file, open for reading.
    pub fn open_file(&self, path: &str) -> io::Result<File> {
        let file = File::from(self.open_within(path, OFlags::RDONLY | OFlags::NONBLOCK)?);
        match file.metadata()?.is_file() {
            true => Ok(file),
            false => Err(io::Error::other("It is no file")),
        }
    }

    /// A file's content.
    pub fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        self.open_file(path)?.take(FILE_BYTES_MAX + 1).read_to_end(&mut content)?;
        match content.len() as u64 > FILE_BYTES_MAX {
            true => Err(io::ErrorKind::FileTooLarge.into()),
            false => Ok(content),
        }
    }

    /// A small text file's content, as far as it is there and can be read. What is no UTF-8 in it is replaced.
    pub fn text(&self, path: &str) -> Option<String> {
        self.read(path).ok().map(|content| String::from_utf8_lossy(&content).into_owned())
    }

    /// The names in a folder, sorted.
    pub fn names(&self, path: &str) -> io::Result<Vec<Vec<u8>>> {
        let folder = self.open_within(path, OFlags::RDONLY | OFlags::DIRECTORY)?;
        let mut buffer = vec![MaybeUninit::uninit(); 64 << 10];
        let mut entries = RawDir::new(folder, &mut buffer);
        let mut names = Vec::new();
        while let Some(entry) = entries.next() {
            names.push(entry?.file_name().to_bytes().to_vec());
        }
        names.retain(|name| !matches!(&**name, b"." | b".."));
        names.sort_unstable();
        Ok(names)
    }

    /// Whether there is anything at `path`.
    pub fn has(&self, path: &str) -> bool {
        self.open_within(path, OFlags::PATH).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn an_absolute_link_stays_within_the_root() {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("etc")).unwrap();
        fs::write(home.path().join("etc/real"), "inside").unwrap();
        symlink("/etc/real", home.path().join("etc/os-release")).unwrap();
        symlink("/proc/version", home.path().join("etc/out")).unwrap();
        let tree = Tree::open(home.path()).unwrap();
        assert_eq!(tree.read("/etc/os-release").unwrap(), b"inside");
        assert!(tree.read("/etc/out").is_err());
        assert!(tree.has("/etc/os-release") && tree.has("etc") && !tree.has("/etc/out"));
        assert_eq!(tree.names("/etc").unwrap(), [b"os-release".to_vec(), b"out".into(), b"real".into()]);
        assert!(!tree.is_running_system());
    }
}
