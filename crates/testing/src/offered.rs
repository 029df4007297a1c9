//! What a home writes down before each commit.

use crate::lock;
use stateward_engine::{Advance, PointSummary, Progress, VaultError, VaultRead};
use stateward_format::manifest::Warning;
use stateward_model::Phase;
use std::ops::ControlFlow;
use std::sync::Mutex;

/// Hears of recovery points that are about to be offered to the vault, and of nothing else.
#[derive(Default)]
pub struct Offered(Mutex<Vec<PointSummary>>);

impl Offered {
    /// The newest of them that the vault took without its answer coming back; nothing is waited for any more.
    ///
    /// # Errors
    /// If the vault does not tell: then all of them are still waited for.
    pub fn settle(&self, vault: &dyn VaultRead) -> Result<Option<PointSummary>, VaultError> {
        if lock(&self.0).is_empty() {
            return Ok(None);
        }
        let taken = vault.chain()?;
        let offered = std::mem::take(&mut *lock(&self.0));
        Ok(offered.into_iter().filter(|point| taken.contains(point)).max())
    }

    /// Their fate is known.
    pub fn forget(&self) {
        lock(&self.0).clear();
    }
}

impl Progress for Offered {
    fn phase(&self, _: Phase) {}
    fn expected(&self, _: u64, _: u64) {}
    fn advanced(&self, _: Advance) {}
    fn warning(&self, _: &Warning) {}
    fn offering(&self, point: PointSummary) -> ControlFlow<()> {
        lock(&self.0).push(point);
        ControlFlow::Continue(())
    }
}
