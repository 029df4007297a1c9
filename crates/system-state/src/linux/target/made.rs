//! The folders that a target has made: known by their numbers in the file system, the last few of them open.

use crate::linux::stat;
use crate::linux::target::beneath::{Place, open_folder, split};
use crate::linux::target::{failed, in_the_way};
use rustix::fs::fstat;
use stateward_engine::TargetError;
use std::collections::HashSet;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many folders stay open: entries come folder by folder, to a few threads.
pub(super) const OPEN_MAX: usize = 32;

/// A folder's path and its descriptor.
type OpenFolder = (Box<[u8]>, Arc<OwnedFd>);

#[derive(Debug)]
pub(super) struct MadeFolders {
    root: Arc<OwnedFd>,
    identities: Mutex<HashSet<(u64, u64)>>,
    /// Open folders by path, that used last at the end.
    open: Mutex<Vec<OpenFolder>>,
}

/// Nothing is left half done by a thread that panics while it holds one of these locks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl MadeFolders {
    pub fn new(root: Arc<OwnedFd>) -> Self {
        Self { root, identities: Mutex::default(), open: Mutex::default() }
    }

    /// Notes a folder that was just made.
    pub fn add(&self, path: &[u8], identity: (u64, u64), descriptor: OwnedFd) {
        lock(&self.identities).insert(identity);
        self.keep(path, Arc::new(descriptor));
    }

    /// Whether the folder of that number was made here.
    pub fn has(&self, identity: (u64, u64)) -> bool {
        lock(&self.identities).contains(&identity)
    }

    fn keep(&self, path: &[u8], descriptor: Arc<OwnedFd>) {
        let mut open = lock(&self.open);
        open.retain(|(known, _)| **known != *path);
        if open.len() == OPEN_MAX {
            open.remove(0);
        }
        open.push((path.into(), descriptor));
    }

    /// The folder that holds `path`, if it was made here, and the name in it.
    pub fn place<'a>(&self, path: &'a [u8]) -> Result<Place<'a>, TargetError> {
        let (above, name) = split(path).map_err(|error| failed(path, error))?;
        if above.is_empty() {
            return Ok(Place { folder: Arc::clone(&self.root), name, is_at_top: true });
        }
        let known = {
            let mut open = lock(&self.open);
            let at = open.iter().rposition(|(known, _)| **known == *above);
            at.map(|at| {
                open[at..].rotate_left(1);
                open.last().map(|(_, descriptor)| Arc::clone(descriptor))
            })
        };
        if let Some(Some(folder)) = known {
            return Ok(Place { folder, name, is_at_top: false });
        }
        let folder = Arc::new(open_folder(&self.root, above).map_err(|error| failed(path, error))?);
        let raw = fstat(&folder).map_err(|error| failed(path, error))?;
        if !self.has(stat::identity(&raw)) {
            return Err(in_the_way(path));
        }
        self.keep(above, Arc::clone(&folder));
        Ok(Place { folder, name, is_at_top: false })
    }
}
