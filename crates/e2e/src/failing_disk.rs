//! A disk that fails when it is told to: a folder over FUSE, where every change is counted and the nth one fails.
//!
//! A sync that fails loses what was written since the one before, and the next one succeeds: as operating systems do it.
//! Whoever believes a second sync, or goes on with the file as if nothing were, loses data here.

mod file_system;
mod nodes;

use crate::disk::not_tried;
use file_system::Through;
use fuser::{BackgroundSession, Config, MountOption};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tempfile::TempDir;

/// A kind of change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// A file, folder or link is made.
    Make,
    /// Bytes are written, or a file is made longer.
    Write,
    /// A file or folder is made durable.
    Sync,
    /// Something gets another name.
    Rename,
    /// Something is removed.
    Remove,
    /// Mode, owner or times are set.
    Set,
}

impl Change {
    fn needs_space(self) -> bool {
        matches!(self, Self::Make | Self::Write)
    }
}

/// How it fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// From then on there is no space, until [`FailingDisk::heal`].
    Full,
    /// Once, by an input/output error.
    BrokenOnce,
    /// From then on each change fails by an input/output error, until [`FailingDisk::heal`].
    Broken,
}

/// What fails, and when.
#[derive(Default)]
struct Plan {
    /// Only changes of paths that hold this.
    within: String,
    failure: Option<Failure>,
    /// So many changes are still let through.
    left: u64,
    counted: u64,
    failed: u64,
}

/// The plan, shared with the threads of the file system.
#[derive(Clone, Default)]
pub(crate) struct Faults(Arc<Mutex<Plan>>);

impl Faults {
    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a change; tells how it fails, if it does.
    pub(crate) fn next(&self, change: Change, path: &Path) -> Result<(), fuser::Errno> {
        let mut plan = self.plan();
        if !path.to_string_lossy().contains(&plan.within) {
            return Ok(());
        }
        let Some(failure) = plan.failure else {
            plan.counted += 1;
            return Ok(());
        };
        if failure == Failure::Full && !change.needs_space() {
            return Ok(());
        }
        plan.counted += 1;
        if plan.left > 0 {
            plan.left -= 1;
            return Ok(());
        }
        plan.failed += 1;
        match failure {
            Failure::Full => Err(fuser::Errno::ENOSPC),
            Failure::Broken => Err(fuser::Errno::EIO),
            Failure::BrokenOnce => {
                plan.failure = None;
                Err(fuser::Errno::EIO)
            }
        }
    }

    /// Whether there is no space now.
    pub(crate) fn is_full(&self) -> bool {
        let plan = self.plan();
        plan.failure == Some(Failure::Full) && plan.left == 0
    }
}

/// A folder that fails; unmounted when it is dropped.
pub struct FailingDisk {
    faults: Faults,
    path: PathBuf,
    session: Option<BackgroundSession>,
    _folder: TempDir,
}

impl FailingDisk {
    /// A disk that works; `None`, and a word about it, where FUSE can't be used.
    #[track_caller]
    pub fn new() -> Option<Self> {
        if !crate::is_root() || !Path::new("/dev/fuse").exists() {
            not_tried("a failing disk, for it needs root and /dev/fuse");
            return None;
        }
        let folder = TempDir::with_prefix("stateward-failing-").expect("a temp folder can be made");
        let [below, path] = ["below", "disk"].map(|name| folder.path().join(name));
        for path in [&below, &path] {
            std::fs::create_dir(path).expect("a folder can be made");
        }
        let faults = Faults::default();
        let mut config = Config::default();
        config.mount_options = vec![MountOption::FSName("stateward-failing".to_owned())];
        let through = Through::new(below, faults.clone());
        let session = fuser::spawn_mount(through, &path, &config).expect("root can mount FUSE");
        Some(Self { faults, path, session: Some(session), _folder: folder })
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// From now on: `after` changes of paths that hold `within` succeed, then it fails.
    pub fn fail(&self, within: &str, after: u64, failure: Failure) {
        *self.faults.plan() =
            Plan { within: within.to_owned(), failure: Some(failure), left: after, ..Plan::default() };
    }

    /// Nothing fails from now on. Tells how many changes have failed.
    pub fn heal(&self) -> u64 {
        let mut plan = self.faults.plan();
        let failed = plan.failed;
        *plan = Plan::default();
        failed
    }

    /// How many changes were counted since it was last told to fail or heal.
    pub fn changes(&self) -> u64 {
        self.faults.plan().counted
    }
}

impl Drop for FailingDisk {
    fn drop(&mut self) {
        self.heal();
        if let Some(session) = self.session.take() {
            let ended = session.umount_and_join();
            assert!(ended.is_ok() || std::thread::panicking(), "{ended:?}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, File};
    use std::io::{Read as _, Write as _};

    #[test]
    fn the_change_that_was_chosen_fails_and_a_failed_sync_loses_what_was_written() {
        let Some(disk) = FailingDisk::new() else { return };
        let path = disk.path().join("file");
        let mut file = File::create(&path).unwrap();
        file.write_all(b"durable").unwrap();
        file.sync_all().unwrap();
        assert_eq!(disk.changes(), 3);
        disk.fail("file", 1, Failure::BrokenOnce);
        file.write_all(b" and lost").unwrap();
        assert_eq!(file.sync_all().unwrap_err().raw_os_error(), Some(5));
        file.sync_all().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"durable");
        assert_eq!(disk.heal(), 1);

        disk.fail("", 0, Failure::Full);
        assert_eq!(
            File::create(disk.path().join("other")).unwrap_err().kind(),
            std::io::ErrorKind::StorageFull
        );
        assert_eq!(file.write_all(b"x").unwrap_err().kind(), std::io::ErrorKind::StorageFull);
        fs::rename(&path, disk.path().join("renamed")).unwrap();
        assert_eq!(disk.heal(), 2);
    }

    #[test]
    fn it_is_a_file_system_like_others() {
        let Some(disk) = FailingDisk::new() else { return };
        let at = |name: &str| disk.path().join(name);
        fs::create_dir_all(at("a/b")).unwrap();
        fs::write(at("a/b/one"), "1").unwrap();
        fs::hard_link(at("a/b/one"), at("a/two")).unwrap();
        fs::remove_file(at("a/b/one")).unwrap();
        let mut open = File::open(at("a/two")).unwrap();
        fs::write(at("a/three"), "3").unwrap();
        fs::rename(at("a/three"), at("a/two")).unwrap();
        let mut text = String::new();
        open.read_to_string(&mut text).unwrap();
        assert_eq!((text.as_str(), open.metadata().unwrap().len()), ("1", 1));
        fs::rename(at("a"), at("moved")).unwrap();
        assert_eq!(fs::read_to_string(at("moved/two")).unwrap(), "3");
        let names: Vec<_> = fs::read_dir(at("moved")).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(names.len(), 2);
        fs::remove_dir_all(at("moved")).unwrap();
        assert_eq!(fs::read_dir(disk.path()).unwrap().count(), 0);
    }
}
