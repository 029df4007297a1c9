//! The one random source that a program injects.
//!
//! Shipped programs can name only [`SystemRandom`]: the seeded source that tests replay from lives in the room
//! `testing`, which no program may depend on (held by `xtask tidy`).

/// Where random bytes come from.
pub trait Random: Send + Sync {
    /// Fills all of `bytes`.
    fn fill(&self, bytes: &mut [u8]);
}

/// The operating system's generator.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    /// # Panics
    /// When the operating system has no random bytes to give: nothing can be sealed safely then.
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes)
            .expect("the operating system's generator works; without it nothing may be sealed");
    }
}
