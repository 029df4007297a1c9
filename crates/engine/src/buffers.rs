//! Large buffers that go round between threads.
//!
//! A buffer of some megabytes that is given back to the system and asked for anew is made of fresh pages each time, which
//! the kernel must clear: measured, a twelfth of a first backup's processor time. It also keeps memory bounded by what is
//! in use, whatever an allocator does.

use crossbeam_channel::{Receiver, Sender, bounded};
use std::ops::{Deref, DerefMut};

/// Where buffers come from, and where they go back to when they are dropped.
#[derive(Debug, Clone)]
pub struct Buffers {
    spare: Receiver<Vec<u8>>,
    home: Sender<Vec<u8>>,
}

impl Buffers {
    /// Keeps at most so many buffers that nobody uses.
    pub fn new(kept: usize) -> Self {
        let (home, spare) = bounded(kept);
        Self { spare, home }
    }

    /// An empty buffer with room for at least `capacity` bytes.
    pub fn take(&self, capacity: usize) -> Buffer {
        let mut bytes = self.spare.try_recv().unwrap_or_default();
        bytes.clear();
        bytes.reserve_exact(capacity);
        Buffer { bytes, home: Some(self.home.clone()) }
    }
}

/// A buffer; bytes that came from nowhere in particular are one too.
#[derive(Debug, Default)]
pub struct Buffer {
    bytes: Vec<u8>,
    home: Option<Sender<Vec<u8>>>,
}

impl From<Vec<u8>> for Buffer {
    fn from(bytes: Vec<u8>) -> Self {
        Self { bytes, home: None }
    }
}

impl Deref for Buffer {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        &self.bytes
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if let Some(home) = &self.home {
            // There are enough of them already, or nobody needs any more: it is freed.
            let _ = home.try_send(std::mem::take(&mut self.bytes));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_buffer_is_the_next_one_and_no_more_are_kept_than_were_said() {
        let buffers = Buffers::new(1);
        let mut first = buffers.take(1000);
        first.extend_from_slice(b"something");
        let place = first.as_ptr();
        let second = buffers.take(10);
        drop(first);
        drop(second);
        let again = buffers.take(500);
        assert!(again.is_empty());
        assert_eq!((again.as_ptr(), again.capacity()), (place, 1000));
        assert_eq!(buffers.take(7).capacity(), 7);
    }
}
