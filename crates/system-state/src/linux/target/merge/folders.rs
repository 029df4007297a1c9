//! The folders that a merge has gone into or made, and on which file systems they lie.

use crate::linux::stat;
use crate::linux::target::beneath::Place;
use crate::linux::target::made::MadeFolders;
use crate::merging::Elsewhere;
use rustix::fs::{Stat, fstat, sync, syncfs};
use rustix::io::{Errno, dup};
use stateward_engine::TargetError;
use std::collections::{BTreeMap, HashSet};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Beyond so many file systems all of the machine's are brought to the disk.
const FILE_SYSTEMS_MAX: usize = 64;

#[derive(Debug)]
pub(super) struct MergedFolders {
    known: MadeFolders,
    made: Mutex<HashSet<(u64, u64)>>,
    pub elsewhere: Elsewhere,
    /// A folder on each file system.
    file_systems: Mutex<BTreeMap<u64, OwnedFd>>,
}

/// Nothing is left half done by a thread that panics while it holds one of these locks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl MergedFolders {
    pub fn new(root: Arc<OwnedFd>) -> Result<Self, Errno> {
        let (device, held) = (fstat(&root)?.st_dev, dup(&root)?);
        Ok(Self {
            known: MadeFolders::new(root),
            made: Mutex::default(),
            elsewhere: Elsewhere::default(),
            file_systems: Mutex::new(BTreeMap::from([(device, held)])),
        })
    }

    /// The folder that holds a path, one of those that were gone into, and the name in it.
    pub fn place<'a>(&self, actual: &'a [u8]) -> Result<Place<'a>, TargetError> {
        self.known.place(actual)
    }

    /// Notes a folder that was there before.
    pub fn add(&self, actual: &[u8], raw: &Stat, descriptor: OwnedFd) -> Result<(), Errno> {
        let mut file_systems = lock(&self.file_systems);
        if !file_systems.contains_key(&raw.st_dev) && file_systems.len() <= FILE_SYSTEMS_MAX {
            file_systems.insert(raw.st_dev, dup(&descriptor)?);
        }
        drop(file_systems);
        self.known.add(actual, stat::identity(raw), descriptor);
        Ok(())
    }

    /// Notes a folder that was made here.
    pub fn add_made(&self, actual: &[u8], raw: &Stat, descriptor: OwnedFd) -> Result<(), Errno> {
        lock(&self.made).insert(stat::identity(raw));
        self.add(actual, raw, descriptor)
    }

    /// Whether the folder of that number was gone into or made here.
    pub fn has(&self, identity: (u64, u64)) -> bool {
        self.known.has(identity)
    }

    /// Whether the folder of that number was made here.
    pub fn has_made(&self, identity: (u64, u64)) -> bool {
        lock(&self.made).contains(&identity)
    }

    /// Brings everything to the disk.
    pub fn sync(&self) -> Result<(), Errno> {
        let file_systems = lock(&self.file_systems);
        if file_systems.len() > FILE_SYSTEMS_MAX {
            sync();
        }
        file_systems.values().try_for_each(syncfs)
    }
}
