//! What is protected, and the order of its recovery points.

use crate::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a protected item holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
pub enum ItemKind {
    /// A server's System State.
    SystemState,
    /// A set of files and folders.
    Files,
}

impl fmt::Display for ItemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SystemState => "System State",
            Self::Files => "Files and folders",
        })
    }
}

/// What becomes of the recovery points of an item whose backups were stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum StopKeeps {
    /// All are kept until somebody decides otherwise.
    Forever,
    /// Each comes to the end that its policy says; the last good one stays.
    Expire,
}

/// That a recovery point is made because somebody wants it now, and not by its item's schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OnDemand {
    /// Until when it is to be kept at least; left out, as long as a daily one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retain_until: Option<Timestamp>,
}

/// A recovery point's place in its server's chain: 1 for the first, then one more for each.
pub type Sequence = u64;
