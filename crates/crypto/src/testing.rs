//! What this room's tests share.

use stateward_model::Random;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts: each call gives other bytes, and each run the same.
pub(crate) struct Counting(AtomicU64);

impl Counting {
    pub(crate) fn new() -> Self {
        Self(AtomicU64::new(0))
    }
}

impl Random for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        let call = self.0.fetch_add(1, Ordering::Relaxed);
        let mut hasher = blake3::Hasher::new();
        hasher.update(&call.to_le_bytes());
        hasher.finalize_xof().fill(bytes);
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}
