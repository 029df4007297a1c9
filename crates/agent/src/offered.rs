//! Recovery points that this home signed and offered to the vault without having heard what became of them.
//!
//! A process may die, or an answer be lost, after the vault took a point. Without this list the next run would take it for
//! another agent's, and begin a branch.

use crate::document::Document;
use crate::head::PinnedHead;
use crate::{AgentError, Home};
use serde::{Deserialize, Serialize};
use stateward_engine::{Advance, PointSummary, Progress, VaultRead};
use stateward_format::manifest::Warning;
use stateward_format::receipt;
use stateward_model::{Phase, PointHash, Sequence};
use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};

const FILE: &str = "offered.json";

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Offered {
    points: Vec<Point>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Point {
    sequence: Sequence,
    point: PointHash,
}

impl Document for Offered {
    const VERSION: u32 = 1;
}

/// Learns which of them the vault took, pins the newest of those, and forgets the others.
pub fn settle(home: &Home, vault: &dyn VaultRead) -> Result<(), AgentError> {
    let offered: Offered = home.read(FILE)?.unwrap_or_default();
    if offered.points.is_empty() {
        return Ok(());
    }
    let taken = vault.chain()?;
    let summaries = offered.points.iter().map(|one| PointSummary { sequence: one.sequence, hash: one.point });
    if let Some(newest) = summaries.filter(|point| taken.contains(point)).max() {
        let receipt = vault.receipt(newest)?.unwrap_or_default();
        let received_at = receipt::decode(&receipt).map(|(receipt, ..)| receipt.received_at);
        let received_at = received_at.unwrap_or_default();
        PinnedHead { sequence: newest.sequence, point: newest.hash, received_at }.save(home)?;
    }
    forget(home)
}

/// What was offered is settled. Should a crash bring the file back, it is settled again.
pub fn forget(home: &Home) -> Result<(), AgentError> {
    home.remove(FILE)
}

/// Passes everything on, and writes down which points are offered. What can't be written down is not offered: the next run
/// would take it for another agent's.
pub struct Noting<'a> {
    to: &'a dyn Progress,
    home: &'a Home,
    failure: Mutex<Option<AgentError>>,
}

impl<'a> Noting<'a> {
    /// For one job. Space is set aside, so that a home that becomes full meanwhile stops no backup.
    pub fn begin(to: &'a dyn Progress, home: &'a Home) -> Result<Self, AgentError> {
        home.set_aside(FILE, &Offered::default())?;
        Ok(Self { to, home, failure: Mutex::default() })
    }

    /// Why the job was broken off, if it was for this.
    pub fn into_failure(self) -> Option<AgentError> {
        self.failure.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Progress for Noting<'_> {
    fn phase(&self, phase: Phase) {
        self.to.phase(phase);
    }

    fn expected(&self, files: u64, bytes: u64) {
        self.to.expected(files, bytes);
    }

    fn advanced(&self, advance: Advance) {
        self.to.advanced(advance);
    }

    fn warning(&self, warning: &Warning) {
        self.to.warning(warning);
    }

    fn offering(&self, point: PointSummary) -> ControlFlow<()> {
        let write = || {
            let mut offered: Offered = self.home.read(FILE)?.unwrap_or_default();
            offered.points.push(Point { sequence: point.sequence, point: point.hash });
            self.home.write_last(FILE, &offered)
        };
        if let Err(error) = write() {
            *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            return ControlFlow::Break(());
        }
        self.to.offering(point)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stateward_engine::progress::Silent;

    #[test]
    fn an_offered_point_is_remembered_until_it_is_settled() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(Some(folder.path())).unwrap();
        home.prepare().unwrap();
        let known = || home.read::<Offered>(FILE).unwrap().unwrap_or_default().points.len();
        let noting = Noting::begin(&Silent, &home).unwrap();
        for byte in [1, 2] {
            let offered = noting.offering(PointSummary { sequence: 7, hash: PointHash([byte; 32]) });
            assert_eq!(offered, ControlFlow::Continue(()));
        }
        assert_eq!(known(), 2);
        forget(&home).unwrap();
        assert_eq!(known(), 0);
    }
}
