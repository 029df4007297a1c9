use super::*;
use crate::components::OS_FILES;
use crate::linux::recording::{Recorded, Recording, extents, read_all};
use crate::linux::walk::Walk;
use crate::selection::{Claim, Selection};
use rustix::fs::{
    FileType, Gid, Uid, XattrFlags, chownat, getxattr, lsetxattr, makedev, mknodat, setxattr, utimensat,
};
use rustix::fs::{Timespec, Timestamps};
use rustix::process::geteuid;
use stateward_engine::FoundKind;
use stateward_format::content::Content;
use stateward_format::{Attribute, DiskImage, EntryKind, FileName};
use stateward_model::Timestamp;
use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt, symlink};
use std::sync::atomic::{AtomicBool, Ordering};
use tempfile::TempDir;

const POINT: PointHash = PointHash([7; 32]);

fn open(home: &TempDir) -> FolderTarget {
    FolderTarget::open(&home.path().join("target"), &POINT).unwrap()
}

fn record(root: &Path) -> Recording {
    let mut selection = Selection::new();
    selection.claim(b"/", Claim::Part { part: OS_FILES, enters_file_systems: false });
    selection.finish();
    let mut recording = Recording::default();
    let (selection, moments) = (&selection, &Arc::default());
    let walk = Walk { root, selection, part: OS_FILES, is_asked_for: false, generated: None, moments };
    walk.run(&mut recording).unwrap();
    recording
}

/// An entry's metadata, as the engine would keep it.
fn metadata(entry: &Recorded) -> Metadata {
    let stat = &entry.stat;
    Metadata {
        mode: stat.mode,
        user: stat.user,
        group: stat.group,
        modified_at: stat.modified_at,
        identity: stat.identity,
        is_hard_linked: stat.is_hard_linked,
        extended_attributes: entry.node.details().unwrap().extended_attributes,
        attributes: Vec::new(),
    }
}

fn plain(mode: u32) -> Metadata {
    let (user, group) = (geteuid().as_raw(), rustix::process::getegid().as_raw());
    let modified_at = Timestamp(1_700_000_000_123_456_789);
    Metadata {
        mode,
        user,
        group,
        modified_at,
        identity: None,
        is_hard_linked: false,
        extended_attributes: Vec::new(),
        attributes: Vec::new(),
    }
}

fn special(kind: EntryKind) -> Entry {
    Entry { name: FileName::new(b"any").unwrap(), kind, metadata: plain(0o640) }
}

/// Lays what was recorded, as the engine would: entries first, folders' metadata at the end.
fn lay(recording: &Recording, target: &FolderTarget) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let mut links: HashMap<(u64, u128), &str> = HashMap::new();
    for entry in recording.entries.iter().skip(1) {
        let path = &entry.path.as_bytes()[1..];
        let identity = entry.stat.identity.filter(|_| entry.stat.is_hard_linked);
        if let Some(id) = identity
            && let Some(first) = links.insert((id.file_system, id.file_id), &entry.path[1..])
        {
            target.make_hard_link(first.as_bytes(), path).unwrap();
            continue;
        }
        match entry.stat.kind {
            FoundKind::Folder => target.make_folder(path).unwrap(),
            FoundKind::File { size } => {
                let file = target.make_file(path).unwrap();
                let (source, _) = entry.node.open().unwrap();
                for (start, end) in extents(&*source) {
                    let mut bytes = vec![0; (end - start) as usize];
                    source.read_at(start, &mut bytes).unwrap();
                    file.write_at(start, &bytes).unwrap();
                }
                warnings.extend(file.finish(size, &metadata(entry)).unwrap());
            }
            kind => {
                let kind = match kind {
                    FoundKind::SymbolicLink => {
                        EntryKind::SymbolicLink { target: entry.node.details().unwrap().link_target }
                    }
                    FoundKind::BlockDevice { major, minor } => EntryKind::BlockDevice { major, minor },
                    FoundKind::CharacterDevice { major, minor } => {
                        EntryKind::CharacterDevice { major, minor }
                    }
                    FoundKind::Fifo => EntryKind::Fifo,
                    _ => EntryKind::Socket,
                };
                let made = Entry { metadata: metadata(entry), ..special(kind) };
                warnings.extend(target.make_special(path, &made).unwrap());
            }
        }
    }
    for entry in recording.entries.iter().rev().filter(|entry| entry.stat.kind == FoundKind::Folder) {
        if entry.path != "/" {
            warnings.extend(target.finish_folder(&entry.path.as_bytes()[1..], &metadata(entry)).unwrap());
        }
    }
    warnings
}

/// Everything that must be equal of an entry.
#[derive(Debug, PartialEq)]
struct Essence {
    kind: FoundKind,
    /// Without identity.
    metadata: Metadata,
    link_target: Vec<u8>,
    content: Vec<u8>,
    /// Bytes that are no holes.
    stored_bytes: u64,
}

fn essence(entry: &Recorded) -> Essence {
    let (content, extents) = match entry.stat.kind {
        FoundKind::File { .. } => read_all(&*entry.node),
        _ => Default::default(),
    };
    Essence {
        kind: entry.stat.kind,
        metadata: Metadata { identity: None, ..metadata(entry) },
        link_target: entry.node.details().unwrap().link_target,
        content,
        stored_bytes: extents.iter().map(|(start, end)| end - start).sum(),
    }
}

fn set_time(path: &Path, nanoseconds: i64) {
    let time = Timespec {
        tv_sec: nanoseconds.div_euclid(1_000_000_000),
        tv_nsec: nanoseconds.rem_euclid(1_000_000_000),
    };
    let times = Timestamps { last_access: time, last_modification: time };
    utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW).unwrap();
}

/// A tree with one of everything; what only root may make is in it if root runs the test.
fn everything(root: &Path) {
    let at = |name: &str| root.join(name);
    for folder in ["folder/inner", "sticky", "empty"] {
        fs::create_dir_all(at(folder)).unwrap();
    }
    fs::set_permissions(at("sticky"), fs::Permissions::from_mode(0o3777)).unwrap();
    fs::write(at("folder/file"), "content").unwrap();
    fs::write(at("folder/zero"), "").unwrap();
    fs::write(root.join(OsStr::from_bytes("n\u{e4}me\n".as_bytes())), "odd").unwrap();
    fs::write(at(&"l".repeat(255)), "long").unwrap();
    fs::write(at("large"), vec![0x5a; 3 << 20]).unwrap();
    let sparse = File::create(at("sparse")).unwrap();
    sparse.set_len(8 << 20).unwrap();
    sparse.write_all_at(b"data", 4 << 20).unwrap();
    File::create(at("hole")).unwrap().set_len(1 << 20).unwrap();
    fs::hard_link(at("folder/file"), at("folder/inner/second")).unwrap();
    symlink("../outside", at("folder/link")).unwrap();
    symlink("x".repeat(4000), at("long-link")).unwrap();
    mknodat(CWD, at("fifo"), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    mknodat(CWD, at("socket"), FileType::Socket, Mode::RUSR | Mode::WUSR, 0).unwrap();
    // A file system without attributes makes this part of the test empty.
    let _ = setxattr(at("folder/file"), "user.note", b"kept", XattrFlags::empty());
    let _ = setxattr(at("folder"), "user.folder", b"too", XattrFlags::empty());
    fs::write(at("read-only"), "r").unwrap();
    let _ = setxattr(at("read-only"), "user.late", b"1", XattrFlags::empty());
    fs::set_permissions(at("read-only"), fs::Permissions::from_mode(0o444)).unwrap();
    // An access list: owner rw, user 1 r, group r, mask r, others nothing.
    let list = b"\x02\0\0\0\x01\0\x06\0\xff\xff\xff\xff\x02\0\x04\0\x01\0\0\0\x04\0\x04\0\xff\xff\xff\xff\x10\0\x04\0\xff\xff\xff\xff\x20\0\0\0\xff\xff\xff\xff";
    fs::write(at("listed"), "").unwrap();
    let _ = setxattr(at("listed"), ACCESS, list, XattrFlags::empty());
    let _ = setxattr(at("folder"), "system.posix_acl_default", list, XattrFlags::empty());
    if geteuid().is_root() {
        as_root(root);
    }
    fs::set_permissions(at("folder/file"), fs::Permissions::from_mode(0o4755)).unwrap();
    for name in ["folder/file", "folder/link", "fifo", "sparse", "folder/inner", "folder"] {
        set_time(&at(name), 1_234_567_890_987_654_321 - name.len() as i64);
    }
    set_time(&at("folder/zero"), -1_500_000_001);
}

const ACCESS: &str = "system.posix_acl_access";
/// `cap_net_bind_service=ep`, as `setcap` writes it.
const CAPABILITY: &[u8] = b"\x01\0\0\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

fn as_root(root: &Path) {
    let at = |name: &str| root.join(name);
    fs::write(at("capable"), "#!").unwrap();
    let own = |name: &str, user, group| {
        let (user, group) = (Some(Uid::from_raw(user)), Some(Gid::from_raw(group)));
        chownat(CWD, at(name), user, group, AtFlags::SYMLINK_NOFOLLOW).unwrap();
    };
    own("capable", 1, 2);
    own("folder/file", 3, 4);
    own("folder/link", 5, 6);
    own("empty", 4_000_000, 4_000_001);
    setxattr(at("capable"), "security.capability", CAPABILITY, XattrFlags::empty()).unwrap();
    setxattr(at("folder"), "trusted.overlay.opaque", b"y", XattrFlags::empty()).unwrap();
    lsetxattr(at("folder/link"), "trusted.link", b"1", XattrFlags::empty()).unwrap();
    let character = makedev(1, 3);
    mknodat(CWD, at("null"), FileType::CharacterDevice, Mode::RUSR, character).unwrap();
    mknodat(CWD, at("disk"), FileType::BlockDevice, Mode::RUSR, makedev(7, 300)).unwrap();
    own("null", 7, 8);
}

#[test]
fn what_was_walked_is_laid_again_equal_in_everything() {
    let home = tempfile::tempdir().unwrap();
    let source = home.path().join("source");
    fs::create_dir(&source).unwrap();
    everything(&source);
    let recording = record(&source);
    let target = open(&home);
    assert_eq!(lay(&recording, &target), []);
    target.finish().unwrap();

    let laid = record(&home.path().join("target"));
    assert_eq!(laid.paths(), recording.paths());
    for (before, after) in recording.entries.iter().zip(&laid.entries).skip(1) {
        assert_eq!(essence(before), essence(after), "{}", before.path);
    }
    let inode = |name: &str| fs::metadata(home.path().join("target").join(name)).unwrap().ino();
    assert_eq!(inode("folder/file"), inode("folder/inner/second"));
    if !geteuid().is_root() {
        eprintln!("owners, capabilities and devices were not tried: this is not root");
    }
}

#[test]
fn a_tree_deeper_than_a_path_may_be_long_is_laid_and_finished() {
    let home = tempfile::tempdir().unwrap();
    let target = open(&home);
    let name = "d".repeat(60);
    let path = |depth: usize| vec![&*name; depth].join("/").into_bytes();
    const DEPTH: usize = 1200;
    for depth in 1..=DEPTH {
        target.make_folder(&path(depth)).unwrap();
    }
    target.make_file(&[path(DEPTH), b"/file".into()].concat()).unwrap().finish(0, &plain(0o600)).unwrap();
    for depth in (1..=DEPTH).rev() {
        assert_eq!(target.finish_folder(&path(depth), &plain(0o755)).unwrap(), []);
    }
    let laid = record(&home.path().join("target"));
    assert_eq!(laid.entries.len(), DEPTH + 3, "the tree, its top, the file and the marker");
}

#[test]
fn names_that_lead_out_are_refused() {
    let home = tempfile::tempdir().unwrap();
    let target = open(&home);
    for path in ["..", "../out", "a/../../out", "/etc/out", "a//b", ".", "", "a\0b"] {
        let path = path.as_bytes();
        assert!(target.make_folder(path).is_err());
        assert!(target.make_file(path).is_err());
        assert!(target.make_special(path, &special(EntryKind::Fifo)).is_err());
        assert!(target.make_hard_link(path, b"b").is_err());
        assert!(target.remove_file(path).is_err());
        assert!(target.finish_folder(path, &plain(0o700)).is_err());
    }
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
}

#[test]
fn a_planted_link_is_in_the_way_and_leads_nowhere() {
    let home = tempfile::tempdir().unwrap();
    let outside = home.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("canary"), "untouched").unwrap();
    let target = open(&home);
    let top = home.path().join("target");
    symlink(&outside, top.join("planted")).unwrap();
    symlink(outside.join("canary"), top.join("file")).unwrap();
    let is_in_the_way = |result: Result<(), TargetError>| matches!(result, Err(TargetError::InTheWay { .. }));
    assert!(is_in_the_way(target.make_folder(b"planted")));
    assert!(is_in_the_way(target.make_file(b"planted/new").map(|_| ())));
    assert!(is_in_the_way(target.make_file(b"file").map(|_| ())));
    assert!(is_in_the_way(target.make_special(b"planted/fifo", &special(EntryKind::Fifo)).map(|_| ())));
    assert!(is_in_the_way(target.finish_folder(b"planted", &plain(0o777)).map(|_| ())));
    assert!(is_in_the_way(target.remove_file(b"planted/canary")));
    // A folder of ours that somebody replaced by another one, not by a link.
    target.make_folder(b"ours").unwrap();
    fs::rename(top.join("ours"), top.join("away")).unwrap();
    fs::create_dir(top.join("ours")).unwrap();
    assert!(is_in_the_way(target.finish_folder(b"ours", &plain(0o777)).map(|_| ())));
    assert!(is_in_the_way(target.make_folder(b"ours")));
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
    assert_eq!(fs::read(outside.join("canary")).unwrap(), b"untouched");
    assert_ne!(fs::metadata(&outside).unwrap().mode() & 0o777, 0o777);
}

/// Swaps a folder for a link that leads out, and back, as fast as it can, while files are restored into it.
#[test]
fn a_racer_that_swaps_a_folder_for_a_link_gains_nothing() {
    const TURNS: usize = 2000;
    let home = tempfile::tempdir().unwrap();
    let outside = home.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("canary"), "untouched").unwrap();
    let before = fs::metadata(&outside).unwrap();
    let target = open(&home);
    let top = home.path().join("target");
    let (folder, away, link) = (top.join("race"), top.join("away"), top.join("link"));
    target.make_folder(b"race").unwrap();
    let others: Vec<String> = (0..made::OPEN_MAX).map(|other| format!("other-{other}")).collect();
    others.iter().for_each(|other| target.make_folder(other.as_bytes()).unwrap());
    symlink(&outside, &link).unwrap();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                fs::rename(&folder, &away).unwrap();
                fs::rename(&link, &folder).unwrap();
                fs::rename(&folder, &link).unwrap();
                fs::rename(&away, &folder).unwrap();
            }
        });
        for turn in 0..TURNS {
            // Others take the open folders' places, so that it is found anew each time.
            for other in &others {
                target.remove_file(format!("{other}/nothing").as_bytes()).unwrap();
            }
            let path = format!("race/file-{turn}");
            if let Ok(file) = target.make_file(path.as_bytes()) {
                file.write_at(0, b"x").unwrap();
                let _ = file.finish(1, &plain(0o666));
            }
            let _ = target.make_special(format!("race/fifo-{turn}").as_bytes(), &special(EntryKind::Fifo));
            let _ = target.make_hard_link(path.as_bytes(), format!("race/link-{turn}").as_bytes());
            let _ = target.remove_file(b"race/canary");
            let _ = target.finish_folder(b"race", &plain(0o777));
        }
        is_over.store(true, Ordering::Relaxed);
    });
    let after = fs::metadata(&outside).unwrap();
    assert_eq!((after.mode(), after.ctime_nsec()), (before.mode(), before.ctime_nsec()));
    assert_eq!(fs::read(outside.join("canary")).unwrap(), b"untouched");
    assert!(fs::read_dir(&folder).unwrap().count() > 0, "some turns must have got through");
}

#[test]
fn only_an_absent_or_empty_folder_is_taken() {
    let home = tempfile::tempdir().unwrap();
    let deep = home.path().join("a/b/c");
    let target = FolderTarget::open(&deep, &POINT).unwrap();
    assert!(!target.is_continued());
    assert!(matches!(FolderTarget::open(&deep, &POINT), Err(TargetOpenError::InUse { .. })));
    target.finish().unwrap();
    assert_eq!(fs::read_dir(&deep).unwrap().count(), 0);
    assert_eq!(fs::metadata(&deep).unwrap().mode() & 0o777, 0o700);
    fs::create_dir(deep.join("lost+found")).unwrap();
    FolderTarget::open(&deep, &POINT).unwrap().finish().unwrap();
    fs::write(deep.join("mine"), "").unwrap();
    assert!(matches!(FolderTarget::open(&deep, &POINT), Err(TargetOpenError::NotEmpty { .. })));
    let file = deep.join("mine");
    assert!(matches!(FolderTarget::open(&file, &POINT), Err(TargetOpenError::Unusable { .. })));
    assert_eq!(fs::read(&file).unwrap(), b"");
}

#[test]
fn an_interrupted_restore_is_continued_by_the_same_point_only() {
    let home = tempfile::tempdir().unwrap();
    let target = open(&home);
    target.make_folder(b"folder").unwrap();
    let file = target.make_file(b"folder/file").unwrap();
    file.write_at(0, b"half of i").unwrap();
    file.finish(9, &plain(0o444)).unwrap();
    target.make_special(b"folder/fifo", &special(EntryKind::Fifo)).unwrap();
    target.finish_folder(b"folder", &plain(0o500)).unwrap();
    drop((file, target));

    let other = FolderTarget::open(&home.path().join("target"), &PointHash([8; 32]));
    assert!(matches!(other, Err(TargetOpenError::OtherPoint { .. })));
    let target = open(&home);
    assert!(target.is_continued());
    target.make_folder(b"folder").unwrap();
    target.make_folder(b"folder").unwrap();
    let file = target.make_file(b"folder/file").unwrap();
    file.write_at(0, b"all").unwrap();
    file.finish(3, &plain(0o644)).unwrap();
    target.make_special(b"folder/fifo", &special(EntryKind::Fifo)).unwrap();
    target.make_hard_link(b"folder/file", b"folder/link").unwrap();
    assert!(matches!(target.make_file(b"folder"), Err(TargetError::InTheWay { .. })));
    assert!(matches!(target.make_file(marker::NAME), Err(TargetError::InTheWay { .. })));
    target.finish_folder(b"folder", &plain(0o755)).unwrap();
    target.finish().unwrap();
    let top = home.path().join("target");
    assert_eq!(fs::read(top.join("folder/link")).unwrap(), b"all");
    assert_eq!(fs::read_dir(&top).unwrap().count(), 1);
}

#[test]
fn nothing_is_replaced_that_was_there_before() {
    let home = tempfile::tempdir().unwrap();
    let target = open(&home);
    let top = home.path().join("target");
    fs::create_dir(top.join("folder")).unwrap();
    fs::write(top.join("file"), "theirs").unwrap();
    assert!(matches!(target.make_folder(b"folder"), Err(TargetError::InTheWay { .. })));
    assert!(matches!(target.make_file(b"file"), Err(TargetError::InTheWay { .. })));
    assert!(matches!(target.make_file(b"folder/new"), Err(TargetError::InTheWay { .. })));
    assert!(matches!(target.make_hard_link(b"file", b"file"), Err(TargetError::InTheWay { .. })));
    assert_eq!(fs::read(top.join("file")).unwrap(), b"theirs");
}

#[test]
fn what_is_made_inherits_no_access_list() {
    let home = tempfile::tempdir().unwrap();
    let top = home.path().join("target");
    fs::create_dir(&top).unwrap();
    // By default: owner rwx, user 1 rwx, group rwx, mask rwx, others rwx.
    let list = b"\x02\0\0\0\x01\0\x07\0\xff\xff\xff\xff\x02\0\x07\0\x01\0\0\0\x04\0\x07\0\xff\xff\xff\xff\x10\0\x07\0\xff\xff\xff\xff\x20\0\x07\0\xff\xff\xff\xff";
    if setxattr(&top, "system.posix_acl_default", list, XattrFlags::empty()).is_err() {
        eprintln!("skipped: the file system of the temporary folder has no access lists");
        return;
    }
    let target = open(&home);
    target.make_folder(b"folder").unwrap();
    for path in ["file", "folder/file"] {
        target.make_file(path.as_bytes()).unwrap().finish(0, &plain(0o640)).unwrap();
    }
    target.finish_folder(b"folder", &plain(0o750)).unwrap();
    for (path, mode) in [("file", 0o640), ("folder/file", 0o640), ("folder", 0o750)] {
        assert_eq!(fs::metadata(top.join(path)).unwrap().mode() & 0o7777, mode, "{path}");
        for list in [ACCESS, "system.posix_acl_default"] {
            assert!(getxattr(top.join(path), list, &mut [0u8; 256]).is_err(), "{path} {list}");
        }
    }
}

#[test]
fn what_cannot_be_set_is_told_and_the_rest_is_there() {
    let home = tempfile::tempdir().unwrap();
    let target = open(&home);
    let attribute =
        |name: &str| stateward_format::entry::ExtendedAttribute { name: name.into(), value: b"1".into() };
    let attributes = vec![attribute("nonsense.space"), attribute("user.kept")];
    let metadata = Metadata { extended_attributes: attributes, ..plain(0o640) };
    let warnings = target.make_file(b"file").unwrap().finish(0, &metadata).unwrap();
    let told: Vec<_> = warnings.iter().map(|w| (&*w.code, &*w.path)).collect();
    assert!(told.contains(&("attribute-not-restored", b"/file".as_slice())));
    assert!(warnings.iter().any(|w| w.message.contains("nonsense.space")));
    if geteuid().is_root() {
        eprintln!("what an ordinary user may not set was not tried: this is root");
        return;
    }
    let foreign = Metadata { user: 0, group: 0, ..plain(0o6755) };
    let warnings = target.make_file(b"foreign").unwrap().finish(0, &foreign).unwrap();
    assert_eq!(warnings[0].code, "owner-not-restored");
    let mode = fs::metadata(home.path().join("target/foreign")).unwrap().mode();
    assert_eq!(mode & 0o7777, 0o755, "another's setuid bit is not given to this user");
    let device = special(EntryKind::CharacterDevice { major: 1, minor: 3 });
    assert_eq!(target.make_special(b"null", &device).unwrap()[0].code, "device-not-restored");
}

/// Issue 4: `chown` to 4294967295 changes nothing and succeeds, so that the file was root's with the bits of another.
#[test]
fn an_owner_that_means_nobody_is_not_taken_for_set() {
    let home = tempfile::tempdir().unwrap();
    let target = open(&home);
    for (name, user, group) in [("user", u32::MAX, 0), ("group", plain(0).user, u32::MAX)] {
        let file = target.make_file(name.as_bytes()).unwrap();
        let metadata = Metadata { user, group, ..plain(0o6755) };
        let warnings = file.finish(0, &metadata).unwrap();
        assert!(warnings.iter().any(|warning| warning.code == "owner-not-restored"), "{warnings:?}");
        let mode = fs::metadata(home.path().join("target").join(name)).unwrap().mode();
        assert_eq!(mode & 0o7777, 0o755, "{name}");
    }
}

#[test]
fn attributes_of_another_system_or_a_newer_writer_are_named_and_the_rest_is_set() {
    let home = tempfile::tempdir().unwrap();
    let target = open(&home);
    let image = DiskImage { block: 65_536, first: 0, stride: 65_536 };
    let cut = Metadata { attributes: vec![Attribute::DiskImage(image)], ..plain(0o640) };
    assert_eq!(target.make_file(b"image").unwrap().finish(0, &cut).unwrap(), []);
    let foreign = vec![
        Attribute::SecurityDescriptor(b"any".to_vec()),
        Attribute::Unknown { kind: 1000, value: b"any".to_vec() },
    ];
    let metadata = Metadata { attributes: foreign, ..plain(0o640) };
    let warnings = target.make_file(b"file").unwrap().finish(0, &metadata).unwrap();
    let [warning] = &warnings[..] else { panic!("one warning for an entry: {warnings:?}") };
    assert_eq!((&*warning.code, &*warning.path), ("attribute-not-restored", b"/file".as_slice()));
    assert!(warning.message.ends_with("security descriptor, attribute of the unknown type 1000"));
    let mode = fs::metadata(home.path().join("target/file")).unwrap().mode();
    assert_eq!(mode & 0o7777, 0o640);
}

#[test]
fn content_that_efs_encrypted_is_not_taken_for_a_file_s() {
    let home = tempfile::tempdir().unwrap();
    let target = open(&home);
    let metadata = Metadata { attributes: vec![Attribute::EfsRaw { size: 5 }], ..plain(0o640) };
    let file = target.make_file(b"file").unwrap();
    let error = file.finish(0, &metadata).unwrap_err().to_string();
    assert!(error.contains("EFS"), "{error}");
}

#[test]
fn a_lost_file_is_taken_away_and_may_be_gone_already() {
    let home = tempfile::tempdir().unwrap();
    let target = open(&home);
    target.make_file(b"file").unwrap();
    target.remove_file(b"file").unwrap();
    target.remove_file(b"file").unwrap();
    let file = Entry {
        kind: EntryKind::File { size: 0, content: Content::Inline(Vec::new()) },
        ..special(EntryKind::Fifo)
    };
    assert!(target.make_special(b"file", &file).is_err());
    assert!(!home.path().join("target/file").exists());
}

/// On a file system that is full, made of memory where that may be mounted.
#[test]
fn a_full_target_is_told_as_such() {
    let full = Path::new("/dev/full");
    let Ok(file) = fs::OpenOptions::new().write(true).open(full) else { return };
    let file = NewFile::new(file.into(), b"x", false);
    assert!(matches!(file.write_at(0, b"x"), Err(TargetError::Full)));
}
