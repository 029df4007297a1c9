//! One run: its kind, its state, its phase. The words are those that people read in the portal and the CLI.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
pub enum JobKind {
    /// Makes a recovery point.
    Backup,
    /// Brings one back.
    Restore,
    /// Proves contents with the server's keys.
    Verify,
    /// Gives an item another policy, or resumes its backups.
    ConfigureBackup,
    /// Stops an item's backups and keeps its recovery points.
    DisableBackup,
    /// Deletes an item with its recovery points, which can be had back for a while.
    DeleteBackupData,
    /// Has a deleted item back.
    Undelete,
    /// Ends a server's registration.
    UnRegister,
}

impl JobKind {
    /// Whether an agent does it; all others are the vault's own.
    pub fn is_of_agents(self) -> bool {
        matches!(self, Self::Backup | Self::Restore | Self::Verify)
    }
}

impl fmt::Display for JobKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// How a job stands. `Completed` never hides an item that was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
pub enum JobState {
    /// Waits to begin.
    Queued,
    /// Goes on.
    Running,
    /// Done, with nothing left out.
    Completed,
    /// Done, but something was left out or could not be put back; each is named.
    CompletedWithWarnings,
    /// Ended without its result.
    Failed,
    /// Ended because a person asked for it.
    Cancelled,
}

impl JobState {
    /// Whether the job will not change any more.
    pub fn is_ended(self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Queued => "Queued",
            Self::Running => "Running",
            Self::Completed => "Completed",
            Self::CompletedWithWarnings => "Completed with warnings",
            Self::Failed => "Failed",
            Self::Cancelled => "Cancelled",
        })
    }
}

/// What a running job is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
pub enum Phase {
    /// Connects, checks keys and chain, loads the index.
    Preparing,
    /// Makes generated parts and counts what is to be done.
    Estimating,
    /// Moves data.
    Transferring,
    /// Makes the result durable.
    Finishing,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
