use super::*;
use crate::components::{BOOT, CONFIGURATION, OS_FILES};
use crate::linux::recording::{Recording, read_all};
use rustix::fs::{Mode, OFlags, XattrFlags, mknodat, openat, setxattr};
use stateward_engine::FoundKind;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, PermissionsExt, symlink};
use tempfile::TempDir;

fn everything() -> Selection {
    let mut selection = Selection::new();
    selection.claim(b"/", Claim::Part { part: OS_FILES, enters_file_systems: false });
    selection.finish();
    selection
}

/// Nothing is read from a snapshot.
fn live() -> &'static Arc<Moments> {
    static LIVE: std::sync::LazyLock<Arc<Moments>> = std::sync::LazyLock::new(Arc::default);
    &LIVE
}

fn walk<'a>(root: &'a TempDir, selection: &'a Selection, part: Part) -> Walk<'a> {
    Walk { root: root.path(), selection, part, is_asked_for: false, generated: None, moments: live() }
}

fn record(root: &TempDir, selection: &Selection, part: Part) -> (bool, Recording) {
    let mut recording = Recording::default();
    let is_present = walk(root, selection, part).run(&mut recording).unwrap();
    assert!(recording.is_closed());
    (is_present, recording)
}

fn make(root: &TempDir, files: &[&str]) {
    for file in files {
        let path = root.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, file).unwrap();
    }
}

#[test]
fn a_tree_comes_in_the_order_of_name_bytes_depth_first() {
    let root = tempfile::tempdir().unwrap();
    make(&root, &["b/2", "b/1", "b-c", "a/x/y", "B"]);
    let (is_present, recording) = record(&root, &everything(), OS_FILES);
    assert!(is_present);
    assert_eq!(recording.paths(), ["/", "/B", "/a", "/a/x", "/a/x/y", "/b", "/b/1", "/b/2", "/b-c"]);
    assert_eq!(recording.warned(), []);
}

#[test]
fn folders_on_the_way_are_given_only_if_something_below_them_is() {
    let root = tempfile::tempdir().unwrap();
    make(&root, &["etc/default/grub", "etc/passwd", "srv/x"]);
    let mut selection = Selection::new();
    let claim = |part| Claim::Part { part, enters_file_systems: false };
    selection.claim(b"/etc", claim(CONFIGURATION));
    selection.claim(b"/etc/default/grub", claim(BOOT));
    selection.claim(b"/srv/missing", claim(BOOT));
    selection.finish();
    assert_eq!(record(&root, &selection, BOOT).1.paths(), ["/", "/etc", "/etc/default", "/etc/default/grub"]);
    assert_eq!(
        record(&root, &selection, CONFIGURATION).1.paths(),
        ["/", "/etc", "/etc/default", "/etc/passwd"]
    );
    let (is_present, nothing) = record(&root, &selection, OS_FILES);
    assert!(!is_present && nothing.entries.is_empty());
}

#[test]
fn every_kind_of_entry_is_told_with_its_details() {
    let root = tempfile::tempdir().unwrap();
    make(&root, &["file"]);
    symlink("some/where/else", root.path().join("link")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(root.path().join("socket")).unwrap();
    mknodat(CWD, root.path().join("fifo"), FileType::Fifo, Mode::RUSR, 0).unwrap();
    fs::hard_link(root.path().join("file"), root.path().join("file2")).unwrap();
    let odd = OsStr::from_bytes(b"not\xffUTF-8\n");
    File::create(root.path().join(odd)).unwrap();
    let long = "n".repeat(255);
    File::create(root.path().join(&long)).unwrap();
    fs::set_permissions(root.path().join("file"), fs::Permissions::from_mode(0o4751)).unwrap();

    let (_, recording) = record(&root, &everything(), OS_FILES);
    assert_eq!(recording.entries.len(), 8);
    let link = recording.at("/link");
    assert_eq!(link.stat.kind, FoundKind::SymbolicLink);
    assert_eq!(link.node.details().unwrap().link_target, b"some/where/else");
    assert_eq!(recording.at("/socket").stat.kind, FoundKind::Socket);
    assert_eq!(recording.at("/fifo").stat.kind, FoundKind::Fifo);
    let (file, second) = (&recording.at("/file").stat, &recording.at("/file2").stat);
    assert_eq!(file.mode, 0o4751);
    assert!(file.is_hard_linked && second.is_hard_linked);
    assert_eq!(file.identity, second.identity);
    assert!(!recording.at("/").stat.is_hard_linked);
    assert!(recording.entries.iter().any(|entry| entry.node.path() == b"/not\xffUTF-8\n"));
    assert!(recording.entries.iter().any(|entry| entry.path.len() == 256));
    for special in ["/link", "/socket", "/fifo", "/"] {
        assert!(recording.at(special).node.open().is_err(), "{special}");
    }
}

#[test]
fn extended_attributes_of_files_folders_and_links_are_read() {
    let root = tempfile::tempdir().unwrap();
    make(&root, &["folder/file"]);
    let long = vec![7u8; 3000];
    let set = |path: &str, name: &str, value: &[u8]| {
        setxattr(root.path().join(path), name, value, XattrFlags::empty()).is_ok()
    };
    if !set("folder/file", "user.b", b"") {
        eprintln!("skipped: the file system of the temporary folder has no user attributes");
        return;
    }
    assert!(set("folder/file", "user.a", &long) && set("folder", "user.z", b"folder"));
    let (_, recording) = record(&root, &everything(), OS_FILES);
    let attributes = |path: &str| {
        let details = recording.at(path).node.details().unwrap();
        let users = details.extended_attributes.into_iter().filter(|a| a.name.starts_with(b"user."));
        users.map(|a| (String::from_utf8(a.name).unwrap(), a.value)).collect::<Vec<_>>()
    };
    assert_eq!(attributes("/folder/file"), [("user.a".into(), long), ("user.b".into(), Vec::new())]);
    assert_eq!(attributes("/folder"), [("user.z".into(), b"folder".to_vec())]);
}

#[test]
fn holes_are_told_and_a_full_file_is_one_extent() {
    let root = tempfile::tempdir().unwrap();
    let file = File::create(root.path().join("sparse")).unwrap();
    file.set_len(10 << 20).unwrap();
    file.write_all_at(b"middle", 5 << 20).unwrap();
    File::create(root.path().join("hole")).unwrap().set_len(1 << 20).unwrap();
    fs::write(root.path().join("full"), vec![1u8; 300_000]).unwrap();
    fs::write(root.path().join("empty"), "").unwrap();
    let (_, recording) = record(&root, &everything(), OS_FILES);
    assert_eq!(read_all(&*recording.at("/full").node).1, [(0, 300_000)]);
    assert_eq!(read_all(&*recording.at("/empty").node), (Vec::new(), Vec::new()));
    let (content, extents) = read_all(&*recording.at("/sparse").node);
    assert_eq!(&content[5 << 20..(5 << 20) + 6], b"middle");
    assert!(extents.iter().map(|(start, end)| end - start).sum::<u64>() < 1 << 20, "{extents:?}");
    assert_eq!(read_all(&*recording.at("/hole").node).1, []);
}

#[test]
fn a_tree_deeper_than_descriptors_reach_is_walked_to_its_end() {
    let root = tempfile::tempdir().unwrap();
    let (mut folder, _) = Folder::topmost(root.path(), live()).unwrap();
    const DEPTH: usize = 1500;
    for _ in 0..DEPTH {
        rustix::fs::mkdirat(folder.descriptor().unwrap(), "d", Mode::RWXU).unwrap();
        let flags = OFlags::CREATE | OFlags::WRONLY;
        drop(openat(folder.descriptor().unwrap(), "z", flags, Mode::RUSR).unwrap());
        folder = folder.enter(b"d").unwrap().0;
    }
    let mut recording = Recording::default();
    assert!(walk(&root, &everything(), OS_FILES).run(&mut recording).unwrap());
    assert!(recording.is_closed());
    assert_eq!(recording.entries.len(), 2 * DEPTH + 1);
    assert_eq!(recording.warned(), []);
    // Nodes are asked in any order, long after their folders were closed.
    for entry in recording.entries.iter().step_by(97) {
        entry.node.details().unwrap();
    }
    // `remove_dir_all` of the standard library goes down by recursion, which is deep enough for this.
    drop(recording);
}

#[test]
fn folders_nested_too_deep_for_the_format_are_left_out_and_told() {
    let root = tempfile::tempdir().unwrap();
    let (mut folder, _) = Folder::topmost(root.path(), live()).unwrap();
    let mut above = Vec::new();
    for _ in 0..DEPTH_MAX + 3 {
        rustix::fs::mkdirat(folder.descriptor().unwrap(), "d", Mode::RWXU).unwrap();
        let next = folder.enter(b"d").unwrap().0;
        above.push(std::mem::replace(&mut folder, next));
    }
    let mut counted = 0;
    struct Count<'a>(&'a mut usize, Vec<String>);
    impl Visitor for Count<'_> {
        fn entry(&mut self, _: Found) -> ControlFlow<()> {
            *self.0 += 1;
            ControlFlow::Continue(())
        }
        fn leave(&mut self) -> ControlFlow<()> {
            ControlFlow::Continue(())
        }
        fn warning(&mut self, warning: Warning) {
            self.1.push(warning.code);
        }
    }
    let mut count = Count(&mut counted, Vec::new());
    assert!(walk(&root, &everything(), OS_FILES).run(&mut count).unwrap());
    assert_eq!(count.1, ["too-deep"]);
    assert_eq!(counted, DEPTH_MAX);
    // Too deep to be removed by recursion.
    while let Some(parent) = above.pop() {
        rustix::fs::unlinkat(parent.descriptor().unwrap(), "d", AtFlags::REMOVEDIR).unwrap();
    }
}

#[test]
fn a_visitor_that_has_enough_ends_the_walk() {
    let root = tempfile::tempdir().unwrap();
    make(&root, &["a/1", "a/2", "b"]);
    let mut recording = Recording::default();
    recording.enough = Some(3);
    assert!(walk(&root, &everything(), OS_FILES).run(&mut recording).unwrap());
    assert_eq!(recording.paths(), ["/", "/a", "/a/1"]);
}

#[test]
fn links_are_entries_and_never_ways() {
    let outside = tempfile::tempdir().unwrap();
    make(&outside, &["secret"]);
    let root = tempfile::tempdir().unwrap();
    symlink(outside.path(), root.path().join("var")).unwrap();
    let (_, recording) = record(&root, &everything(), OS_FILES);
    assert_eq!(recording.paths(), ["/", "/var"]);

    let mut selection = Selection::new();
    selection.claim(b"/var/lib", Claim::Part { part: BOOT, enters_file_systems: true });
    selection.finish();
    let (is_present, recording) = record(&root, &selection, BOOT);
    assert!(!is_present);
    assert_eq!(recording.warned(), [("leads-elsewhere", "/var".to_owned())]);
}

#[test]
fn other_kinds_of_file_systems_are_not_entered() {
    // `/proc` is mounted wherever these tests run, `/` is another file system.
    let root = Path::new("/");
    let mut selection = Selection::new();
    selection.claim(b"/proc", Claim::Part { part: BOOT, enters_file_systems: true });
    selection.finish();
    let mut recording = Recording::default();
    let (selection, moments) = (&selection, live());
    let whole = Walk { root, selection, part: BOOT, is_asked_for: true, generated: None, moments };
    assert!(whole.run(&mut recording).unwrap());
    assert_eq!(recording.paths(), ["/", "/proc"]);
}

#[test]
fn a_vaults_data_folder_is_left_empty_and_told_only_to_who_asked_for_it() {
    let root = tempfile::tempdir().unwrap();
    make(
        &root,
        &[
            "srv/vault/vault.toml",
            "srv/vault/store/vaults/v/packs/p",
            "srv/fresh/vault.json",
            "srv/fresh/signing.key",
            "srv/fresh/store/.keep",
            "srv/like/vault.json",
            "srv/like/store",
        ],
    );
    let selection = everything();
    let left =
        ["/", "/srv", "/srv/fresh", "/srv/like", "/srv/like/store", "/srv/like/vault.json", "/srv/vault"];
    let (_, recording) = record(&root, &selection, OS_FILES);
    assert_eq!(recording.paths(), left);
    assert_eq!(recording.warned(), []);
    let mut recording = Recording::default();
    let asked = Walk { is_asked_for: true, ..walk(&root, &selection, OS_FILES) };
    assert!(asked.run(&mut recording).unwrap());
    assert_eq!(recording.paths(), left);
    assert_eq!(
        recording.warned(),
        ["/srv/fresh", "/srv/vault"].map(|path| ("vault-store-left-out", path.to_owned()))
    );
}

/// Removes things as soon as it sees their folder.
struct Remover<'a> {
    root: &'a Path,
    inner: Recording,
}

impl Visitor for Remover<'_> {
    fn entry(&mut self, found: Found) -> ControlFlow<()> {
        if found.name.as_bytes() == b"folder" {
            fs::remove_file(self.root.join("folder/b")).unwrap();
            fs::remove_dir_all(self.root.join("folder/c")).unwrap();
        }
        self.inner.entry(found)
    }
    fn leave(&mut self) -> ControlFlow<()> {
        self.inner.leave()
    }
    fn warning(&mut self, warning: Warning) {
        self.inner.warning(warning);
    }
}

#[test]
fn what_vanishes_during_the_walk_is_no_error() {
    let root = tempfile::tempdir().unwrap();
    make(&root, &["folder/a", "folder/b", "folder/c/d", "folder/e"]);
    let mut remover = Remover { root: root.path(), inner: Recording::default() };
    assert!(walk(&root, &everything(), OS_FILES).run(&mut remover).unwrap());
    assert_eq!(remover.inner.paths(), ["/", "/folder", "/folder/a", "/folder/e"]);
    assert_eq!(remover.inner.warned(), []);
    // A file that vanishes later is an error of its own, by its kind.
    fs::remove_file(root.path().join("folder/a")).unwrap();
    let node = &remover.inner.at("/folder/a").node;
    assert_eq!(node.open().err().unwrap().kind(), io::ErrorKind::NotFound);
    assert_eq!(node.details().unwrap_err().kind(), io::ErrorKind::NotFound);
}

#[test]
fn a_file_that_became_something_else_is_not_read() {
    let root = tempfile::tempdir().unwrap();
    make(&root, &["link", "fifo"]);
    let (_, recording) = record(&root, &everything(), OS_FILES);
    for name in ["link", "fifo"] {
        fs::remove_file(root.path().join(name)).unwrap();
    }
    symlink("/etc/passwd", root.path().join("link")).unwrap();
    mknodat(CWD, root.path().join("fifo"), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    assert!(recording.at("/link").node.open().is_err());
    assert!(recording.at("/fifo").node.open().is_err());
}

#[test]
fn what_may_not_be_read_is_left_out_and_told() {
    if rustix::process::geteuid().is_root() {
        eprintln!("skipped: root may read everything");
        return;
    }
    let root = tempfile::tempdir().unwrap();
    make(&root, &["closed/file", "open"]);
    fs::set_permissions(root.path().join("closed"), fs::Permissions::from_mode(0o0)).unwrap();
    let (_, recording) = record(&root, &everything(), OS_FILES);
    fs::set_permissions(root.path().join("closed"), fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(recording.paths(), ["/", "/open"]);
    assert_eq!(recording.warned(), [("unreadable", "/closed".to_owned())]);
}
