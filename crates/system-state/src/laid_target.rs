//! The folder that a restore goes to, whichever rule it goes there by.

use crate::conflicts::{ConflictCounts, ConflictRule, Laying};
use crate::open_error::TargetOpenError;
use crate::{FolderTarget, MergeTarget, WithoutAccess};
use stateward_engine::{Target, TargetError};
use stateward_model::PointHash;
use std::path::Path;

/// A restore's target.
#[derive(Debug)]
pub enum LaidTarget {
    /// A folder that was new or empty, or held an unfinished restore of the same recovery point.
    Empty(FolderTarget),
    /// A folder that may hold something.
    Merged(MergeTarget),
}

impl LaidTarget {
    /// Opens the folder at `path` for the recovery point `point`.
    pub fn open(path: &Path, point: &PointHash, laying: &Laying) -> Result<Self, TargetOpenError> {
        match laying.rule {
            ConflictRule::Fail => FolderTarget::open(path, point).map(Self::Empty),
            _ => MergeTarget::open(path, laying).map(Self::Merged),
        }
    }

    /// Calls `lay` with what is laid into.
    pub fn with<T>(&self, laying: &Laying, lay: impl FnOnce(&dyn Target) -> T) -> T {
        let target: &dyn Target = match self {
            Self::Empty(target) => target,
            Self::Merged(target) => target,
        };
        match laying.without_access {
            true => lay(&WithoutAccess::over(target)),
            false => lay(target),
        }
    }

    /// Ends a restore: makes everything durable. Without this a folder that was empty can be continued with. Tells what
    /// became of conflicts, if there could be any.
    pub fn finish(self) -> Result<Option<ConflictCounts>, TargetError> {
        match self {
            Self::Empty(target) => target.finish().map(|()| None),
            Self::Merged(target) => target.finish().map(Some),
        }
    }
}
