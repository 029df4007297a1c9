//! Random bytes that a seed repeats.

use stateward_model::Random;
use std::sync::atomic::{AtomicU64, Ordering};

/// A generator whose bytes follow from its seed and the order of calls; asked from several threads, each byte still
/// comes once, but who gets which depends on the threads. Not for secrets.
#[derive(Debug)]
pub struct SeededRandom(AtomicU64);

/// The step of SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014): odd, so
/// that the state visits every number once.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

impl SeededRandom {
    /// Begins at a seed.
    pub fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    /// The next 64 bits.
    pub fn next(&self) -> u64 {
        let mut z = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`, which is above 0; even enough for tests.
    pub fn below(&self, end: u64) -> u64 {
        self.next() % end
    }

    /// So many bytes.
    pub fn bytes(&self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.fill(&mut bytes);
        bytes
    }
}

impl Random for SeededRandom {
    fn fill(&self, bytes: &mut [u8]) {
        for part in bytes.chunks_mut(8) {
            part.copy_from_slice(&self.next().to_le_bytes()[..part.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_its_bytes_and_another_gives_others() {
        assert_eq!(SeededRandom::new(7).bytes(99), SeededRandom::new(7).bytes(99));
        assert_ne!(SeededRandom::new(7).bytes(99), SeededRandom::new(8).bytes(99));
    }

    #[test]
    fn the_numbers_are_those_of_splitmix64() {
        let random = SeededRandom::new(0);
        assert_eq!([random.next(), random.next()], [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4]);
    }
}
