//! Folders of a walk: held by descriptor, so that no path is put together and no link is followed on the way, however
//! things are moved meanwhile.
//!
//! Entries may be asked for more long after the walk has passed (other threads work through them), so a folder lives
//! as long as something refers to it; but only a bounded number of descriptors is open. The oldest is closed when
//! another is needed and opened again from the nearest ancestor that is open, and then it must be the same folder.

use crate::linux::device::Device;
use crate::linux::moments::{Above, Moments, Place};
use crate::linux::stat;
use rustix::fs::{CWD, Mode, OFlags, Stat, fstat, openat};
use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// How many folders stay open. Most systems allow a process 1,024 descriptors, and the rest of it needs some.
const OPEN_MAX: usize = 192;

const FOLDER: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC)
    .union(OFlags::NONBLOCK);

/// A folder that a walk has entered.
pub(crate) struct Folder {
    parent: Option<Arc<Folder>>,
    name: Box<[u8]>,
    identity: (u64, u64),
    device: Device,
    /// Which snapshot it is read from.
    frozen: Option<usize>,
    descriptor: Mutex<Option<Arc<OwnedFd>>>,
    walk: Arc<OfWalk>,
}

/// What the folders of a walk share.
struct OfWalk {
    /// Which folders are open, the oldest first.
    queue: Mutex<VecDeque<Weak<Folder>>>,
    most: usize,
    moments: Arc<Moments>,
}

/// A thread that panics while it holds one of these locks leaves nothing half done behind it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl OfWalk {
    /// Notes that `folder` is open, and closes the oldest if there are too many. It stays usable for who uses it just
    /// now.
    fn add(&self, folder: &Arc<Folder>) {
        let oldest = {
            let mut queue = lock(&self.queue);
            queue.push_back(Arc::downgrade(folder));
            if queue.len() <= self.most { None } else { queue.pop_front() }
        };
        if let Some(oldest) = oldest.and_then(|oldest| oldest.upgrade()) {
            *lock(&oldest.descriptor) = None;
        }
    }
}

impl Folder {
    /// Opens the folder that a walk begins at; links on the way to it are followed.
    pub fn topmost(path: &Path, moments: &Arc<Moments>) -> io::Result<(Arc<Self>, Stat)> {
        Self::topmost_with(path, moments, OPEN_MAX)
    }

    fn topmost_with(path: &Path, moments: &Arc<Moments>, most: usize) -> io::Result<(Arc<Self>, Stat)> {
        let opened = openat(CWD, path, FOLDER.difference(OFlags::NOFOLLOW), Mode::empty())?;
        let place = moments.settle(opened, None)?;
        let raw = place.raw;
        let walk = OfWalk { queue: Mutex::default(), most, moments: Arc::clone(moments) };
        // Not in the queue: the topmost stays open, so that every other can be found from it.
        Ok((Arc::new(Self::at(place, None, &[], Arc::new(walk))), raw))
    }

    /// Opens the folder `name` in this one; fails with `NotADirectory` or `FilesystemLoop` if it is none.
    pub fn enter(self: &Arc<Self>, name: &[u8]) -> io::Result<(Arc<Self>, Stat)> {
        let opened = openat(self.descriptor()?, name, FOLDER, Mode::empty())?;
        let path = || self.path_of(name);
        let above = Above { device: self.device, frozen: self.frozen, name, path: &path };
        let place = self.walk.moments.settle(opened, Some(&above))?;
        let (raw, is_elsewhere) = (place.raw, place.is_elsewhere);
        let folder = Arc::new(Self::at(place, Some(Arc::clone(self)), name, Arc::clone(&self.walk)));
        // One that its name does not lead to could not be opened again.
        if !is_elsewhere {
            self.walk.add(&folder);
        }
        Ok((folder, raw))
    }

    fn at(place: Place, parent: Option<Arc<Self>>, name: &[u8], walk: Arc<OfWalk>) -> Self {
        Self {
            parent,
            name: name.into(),
            identity: stat::identity(&place.raw),
            device: place.device,
            frozen: place.frozen,
            descriptor: Mutex::new(Some(place.descriptor)),
            walk,
        }
    }

    /// What it lies on.
    pub fn device(&self) -> Device {
        self.device
    }

    /// Notes that something in it is read.
    pub fn note(&self) {
        let mut top = self;
        while let Some(parent) = top.parent.as_ref().filter(|parent| parent.device == top.device) {
            top = parent;
        }
        self.walk.moments.note(&top.path_of(b""), self.frozen);
    }

    /// Its descriptor, opened again if it had been closed. Fails with `NotFound` if the folder is no longer there.
    pub fn descriptor(self: &Arc<Self>) -> io::Result<Arc<OwnedFd>> {
        if let Some(open) = lock(&self.descriptor).as_ref() {
            return Ok(Arc::clone(open));
        }
        let mut closed = vec![self];
        let mut above = loop {
            let nearest = closed.last().and_then(|folder| folder.parent.as_ref());
            let nearest = nearest.ok_or(io::ErrorKind::NotFound)?;
            match lock(&nearest.descriptor).as_ref() {
                Some(open) => break Arc::clone(open),
                None => closed.push(nearest),
            }
        };
        while let Some(folder) = closed.pop() {
            let descriptor = Arc::new(openat(&above, &*folder.name, FOLDER, Mode::empty())?);
            if stat::identity(&fstat(&descriptor)?) != folder.identity {
                return Err(io::ErrorKind::NotFound.into());
            }
            let was_closed = lock(&folder.descriptor).replace(Arc::clone(&descriptor)).is_none();
            if was_closed {
                self.walk.add(folder);
            }
            above = descriptor;
        }
        Ok(above)
    }

    /// The path of `name` in this folder, from the topmost folder as `/`.
    pub fn path_of(&self, name: &[u8]) -> Vec<u8> {
        let mut names = vec![name];
        let mut at = self;
        while let Some(parent) = &at.parent {
            names.push(&at.name);
            at = parent;
        }
        let mut path = Vec::with_capacity(names.iter().map(|name| name.len() + 1).sum());
        for name in names.iter().rev().filter(|name| !name.is_empty()) {
            path.push(b'/');
            path.extend_from_slice(name);
        }
        if path.is_empty() { b"/".to_vec() } else { path }
    }
}

/// Lets go of a long chain of folders one by one, not by a call within a call for each.
impl Drop for Folder {
    fn drop(&mut self) {
        let mut parent = self.parent.take();
        while let Some(mut folder) = parent.and_then(Arc::into_inner) {
            parent = folder.parent.take();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn open_now(folder: &Folder) -> bool {
        lock(&folder.descriptor).is_some()
    }

    #[test]
    fn closed_folders_open_again_and_few_are_open_at_once() {
        let home = tempfile::tempdir().unwrap();
        let (top, _) = Folder::topmost_with(home.path(), &Arc::default(), 4).unwrap();
        let mut chain = vec![top];
        for depth in 0..40 {
            let last = chain.last().unwrap();
            rustix::fs::mkdirat(last.descriptor().unwrap(), "deeper", Mode::RWXU).unwrap();
            let (next, _) = last.enter(b"deeper").unwrap();
            assert_eq!(next.path_of(b"x"), ["/deeper".repeat(depth + 1).as_bytes(), b"/x"].concat());
            chain.push(next);
        }
        for folder in chain.iter().rev() {
            let seen = fstat(folder.descriptor().unwrap()).unwrap();
            assert_eq!(stat::identity(&seen), folder.identity);
            assert!(chain.iter().filter(|folder| open_now(folder)).count() <= 5);
        }
    }

    #[test]
    fn a_folder_that_was_replaced_while_closed_is_not_taken_for_itself() {
        let home = tempfile::tempdir().unwrap();
        for name in ["first", "second"] {
            fs::create_dir(home.path().join(name)).unwrap();
        }
        let (top, _) = Folder::topmost_with(home.path(), &Arc::default(), 1).unwrap();
        let (first, _) = top.enter(b"first").unwrap();
        let _second = top.enter(b"second").unwrap();
        assert!(!open_now(&first));
        fs::rename(home.path().join("first"), home.path().join("away")).unwrap();
        assert_eq!(first.descriptor().unwrap_err().kind(), io::ErrorKind::NotFound);
        fs::create_dir(home.path().join("first")).unwrap();
        assert_eq!(first.descriptor().unwrap_err().kind(), io::ErrorKind::NotFound);
        fs::remove_dir(home.path().join("first")).unwrap();
        fs::rename(home.path().join("away"), home.path().join("first")).unwrap();
        assert!(first.descriptor().is_ok());
    }

    #[test]
    fn a_link_is_never_entered() {
        let home = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/", home.path().join("link")).unwrap();
        let (top, _) = Folder::topmost(home.path(), &Arc::default()).unwrap();
        assert!(top.enter(b"link").is_err());
    }
}
