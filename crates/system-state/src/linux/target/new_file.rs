//! A file that is being put back.
//!
//! Long writes go to the disk directly, where its file system can do that ([`super::direct`]); all others through the
//! page cache, one thread at a time: the kernel lets no two write to a file together, and those that wait there keep
//! processors busy with waiting, which could decode the next chunks.

use crate::linux::target::direct::{Direct, whole_blocks};
use crate::linux::target::failed;
use crate::linux::target::metadata::Holder;
use rustix::fs::ftruncate;
use rustix::io::{Errno, pwrite};
use stateward_engine::{TargetError, TargetFile};
use stateward_format::Metadata;
use stateward_format::manifest::Warning;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

/// Writes from this length on, in bytes, go to the disk directly. Where a disk must move its head for each, it still
/// writes about as long as it moves.
const LONG_BYTES: usize = 1 << 20;

/// A file that is being put back.
pub(super) struct NewFile {
    descriptor: OwnedFd,
    path: Box<[u8]>,
    /// The byte after the last that was written.
    end: AtomicU64,
    inherits: bool,
    /// Whose holder writes through the page cache.
    turn: Mutex<()>,
    direct: OnceLock<Option<Direct>>,
}

impl NewFile {
    /// What was just made at `path`; it may have inherited an access list that is not its own.
    pub(super) fn new(descriptor: OwnedFd, path: &[u8], inherits: bool) -> Self {
        let (turn, direct) = (Mutex::default(), OnceLock::new());
        Self { descriptor, path: path.into(), end: AtomicU64::new(0), inherits, turn, direct }
    }

    /// Itself, open for writing.
    pub(super) fn descriptor(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }

    fn direct(&self) -> Option<&Direct> {
        self.direct.get_or_init(|| Direct::open(self.descriptor.as_fd())).as_ref()
    }

    fn write_cached(&self, offset: u64, bytes: &[u8]) -> Result<(), Errno> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        write_all(self.descriptor.as_fd(), offset, bytes)
    }

    /// Writes the blocks that are whole directly, and what is before and after them through the page cache.
    fn write_long(&self, direct: &Direct, offset: u64, bytes: &[u8]) -> Result<(), Errno> {
        let whole = whole_blocks(offset, bytes.len());
        self.write_cached(offset, &bytes[..whole.start])?;
        let at = offset + whole.start as u64;
        if !direct.write(at, &bytes[whole.clone()])? {
            self.write_cached(at, &bytes[whole.clone()])?;
        }
        self.write_cached(offset + whole.end as u64, &bytes[whole.end..])
    }
}

/// Writes all of it.
pub(super) fn write_all(file: BorrowedFd<'_>, offset: u64, bytes: &[u8]) -> Result<(), Errno> {
    let mut written = 0;
    while written < bytes.len() {
        match pwrite(file, &bytes[written..], offset + written as u64) {
            Ok(0) => return Err(Errno::IO),
            Ok(more) => written += more,
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

impl TargetFile for NewFile {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<(), TargetError> {
        let direct = if bytes.len() >= LONG_BYTES { self.direct() } else { None };
        match direct {
            Some(direct) => self.write_long(direct, offset, bytes),
            None => self.write_cached(offset, bytes),
        }
        .map_err(|error| failed(&self.path, error))?;
        self.end.fetch_max(offset + bytes.len() as u64, Ordering::Relaxed);
        Ok(())
    }

    fn finish(&self, size: u64, metadata: &Metadata) -> Result<Vec<Warning>, TargetError> {
        // Ends in a hole, or is a hole only.
        if self.end.load(Ordering::Relaxed) != size {
            ftruncate(&self.descriptor, size).map_err(|error| failed(&self.path, error))?;
        }
        Holder::Open(self.descriptor.as_fd()).set(&self.path, metadata, self.inherits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, File};
    use std::thread;

    /// Of several lengths, from below a block to several long writes.
    fn cut(bytes: &[u8]) -> Vec<(u64, &[u8])> {
        let lengths = [10, LONG_BYTES + 4097, 4096, LONG_BYTES - 1, 3 * LONG_BYTES, 1, 70_000, LONG_BYTES];
        let (mut pieces, mut at) = (Vec::new(), 0);
        for length in lengths.into_iter().cycle() {
            let end = bytes.len().min(at + length);
            pieces.push((at as u64, &bytes[at..end]));
            at = end;
            if at == bytes.len() {
                return pieces;
            }
        }
        pieces
    }

    #[test]
    fn what_several_threads_write_in_any_order_is_all_there() {
        let folder = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        let path = folder.path().join("file");
        let file = NewFile::new(File::create(&path).unwrap().into(), b"file", false);
        let bytes: Vec<u8> =
            (0..20_u32 << 20).map(|n: u32| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let pieces = cut(&bytes);
        thread::scope(|scope| {
            for first in 0..4 {
                let mine = pieces.iter().rev().skip(first).step_by(4);
                let file = &file;
                scope.spawn(move || mine.for_each(|(at, piece)| file.write_at(*at, piece).unwrap()));
            }
        });
        assert!(fs::read(&path).unwrap() == bytes);
        assert_eq!(file.end.load(Ordering::Relaxed), bytes.len() as u64);
    }
}
