//! Which (key, nonce) pairs have sealed something in this process. Only in builds with the feature `ledger`, which no
//! program asks for: a build without it neither keeps nor knows any of this.
//!
//! AES-GCM loses secrecy and authenticity when one key seals under one nonce twice. That it never happens follows from
//! how keys are derived and numbers are given; the ledger is how a test sees it over whole jobs.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// Tells keys apart without being one: BLAKE3 of the key, in a context of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fingerprint([u8; 32]);

/// What sealed something.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    seals: BTreeSet<(Fingerprint, u32)>,
    repeated: Vec<(Fingerprint, u32)>,
}

static LEDGER: Mutex<Ledger> = Mutex::new(Ledger { seals: BTreeSet::new(), repeated: Vec::new() });

impl Fingerprint {
    pub(crate) fn of(key: &[u8; 32]) -> Self {
        Self(blake3::derive_key("stateward ledger of nonces: fingerprint of a key", key))
    }
}

impl Ledger {
    /// How many different pairs sealed something.
    pub fn seals(&self) -> usize {
        self.seals.len()
    }

    /// How many keys did.
    pub fn keys(&self) -> usize {
        let mut keys: Vec<_> = self.seals.iter().map(|(key, _)| *key).collect();
        keys.dedup();
        keys.len()
    }

    /// Pairs that sealed something again, once for each time.
    pub fn repeated(&self) -> &[(Fingerprint, u32)] {
        &self.repeated
    }
}

/// Writes down that a key sealed under a nonce.
pub(crate) fn record(key: Fingerprint, number: u32) {
    let mut ledger = LEDGER.lock().unwrap_or_else(PoisonError::into_inner);
    if !ledger.seals.insert((key, number)) {
        ledger.repeated.push((key, number));
    }
}

/// What this process sealed since the last call, in all threads.
pub fn take() -> Ledger {
    std::mem::take(&mut *LEDGER.lock().unwrap_or_else(PoisonError::into_inner))
}
