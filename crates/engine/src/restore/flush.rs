//! Writing to disk while a restore goes on, so that making it durable at the end has little left to do.

use crate::target::{Target, TargetError};
use crossbeam_channel::{Receiver, Sender, bounded};
use std::sync::atomic::{AtomicU64, Ordering};

/// After so many more bytes were written, the target is asked to bring them to the disk.
const EVERY_BYTES: u64 = 64 << 20;

/// Counts what is written, and wakes who brings it to the disk.
pub(super) struct Flush {
    written: AtomicU64,
    wake: Sender<()>,
}

impl Flush {
    /// With what [`run`] waits for. It ends when this is dropped.
    pub(super) fn new() -> (Self, Receiver<()>) {
        let (wake, woken) = bounded(1);
        (Self { written: AtomicU64::new(0), wake }, woken)
    }

    /// So many bytes were handed to the target.
    pub(super) fn wrote(&self, bytes: u64) {
        let before = self.written.fetch_add(bytes, Ordering::Relaxed);
        if before / EVERY_BYTES != (before + bytes) / EVERY_BYTES {
            // One that waits to be seen already will do.
            let _ = self.wake.try_send(());
        }
    }
}

/// Brings to the disk what was written, each time it is told, until the first failure. The operating system tells a
/// failed write once (syncfs(2)): a sync that succeeds afterwards proves nothing, so the failure is the restore's.
pub(super) fn run(target: &dyn Target, woken: &Receiver<()>) -> Result<(), TargetError> {
    woken.iter().try_for_each(|()| target.sync())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_wakes_after_every_so_many_bytes_and_ends_when_it_is_dropped() {
        let (flush, woken) = Flush::new();
        flush.wrote(EVERY_BYTES - 1);
        assert!(woken.try_recv().is_err());
        flush.wrote(1);
        assert!(woken.try_recv().is_ok());
        flush.wrote(3 * EVERY_BYTES);
        flush.wrote(EVERY_BYTES);
        assert_eq!(woken.try_iter().count(), 1);
        drop(flush);
        assert!(woken.recv().is_err());
    }
}
