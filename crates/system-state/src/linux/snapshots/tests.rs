//! On a real btrfs in a file, as root; elsewhere these tests say that they are skipped.

use super::*;
use crate::linux::files::Files;
use crate::linux::recording::{Recording, read_all};
use crate::linux::system_state::SystemState;
use stateward_engine::{Cancellation, FoundKind, Source, Stat};
use stateward_format::manifest::Precheck;
use stateward_model::SystemClock;
use std::cell::RefCell;
use std::fs;
use std::os::unix::fs::FileExt;
use std::process::Command;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use tempfile::TempDir;

fn ran(program: &str, arguments: &[&str]) -> bool {
    let output = Command::new(program).args(arguments).env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").output();
    output.is_ok_and(|output| output.status.success())
}

/// A file system in a file, mounted; unmounted when it is dropped.
struct Mounted {
    folder: TempDir,
    point: PathBuf,
}

impl Mounted {
    /// `None` where that is not possible; then the test can show nothing here.
    fn new(kind: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let point = folder.path().canonicalize().unwrap().join("m");
        fs::create_dir(&point).unwrap();
        let image = folder.path().join("image");
        fs::File::create(&image).unwrap().set_len(256 << 20).unwrap();
        let image = image.to_str().unwrap();
        let quiet = if kind == "btrfs" { "--quiet" } else { "-q" };
        let mounted = Self { folder, point };
        let is_made = geteuid().is_root()
            && ran(&format!("mkfs.{kind}"), &[quiet, image])
            && mounted.mount_at(mounted.text());
        if !is_made {
            eprintln!("skipped: no {kind} can be made and mounted here");
        }
        is_made.then_some(mounted)
    }

    fn text(&self) -> &str {
        self.point.to_str().unwrap()
    }

    fn mount_at(&self, point: &str) -> bool {
        ran("mount", &["-o", "loop", self.folder.path().join("image").to_str().unwrap(), point])
    }

    fn remount(&self) {
        assert!(ran("umount", &[self.text()]) && self.mount_at(self.text()));
    }

    /// The subvolume of that name, made if it is not there.
    fn subvolume(&self, name: &str) -> PathBuf {
        let path = self.point.join(name);
        if !path.exists() {
            assert!(ran("btrfs", &["subvolume", "create", path.to_str().unwrap()]), "{}", path.display());
        }
        path
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        ran("umount", &["--recursive", self.text()]);
    }
}

#[derive(Default)]
struct Noted(RefCell<Vec<SnapshotPlace>>);

impl SnapshotLedger for Noted {
    fn making(&self, place: &SnapshotPlace) -> Result<(), String> {
        self.0.borrow_mut().push(place.clone());
        Ok(())
    }

    fn removed(&self, place: &SnapshotPlace) {
        self.0.borrow_mut().retain(|known| known != place);
    }
}

fn open(path: &Path) -> Files {
    Files::open(vec![path.to_owned()], Vec::new()).unwrap()
}

fn wish(folder: &Path) -> SnapshotWish<'_> {
    static GOES_ON: LazyLock<Cancellation> = LazyLock::new(Cancellation::default);
    SnapshotWish { folder, name: "stateward-test", clock: &SystemClock, cancellation: &GOES_ON }
}

fn record(source: &dyn Source) -> Recording {
    let mut recording = Recording::default();
    for component in source.components() {
        source.walk(&component, &mut recording).unwrap();
    }
    recording
}

fn content(recording: &Recording, path: &Path) -> String {
    String::from_utf8(read_all(&*recording.at(path.to_str().unwrap()).node).0).unwrap()
}

fn stats(recording: &Recording) -> Vec<(String, Stat)> {
    recording.entries.iter().map(|entry| (entry.path.clone(), entry.stat.clone())).collect()
}

fn said(remarks: &[Precheck]) -> Vec<(&str, u8, &str)> {
    remarks.iter().map(|said| (said.code.as_str(), said.outcome, said.message.as_str())).collect()
}

#[test]
fn a_frozen_source_gives_what_was_there_under_its_own_paths_and_leaves_no_snapshot() {
    let Some(mounted) = Mounted::new("btrfs") else { return };
    let (own, ledger) = (tempfile::tempdir().unwrap(), Noted::default());
    let top = mounted.subvolume("data");
    fs::create_dir(top.join("deep")).unwrap();
    for (name, text) in [("changed", "before"), ("deep/removed", "still")] {
        fs::write(top.join(name), text).unwrap();
    }
    let mut files = open(&top);
    let held = files.freeze(&wish(own.path()), &ledger);
    assert_eq!(held.problems, []);
    let places = ledger.0.borrow().clone();
    assert_eq!(places.len(), 1);
    assert!(places[0].path.is_dir());
    fs::write(top.join("changed"), "after").unwrap();
    fs::remove_dir_all(top.join("deep")).unwrap();
    fs::write(top.join("new"), "new").unwrap();

    let recording = record(&files);
    let below = |name: &str| top.join(name).to_str().unwrap().to_owned();
    let given: Vec<&str> =
        recording.paths().into_iter().filter(|path| path.starts_with(&below(""))).collect();
    assert_eq!(given, [below("changed"), below("deep"), below("deep/removed")]);
    assert_eq!(content(&recording, &top.join("changed")), "before");
    assert_eq!(content(&recording, &top.join("deep/removed")), "still");
    let remarks = files.remarks();
    let told = said(&remarks);
    let at = files.moment().unwrap();
    assert_eq!(told[0], ("one-moment", 0, &*format!("All files are of one moment, {at}")));
    assert_eq!(told[1].1, 0);
    assert!(told[1].2.contains(top.to_str().unwrap()) && told[1].2.contains(&at.to_string()), "{told:?}");
    assert_eq!(told.len(), 2);

    drop((recording, files));
    assert_eq!(held.release(), Vec::<String>::new());
    assert!(!places[0].path.exists() && ledger.0.borrow().is_empty());
}

/// Stops a thread when it is dropped, also by a failing assertion.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// What is durable before something else is written is in the snapshot whenever that is. (What is only written is kept as
/// a power cut would keep it: in whatever order the file system liked.)
#[test]
fn two_files_made_durable_in_a_fixed_order_are_of_one_moment() {
    let Some(mounted) = Mounted::new("btrfs") else { return };
    let (own, ledger) = (tempfile::tempdir().unwrap(), Noted::default());
    let top = mounted.subvolume("data");
    let (stop, written) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        let _stop = Stop(&stop);
        scope.spawn(|| {
            let files = ["first", "second"].map(|name| fs::File::create(top.join(name)).unwrap());
            for number in 1.. {
                for file in &files {
                    // Over what is there, so that no moment shows an empty file.
                    file.write_all_at(format!("{number:>20}").as_bytes(), 0).unwrap();
                    file.sync_data().unwrap();
                }
                written.store(number, Ordering::SeqCst);
                if stop.load(Ordering::SeqCst) {
                    break;
                }
            }
        });
        let wait_for = |number| {
            while written.load(Ordering::SeqCst) < number {
                std::thread::yield_now();
            }
        };
        wait_for(10);
        let mut files = open(&top);
        let held = files.freeze(&wish(own.path()), &ledger);
        // Much more was written before anything is read, and is written between one and the other.
        wait_for(written.load(Ordering::SeqCst) + 20);
        let recording = record(&files);
        let number = |name: &str| content(&recording, &top.join(name)).trim().parse::<u64>().unwrap();
        let second = number("second");
        wait_for(written.load(Ordering::SeqCst) + 5);
        let first = number("first");
        assert!(first == second || first == second + 1, "{first} {second}");
        drop((recording, files, held));
    });
    assert!(ledger.0.borrow().is_empty());
}

#[test]
fn an_entry_is_the_same_live_and_in_a_snapshot_and_after_the_file_system_was_mounted_again() {
    let Some(mounted) = Mounted::new("btrfs") else { return };
    let ledger = Noted::default();
    let top = mounted.subvolume("data");
    // The agent's own folder lies on the same file system, so that nothing in `top` changes.
    let own = mounted.point.join("own");
    fs::create_dir(&own).unwrap();
    fs::create_dir(top.join("folder")).unwrap();
    fs::write(top.join("folder/file"), "x").unwrap();
    let within = |recording: &Recording| {
        let all = stats(recording);
        all.into_iter().filter(|(path, _)| Path::new(path).starts_with(&top)).collect::<Vec<_>>()
    };
    let live = within(&record(&open(&top)));
    assert_eq!(live.len(), 3);
    for _ in 0..2 {
        let mut files = open(&top);
        let held = files.freeze(&wish(&own), &ledger);
        let recording = record(&files);
        assert_eq!(within(&recording), live);
        let (_, now) = recording.at(top.join("folder/file").to_str().unwrap()).node.open().unwrap();
        assert_eq!(now, live[2].1);
        drop((recording, files, held));
        mounted.remount();
    }
    assert_eq!(within(&record(&open(&top))), live);
    assert_eq!(fs::read_dir(&own).unwrap().count(), 0);
}

#[test]
fn what_is_mounted_below_and_subvolumes_within_are_read_live_and_told() {
    let (Some(mounted), Some(other)) = (Mounted::new("btrfs"), Mounted::new("ext4")) else { return };
    let (own, ledger) = (tempfile::tempdir().unwrap(), Noted::default());
    let top = mounted.subvolume("data");
    let nested = mounted.subvolume("data/nested");
    let point = top.join("mounted");
    fs::create_dir(&point).unwrap();
    assert!(ran("umount", &[other.text()]) && other.mount_at(point.to_str().unwrap()));
    for folder in [&top, &nested, &point] {
        fs::write(folder.join("file"), "before").unwrap();
    }
    let mut files = open(&top);
    let held = files.freeze(&wish(own.path()), &ledger);
    for folder in [&top, &nested, &point] {
        fs::write(folder.join("file"), "after").unwrap();
    }
    let recording = record(&files);
    let read = [&top, &nested, &point].map(|folder| content(&recording, &folder.join("file")));
    let remarks = files.remarks();
    drop((recording, files, held));
    assert!(ran("umount", &[point.to_str().unwrap()]));
    assert_eq!(read, ["before", "after", "after"]);
    let told = said(&remarks);
    assert_eq!((told[0].0, told[0].1), ("one-moment", 1));
    let of = |path: &Path| {
        let quoted = format!("`{}` ", path.display());
        told.iter().find(|said| said.2.starts_with(&quoted)).map(|said| (said.1, said.2))
    };
    assert_eq!(of(&top).unwrap().0, 0);
    assert!(of(&nested).unwrap().1.contains("subvolumes in it"), "{told:?}");
    assert!(of(&point).unwrap().1.contains("ext4"), "{told:?}");
    assert_eq!(told.len(), 4);
}

#[test]
fn a_walk_that_begins_within_a_subvolume_is_frozen_too() {
    let Some(mounted) = Mounted::new("btrfs") else { return };
    let (own, ledger) = (tempfile::tempdir().unwrap(), Noted::default());
    let root = mounted.subvolume("data").join("tree");
    fs::create_dir_all(root.join("etc")).unwrap();
    fs::write(root.join("etc/hostname"), "before").unwrap();
    let only = vec!["host-identity".parse().unwrap()];
    let mut state = SystemState::open(&root, Vec::new(), Some(only)).unwrap();
    let held = state.freeze(&wish(own.path()), &ledger);
    fs::write(root.join("etc/hostname"), "after").unwrap();
    let recording = record(&state);
    assert_eq!(content(&recording, Path::new("/etc/hostname")), "before");
    assert_eq!(recording.at("/etc/hostname").stat.kind, FoundKind::File { size: 6 });
    assert_eq!(said(&state.remarks())[0].1, 0, "{:?}", state.remarks());
    drop((recording, state, held));
}

#[test]
fn without_a_kind_of_snapshot_the_source_is_read_live_without_a_warning_before() {
    let (folder, own, ledger) =
        (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), Noted::default());
    let top = folder.path().canonicalize().unwrap();
    fs::write(top.join("file"), "x").unwrap();
    if Mounts::read().unwrap().of(&top).is_some_and(|mount| mount.kind == "btrfs") {
        eprintln!("skipped: the folder for temporary files lies on btrfs");
        return;
    }
    let mut files = open(&top);
    let held = files.freeze(&wish(own.path()), &ledger);
    assert_eq!(held.problems, []);
    record(&files);
    let remarks = files.remarks();
    assert!(said(&remarks)[0] == ("one-moment", 1, "The files were read live, one after another"));
    let live = open(&top);
    record(&live);
    assert!(live.remarks()[1].message.ends_with("snapshots are turned off"), "{:?}", live.remarks());
}
