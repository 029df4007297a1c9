//! When each pack was last verified: kept in the home, so that verify takes those first that waited longest.

use crate::document::Document;
use crate::{AgentError, Home};
use serde::{Deserialize, Serialize};
use stateward_model::{PackId, Timestamp};
use std::collections::BTreeMap;

const FILE: &str = "verify.json";

/// The history of verify.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifyHistory {
    /// For each pack the last time that it was found right.
    pub packs: BTreeMap<PackId, Timestamp>,
}

impl Document for VerifyHistory {
    const VERSION: u32 = 1;
}

impl VerifyHistory {
    /// The home's history; empty if there is none.
    pub fn load(home: &Home) -> Result<Self, AgentError> {
        Ok(home.read(FILE)?.unwrap_or_default())
    }

    /// Keeps it.
    pub fn save(&self, home: &Home) -> Result<(), AgentError> {
        home.write(FILE, self)
    }
}
