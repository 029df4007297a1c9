//! A tree with one of everything that a Linux file system can hold, and the ways in which it changes.

use crate::dice::Dice;
use crate::is_root;
use rustix::fs::{AtFlags, CWD, FileType, Mode, Timespec, Timestamps, XattrFlags};
use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileExt as _, PermissionsExt as _, lchown, symlink};
use std::path::{Path, PathBuf};

/// How much of it there is.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Small files, in folders of 50.
    pub small_files: usize,
    /// Bytes of large files that do not compress, in files of 4 MiB and a bit.
    pub large_bytes: usize,
}

impl Size {
    /// Enough to have every kind; quick.
    pub const SMALL: Self = Self { small_files: 300, large_bytes: 10 << 20 };
    /// Enough for several packs.
    pub const PACKS: Self = Self { small_files: 500, large_bytes: 60 << 20 };
}

/// Plants a tree at `root`, which must not exist yet.
#[track_caller]
pub fn plant(root: &Path, size: Size, dice: &mut Dice) {
    fs::create_dir_all(root).unwrap();
    plant_modes(&folder(root, "modes"), dice);
    plant_names(&folder(root, "names"));
    plant_links(&folder(root, "links"), dice);
    plant_specials(&folder(root, "specials"));
    plant_sparse(&folder(root, "sparse"), dice);
    plant_attributes(&folder(root, "attributes"));
    plant_many(&folder(root, "many"), size.small_files, dice);
    plant_large(&folder(root, "large"), size.large_bytes, dice);
    plant_deep(&folder(root, "deep"));
    // Last, as all of the above touched the folders' times.
    plant_times(root, dice);
}

fn folder(root: &Path, name: &str) -> PathBuf {
    let path = root.join(name);
    fs::create_dir(&path).unwrap();
    path
}

fn plant_modes(at: &Path, dice: &mut Dice) {
    for mode in [0o000, 0o400, 0o444, 0o600, 0o644, 0o755, 0o1755, 0o2755, 0o4755, 0o6711] {
        // An ordinary user could not read it back, and a file left out is a warning.
        if mode & 0o400 == 0 && !is_root() {
            continue;
        }
        let path = at.join(format!("file-{mode:04o}"));
        fs::write(&path, dice.bytes(100)).unwrap();
        if is_root() {
            lchown(&path, Some(12_345), Some(54_321)).unwrap();
        }
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    }
    for mode in [0o700, 0o1777, 0o2775] {
        let path = at.join(format!("folder-{mode:04o}"));
        fs::create_dir(&path).unwrap();
        fs::write(path.join("inside"), "inside").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    }
    fs::create_dir(at.join("empty-folder")).unwrap();
    fs::write(at.join("empty-file"), "").unwrap();
}

fn plant_names(at: &Path) {
    let long = vec![b'l'; 255];
    let names: [&[u8]; 9] = [
        b"with space",
        b"with\nnewline",
        b"--flag",
        b"quote'\"`$(x)",
        b"back\\slash",
        b".hidden",
        b"not-utf8-\xff\xfe\x80",
        "grüße-日本".as_bytes(),
        &long,
    ];
    for name in names {
        fs::write(at.join(OsStr::from_bytes(name)), name).unwrap();
    }
    let folder = at.join(OsStr::from_bytes(b"folder-\xc3\x28"));
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("inside"), "inside").unwrap();
}

fn plant_links(at: &Path, dice: &mut Dice) {
    fs::write(at.join("original"), dice.bytes(70_000)).unwrap();
    fs::create_dir(at.join("other")).unwrap();
    fs::hard_link(at.join("original"), at.join("same")).unwrap();
    fs::hard_link(at.join("original"), at.join("other/same-too")).unwrap();
    symlink("original", at.join("relative")).unwrap();
    symlink("../links/other", at.join("to-folder")).unwrap();
    symlink("/nowhere/at/all", at.join("dangling")).unwrap();
    symlink("loop", at.join("loop")).unwrap();
    symlink("x".repeat(1000), at.join("long-target")).unwrap();
    symlink(OsStr::from_bytes(b"\xff\xfe"), at.join("target-not-utf8")).unwrap();
}

fn plant_specials(at: &Path) {
    make_node(&at.join("fifo"), FileType::Fifo, 0o640, 0);
    make_node(&at.join("socket"), FileType::Socket, 0o755, 0);
    if is_root() {
        make_node(&at.join("null"), FileType::CharacterDevice, 0o666, rustix::fs::makedev(1, 3));
        make_node(&at.join("loop7"), FileType::BlockDevice, 0o660, rustix::fs::makedev(7, 7));
    }
}

fn make_node(path: &Path, kind: FileType, mode: u32, device: u64) {
    rustix::fs::mknodat(CWD, path, kind, Mode::from_raw_mode(mode), device).unwrap();
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn plant_sparse(at: &Path, dice: &mut Dice) {
    let all_hole = File::create(at.join("all-hole")).unwrap();
    all_hole.set_len(3 << 20).unwrap();
    let holes = File::create(at.join("holes")).unwrap();
    holes.write_all_at(&dice.bytes(8192), 1 << 20).unwrap();
    holes.write_all_at(&dice.bytes(300_000), 5 << 20).unwrap();
    holes.set_len(9 << 20).unwrap();
    // Costs nothing, unless somebody writes its holes.
    let huge = File::create(at.join("huge")).unwrap();
    huge.write_all_at(b"end", 64 << 20).unwrap();
    fs::write(at.join("zeros-that-are-written"), vec![0; 1 << 20]).unwrap();
}

fn plant_attributes(at: &Path) {
    let file = at.join("file");
    fs::write(&file, "with attributes").unwrap();
    set_attribute(&file, "user.comment", b"a comment");
    set_attribute(&file, "user.empty", b"");
    set_attribute(&file, "user.binary", &(0..=255).collect::<Vec<u8>>());
    set_attribute(at, "user.on-a-folder", b"yes");
    let shared = at.join("shared");
    fs::create_dir(&shared).unwrap();
    // USER_OBJ rwx, USER 1234 r-x, GROUP_OBJ r-x, MASK rwx, OTHER ---
    let acl =
        acl(&[(1, 7, u32::MAX), (2, 5, 1234), (4, 5, u32::MAX), (0x10, 7, u32::MAX), (0x20, 0, u32::MAX)]);
    set_attribute(&shared, "system.posix_acl_access", &acl);
    set_attribute(&shared, "system.posix_acl_default", &acl);
    fs::write(shared.join("inherits"), "the default list").unwrap();
    if is_root() {
        set_attribute(&file, "trusted.secret", b"root sees it");
        let program = at.join("capable");
        fs::write(&program, "#!/bin/true\n").unwrap();
        fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
        // Version 2, effective; permitted: CAP_NET_RAW (bit 13).
        let words = [0x0200_0001u32, 1 << 13, 0, 0, 0];
        let capability: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        set_attribute(&program, "security.capability", &capability);
    }
}

/// An access control list as the kernel takes it: version 2, then tag, permission and id of each entry.
fn acl(entries: &[(u16, u16, u32)]) -> Vec<u8> {
    let mut bytes = 2u32.to_le_bytes().to_vec();
    for (tag, permission, id) in entries {
        bytes.extend_from_slice(&tag.to_le_bytes());
        bytes.extend_from_slice(&permission.to_le_bytes());
        bytes.extend_from_slice(&id.to_le_bytes());
    }
    bytes
}

/// Sets an extended attribute.
#[track_caller]
pub fn set_attribute(path: &Path, name: &str, value: &[u8]) {
    rustix::fs::lsetxattr(path, name, value, XattrFlags::empty())
        .unwrap_or_else(|error| panic!("{name} of {}: {error}", path.display()));
}

fn plant_many(at: &Path, files: usize, dice: &mut Dice) {
    for number in 0..files {
        let folder = at.join(format!("{:03}", number / 50));
        fs::create_dir_all(&folder).unwrap();
        let length = dice.below(6000) as usize;
        let text = format!("file {number}: ").into_bytes();
        fs::write(folder.join(format!("{number:05}.txt")), [text, dice.bytes(length)].concat()).unwrap();
    }
}

/// Files of 4 MiB and a bit that do not compress, `bytes` in all.
pub fn plant_large(at: &Path, bytes: usize, dice: &mut Dice) {
    fs::create_dir_all(at).unwrap();
    let mut left = bytes;
    for number in 0.. {
        let length = left.min((4 << 20) + dice.below(100_000) as usize);
        if length == 0 {
            break;
        }
        fs::write(at.join(format!("large-{number}")), dice.bytes(length)).unwrap();
        left -= length;
    }
    fs::write(at.join("compressible"), "all work and no play\n".repeat(200_000)).unwrap();
}

fn plant_deep(at: &Path) {
    let mut path = at.to_owned();
    for depth in 0..60 {
        path.push(format!("level-{depth}"));
        fs::create_dir(&path).unwrap();
    }
    fs::write(path.join("bottom"), "deep down").unwrap();
}

/// Times to the nanosecond, before 1970 too, of every entry; folders after what is in them.
fn plant_times(root: &Path, dice: &mut Dice) {
    for entry in fs::read_dir(root).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            plant_times(&entry.path(), dice);
        } else {
            set_time(&entry.path(), random_time(dice));
        }
    }
    set_time(root, random_time(dice));
}

fn random_time(dice: &mut Dice) -> (i64, i64) {
    let seconds = 1_700_000_000 - i64::try_from(dice.below(2_000_000_000)).unwrap();
    (seconds, i64::try_from(dice.below(1_000_000_000)).unwrap())
}

/// Sets the time of modification, of a link itself too: seconds and nanoseconds.
#[track_caller]
pub fn set_time(path: &Path, (tv_sec, tv_nsec): (i64, i64)) {
    let time = Timespec { tv_sec, tv_nsec };
    let times = Timestamps { last_access: time, last_modification: time };
    rustix::fs::utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW).unwrap();
}

/// Changes a planted tree in every way: contents, names, modes, kinds, attributes; things come and go.
#[track_caller]
pub fn change(root: &Path, dice: &mut Dice) {
    let mut grown = File::options().append(true).open(root.join("large/large-0")).unwrap();
    grown.write_all(&dice.bytes(10_000)).unwrap();
    let mut patched = File::options().write(true).open(root.join("large/large-1")).unwrap();
    patched.seek(SeekFrom::Start(1_000_000)).unwrap();
    patched.write_all(&dice.bytes(5)).unwrap();
    File::options().write(true).open(root.join("many/000/00001.txt")).unwrap().set_len(3).unwrap();
    fs::remove_file(root.join("many/000/00002.txt")).unwrap();
    fs::rename(root.join("many/000/00003.txt"), root.join("many/renamed")).unwrap();
    fs::write(root.join("many/new"), dice.bytes(2000)).unwrap();
    fs::remove_dir_all(root.join("deep/level-0/level-1/level-2")).unwrap();
    fs::set_permissions(root.join("many/000/00004.txt"), Permissions::from_mode(0o4700)).unwrap();
    fs::remove_file(root.join("links/same")).unwrap();
    symlink("original", root.join("links/same")).unwrap();
    fs::remove_file(root.join("links/relative")).unwrap();
    fs::hard_link(root.join("links/original"), root.join("links/relative")).unwrap();
    set_attribute(&root.join("attributes/file"), "user.comment", b"another comment");
    rustix::fs::removexattr(root.join("attributes/file"), "user.empty").unwrap();
    fs::remove_file(root.join("specials/fifo")).unwrap();
    fs::create_dir(root.join("specials/fifo")).unwrap();
    let holes = File::options().write(true).open(root.join("sparse/holes")).unwrap();
    holes.write_all_at(&dice.bytes(5000), 7 << 20).unwrap();
}
