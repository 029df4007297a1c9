//! The flags that say how much of the machine and of the line a job may take.

use crate::units;
use clap::Args;
use stateward_agent::jobs::Pace;
use std::num::NonZeroU64;

/// For jobs that use the machine only.
#[derive(Debug, Clone, Copy, Args)]
pub struct PriorityFlag {
    /// Let everything else on this machine go first, and work with fewer threads
    #[arg(long)]
    pub low_priority: bool,
}

/// For jobs that talk to a vault too.
#[derive(Debug, Clone, Copy, Args)]
pub struct PaceFlags {
    #[command(flatten)]
    priority: PriorityFlag,
    /// Move at most so many bytes a second to or from the vault, such as `500KB`, `10MB` or `10MiB`
    #[arg(long, value_name = "RATE", value_parser = units::parse_rate)]
    limit_rate: Option<NonZeroU64>,
}

impl PaceFlags {
    /// As jobs keep it.
    pub fn pace(&self) -> Pace {
        Pace { low_priority: self.priority.low_priority, bytes_per_second: self.limit_rate }
    }
}
