use super::*;
use rustix::fs::getxattr;
use stateward_format::content::Content;
use stateward_format::{Attribute, EntryKind, FileName};
use stateward_model::Timestamp;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::PathBuf;
use tempfile::TempDir;

const MOMENT: &str = "2026-11-29 03.30";

struct Scene {
    folder: TempDir,
}

impl Scene {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn target(&self, rule: ConflictRule) -> MergeTarget {
        self.target_naming(rule, &[])
    }

    fn target_naming(&self, rule: ConflictRule, named: &[&str]) -> MergeTarget {
        let named = named.iter().map(|path| path.as_bytes().to_vec()).collect();
        let laying = Laying { rule, moment: MOMENT.to_owned(), named, without_access: false };
        MergeTarget::open(self.folder.path(), &laying).unwrap()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(folder)).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn metadata(mode: u32) -> Metadata {
    let (user, group) = (geteuid().as_raw(), rustix::process::getegid().as_raw());
    Metadata {
        mode,
        user,
        group,
        modified_at: Timestamp(1_700_000_000_000_000_000),
        identity: None,
        is_hard_linked: false,
        extended_attributes: Vec::new(),
        attributes: Vec::new(),
    }
}

fn entry(kind: EntryKind) -> Entry {
    Entry { name: FileName::new(b"any").unwrap(), kind, metadata: metadata(0o640) }
}

fn file(size: u64) -> Entry {
    entry(EntryKind::File { size, content: Content::Inline(Vec::new()) })
}

fn link(target: &str) -> Entry {
    entry(EntryKind::SymbolicLink { target: target.into() })
}

/// As the engine does: asks, and makes what is to be made. Tells what was warned of.
fn lay(target: &MergeTarget, path: &str, content: &str) -> Result<Vec<Warning>, TargetError> {
    let is_same = |_: stateward_engine::ContentOf<'_>, existing: &dyn stateward_engine::ExistingFile| {
        let mut buffer = vec![0; content.len()];
        existing.read_at(0, &mut buffer).unwrap() == content.len() && buffer == content.as_bytes()
    };
    match target.judge(path.as_bytes(), &file(content.len() as u64), &mut { is_same }) {
        Ok(Judgement::Leave(warning)) => return Ok(Vec::from_iter(warning)),
        Ok(Judgement::Make) | Err(_) => {}
    }
    let made = target.make_file(path.as_bytes())?;
    made.write_at(0, content.as_bytes())?;
    made.finish(content.len() as u64, &metadata(0o640))
}

fn lay_special(target: &MergeTarget, path: &str, entry: &Entry) -> Result<Vec<Warning>, TargetError> {
    match target.judge(path.as_bytes(), entry, &mut |_, _| false)? {
        Judgement::Leave(warning) => Ok(Vec::from_iter(warning)),
        Judgement::Make => target.make_special(path.as_bytes(), entry),
    }
}

fn counts(identical: u64, copied: u64, overwritten: u64, skipped: u64) -> ConflictCounts {
    ConflictCounts { identical, copied, overwritten, skipped }
}

#[test]
fn what_nothing_is_in_the_way_of_is_laid_and_what_is_the_same_is_left() {
    for rule in [ConflictRule::Copy, ConflictRule::Overwrite, ConflictRule::Skip] {
        let scene = Scene::new();
        fs::create_dir(scene.path("a")).unwrap();
        fs::write(scene.path("a/same"), "same").unwrap();
        fs::set_permissions(scene.path("a/same"), fs::Permissions::from_mode(0o640)).unwrap();
        let before = fs::metadata(scene.path("a/same")).unwrap();
        let target = scene.target(rule);
        target.make_folder(b"a").unwrap();
        assert_eq!(lay(&target, "a/same", "same").unwrap(), []);
        assert_eq!(lay(&target, "a/new", "new").unwrap(), []);
        assert_eq!(target.finish().unwrap(), counts(1, 0, 0, 0), "{rule}");
        assert_eq!(scene.names("a"), ["new", "same"]);
        let (made, after) =
            (fs::metadata(scene.path("a/new")).unwrap(), fs::metadata(scene.path("a/same")).unwrap());
        assert_eq!((made.mode() & 0o7777, made.mtime()), (0o640, 1_700_000_000));
        assert_eq!(
            (before.ino(), before.mtime(), before.ctime()),
            (after.ino(), after.mtime(), after.ctime())
        );
    }
}

#[test]
fn raw_content_of_efs_is_never_the_same_as_a_file() {
    let scene = Scene::new();
    fs::write(scene.path("f"), "same").unwrap();
    fs::set_permissions(scene.path("f"), fs::Permissions::from_mode(0o640)).unwrap();
    let (target, mut raw) = (scene.target(ConflictRule::Copy), file(4));
    assert_eq!(target.judge(b"f", &raw, &mut |_, _| true).unwrap(), Judgement::Leave(None));
    raw.metadata.attributes.push(Attribute::EfsRaw { size: 4 });
    assert_eq!(target.judge(b"f", &raw, &mut |_, _| true).unwrap(), Judgement::Make);
}

#[test]
fn a_copy_lies_beside_what_was_there_and_is_made_once() {
    let scene = Scene::new();
    fs::write(scene.path("f.txt"), "mine").unwrap();
    let copy = format!("f (restored {MOMENT}).txt");
    for expected in [counts(0, 1, 0, 0), counts(1, 0, 0, 0)] {
        let target = scene.target(ConflictRule::Copy);
        lay(&target, "f.txt", "theirs").unwrap();
        assert_eq!(target.finish().unwrap(), expected);
        assert_eq!((scene.read("f.txt"), scene.read(&copy)), ("mine".to_owned(), "theirs".to_owned()));
    }
    let target = scene.target(ConflictRule::Copy);
    lay(&target, "f.txt", "others").unwrap();
    let second = format!("f (restored {MOMENT}, 2).txt");
    assert_eq!((scene.names("").len(), scene.read(&second)), (3, "others".to_owned()));
}

#[test]
fn what_is_overwritten_is_replaced_whole_and_its_other_names_keep_what_they_had() {
    let scene = Scene::new();
    fs::write(scene.path("f"), "old").unwrap();
    fs::hard_link(scene.path("f"), scene.path("other")).unwrap();
    let target = scene.target(ConflictRule::Overwrite);
    let made = target.make_file(b"f").unwrap();
    made.write_at(0, b"new").unwrap();
    assert_eq!(scene.read("f"), "old", "nothing is there before it is whole");
    made.finish(3, &metadata(0o600)).unwrap();
    assert_eq!((scene.read("f"), scene.read("other")), ("new".to_owned(), "old".to_owned()));
    assert_eq!(target.finish().unwrap(), counts(0, 0, 1, 0));
    assert_eq!(scene.names(""), ["f", "other"]);
}

#[test]
fn overwriting_puts_back_a_mode_that_was_changed_though_the_content_is_the_same() {
    let scene = Scene::new();
    fs::write(scene.path("f"), "same").unwrap();
    fs::set_permissions(scene.path("f"), fs::Permissions::from_mode(0o777)).unwrap();
    let target = scene.target(ConflictRule::Overwrite);
    lay(&target, "f", "same").unwrap();
    assert_eq!(target.finish().unwrap(), counts(0, 0, 1, 0));
    assert_eq!(fs::metadata(scene.path("f")).unwrap().mode() & 0o7777, 0o640);
    assert!(getxattr(scene.path("f"), "user.any", &mut [0u8; 8][..]).is_err());
}

#[test]
fn what_is_skipped_is_named_and_stays() {
    let scene = Scene::new();
    fs::write(scene.path("f"), "mine").unwrap();
    symlink("elsewhere", scene.path("link")).unwrap();
    let target = scene.target(ConflictRule::Skip);
    let warned = lay(&target, "f", "theirs").unwrap();
    assert_eq!((warned[0].code.as_str(), warned[0].path.as_slice()), ("conflict-skipped", &b"/f"[..]));
    assert_eq!(lay_special(&target, "link", &link("here")).unwrap().len(), 1);
    assert_eq!(target.finish().unwrap(), counts(0, 0, 0, 2));
    assert_eq!((scene.read("f"), scene.names("")), ("mine".to_owned(), vec!["f".into(), "link".into()]));
}

#[test]
fn what_takes_a_place_after_it_was_judged_is_met_by_the_rule() {
    let expected = [
        (ConflictRule::Copy, counts(0, 1, 0, 0), "mine"),
        (ConflictRule::Overwrite, counts(0, 0, 1, 0), "theirs"),
        (ConflictRule::Skip, counts(0, 0, 0, 1), "mine"),
    ];
    for (rule, counted, content) in expected {
        let scene = Scene::new();
        let target = scene.target(rule);
        let made = target.make_file(b"f").unwrap();
        made.write_at(0, b"theirs").unwrap();
        fs::write(scene.path("f"), "mine").unwrap();
        let warned = made.finish(6, &metadata(0o600)).unwrap();
        assert_eq!(warned.len(), usize::from(rule == ConflictRule::Skip));
        assert_eq!((target.finish().unwrap(), scene.read("f")), (counted, content.to_owned()), "{rule}");
    }
}

#[test]
fn a_link_in_the_way_of_a_folder_is_never_followed() {
    for rule in [ConflictRule::Copy, ConflictRule::Overwrite, ConflictRule::Skip] {
        let (scene, outside) = (Scene::new(), tempfile::tempdir().unwrap());
        symlink(outside.path(), scene.path("etc")).unwrap();
        let target = scene.target(rule);
        let made = target.make_folder(b"etc");
        let below = target.make_folder(b"etc/ssh");
        let laid = lay(&target, "etc/ssh/key", "secret");
        let finished = target.finish_folder(b"etc", &metadata(0o755));
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0, "{rule}");
        assert!(fs::symlink_metadata(scene.path("etc")).unwrap().is_symlink());
        match rule {
            ConflictRule::Overwrite => {
                let results = [made.err(), below.err(), laid.err(), finished.err()];
                assert!(results.iter().all(|error| matches!(error, Some(TargetError::InTheWay { .. }))));
            }
            ConflictRule::Copy => {
                assert!(made.is_ok() && below.is_ok() && laid.is_ok() && finished.is_ok());
                assert_eq!(scene.read(&format!("etc (restored {MOMENT})/ssh/key")), "secret");
                assert_eq!(target.finish().unwrap(), counts(0, 1, 0, 0));
            }
            _ => {
                assert!(made.is_ok() && below.is_ok());
                assert_eq!((laid.unwrap().len(), finished.unwrap().len()), (1, 1));
                assert_eq!(target.finish().unwrap(), counts(0, 0, 0, 2));
            }
        }
    }
}

#[test]
fn a_link_in_the_way_of_a_file_is_replaced_itself_and_not_what_it_leads_to() {
    let (scene, outside) = (Scene::new(), tempfile::tempdir().unwrap());
    let victim = outside.path().join("victim");
    fs::write(&victim, "same").unwrap();
    symlink(&victim, scene.path("f")).unwrap();
    let target = scene.target(ConflictRule::Overwrite);
    lay(&target, "f", "same").unwrap();
    assert_eq!(target.finish().unwrap(), counts(0, 0, 1, 0), "what a link leads to is not what is there");
    assert!(fs::symlink_metadata(scene.path("f")).unwrap().is_file());
    assert_eq!(fs::read_to_string(&victim).unwrap(), "same");
}

#[test]
fn a_folder_in_the_way_of_a_file_stays_under_every_rule() {
    for rule in [ConflictRule::Copy, ConflictRule::Overwrite, ConflictRule::Skip] {
        let scene = Scene::new();
        fs::create_dir(scene.path("f")).unwrap();
        fs::write(scene.path("f/inside"), "").unwrap();
        let target = scene.target(rule);
        let laid = lay(&target, "f", "file");
        assert_eq!(laid.is_err(), rule == ConflictRule::Overwrite, "{laid:?}");
        assert!(scene.path("f/inside").exists());
        assert_eq!(scene.names("").len(), if rule == ConflictRule::Copy { 2 } else { 1 });
    }
}

#[test]
fn folders_that_were_there_keep_their_modes_unless_overwriting_names_them() {
    let mode = |scene: &Scene, name: &str| fs::metadata(scene.path(name)).unwrap().mode() & 0o7777;
    for (rule, expected) in
        [(ConflictRule::Copy, 0o700), (ConflictRule::Skip, 0o700), (ConflictRule::Overwrite, 0o750)]
    {
        let scene = Scene::new();
        for folder in ["a", "a/b"] {
            fs::create_dir(scene.path(folder)).unwrap();
            fs::set_permissions(scene.path(folder), fs::Permissions::from_mode(0o700)).unwrap();
        }
        let target = scene.target_naming(rule, &["/a/b"]);
        for folder in ["a", "a/b", "a/new"] {
            target.make_folder(folder.as_bytes()).unwrap();
        }
        for folder in ["a/new", "a/b", "a"] {
            target.finish_folder(folder.as_bytes(), &metadata(0o750)).unwrap();
        }
        assert_eq!((mode(&scene, "a"), mode(&scene, "a/b"), mode(&scene, "a/new")), (0o700, expected, 0o750));
    }
}

#[test]
fn links_and_fifos_are_compared_and_put_in_place() {
    let scene = Scene::new();
    symlink("here", scene.path("same")).unwrap();
    symlink("there", scene.path("other")).unwrap();
    fs::write(scene.path("fifo"), "no fifo").unwrap();
    let target = scene.target(ConflictRule::Overwrite);
    for path in ["same", "other", "new"] {
        assert_eq!(lay_special(&target, path, &link("here")).unwrap(), [], "{path}");
        assert_eq!(fs::read_link(scene.path(path)).unwrap(), Path::new("here"));
    }
    lay_special(&target, "fifo", &entry(EntryKind::Fifo)).unwrap();
    lay_special(&target, "fifo", &entry(EntryKind::Fifo)).unwrap();
    assert_eq!(target.finish().unwrap(), counts(2, 0, 2, 0));
    assert_eq!(scene.names(""), ["fifo", "new", "other", "same"]);
}

#[test]
fn hard_links_are_made_to_where_the_first_name_was_put() {
    let scene = Scene::new();
    fs::write(scene.path("first"), "mine").unwrap();
    fs::write(scene.path("second"), "mine too").unwrap();
    let inode = |name: &str| fs::metadata(scene.path(name)).unwrap().ino();
    let linked = Metadata { is_hard_linked: true, ..metadata(0o600) };
    for rule in [ConflictRule::Copy, ConflictRule::Overwrite] {
        let target = scene.target(rule);
        let made = target.make_file(b"first").unwrap();
        made.finish(0, &linked).unwrap();
        target.make_hard_link(b"first", b"second").unwrap();
        target.make_hard_link(b"first", b"third").unwrap();
        let counted = target.finish().unwrap();
        if rule == ConflictRule::Copy {
            let copies = ["first", "second"].map(|name| inode(&format!("{name} (restored {MOMENT})")));
            assert_eq!((copies, counted), ([inode("third"); 2], counts(0, 2, 0, 0)));
        } else {
            assert_eq!((inode("first"), counted), (inode("second"), counts(0, 0, 3, 0)));
        }
    }
    assert!(scene.names("").iter().all(|name| !name.starts_with(".stateward")), "{:?}", scene.names(""));
}

#[test]
fn nothing_leads_out_of_the_target() {
    let scene = Scene::new();
    let target = scene.target(ConflictRule::Overwrite);
    for path in ["..", "../x", "/x", "a/../../x", ""] {
        assert!(target.make_file(path.as_bytes()).is_err(), "{path}");
        assert!(target.make_folder(path.as_bytes()).is_err(), "{path}");
    }
    assert!(matches!(
        target.make_file(b"never-made/f"),
        Err(TargetError::Failed { .. } | TargetError::InTheWay { .. })
    ));
}

#[test]
fn a_folder_that_an_interrupted_restore_made_is_finished_by_the_next() {
    let scene = Scene::new();
    let interrupted = scene.target(ConflictRule::Skip);
    interrupted.make_folder(b"made").unwrap();
    drop(interrupted);
    let mark = getxattr(scene.path("made"), "user.stateward-restore", &mut [0u8; 8][..]);
    if mark.is_err() {
        println!("the file system keeps no attributes: nothing to see here");
        return;
    }
    let target = scene.target(ConflictRule::Skip);
    target.make_folder(b"made").unwrap();
    target.finish_folder(b"made", &metadata(0o755)).unwrap();
    assert_eq!(fs::metadata(scene.path("made")).unwrap().mode() & 0o7777, 0o755);
    assert!(getxattr(scene.path("made"), "user.stateward-restore", &mut [0u8; 8][..]).is_err());
}
