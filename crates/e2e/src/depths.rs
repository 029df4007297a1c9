//! Folders in folders, deeper than a path may be long: made, read and removed level by level.

use rustix::fs::{AtFlags, CWD, Mode, OFlags, mkdirat, openat, unlinkat};
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::path::Path;

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// The name of every folder, and of the file in each.
const NAMES: (&str, &str) = ("d", "f");

fn open(at: impl std::os::fd::AsFd, name: impl rustix::path::Arg) -> OwnedFd {
    openat(at, name, FOLDER, Mode::empty()).expect("a folder can be opened")
}

/// Plants so many levels at `top`, which must be there; in each lies a file that tells its level.
pub fn plant(top: &Path, levels: usize) {
    let mut folder = open(CWD, top);
    for level in 0..levels {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC;
        let file = openat(&folder, NAMES.1, flags, Mode::RUSR | Mode::WUSR).expect("a file can be made");
        write!(File::from(file), "{level}").expect("a file can be written");
        mkdirat(&folder, NAMES.0, Mode::RWXU).expect("a folder can be made");
        folder = open(&folder, NAMES.0);
    }
}

/// How many levels there are, each with its file as it was planted.
pub fn count(top: &Path) -> usize {
    let (mut folder, mut level) = (open(CWD, top), 0);
    loop {
        let Ok(file) = openat(&folder, NAMES.1, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()) else {
            return level;
        };
        let mut text = String::new();
        File::from(file).read_to_string(&mut text).expect("a file can be read");
        assert_eq!(text, level.to_string(), "the file of level {level}");
        folder = open(&folder, NAMES.0);
        level += 1;
    }
}

/// Takes all levels away: what removes a tree by recursion would need a descriptor for each.
pub fn remove(top: &Path) {
    let (mut folder, mut level) = (open(CWD, top), 0);
    while let Ok(next) = openat(&folder, NAMES.0, FOLDER, Mode::empty()) {
        (folder, level) = (next, level + 1);
    }
    for _ in 0..level {
        folder = open(&folder, "..");
        unlinkat(&folder, NAMES.0, AtFlags::REMOVEDIR).expect("an empty folder can be removed");
        unlinkat(&folder, NAMES.1, AtFlags::empty()).expect("a file can be removed");
    }
}
