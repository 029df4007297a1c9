//! Writing to a disk without the page cache.
//!
//! Whoever puts back a disk image of many gigabytes fills the page cache with what nobody reads soon, and copies all of
//! it there: measured, that took more than a quarter of the processor time. The disk takes whole blocks only, from
//! memory that begins at one, so the bytes are put into place first, which costs far less.
//!
//! Not every file system can do this, and one that says so may refuse later: then it is done through the page cache.

use crate::linux::target::metadata::proc_path;
use crate::linux::target::new_file::write_all;
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::Errno;
use std::cell::RefCell;
use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};

/// Disks' blocks are no larger than this, in bytes, and divide it.
const BLOCK_BYTES: usize = 4096;

/// How much is put into place at once, in bytes.
const PLACED_BYTES: usize = 1 << 20;

thread_local! {
    /// Where a thread puts bytes into place.
    static PLACE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// A way to a file past the page cache.
pub(super) struct Direct {
    descriptor: OwnedFd,
    is_refused: AtomicBool,
}

impl Direct {
    /// To the same file; nothing where there is no such way.
    pub(super) fn open(file: BorrowedFd<'_>) -> Option<Self> {
        let flags = OFlags::WRONLY | OFlags::DIRECT | OFlags::CLOEXEC;
        let descriptor = openat(CWD, proc_path(file), flags, Mode::empty()).ok()?;
        Some(Self { descriptor, is_refused: AtomicBool::new(false) })
    }

    /// Writes whole blocks; tells whether that could be done.
    pub(super) fn write(&self, offset: u64, blocks: &[u8]) -> Result<bool, Errno> {
        PLACE.with_borrow_mut(|place| {
            place.resize(PLACED_BYTES + BLOCK_BYTES, 0);
            let begin = place.as_ptr().align_offset(BLOCK_BYTES);
            for (number, blocks) in blocks.chunks(PLACED_BYTES).enumerate() {
                let placed = &mut place[begin..begin + blocks.len()];
                placed.copy_from_slice(blocks);
                if !self.write_placed(offset + (number * PLACED_BYTES) as u64, placed)? {
                    return Ok(false);
                }
            }
            Ok(true)
        })
    }

    fn write_placed(&self, offset: u64, placed: &[u8]) -> Result<bool, Errno> {
        if self.is_refused.load(Ordering::Relaxed) {
            return Ok(false);
        }
        match write_all(self.descriptor.as_fd(), offset, placed) {
            // Its blocks are larger, or its memory is another; also what it says after a part of them was written.
            Err(Errno::INVAL) => {
                self.is_refused.store(true, Ordering::Relaxed);
                Ok(false)
            }
            written => written.map(|()| true),
        }
    }
}

/// Which of so many bytes at `offset` are whole blocks.
pub(super) fn whole_blocks(offset: u64, bytes: usize) -> Range<usize> {
    let before = (offset.next_multiple_of(BLOCK_BYTES as u64) - offset) as usize;
    let begin = before.min(bytes);
    begin..begin + (bytes - begin) / BLOCK_BYTES * BLOCK_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, File};
    use std::os::unix::fs::FileExt;

    #[test]
    fn whole_blocks_are_found() {
        assert_eq!(whole_blocks(0, 8192), 0..8192);
        assert_eq!(whole_blocks(0, 8191), 0..4096);
        assert_eq!(whole_blocks(1, 8191), 4095..8191);
        assert_eq!(whole_blocks(4095, 4098), 1..4097);
        assert_eq!(whole_blocks(1, 10), 10..10);
        assert_eq!(whole_blocks(u64::MAX / 4096 * 4096, 4096), 0..4096);
    }

    #[test]
    fn blocks_are_at_their_place_beside_what_went_through_the_cache() {
        let folder = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        let path = folder.path().join("file");
        let file = File::create(&path).unwrap();
        let Some(direct) = Direct::open(file.as_fd()) else {
            return eprintln!("This file system writes through the page cache only");
        };
        let bytes: Vec<u8> = (0..3 * PLACED_BYTES + BLOCK_BYTES).map(|n| (n / 7) as u8).collect();
        file.write_all_at(b"before", 10).unwrap();
        assert!(direct.write(4096, &bytes).unwrap());
        file.write_all_at(b"after", 4096 + bytes.len() as u64).unwrap();
        let read = fs::read(&path).unwrap();
        assert_eq!(&read[..16], b"\0\0\0\0\0\0\0\0\0\0before");
        assert_eq!(read[4096..4096 + bytes.len()], bytes);
        assert_eq!(&read[4096 + bytes.len()..], b"after");
    }

    #[test]
    fn what_is_refused_is_told_and_not_tried_again() {
        let folder = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        let file = File::create(folder.path().join("file")).unwrap();
        let Some(direct) = Direct::open(file.as_fd()) else {
            return eprintln!("This file system writes through the page cache only");
        };
        assert!(!direct.write(1, &[1; BLOCK_BYTES]).unwrap());
        assert!(!direct.write(0, &[1; BLOCK_BYTES]).unwrap());
    }
}
