//! The one door through which the engine talks while it works, and the one through which it is told to stop.

use crate::vault_store::PointSummary;
use stateward_format::manifest::Warning;
use stateward_model::Phase;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What has been done since the last report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Advance {
    /// Files (and other entries) done.
    pub files: u64,
    /// Bytes of content done, holes included, whether they had to be moved or not.
    pub bytes: u64,
    /// Bytes moved to or from the vault.
    pub moved_bytes: u64,
}

/// Who listens. Called from several threads, often; must return at once.
pub trait Progress: Send + Sync {
    /// A new phase begins.
    fn phase(&self, phase: Phase);
    /// What is to be done in all, as far as it is known: files and bytes. May be called again with better figures.
    fn expected(&self, files: u64, bytes: u64);
    /// So much more is done.
    fn advanced(&self, advance: Advance);
    /// Something was left out or is not as it should be; the job goes on.
    fn warning(&self, warning: &Warning);
    /// A recovery point was signed and is about to be offered to the vault, which may take it without this side ever
    /// hearing of it. Who wants to know it again later writes it down before this returns; who can't breaks the job off.
    fn offering(&self, _point: PointSummary) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// Nobody listens.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn phase(&self, _: Phase) {}
    fn expected(&self, _: u64, _: u64) {}
    fn advanced(&self, _: Advance) {}
    fn warning(&self, _: &Warning) {}
}

/// A wish to stop, shared by all threads of a job. Once made it stays.
#[derive(Debug, Clone, Default)]
pub struct Cancellation(Arc<AtomicBool>);

impl Cancellation {
    /// Asks the job to stop; it does at the next step of each thread.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether somebody asked.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
