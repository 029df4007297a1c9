//! `stateward settings set`

use crate::context::Context;
use crate::pace::{PaceFlags, switch};
use clap::{ArgGroup, Args};
use stateward_agent::settings::{Settings, SettingsWish};
use stateward_agent::{AgentError, Exit};

/// The command's flags.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true).multiple(true).args(["low_priority", "limit_rate", "source_snapshot"]))]
pub struct Arguments {
    #[command(flatten)]
    pace: PaceFlags,
    /// Read from snapshots of the file systems that give them (btrfs, LVM), so that a recovery point is of one moment
    #[arg(
        long,
        value_name = "on|off",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "on",
        value_parser = switch
    )]
    source_snapshot: Option<bool>,
}

/// Changes what the flags name; jobs that run already keep what they were given.
pub fn run(context: &Context, arguments: Arguments) -> Result<Exit, AgentError> {
    let Arguments { pace, source_snapshot } = arguments;
    let wish = SettingsWish { pace: pace.wish(), source_snapshot };
    super::print(context, Settings::change(context.agent().home(), wish)?);
    Ok(Exit::Done)
}
