//! A folder outside of a restore's target with one of everything in it, and the proof that nobody touched any of it.

use crate::tree::set_attribute;
use rustix::fs::{CWD, FileType, Mode};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

/// All that the kernel tells of one entry but when it was last read: kind and mode, owner, size, number, names, times to
/// the nanosecond (the one of the inode's last change above all, which nobody can set), content, attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    mode: u32,
    owner: (u32, u32),
    size: u64,
    inode: u64,
    names: u64,
    modified_at: (i64, i64),
    changed_at: (i64, i64),
    content: Vec<u8>,
    attributes: Vec<(Vec<u8>, Vec<u8>)>,
}

/// The folder, and how it looked at first.
#[derive(Debug)]
pub struct Outside {
    path: PathBuf,
    first: BTreeMap<PathBuf, Seen>,
}

impl Outside {
    /// Makes it.
    #[track_caller]
    pub fn plant(path: &Path) -> Self {
        fs::create_dir(path).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o750)).unwrap();
        fs::write(path.join("file"), "untouched").unwrap();
        fs::set_permissions(path.join("file"), fs::Permissions::from_mode(0o640)).unwrap();
        set_attribute(&path.join("file"), "user.canary", b"untouched");
        set_attribute(path, "user.canary", b"untouched");
        fs::hard_link(path.join("file"), path.join("same")).unwrap();
        symlink("file", path.join("link")).unwrap();
        rustix::fs::mknodat(CWD, path.join("pipe"), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        fs::create_dir(path.join("folder")).unwrap();
        fs::write(path.join("folder/inner"), "untouched too").unwrap();
        Self { path: path.to_owned(), first: look(path) }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Nothing of it is other than it was.
    #[track_caller]
    pub fn assert_untouched(&self) {
        let now = look(&self.path);
        assert_eq!(self.first.keys().collect::<Vec<_>>(), now.keys().collect::<Vec<_>>());
        for (path, first) in &self.first {
            assert_eq!(first, &now[path], "{}", path.display());
        }
    }
}

fn look(root: &Path) -> BTreeMap<PathBuf, Seen> {
    let mut seen = BTreeMap::new();
    let mut waiting = vec![root.to_owned()];
    while let Some(path) = waiting.pop() {
        let found = fs::symlink_metadata(&path).unwrap();
        if found.is_dir() {
            waiting.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
        let one = Seen {
            mode: found.mode(),
            owner: (found.uid(), found.gid()),
            size: found.size(),
            inode: found.ino(),
            names: found.nlink(),
            modified_at: (found.mtime(), found.mtime_nsec()),
            changed_at: (found.ctime(), found.ctime_nsec()),
            content: if found.is_file() { fs::read(&path).unwrap() } else { Vec::new() },
            attributes: attributes(&path),
        };
        seen.insert(path, one);
    }
    seen
}

fn attributes(path: &Path) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut names = vec![0; 4096];
    let length = rustix::fs::llistxattr(path, &mut names).unwrap();
    let mut found = Vec::new();
    for name in names[..length].split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        let mut value = vec![0; 4096];
        let length = rustix::fs::lgetxattr(path, name, &mut value).unwrap();
        value.truncate(length);
        found.push((name.to_vec(), value));
    }
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::catch_unwind;

    type Touch = fn(&Path);

    #[test]
    fn each_touch_shows() {
        let touches: [Touch; 8] = [
            |path| fs::write(path.join("file"), "untouched").unwrap(),
            |path| fs::write(path.join("new"), "").unwrap(),
            |path| fs::remove_file(path.join("pipe")).unwrap(),
            |path| fs::set_permissions(path, fs::Permissions::from_mode(0o750)).unwrap(),
            |path| fs::hard_link(path.join("folder/inner"), path.with_extension("x")).unwrap(),
            |path| set_attribute(&path.join("folder"), "user.new", b""),
            |path| crate::tree::set_time(&path.join("link"), (1, 1)),
            |path| fs::rename(path.join("link"), path.join("folder/link")).unwrap(),
        ];
        for (number, touch) in touches.iter().enumerate() {
            let home = tempfile::tempdir().unwrap();
            let outside = Outside::plant(&home.path().join("outside"));
            outside.assert_untouched();
            touch(outside.path());
            assert!(catch_unwind(|| outside.assert_untouched()).is_err(), "touch {number}");
        }
    }
}
