//! The pinned head: the newest recovery point that the vault acknowledged to this home.
//!
//! A vault that later shows an older one, or another one at its place, was rolled back or forked.

use crate::document::Document;
use crate::{AgentError, Home};
use serde::{Deserialize, Serialize};
use stateward_engine::PointSummary;
use stateward_model::{PointHash, Sequence, Timestamp};

const FILE: &str = "head.json";

/// The pinned head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinnedHead {
    /// Its place in the chain.
    pub sequence: Sequence,
    /// Its id.
    pub point: PointHash,
    /// The vault's time of it.
    pub received_at: Timestamp,
}

impl Document for PinnedHead {
    const VERSION: u32 = 1;
}

impl PinnedHead {
    /// The home's pinned head, if it ever made a recovery point.
    pub fn find(home: &Home) -> Result<Option<Self>, AgentError> {
        home.read(FILE)
    }

    /// Pins it.
    pub fn save(&self, home: &Home) -> Result<(), AgentError> {
        home.write(FILE, self)
    }

    /// As the engine takes it.
    pub fn summary(&self) -> PointSummary {
        PointSummary { sequence: self.sequence, hash: self.point }
    }
}
