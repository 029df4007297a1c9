//! Small file systems of a test's own, to be filled: real ones, mounted, and gone with the test.

use crate::process::run;
use rustix::fs::{FallocateFlags, fallocate, syncfs};
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Which file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// In memory; can be made larger and smaller, and has a limit on files.
    Memory,
    /// ext4 in a file.
    Ext4,
    /// XFS in a file.
    Xfs,
    /// btrfs in a file.
    Btrfs,
}

impl Kind {
    /// Those that a short run tries, or all of them by `STATEWARD_LONG=1`. A kind whose programs are not installed is
    /// named on standard error and left out.
    pub fn tried() -> Vec<Self> {
        let kinds = match crate::rounds(1) {
            1 => vec![Self::Memory, Self::Ext4],
            _ => vec![Self::Memory, Self::Ext4, Self::Xfs, Self::Btrfs],
        };
        kinds.into_iter().filter(|kind| kind.is_there()).collect()
    }

    /// How many MiB it needs for itself, besides what it is to hold.
    fn overhead_mib(self) -> u32 {
        match self {
            Self::Memory => 0,
            Self::Ext4 => 4,
            // The smallest that `mkfs.xfs` makes has 300 MiB; 109 MiB for btrfs.
            Self::Xfs => 300,
            Self::Btrfs => 128,
        }
    }

    fn maker(self) -> Option<Command> {
        let (program, options) = match self {
            Self::Memory => return None,
            // No space for root alone: full is full.
            Self::Ext4 => ("mkfs.ext4", &["-q", "-m", "0", "-F"][..]),
            Self::Xfs => ("mkfs.xfs", &["-q", "-f"][..]),
            Self::Btrfs => ("mkfs.btrfs", &["-q", "--mixed", "-f"][..]),
        };
        let mut command = Command::new(program);
        command.args(options);
        Some(command)
    }

    fn is_there(self) -> bool {
        let program = self.maker().map(|maker| maker.get_program().to_string_lossy().into_owned());
        let sbin = |name: &String| ["/usr/sbin", "/sbin"].iter().any(|at| Path::new(at).join(name).is_file());
        match program {
            Some(name) if !crate::process::is_installed(&name) && !sbin(&name) => {
                not_tried(&format!("{self:?}, for `{name}` is not installed"));
                false
            }
            _ => true,
        }
    }
}

/// Tells on standard error, where the test runner does not hide it, that something was not tried.
pub fn not_tried(what: &str) {
    // The runner keeps what is printed by the macros; a person must see this.
    let _ = writeln!(io::stderr(), "NOT TRIED: {what}");
}

/// A mounted file system; unmounted when it is dropped.
pub struct Disk {
    kind: Kind,
    path: PathBuf,
    _folder: TempDir,
}

impl Disk {
    /// One of that many MiB; `None`, and a word about it, for a user who may not mount.
    #[track_caller]
    pub fn new(kind: Kind, mebibytes: u32) -> Option<Self> {
        if !crate::is_root() {
            not_tried("a full disk, for only root can mount a small file system");
            return None;
        }
        let folder = TempDir::with_prefix("stateward-disk-").expect("a temp folder can be made");
        let path = folder.path().join("disk");
        fs::create_dir(&path).expect("a folder can be made");
        let mut mount = Command::new("mount");
        match kind.maker() {
            None => {
                mount.args(["-t", "tmpfs", "-o", &format!("size={mebibytes}m"), "stateward-test"]);
            }
            Some(mut maker) => {
                let image = folder.path().join("image");
                let file = fs::File::create(&image).expect("a file can be made");
                let bytes = u64::from(mebibytes + kind.overhead_mib()) << 20;
                file.set_len(bytes).expect("a file can be made longer");
                maker.arg(&image);
                run(maker).done();
                mount.args(["-o", "loop"]).arg(image);
            }
        }
        mount.arg(&path);
        run(mount).done();
        Some(Self { kind, path, _folder: folder })
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes one in memory larger or smaller, and empties it of what filled it.
    #[track_caller]
    pub fn resize(&self, mebibytes: u32) {
        self.remount(&format!("size={mebibytes}m"));
    }

    /// From now on one in memory holds so many files at most; 0 is no limit.
    #[track_caller]
    pub fn limit_files(&self, files: u32) {
        self.remount(&format!("nr_inodes={files}"));
    }

    /// How many files one in memory holds.
    #[track_caller]
    pub fn files(&self) -> u32 {
        let found = rustix::fs::statvfs(&self.path).expect("a mount can be asked");
        u32::try_from(found.f_files - found.f_ffree).expect("a small file system has few files")
    }

    #[track_caller]
    fn remount(&self, options: &str) {
        assert_eq!(self.kind, Kind::Memory, "only one in memory changes its size");
        self.make_space();
        let mut mount = Command::new("mount");
        mount.args(["-o", &format!("remount,{options}")]).arg(&self.path);
        run(mount).done();
    }

    /// How many bytes are free.
    #[track_caller]
    pub fn free(&self) -> u64 {
        let found = rustix::fs::statvfs(&self.path).expect("a mount can be asked");
        found.f_bavail * found.f_frsize
    }

    /// Leaves no byte of space.
    #[track_caller]
    pub fn fill(&self) {
        self.fill_but(0);
    }

    /// Leaves about so many bytes of space.
    #[track_caller]
    pub fn fill_but(&self, bytes: u64) {
        let filler =
            fs::File::options().create(true).append(true).open(self.filler()).expect("it can be made");
        let mut length = filler.metadata().expect("it is open").len();
        // Larger pieces first: each kind of file system has its own idea of what still fits.
        for piece in [64 << 20, 8 << 20, 1 << 20, 64 << 10, 4 << 10, 1 << 10] {
            while bytes == 0 || self.free() > bytes + piece {
                if fallocate(&filler, FallocateFlags::empty(), length, piece).is_err() {
                    break;
                }
                length += piece;
            }
        }
    }

    /// Takes what fills it away.
    #[track_caller]
    pub fn make_space(&self) {
        match fs::remove_file(self.filler()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => panic!("{error}"),
            // What a journal frees is free once it is written.
            _ => {
                syncfs(fs::File::open(&self.path).expect("a mount can be opened")).expect("it can be synced");
            }
        }
    }

    fn filler(&self) -> PathBuf {
        self.path.join("filler")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg("--lazy").arg(&self.path).status();
        assert!(unmounted.is_ok_and(|status| status.success()) || std::thread::panicking());
    }
}
