//! What is laid, under Windows or what stands in for it. Where that says yes to what it does not do, a warning is as good.

use super::*;
use crate::windows::Files;
use stateward_engine::{Found, FoundKind, Source, Visitor};
use stateward_format::{AlternateStream, Content};
use stateward_model::Timestamp;
use std::fs;
use std::ops::ControlFlow;
use std::os::windows::fs::MetadataExt;
use tempfile::TempDir;

const POINT: PointHash = PointHash([7; 32]);

/// 2001-09-09T01:46:40Z and some ticks.
const MOMENT: Timestamp = Timestamp(1_000_000_000_123_456_700);

fn metadata(attributes: Vec<Attribute>) -> Metadata {
    Metadata {
        mode: 0o600,
        user: 0,
        group: 0,
        modified_at: MOMENT,
        identity: None,
        is_hard_linked: false,
        extended_attributes: Vec::new(),
        attributes,
    }
}

fn of_windows(more: Vec<Attribute>) -> Metadata {
    metadata([vec![Attribute::FileAttributes(0x20)], more].concat())
}

fn target() -> (TempDir, PathBuf, FolderTarget) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("target");
    let target = FolderTarget::open(&path, &POINT).unwrap();
    (folder, path, target)
}

fn lay(target: &FolderTarget, path: &str, bytes: &[u8], metadata: &Metadata) -> Vec<Warning> {
    let file = target.make_file(path.as_bytes()).unwrap();
    file.write_at(0, bytes).unwrap();
    file.finish(bytes.len() as u64, metadata).unwrap()
}

#[test]
fn files_and_folders_have_their_content_and_time() {
    let (_folder, path, target) = target();
    target.make_folder(b"deep").unwrap();
    target.make_folder(b"deep/deeper").unwrap();
    assert!(lay(&target, "deep/deeper/file", b"content", &of_windows(Vec::new())).is_empty());
    // As folders of Windows have them; Wine gives none the archive bit.
    let of_folder = metadata(vec![Attribute::FileAttributes(0x10)]);
    assert_eq!(target.finish_folder(b"deep/deeper", &of_folder).unwrap(), []);
    target.finish().unwrap();
    let file = path.join("deep/deeper/file");
    assert_eq!(fs::read(&file).unwrap(), b"content");
    for made in [file, path.join("deep/deeper")] {
        let found = fs::metadata(&made).unwrap().last_write_time() as i64;
        assert_eq!(stateward_windows::time::from_ticks(found), MOMENT, "{}", made.display());
    }
    assert_eq!(fs::read_dir(&path).unwrap().count(), 1, "the marker is gone");
}

#[test]
fn what_is_written_in_any_order_with_holes_is_all_there() {
    let (_folder, path, target) = target();
    let file = target.make_file(b"file").unwrap();
    file.write_at(3 << 20, b"end").unwrap();
    file.write_at(0, b"begin").unwrap();
    file.finish(4 << 20, &of_windows(Vec::new())).unwrap();
    let found = fs::read(path.join("file")).unwrap();
    assert_eq!((found.len(), &found[..5], &found[3 << 20..][..3]), (4 << 20, &b"begin"[..], &b"end"[..]));
    assert!(found[5..3 << 20].iter().all(|byte| *byte == 0));
}

#[test]
fn a_second_name_is_the_same_file() {
    let (_folder, path, target) = target();
    lay(&target, "one", b"content", &of_windows(Vec::new()));
    target.make_folder(b"folder").unwrap();
    target.make_hard_link(b"one", b"folder/two").unwrap();
    fs::write(path.join("folder/two"), b"changed").unwrap();
    assert_eq!(fs::read(path.join("one")).unwrap(), b"changed");
}

#[test]
fn names_that_mean_something_else_on_windows_make_nothing() {
    let (folder, path, target) = target();
    for name in ["a:b", "a\\b", "..", ".", "", "a/../b", "never made/file", ".stateward-restore", "C:"] {
        assert!(target.make_file(name.as_bytes()).is_err(), "{name:?}");
        assert!(target.make_folder(name.as_bytes()).is_err(), "{name:?}");
    }
    assert!(target.make_file(b"\xff").is_err());
    assert_eq!(fs::read_dir(path).unwrap().count(), 1, "only the marker");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn what_differs_by_case_only_is_in_the_way() {
    let (_folder, path, target) = target();
    lay(&target, "Name", b"first", &of_windows(Vec::new()));
    assert!(matches!(target.make_file(b"NAME"), Err(TargetError::InTheWay { .. })));
    assert_eq!(fs::read(path.join("Name")).unwrap(), b"first");
}

#[test]
fn a_folder_that_holds_something_is_left_alone_and_an_interrupted_restore_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), b"theirs").unwrap();
    let refused = FolderTarget::open(folder.path(), &POINT).unwrap_err();
    assert!(matches!(refused, TargetOpenError::NotEmpty { .. }), "{refused}");
    let path = folder.path().join("target");
    let first = FolderTarget::open(&path, &POINT).unwrap();
    assert!(matches!(FolderTarget::open(&path, &POINT), Err(TargetOpenError::InUse { .. })));
    first.make_folder(b"folder").unwrap();
    lay(&first, "folder/file", b"half", &of_windows(vec![Attribute::FileAttributes(0x21)]));
    drop(first);
    let other = FolderTarget::open(&path, &PointHash([8; 32])).unwrap_err();
    assert!(matches!(other, TargetOpenError::OtherPoint { .. }), "{other}");
    let again = FolderTarget::open(&path, &POINT).unwrap();
    again.make_folder(b"folder").unwrap();
    lay(&again, "folder/file", b"whole", &of_windows(Vec::new()));
    again.finish().unwrap();
    assert_eq!(fs::read(path.join("folder/file")).unwrap(), b"whole");
}

#[test]
fn a_stream_is_there_or_named_as_left_off_and_nothing_else_is_made() {
    let (_folder, path, target) = target();
    let stream = AlternateStream { name: b"note".to_vec(), size: 4, content: Content::EMPTY };
    let file = target.make_file(b"file").unwrap();
    file.write_at(0, b"own").unwrap();
    file.write_stream_at(b"note", 0, b"text").unwrap();
    let warnings = file.finish(3, &of_windows(vec![Attribute::Stream(stream)])).unwrap();
    drop(file);
    let opened = Handle::open_folder(&path.join("file"), rights::LOOK).unwrap();
    let is_there = opened.streams().unwrap().iter().any(|stream| stream.size == 4);
    let is_named = warnings.iter().any(|warning| warning.message.contains("alternate stream `note`"));
    assert_ne!(is_there, is_named, "{warnings:?}");
    let names: Vec<_> = fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "the file and the marker: {names:?}");
}

#[test]
fn a_folders_streams_are_there_or_named_as_left_off_and_what_is_not_whole_is_taken_away() {
    let (_folder, path, target) = target();
    let stream = |name: &[u8]| {
        Attribute::Stream(AlternateStream { name: name.to_vec(), size: 4, content: Content::EMPTY })
    };
    let of_folder = metadata(vec![Attribute::FileAttributes(0x10), stream(b"cut"), stream(b"note")]);
    target.make_folder(b"folder").unwrap();
    target.begin_folder(b"folder", &of_folder).unwrap();
    let mut give = |stream: &AlternateStream, take: &mut stateward_engine::TakePiece<'_>| {
        take(0, b"te")?;
        take(2, b"xt")?;
        Ok(stream.name == b"note")
    };
    // A second time, as after an interrupted restore: nothing of the first is in the way.
    for _ in 0..2 {
        target.write_folder_streams(b"folder", &of_folder, &mut give).unwrap();
    }
    let warnings = target.finish_folder(b"folder", &of_folder).unwrap();
    let opened = Handle::open_folder(&path.join("folder"), rights::LOOK).unwrap();
    let there: Vec<_> = opened.streams().unwrap().into_iter().map(|stream| stream.size).collect();
    let is_named =
        |name: &str| warnings.iter().any(|warning| warning.message.contains(&format!("stream `{name}`")));
    assert!(is_named("cut") && (there == [4]) != is_named("note"), "{there:?} {warnings:?}");
    let names: Vec<_> = fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "the folder and the marker: {names:?}");
    let full = target.write_folder_streams(b"folder", &of_folder, &mut |_, _| Err(TargetError::Full));
    assert!(matches!(full, Err(TargetError::Full)), "{full:?}");
}

/// Wine knows nothing of it, nor does Windows before 10; then it is named.
#[test]
fn a_folder_lets_names_differ_by_case_only_if_it_did_or_that_is_named() {
    let (_folder, path, target) = target();
    let of_folder = metadata(vec![Attribute::FileAttributes(0x10), Attribute::CaseSensitive]);
    target.make_folder(b"folder").unwrap();
    target.begin_folder(b"folder", &of_folder).unwrap();
    lay(&target, "folder/name", b"one", &of_windows(Vec::new()));
    let other = target.make_file(b"folder/NAME");
    let is_case_sensitive =
        Handle::open_folder(&path.join("folder"), rights::LOOK).unwrap().is_case_sensitive().unwrap();
    assert_eq!(other.is_ok(), is_case_sensitive);
    drop(other);
    let warnings = target.finish_folder(b"folder", &of_folder).unwrap();
    let is_named = warnings.iter().any(|warning| warning.message.contains("case"));
    assert_ne!(is_case_sensitive, is_named, "{warnings:?}");
    // What its own folder hands down is taken back.
    target.make_folder(b"folder/plain").unwrap();
    let plain = metadata(vec![Attribute::FileAttributes(0x10)]);
    target.begin_folder(b"folder/plain", &plain).unwrap();
    let below = Handle::open_folder(&path.join("folder/plain"), rights::LOOK).unwrap();
    assert!(!below.is_case_sensitive().unwrap());
}

/// Wine says yes to the privilege and keeps no such list.
#[test]
fn an_audit_list_is_there_or_named() {
    let (_folder, path, target) = target();
    let words = "O:BAG:BAD:P(A;;FA;;;BA)(A;;FA;;;SY)S:P(AU;FA;FA;;;WD)";
    let wanted = access::from_words(words).unwrap();
    let warnings =
        lay(&target, "file", b"own", &of_windows(vec![Attribute::SecurityDescriptor(wanted.clone())]));
    let again = Handle::open_folder(&path.join("file"), rights::DESCRIBE | rights::AUDIT);
    let found = again.and_then(|handle| handle.security(true));
    let is_there =
        found.is_ok_and(|found| stateward_windows::descriptor::is_same_audit_list(&found, &wanted));
    let is_named = warnings.iter().any(|warning| warning.message.contains("audit list"));
    assert_ne!(is_there, is_named, "{warnings:?}");
}

#[test]
fn an_object_id_is_there_or_named() {
    let (_folder, path, target) = target();
    let mut id = [7; 64];
    id[..16].copy_from_slice(&id_of_this_run());
    let warnings = lay(&target, "file", b"own", &of_windows(vec![Attribute::ObjectId(id)]));
    let found = Handle::open_folder(&path.join("file"), rights::LOOK).unwrap().object_id().unwrap();
    let is_named = warnings.iter().any(|warning| warning.message.contains("object id"));
    assert_ne!(found == Some(id), is_named, "{warnings:?}");
}

/// An id that no other run's file has.
fn id_of_this_run() -> [u8; 16] {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos();
    now.to_le_bytes()
}

#[test]
fn a_link_is_there_or_named_as_not_made() {
    let (_folder, path, target) = target();
    let data = [0u8, 0, 2, 0, 2, 0, 2, 0, 1, 0, 0, 0, b'x', 0, b'x', 0].to_vec();
    let point = Attribute::ReparsePoint { tag: 0xa000_000c, data: data.clone() };
    let entry = Entry {
        name: stateward_format::FileName::new(b"link").unwrap(),
        kind: EntryKind::SymbolicLink { target: b"x".to_vec() },
        metadata: of_windows(vec![point]),
    };
    let warnings = target.make_special(b"link", &entry).unwrap();
    let is_named = warnings.iter().any(|warning| warning.code == "link-not-restored");
    assert_ne!(path.join("link").symlink_metadata().is_ok(), is_named, "{warnings:?}");
    let of_unix = Entry { metadata: metadata(Vec::new()), ..entry };
    assert_eq!(target.make_special(b"other", &of_unix).unwrap()[0].code, "link-not-restored");
}

#[test]
fn raw_content_of_efs_is_never_taken_for_a_file() {
    let (_folder, _path, target) = target();
    let file = target.make_file(b"file").unwrap();
    assert!(file.finish(0, &of_windows(vec![Attribute::EfsRaw { size: 1 }])).is_err());
}

/// Wine has no EFS, and that of Windows takes nothing that it did not give.
#[test]
fn what_efs_does_not_take_back_is_refused_and_nothing_of_it_stays() {
    let (_folder, path, target) = target();
    let file = target.make_file(b"file").unwrap();
    file.write_at(0, b"no raw content").unwrap();
    let refused = file.finish(14, &of_windows(vec![Attribute::EfsRaw { size: 5 }])).unwrap_err();
    assert!(matches!(refused, TargetError::Failed { .. }), "{refused}");
    assert!(refused.to_string().contains("EFS"), "{refused}");
    drop(file);
    // As the engine does with what can't be finished.
    target.remove_file(b"file").unwrap();
    let names: Vec<_> = fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, [marker::NAME], "only the marker");
}

#[test]
fn what_comes_from_unix_is_told_to_have_lost_its_owner() {
    let (_folder, _path, target) = target();
    let codes = |warnings: Vec<Warning>| warnings.into_iter().map(|warning| warning.code).collect::<Vec<_>>();
    assert_eq!(codes(lay(&target, "file", b"", &metadata(Vec::new()))), ["owner-not-restored"]);
    assert!(lay(&target, "reduced", b"", &Metadata { mode: 0o666, ..metadata(Vec::new()) }).is_empty());
}

/// Notes the paths of what is given.
#[derive(Default)]
struct Noted {
    paths: Vec<String>,
    warnings: Vec<Warning>,
    depth: usize,
}

impl Visitor for Noted {
    fn entry(&mut self, found: Found) -> ControlFlow<()> {
        self.paths.push(String::from_utf8(found.node.path()).unwrap());
        self.depth += usize::from(found.stat.kind == FoundKind::Folder);
        ControlFlow::Continue(())
    }

    fn leave(&mut self) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn warning(&mut self, warning: Warning) {
        self.warnings.push(warning);
    }
}

#[test]
fn chosen_files_are_walked_in_order_without_what_is_excluded() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["b/two", "b/one", "a", "Z", "excluded/file"] {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, name).unwrap();
    }
    let files = Files::open(vec![folder.path().to_owned()], vec![folder.path().join("excluded")]).unwrap();
    let mut noted = Noted::default();
    assert!(files.walk(&files.components()[0], &mut noted).unwrap());
    assert_eq!((noted.depth, noted.warnings), (0, Vec::new()));
    let top = crate::windows::point_path(&folder.path().canonicalize().unwrap()).unwrap();
    let top = String::from_utf8(top).unwrap();
    let below: Vec<&str> = noted.paths.iter().filter_map(|path| path.strip_prefix(top.as_str())).collect();
    assert_eq!(below, ["", "/Z", "/a", "/b", "/b/one", "/b/two"]);
    let above: Vec<&str> =
        noted.paths.iter().map(String::as_str).filter(|path| top.starts_with(path)).collect();
    assert!(above.len() >= 3 && above[0] == "/", "{above:?}");
    assert!(Files::open(vec![PathBuf::from(r"\\server\share")], Vec::new()).is_err());
    assert!(Files::open(vec![PathBuf::from("relative")], Vec::new()).is_err());
}
