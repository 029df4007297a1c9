//! Restores beside and over what is there, under Windows or what stands in for it.

use super::*;
use stateward_format::content::Content;
use stateward_format::{Attribute, EntryKind, FileName};
use stateward_model::Timestamp;
use stateward_windows::descriptor;
use std::fs;
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
        let laying = Laying { rule, moment: MOMENT.to_owned(), named: Vec::new(), without_access: false };
        MergeTarget::open(self.folder.path(), &laying).unwrap()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn metadata(is_hard_linked: bool) -> Metadata {
    Metadata {
        mode: 0o600,
        user: 0,
        group: 0,
        modified_at: Timestamp(1_700_000_000_000_000_000),
        identity: None,
        is_hard_linked,
        extended_attributes: Vec::new(),
        attributes: Vec::new(),
    }
}

fn entry(content: &str, attributes: Vec<Attribute>) -> Entry {
    let kind = EntryKind::File { size: content.len() as u64, content: Content::EMPTY };
    let name = FileName::new(b"f").unwrap();
    Entry { name, kind, metadata: Metadata { attributes, ..metadata(false) } }
}

/// Judges a file and makes it if it is to be made; what was warned of.
fn lay(target: &MergeTarget, path: &str, content: &str) -> Result<Vec<Warning>, TargetError> {
    let mut is_same = |_: stateward_engine::ContentOf<'_>, found: &dyn stateward_engine::ExistingFile| {
        let mut buffer = vec![0; content.len()];
        found.read_at(0, &mut buffer).unwrap();
        buffer == content.as_bytes()
    };
    match target.judge(path.as_bytes(), &entry(content, Vec::new()), &mut is_same) {
        Ok(Judgement::Leave(warning)) => Ok(Vec::from_iter(warning)),
        Ok(Judgement::Make) | Err(_) => {
            let file = target.make_file(path.as_bytes())?;
            file.write_at(0, content.as_bytes())?;
            let warnings = file.finish(content.len() as u64, &metadata(false))?;
            Ok(warnings.into_iter().filter(|warning| warning.code.starts_with("conflict")).collect())
        }
    }
}

fn counts(identical: u64, copied: u64, overwritten: u64, skipped: u64) -> ConflictCounts {
    ConflictCounts { identical, copied, overwritten, skipped }
}

#[test]
fn each_rule_does_with_what_is_there_as_it_says_and_again_nothing() {
    for (rule, counted, mine, again) in [
        (ConflictRule::Copy, counts(1, 1, 0, 0), "mine", counts(3, 0, 0, 0)),
        (ConflictRule::Overwrite, counts(1, 0, 1, 0), "theirs", counts(3, 0, 0, 0)),
        (ConflictRule::Skip, counts(1, 0, 0, 1), "mine", counts(2, 0, 0, 1)),
    ] {
        let scene = Scene::new();
        fs::write(scene.path("f"), "mine").unwrap();
        fs::write(scene.path("same"), "same").unwrap();
        for expected in [counted, again] {
            let target = scene.target(rule);
            let warned = lay(&target, "f", "theirs").unwrap();
            assert_eq!(warned.len(), usize::from(rule == ConflictRule::Skip), "{warned:?}");
            assert_eq!(lay(&target, "same", "same").unwrap(), []);
            assert_eq!(lay(&target, "new", "new").unwrap(), []);
            assert_eq!(target.finish().unwrap(), expected, "{rule}");
            assert_eq!((scene.read("f"), scene.read("new")), (mine.to_owned(), "new".to_owned()));
        }
        let mut names = vec!["f".to_owned(), "new".to_owned(), "same".to_owned()];
        if rule == ConflictRule::Copy {
            let copy = format!("f (restored {MOMENT})");
            assert_eq!(scene.read(&copy), "theirs");
            names.insert(1, copy);
        }
        assert_eq!(scene.names(), names, "nothing of ours is left");
    }
}

/// A file that holds the very bytes is no encrypted file; and where EFS does not take them, what was there stays.
#[test]
fn raw_content_of_efs_is_never_taken_for_what_a_user_sees() {
    let scene = Scene::new();
    fs::write(scene.path("f"), "same").unwrap();
    let target = scene.target(ConflictRule::Overwrite);
    let raw = entry("same", vec![Attribute::EfsRaw { size: 4 }]);
    assert_eq!(target.judge(b"f", &raw, &mut |_, _| true).unwrap(), Judgement::Make);
    let made = target.make_file(b"f").unwrap();
    made.write_at(0, b"same").unwrap();
    let refused = made.finish(4, &raw.metadata).unwrap_err();
    assert!(refused.to_string().contains("EFS"), "{refused}");
    drop(made);
    assert_eq!((scene.read("f"), scene.names()), ("same".to_owned(), vec!["f".to_owned()]));
}

/// Wine has no streams, so that none is ever there.
#[test]
fn a_file_that_lacks_a_stream_is_not_the_same() {
    let scene = Scene::new();
    fs::write(scene.path("f"), "same").unwrap();
    let target = scene.target(ConflictRule::Copy);
    let stream =
        stateward_format::AlternateStream { name: b"note".to_vec(), size: 4, content: Content::EMPTY };
    let with_stream = entry("same", vec![Attribute::Stream(stream)]);
    assert_eq!(target.judge(b"f", &with_stream, &mut |_, _| true).unwrap(), Judgement::Make);
    let without = entry("same", Vec::new());
    assert_eq!(target.judge(b"f", &without, &mut |_, _| true).unwrap(), Judgement::Leave(None));
}

#[test]
fn what_is_overwritten_is_whole_until_the_new_is() {
    let scene = Scene::new();
    fs::write(scene.path("f"), "old").unwrap();
    let target = scene.target(ConflictRule::Overwrite);
    let made = target.make_file(b"f").unwrap();
    made.write_at(0, b"new").unwrap();
    assert_eq!(scene.read("f"), "old");
    made.finish(3, &metadata(false)).unwrap();
    drop(made);
    assert_eq!((scene.read("f"), scene.names()), ("new".to_owned(), vec!["f".to_owned()]));
}

#[test]
fn a_file_that_may_only_be_read_is_replaced_all_the_same() {
    let scene = Scene::new();
    fs::write(scene.path("f"), "old").unwrap();
    let mut permissions = fs::metadata(scene.path("f")).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(scene.path("f"), permissions).unwrap();
    let target = scene.target(ConflictRule::Overwrite);
    lay(&target, "f", "new").unwrap();
    assert_eq!((scene.read("f"), target.finish().unwrap()), ("new".to_owned(), counts(0, 0, 1, 0)));
}

#[test]
fn a_file_in_use_stays_and_is_named_with_what_helps() {
    let scene = Scene::new();
    fs::write(scene.path("f"), "mine").unwrap();
    let target = scene.target(ConflictRule::Overwrite);
    let in_use = fs::File::open(scene.path("f")).unwrap();
    let made = target.make_file(b"f").unwrap();
    made.write_at(0, b"theirs").unwrap();
    // Windows itself lets what is open for reading be replaced if it was opened so: this one only under Wine.
    if let Err(error) = made.finish(6, &metadata(false)) {
        let text = error.to_string();
        assert!(
            text.contains("a program uses what lies there") && text.contains("--conflict copy"),
            "{text}"
        );
        assert_eq!(scene.read("f"), "mine");
    }
    drop((made, in_use));
    assert_eq!(scene.names(), ["f"]);
}

#[test]
fn what_takes_a_place_after_it_was_judged_is_met_by_the_rule() {
    for (rule, counted, content) in [
        (ConflictRule::Copy, counts(0, 1, 0, 0), "mine"),
        (ConflictRule::Overwrite, counts(0, 0, 1, 0), "theirs"),
        (ConflictRule::Skip, counts(0, 0, 0, 1), "mine"),
    ] {
        let scene = Scene::new();
        let target = scene.target(rule);
        let made = target.make_file(b"f").unwrap();
        made.write_at(0, b"theirs").unwrap();
        fs::write(scene.path("f"), "mine").unwrap();
        made.finish(6, &metadata(false)).unwrap();
        drop(made);
        assert_eq!((target.finish().unwrap(), scene.read("f")), (counted, content.to_owned()), "{rule}");
        assert_eq!(scene.names().len(), if rule == ConflictRule::Copy { 2 } else { 1 });
    }
}

#[test]
fn names_that_differ_by_case_only_are_the_same_thing() {
    let scene = Scene::new();
    fs::write(scene.path("NAME"), "mine").unwrap();
    fs::create_dir(scene.path("Folder")).unwrap();
    let target = scene.target(ConflictRule::Skip);
    assert_eq!(lay(&target, "name", "theirs").unwrap()[0].code, "conflict-skipped");
    assert_eq!(lay(&target, "name", "mine").unwrap(), []);
    target.make_folder(b"FOLDER").unwrap();
    assert_eq!(lay(&target, "FOLDER/new", "new").unwrap(), []);
    assert_eq!(target.finish().unwrap(), counts(1, 0, 0, 1));
    assert_eq!((scene.read("Folder/new"), scene.names().len()), ("new".to_owned(), 2));
}

#[test]
fn a_file_in_the_way_of_a_folder_is_met_by_the_rule() {
    for rule in [ConflictRule::Copy, ConflictRule::Overwrite, ConflictRule::Skip] {
        let scene = Scene::new();
        fs::write(scene.path("data"), "a file").unwrap();
        let target = scene.target(rule);
        let made = target.make_folder(b"data");
        let laid = lay(&target, "data/key", "secret");
        let finished = target.finish_folder(b"data", &metadata(false));
        assert_eq!(scene.read("data"), "a file", "{rule}");
        match rule {
            ConflictRule::Copy => {
                assert!(made.is_ok() && laid.is_ok() && finished.is_ok());
                assert_eq!(scene.read(&format!("data (restored {MOMENT})/key")), "secret");
                assert_eq!(target.finish().unwrap(), counts(0, 1, 0, 0));
            }
            ConflictRule::Skip => {
                assert!(made.is_ok());
                assert_eq!((laid.unwrap().len(), finished.unwrap().len()), (1, 1));
                assert_eq!(target.finish().unwrap(), counts(0, 0, 0, 2));
            }
            _ => {
                let results = [made.err(), laid.err(), finished.err()];
                assert!(results.iter().all(|error| matches!(error, Some(TargetError::InTheWay { .. }))));
            }
        }
    }
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
        assert_eq!(scene.names().len(), if rule == ConflictRule::Copy { 2 } else { 1 });
    }
}

#[test]
fn hard_links_are_made_to_where_the_first_name_was_put() {
    let scene = Scene::new();
    fs::write(scene.path("first"), "mine").unwrap();
    fs::write(scene.path("second"), "mine too").unwrap();
    let id = |name: &str| Handle::open_folder(&scene.path(name), rights::LOOK).unwrap().look().unwrap().id;
    for rule in [ConflictRule::Copy, ConflictRule::Overwrite] {
        let target = scene.target(rule);
        let made = target.make_file(b"first").unwrap();
        made.finish(0, &metadata(true)).unwrap();
        drop(made);
        target.make_hard_link(b"first", b"second").unwrap();
        target.make_hard_link(b"first", b"third").unwrap();
        let counted = target.finish().unwrap();
        if rule == ConflictRule::Copy {
            let copies = ["first", "second"].map(|name| id(&format!("{name} (restored {MOMENT})")));
            assert_eq!((copies, counted), ([id("third"); 2], counts(0, 2, 0, 0)));
        } else {
            assert_eq!(([id("second"), id("third")], counted), ([id("first"); 2], counts(0, 0, 3, 0)));
        }
    }
    assert!(scene.names().iter().all(|name| !name.starts_with(".stateward")), "{:?}", scene.names());
}

#[test]
fn nothing_leads_out_of_the_target_and_nothing_is_laid_beside_drives() {
    let scene = Scene::new();
    let target = scene.target(ConflictRule::Overwrite);
    for path in ["..", "../x", "/x", "a/../../x", "", "C:", "a\\b", "never made/f"] {
        assert!(target.make_file(path.as_bytes()).is_err(), "{path}");
        assert!(target.make_folder(path.as_bytes()).is_err(), "{path}");
    }
    let laying = Laying {
        rule: ConflictRule::Overwrite,
        moment: MOMENT.to_owned(),
        named: Vec::new(),
        without_access: false,
    };
    let drives = MergeTarget::open(Path::new(r"\"), &laying).unwrap();
    for path in ["Q", "etc", "..", "", "C:"] {
        assert!(drives.make_folder(path.as_bytes()).is_err(), "{path}");
    }
    assert!(drives.make_file(b"file").is_err() && drives.make_file(b"C").is_err());
    assert_eq!(scene.names(), Vec::<String>::new());
}

#[test]
fn what_came_from_a_drive_goes_back_to_it() {
    // The drives of this machine; of a folder on them nothing is known before.
    let scene = Scene::new();
    let path = scene.folder.path().canonicalize().unwrap();
    let in_point = String::from_utf8(crate::point_path(&path).unwrap()).unwrap();
    let names: Vec<&str> = in_point.trim_start_matches('/').split('/').collect();
    let laying = Laying {
        rule: ConflictRule::Skip,
        moment: MOMENT.to_owned(),
        named: vec![in_point.clone().into_bytes()],
        without_access: false,
    };
    let drives = MergeTarget::open(Path::new(r"\"), &laying).unwrap();
    for end in 1..=names.len() {
        drives.make_folder(names[..end].join("/").as_bytes()).unwrap();
    }
    assert_eq!(lay(&drives, &format!("{}/f", names.join("/")), "back").unwrap(), []);
    for end in (1..=names.len()).rev() {
        assert_eq!(drives.finish_folder(names[..end].join("/").as_bytes(), &metadata(false)).unwrap(), []);
    }
    assert_eq!((scene.read("f"), drives.finish().unwrap()), ("back".to_owned(), counts(0, 0, 0, 0)));
}

#[test]
fn a_folder_that_an_interrupted_restore_made_is_finished_by_the_next() {
    let scene = Scene::new();
    let interrupted = scene.target(ConflictRule::Skip);
    interrupted.make_folder(b"made").unwrap();
    drop(interrupted);
    let opened = Handle::open_folder(&scene.path("made"), rights::LOOK | rights::READ).unwrap();
    let target = scene.target(ConflictRule::Skip);
    let ours = target.descriptor.clone().unwrap();
    target.make_folder(b"made").unwrap();
    let look = opened.look().unwrap();
    // Wine keeps no access lists; then it is a folder that was there before.
    let is_kept = descriptor::is_same_list(&opened.security(false).unwrap(), &ours);
    assert_eq!(target.has_made(&look), is_kept);
}
