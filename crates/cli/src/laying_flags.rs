//! The flags that say how a restore is laid, and where: shared by `restore` and `recover`.

use clap::{Args, ValueEnum};
use stateward_agent::AgentError;
use stateward_agent::items::StoredPath;
use stateward_agent::restore::{ConflictRule, LayingWish};
use std::path::PathBuf;

/// What becomes of what lies at the target already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Conflict {
    /// Nothing may lie there: the target must be new or empty
    #[default]
    Fail,
    /// Lay it beside what is there, as `name (restored 2026-11-29 03.30).ext`
    Copy,
    /// Put it in the place of what is there
    Overwrite,
    /// Leave what is there, and name what was left out
    Skip,
}

impl From<Conflict> for ConflictRule {
    fn from(conflict: Conflict) -> Self {
        match conflict {
            Conflict::Fail => Self::Fail,
            Conflict::Copy => Self::Copy,
            Conflict::Overwrite => Self::Overwrite,
            Conflict::Skip => Self::Skip,
        }
    }
}

/// Where a restore goes and how.
#[derive(Debug, Args)]
pub struct LayingFlags {
    /// The folder to restore into; everything is laid there at its absolute path. Absent or empty, unless `--conflict` is given
    #[arg(long, value_name = "DIR", conflicts_with = "original")]
    pub target: Option<PathBuf>,
    /// Restore to where it came from; needs `--conflict`
    #[arg(long, requires = "conflict")]
    pub original: bool,
    /// What becomes of what lies there already and is not the same [default: fail]
    #[arg(long, value_enum, value_name = "RULE")]
    pub conflict: Option<Conflict>,
    /// Leave off owners, modes, ACLs and extended attributes: files belong to who restores them
    #[arg(long)]
    pub no_acl: bool,
    /// Restore to where it came from though this is another distribution or processor architecture
    #[arg(long, requires = "original")]
    pub despite_other_system: bool,
}

/// A target and how it is laid there.
pub type Laid = (StoredPath, LayingWish);

impl LayingFlags {
    /// What they ask for; `None` if no target was given.
    pub fn wish(&self) -> Result<Option<Laid>, AgentError> {
        let wish = LayingWish {
            conflict: self.conflict.unwrap_or_default().into(),
            original: self.original,
            without_access: self.no_acl,
            despite_other_system: self.despite_other_system,
        };
        let place = wish.place(self.target.as_deref())?;
        Ok(place.map(|target| (target, wish)))
    }
}
