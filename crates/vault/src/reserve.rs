//! Space that is kept back in the data folder, so that a full disk stops only what fills it.
//!
//! Packs are taken while the reserve is whole. When the disk is nearly full, whoever filled it, the reserve is let go:
//! the database can then be written (everybody who restores signs in first), what was sent can be committed, and a vault
//! that is started again comes up. It is taken back as soon as there is space for it, and packs with it.
//!
//! ```text
//! reserve/00 … reserve/15     a sixteenth of it each, so that as many files can be made, too
//! ```

use crate::platform::{self, Space};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// How many files it is made of.
const FILES: u64 = 16;

/// How large it is at most, in bytes.
const BYTES_MAX: u64 = 64 << 20;

/// Which share of a small file system it takes at most: a sixteenth.
const SHARE: u64 = 16;

/// With fewer files than this to be made the disk counts as full.
const FILES_LEAST: u64 = 8;

/// The space that is kept back.
#[derive(Debug)]
pub(crate) struct Reserve {
    folder: PathBuf,
    file_bytes: u64,
    is_whole: Mutex<bool>,
    /// Bytes of packs that are being stored.
    coming: Mutex<u64>,
    /// One of them was stored, or was not.
    ended: Notify,
}

/// Space for a pack, for as long as it is being stored.
#[derive(Debug)]
pub(crate) struct Coming {
    reserve: Arc<Reserve>,
    bytes: u64,
}

impl Drop for Coming {
    fn drop(&mut self) {
        *self.reserve.coming() -= self.bytes;
        self.reserve.ended.notify_waiters();
    }
}

impl Reserve {
    /// That of a data folder. Nothing is kept back until [`Self::keep`].
    pub(crate) fn of(data: &Path) -> Self {
        let total = platform::space(data).map_or(0, |space| space.total_bytes);
        let file_bytes = (total / SHARE).min(BYTES_MAX) / FILES;
        let folder = data.join("reserve");
        let (is_whole, coming) = (Mutex::new(false), Mutex::new(0));
        Self { folder, file_bytes, is_whole, coming, ended: Notify::new() }
    }

    /// Lets a pack in if it fits beside those that are being stored, so that packs alone never fill the disk to its end
    /// and cost the reserve. What is written of those is missing from the free space already, and nobody knows how much
    /// that is: so one that does not fit waits for them, and is refused only when it does not fit alone.
    pub(crate) async fn admit(self: &Arc<Self>, bytes: u64) -> Option<Coming> {
        loop {
            let mut ended = std::pin::pin!(self.ended.notified());
            ended.as_mut().enable();
            if let Some(decided) = self.decide(bytes) {
                return decided;
            }
            ended.await;
        }
    }

    /// Whether a pack is let in; `None` while that is not known.
    fn decide(self: &Arc<Self>, bytes: u64) -> Option<Option<Coming>> {
        let mut coming = self.coming();
        let fits = |space: Space| space.bytes >= *coming + bytes + 2 * self.bytes_least();
        if self.space_at("store").is_none_or(fits) {
            *coming += bytes;
            return Some(Some(Coming { reserve: Arc::clone(self), bytes }));
        }
        (*coming == 0).then_some(None)
    }

    fn coming(&self) -> MutexGuard<'_, u64> {
        self.coming.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes it back, if there is space for it and some more; tells whether it is whole.
    pub(crate) fn keep(&self) -> bool {
        let mut is_whole = self.is_whole.lock().unwrap_or_else(PoisonError::into_inner);
        if *is_whole || !self.is_worth_trying() {
            return *is_whole;
        }
        match self.make() {
            Ok(()) => *is_whole = true,
            Err(error) => {
                tracing::debug!(%error, "no space can be kept back");
                self.remove();
            }
        }
        *is_whole
    }

    /// Lets go of it if the disk is nearly full, and takes it back if it is not any more. Called before everything small
    /// that must be written.
    pub(crate) fn make_room(&self) {
        let is_full = self.space().is_some_and(|space| {
            space.bytes < self.bytes_least() || space.files.is_some_and(|files| files < FILES_LEAST)
        });
        if is_full {
            self.let_go();
        } else {
            self.keep();
        }
    }

    /// Lets go of it, however much the disk says is free: where nothing could be written, that is not so. A small btrfs
    /// counts some megabytes in that it keeps for itself.
    pub(crate) fn let_go(&self) {
        let mut is_whole = self.is_whole.lock().unwrap_or_else(PoisonError::into_inner);
        if *is_whole || self.file(0).exists() {
            tracing::warn!(folder = %self.folder.display(), "the disk is full: the reserve is let go, and packs are refused");
            self.remove();
        }
        *is_whole = false;
    }

    /// What the file system of the data folder can still take.
    pub(crate) fn space(&self) -> Option<Space> {
        self.space_at("")
    }

    /// What the file system of a part of the data folder can still take: the store may lie on one of its own.
    pub(crate) fn space_at(&self, part: &str) -> Option<Space> {
        platform::space(&self.folder.parent()?.join(part)).ok()
    }

    /// What must be free for packs to be taken again, in bytes.
    pub(crate) fn bytes_needed(&self) -> u64 {
        self.file_bytes * FILES + 2 * self.bytes_least()
    }

    /// With less than this the disk counts as full, in bytes: one transaction and a small object must fit.
    fn bytes_least(&self) -> u64 {
        2 * self.file_bytes
    }

    /// Not at every call on a full disk, and not so early that it is let go at once.
    fn is_worth_trying(&self) -> bool {
        let has_space = |space: Space| {
            space.bytes >= self.bytes_needed()
                && space.files.is_none_or(|files| files >= FILES + 2 * FILES_LEAST)
        };
        self.space().is_none_or(has_space) || (0..FILES).all(|number| self.file(number).exists())
    }

    fn make(&self) -> io::Result<()> {
        platform::create_private_folder(&self.folder)?;
        for number in 0..FILES {
            let path = self.file(number);
            let file = match platform::create_private_file(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    std::fs::File::options().write(true).open(&path)?
                }
                made => made?,
            };
            platform::set_space_aside(&file, self.file_bytes)?;
        }
        Ok(())
    }

    /// The files; the folder stays, so that nothing is needed to make them again.
    pub(crate) fn remove(&self) {
        for number in 0..FILES {
            match std::fs::remove_file(self.file(number)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    tracing::error!(%error, "a file of the reserve can't be removed");
                }
                _ => {}
            }
        }
    }

    fn file(&self, number: u64) -> PathBuf {
        self.folder.join(format!("{number:02}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt as _;

    #[test]
    fn it_is_kept_over_a_restart_and_takes_what_it_says() {
        let folder = tempfile::tempdir().unwrap();
        let reserve = Reserve::of(folder.path());
        assert!(reserve.keep() && reserve.keep());
        let bytes: u64 = std::fs::read_dir(folder.path().join("reserve"))
            .unwrap()
            .map(|file| file.unwrap().metadata().unwrap().len())
            .sum();
        assert_eq!(bytes, reserve.file_bytes * FILES);
        reserve.make_room();
        assert!(reserve.keep(), "a disk with space keeps it");
        assert!(Reserve::of(folder.path()).keep());
    }

    #[tokio::test]
    async fn a_pack_waits_for_those_that_are_being_stored_before_it_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("store")).unwrap();
        let reserve = Arc::new(Reserve::of(folder.path()));
        let free = reserve.space_at("store").unwrap().bytes;
        let first = reserve.admit(free / 3 * 2).await.unwrap();
        let mut second = Box::pin(reserve.admit(free / 3 * 2));
        assert!(second.as_mut().now_or_never().is_none());
        assert!(reserve.admit(1).now_or_never().flatten().is_some(), "what fits gets by");
        drop(first);
        drop(second.await.unwrap());
        assert!(reserve.admit(free * 2).await.is_none());
        assert_eq!(*reserve.coming(), 0);
    }

    #[test]
    fn a_file_that_is_missing_is_made_again() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Reserve::of(folder.path()).keep());
        std::fs::remove_file(folder.path().join("reserve/07")).unwrap();
        assert!(Reserve::of(folder.path()).keep());
        assert!(folder.path().join("reserve/07").exists());
    }
}
