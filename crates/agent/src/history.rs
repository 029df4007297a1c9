//! When each pack was last verified: kept in the home, so that verify takes those first that waited longest.

use crate::document::{Document, DocumentError};
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
    /// The home's history; empty if there is none, or a damaged one: then everything is verified anew in its turn.
    pub fn load(home: &Home) -> Result<Self, AgentError> {
        match home.read(FILE) {
            Ok(found) => Ok(found.unwrap_or_default()),
            Err(AgentError::Document(error @ DocumentError::Damaged { .. })) => {
                tracing::warn!(%error, "the history of verify begins anew");
                Ok(Self::default())
            }
            Err(error) => Err(error),
        }
    }

    /// Keeps it.
    pub fn save(&self, home: &Home) -> Result<(), AgentError> {
        home.write(FILE, self)
    }
}
