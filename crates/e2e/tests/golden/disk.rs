//! A folder that something was restored into, against a description, by the test's own look at it.

use crate::describe::{ATTRIBUTES, escaped, hex};
use rustix::fs::{lgetxattr, llistxattr};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

/// What Linux has no place for: told, and left off.
fn left_off() -> impl Iterator<Item = &'static str> {
    ATTRIBUTES.iter().copied().filter(|name| !["disk image", "efs"].contains(name))
}

/// Whether nothing but Windows can put it back.
pub fn is_lost(line: &Value) -> bool {
    line["attributes"].get("efs").is_some()
}

/// Whether something of it is told as not put back.
pub fn is_told_of(line: &Value) -> bool {
    left_off().any(|name| line["attributes"].get(name).is_some()) || !stateward_e2e::is_root()
}

/// Panics unless the folder holds just what is described, as far as this system and this user can have it.
#[track_caller]
pub fn assert_holds(target: &Path, described: &BTreeMap<String, Value>, what: &str) {
    let found = look(target);
    let expected: BTreeMap<_, _> = described
        .iter()
        .filter(|(_, line)| !is_lost(line) && can_be_made(line))
        .map(|(path, line)| (path.clone(), as_on_disk(line)))
        .collect();
    for (path, line) in &expected {
        assert_eq!(found.get(path).map(as_on_disk).as_ref(), Some(line), "{what}: {path}");
        assert_has_holes(&found[path], &described[path], what);
    }
    let surplus: Vec<_> = found.keys().filter(|path| !expected.contains_key(*path)).collect();
    assert!(surplus.is_empty(), "{what}: {surplus:?} should not be there");
}

fn can_be_made(line: &Value) -> bool {
    stateward_e2e::is_root() || line.get("device").is_none()
}

/// What of a line can be compared with what lies on a disk.
fn as_on_disk(line: &Value) -> Value {
    let mut line = line.as_object().unwrap().clone();
    for field in ["stored", "attributes", "allocated"] {
        line.remove(field);
    }
    // Linux has no modes of links, and Windows' writer has no better one to give.
    if line["kind"] == "symbolic link" {
        line.remove("mode");
    }
    if !stateward_e2e::is_root() {
        line.remove("owner");
        // Bits that would lend rights which are not this user's to lend.
        if let Some(Value::String(mode)) = line.get_mut("mode") {
            *mode = format!("{:04o}", u32::from_str_radix(mode, 8).unwrap() & 0o1777);
        }
        if let Some(Value::Object(extended)) = line.get_mut("xattrs") {
            extended.retain(|name, _| name.starts_with("user.") || name.starts_with("system."));
        }
        line.retain(|_, value| value.as_object().is_none_or(|fields| !fields.is_empty()));
    }
    line.into()
}

/// Holes must not have been filled: each run of stored bytes may cost two pages, and the file system some more.
#[track_caller]
fn assert_has_holes(found: &Value, described: &Value, what: &str) {
    let Some([stored, runs]) = described["stored"].as_array().map(Vec::as_slice) else { return };
    let most = stored.as_u64().unwrap() + 8192 * runs.as_u64().unwrap() + (256 << 10);
    let allocated = found["allocated"].as_u64().unwrap();
    assert!(allocated <= most, "{what}: {} takes {allocated} bytes, {stored} are stored", found["path"]);
}

/// A line for each path below a folder, as [`crate::describe::lines`] makes them, and what it takes on the disk.
fn look(root: &Path) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    let mut open = vec![PathBuf::new()];
    while let Some(path) = open.pop() {
        let names = fs::read_dir(root.join(&path)).unwrap();
        for name in names.map(|entry| entry.unwrap().file_name()) {
            let path = path.join(name);
            let metadata = fs::symlink_metadata(root.join(&path)).unwrap();
            if metadata.is_dir() {
                open.push(path.clone());
            }
            found.insert(path.as_os_str().as_bytes().to_vec(), (path, metadata));
        }
    }
    let mut first_names = BTreeMap::new();
    for (path, (_, metadata)) in &found {
        if metadata.is_file() && metadata.nlink() > 1 {
            first_names.entry((metadata.dev(), metadata.ino())).or_insert_with(|| escaped(path));
        }
    }
    let line = |(bytes, (path, metadata)): (&Vec<u8>, &(PathBuf, Metadata))| {
        let mut line = line(&root.join(path), metadata);
        line.insert("path".to_owned(), escaped(bytes).into());
        if let Some(first) = first_names.get(&(metadata.dev(), metadata.ino())) {
            line.insert("linked_with".to_owned(), first.clone().into());
        }
        (escaped(bytes), line.into())
    };
    found.iter().map(line).collect()
}

fn line(path: &Path, metadata: &Metadata) -> Map<String, Value> {
    let mut line = Map::new();
    let mut put = |field: &str, value: Value| line.insert(field.to_owned(), value);
    put("mode", format!("{:04o}", metadata.mode() & 0o7777).into());
    put("owner", json!([metadata.uid(), metadata.gid()]));
    put("modified", (metadata.mtime() * 1_000_000_000 + metadata.mtime_nsec()).into());
    let kind = metadata.file_type();
    let device = || json!([rustix::fs::major(metadata.rdev()), rustix::fs::minor(metadata.rdev())]);
    let kind = match () {
        () if kind.is_file() => {
            put("size", metadata.size().into());
            put("allocated", (metadata.blocks() * 512).into());
            let mut hasher = blake3::Hasher::new();
            std::io::copy(&mut fs::File::open(path).unwrap(), &mut hasher).unwrap();
            put("blake3", hasher.finalize().to_hex().to_string().into());
            "file"
        }
        () if kind.is_dir() => "folder",
        () if kind.is_symlink() => {
            put("target", escaped(fs::read_link(path).unwrap().as_os_str().as_bytes()).into());
            "symbolic link"
        }
        () if kind.is_block_device() => {
            put("device", device());
            "block device"
        }
        () if kind.is_char_device() => {
            put("device", device());
            "character device"
        }
        () if kind.is_fifo() => "fifo",
        () => "socket",
    };
    put("kind", kind.into());
    let extended = extended_attributes(path);
    if !extended.is_empty() {
        put("xattrs", extended.into());
    }
    line
}

/// All but what a security module labels every file with.
fn extended_attributes(path: &Path) -> Map<String, Value> {
    let mut names = vec![0; 64 << 10];
    let length = llistxattr(path, &mut names[..]).unwrap_or(0);
    let mut found = Map::new();
    for name in names[..length].split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        let name = std::str::from_utf8(name).unwrap();
        if name == "security.selinux" {
            continue;
        }
        let mut value = vec![0; 64 << 10];
        let length = lgetxattr(path, name, &mut value[..]).unwrap();
        found.insert(name.to_owned(), hex(&value[..length]).into());
    }
    found
}
