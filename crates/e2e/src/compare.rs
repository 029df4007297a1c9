//! Two trees, told apart by their own look at both: nothing here is shared with the programs that are judged.

use crate::process::{is_installed, run};
use rustix::fs::{lgetxattr, llistxattr};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::CString;
use std::fs::{self, File, Metadata};
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Panics unless `restored` is `source` in every respect: kinds, contents, modes, owners (as root), times to the
/// nanosecond, extended attributes, access control lists, capabilities, hard links, devices, and holes that are still
/// holes. `rsync` is asked too where it is installed.
#[track_caller]
pub fn assert_same(source: &Path, restored: &Path) {
    let differences = differences(source, restored);
    assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), differences.join("\n"));
    if is_installed("rsync") && source.is_dir() {
        let (source, restored) = (format!("{}/", source.display()), format!("{}/", restored.display()));
        let mut rsync = Command::new("rsync");
        rsync.args(["-aHAXn", "--checksum", "--delete", "--itemize-changes", &source, &restored]);
        let outcome = run(rsync).done();
        assert_eq!(outcome.stdout, "", "rsync sees differences");
    }
}

/// Every difference, each with its path.
pub fn differences(source: &Path, restored: &Path) -> Vec<String> {
    let (left, right) = (look(source), look(restored));
    let mut found = Vec::new();
    let paths: BTreeSet<&PathBuf> = left.keys().chain(right.keys()).collect();
    for path in paths {
        match (left.get(path), right.get(path)) {
            (Some(left), Some(right)) => {
                for what in compare(left, right, &at(source, path), &at(restored, path)) {
                    found.push(format!("{}: {what}", path.display()));
                }
            }
            (Some(_), None) => found.push(format!("{}: it is missing", path.display())),
            (None, _) => found.push(format!("{}: it should not be there", path.display())),
        }
    }
    let links = |tree: &BTreeMap<PathBuf, Metadata>| {
        let mut groups = BTreeMap::<_, BTreeSet<PathBuf>>::new();
        for (path, meta) in tree.iter().filter(|(_, meta)| !meta.is_dir()) {
            groups.entry((meta.dev(), meta.ino())).or_default().insert(path.clone());
        }
        groups.into_values().filter(|group| group.len() > 1).collect::<BTreeSet<_>>()
    };
    for group in links(&left).symmetric_difference(&links(&right)) {
        found.push(format!("hard links of one tree only: {group:?}"));
    }
    found
}

/// A path below a root. Joining an empty path would put a `/` at the end of a file's.
fn at(root: &Path, path: &Path) -> PathBuf {
    if path.as_os_str().is_empty() { root.to_owned() } else { root.join(path) }
}

/// Everything in a tree, by path from its root (which has an empty path); a tree may be one file.
fn look(root: &Path) -> BTreeMap<PathBuf, Metadata> {
    let mut tree = BTreeMap::new();
    let mut open = vec![PathBuf::new()];
    while let Some(path) = open.pop() {
        let whole = at(root, &path);
        let meta = fs::symlink_metadata(&whole).unwrap_or_else(|e| panic!("{}: {e}", whole.display()));
        if meta.is_dir() {
            let entries = fs::read_dir(&whole).unwrap_or_else(|e| panic!("{}: {e}", whole.display()));
            open.extend(entries.map(|entry| path.join(entry.expect("a folder can be read").file_name())));
        }
        tree.insert(path, meta);
    }
    tree
}

fn compare(left: &Metadata, right: &Metadata, source: &Path, restored: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut differ = |what: &str, left: &dyn ToString, right: &dyn ToString| {
        let (left, right) = (left.to_string(), right.to_string());
        if left != right {
            found.push(format!("{what} was {left}, is {right}"));
        }
    };
    differ("its kind", &kind(left), &kind(right));
    differ("its mode", &format!("{:o}", left.mode()), &format!("{:o}", right.mode()));
    if crate::is_root() {
        differ(
            "its owner",
            &format!("{}:{}", left.uid(), left.gid()),
            &format!("{}:{}", right.uid(), right.gid()),
        );
    }
    let time = |meta: &Metadata| format!("{} s {} ns", meta.mtime(), meta.mtime_nsec());
    differ("its time", &time(left), &time(right));
    differ("its attributes", &attributes(source), &attributes(restored));
    if left.file_type().is_char_device() || left.file_type().is_block_device() {
        differ("its device", &left.rdev(), &right.rdev());
    }
    if left.is_symlink() && right.is_symlink() {
        let target = |path: &Path| format!("{:?}", fs::read_link(path).expect("it is a link"));
        differ("its target", &target(source), &target(restored));
    }
    if left.is_file() && right.is_file() {
        differ("its size", &left.size(), &right.size());
        if left.size() == right.size() {
            differ("its content", &"the same", &first_difference(source, restored));
        }
        // Blocks of 512 bytes. A hole that begins or ends within a page may cost one, and an extent tree some more.
        let slack = 128;
        if left.blocks() * 512 < left.size() && right.blocks() > left.blocks() + slack {
            found.push(format!("its holes were filled: {} blocks, {} now", left.blocks(), right.blocks()));
        }
    }
    found
}

fn kind(meta: &Metadata) -> String {
    format!("{:o}", meta.mode() >> 12)
}

/// `the same`, or where two files of one size begin to differ.
fn first_difference(source: &Path, restored: &Path) -> String {
    let open = |path: &Path| File::open(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let (mut left, mut right) = (open(source), open(restored));
    let (mut ours, mut theirs) = (vec![0; 1 << 20], vec![0; 1 << 20]);
    let mut at = 0u64;
    loop {
        let length = left.read(&mut ours).expect("a file can be read");
        if length == 0 {
            return "the same".to_owned();
        }
        right.read_exact(&mut theirs[..length]).expect("a file of the same size can be read");
        if ours[..length] != theirs[..length] {
            let offset = ours.iter().zip(&theirs).position(|(a, b)| a != b).unwrap_or(0);
            return format!("other bytes from {}", at + offset as u64);
        }
        at += length as u64;
    }
}

/// All extended attributes that this user sees, sorted, as text.
fn attributes(path: &Path) -> String {
    let path = CString::new(path.as_os_str().as_bytes()).expect("paths hold no zero byte");
    let mut names = vec![0; 64 << 10];
    let length = match llistxattr(&path, &mut names) {
        Ok(length) => length,
        // A file system, or a kind of file, that has none.
        Err(rustix::io::Errno::NOTSUP) => 0,
        Err(error) => panic!("attributes of {path:?}: {error}"),
    };
    let mut all = BTreeMap::new();
    for name in names[..length].split(|&byte| byte == 0).filter(|name| !name.is_empty()) {
        let mut value = vec![0; 64 << 10];
        let length = lgetxattr(&path, name, &mut value).unwrap_or_else(|e| panic!("{path:?}: {e}"));
        value.truncate(length);
        all.insert(String::from_utf8_lossy(name).into_owned(), value);
    }
    format!("{all:?}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Dice;
    use crate::tree;
    use std::os::unix::fs::FileExt as _;

    fn planted(name: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join(name);
        tree::plant(&root, tree::Size { small_files: 20, large_bytes: 5 << 20 }, &mut Dice::new(1));
        (folder, root)
    }

    #[test]
    fn the_same_seed_plants_the_same_tree() {
        let (_one, left) = planted("tree");
        let (_two, right) = planted("tree");
        assert_same(&left, &right);
    }

    #[test]
    fn every_single_change_is_seen() {
        type Change = (&'static str, &'static str, fn(&Path));
        let changes: [Change; 9] = [
            ("modes/file-0644", "its mode", |path| {
                use std::os::unix::fs::PermissionsExt as _;
                fs::set_permissions(path, fs::Permissions::from_mode(0o640)).unwrap();
            }),
            ("modes/folder-0700", "its time", |path| tree::set_time(path, (5, 1))),
            ("links/dangling", "its time", |path| tree::set_time(path, (5, 1))),
            ("links/same", "hard links", |path| {
                let bytes = fs::read(path).unwrap();
                fs::remove_file(path).unwrap();
                fs::write(path, bytes).unwrap();
            }),
            ("links/loop", "its target", |path| {
                fs::remove_file(path).unwrap();
                std::os::unix::fs::symlink("pool", path).unwrap();
            }),
            ("many/000/00007.txt", "its content", |path| {
                File::options().write(true).open(path).unwrap().write_all_at(b"FILE", 0).unwrap();
            }),
            ("sparse/all-hole", "its holes", |path| {
                File::options().write(true).open(path).unwrap().write_all_at(&[0; 1 << 20], 0).unwrap();
            }),
            ("attributes/file", "its attributes", |path| tree::set_attribute(path, "user.empty", b"no")),
            ("specials/fifo", "it is missing", |path| fs::remove_file(path).unwrap()),
        ];
        let (_one, left) = planted("tree");
        for (path, expected, change) in changes {
            let (_two, right) = planted("tree");
            change(&right.join(path));
            let found = differences(&left, &right);
            assert!(found.iter().any(|what| what.contains(expected)), "{path}: {found:?}");
        }
    }
}
