//! A real btrfs of a test's own: made in a file and mounted, by root.

use crate::process::{is_installed, run};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// A mounted btrfs; unmounted when it is dropped.
pub struct Btrfs {
    folder: TempDir,
    point: PathBuf,
}

impl Btrfs {
    /// Makes one of that size. `None`, and a word on standard error, where that is not possible: who is not root, or has no
    /// btrfs, can show nothing with it.
    #[expect(clippy::print_stderr, reason = "a test that shows nothing says so")]
    pub fn new(bytes: u64) -> Option<Self> {
        let folder = TempDir::with_prefix("stateward-btrfs-").expect("a temp folder can be made");
        let point = folder.path().join("m");
        let image = folder.path().join("image");
        fs::create_dir(&point).expect("a folder can be made");
        fs::File::create(&image).and_then(|file| file.set_len(bytes)).expect("a file can be made");
        let made = Self { folder, point };
        let is_possible = crate::is_root()
            && is_installed("btrfs")
            && call("mkfs.btrfs", &[Path::new("--quiet"), &image])
            && made.mount();
        if !is_possible {
            eprintln!("skipped: no btrfs can be made and mounted here");
        }
        is_possible.then_some(made)
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        &self.point
    }

    fn mount(&self) -> bool {
        call("mount", &[Path::new("-o"), Path::new("loop"), &self.folder.path().join("image"), &self.point])
    }

    /// Mounts it anew, as a restart would.
    pub fn remount(&self) {
        assert!(call("umount", &[&self.point]) && self.mount(), "it can be mounted again");
    }

    /// Makes a subvolume.
    pub fn subvolume(&self, name: &str) -> PathBuf {
        let path = self.point.join(name);
        assert!(
            call("btrfs", &[Path::new("subvolume"), Path::new("create"), &path]),
            "a subvolume can be made"
        );
        path
    }

    /// The paths of all read-only snapshots in it, from its top.
    #[track_caller]
    pub fn snapshots(&self) -> Vec<String> {
        let mut list = Command::new("btrfs");
        list.args(["subvolume", "list", "-s", "-r"]).arg(&self.point);
        let listed = run(list).done().stdout;
        listed.lines().filter_map(|line| Some(line.split_once(" path ")?.1.to_owned())).collect()
    }
}

impl Drop for Btrfs {
    fn drop(&mut self) {
        call("umount", &[&self.point]);
    }
}

fn call(program: &str, arguments: &[&Path]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments);
    run(command).status.success()
}
