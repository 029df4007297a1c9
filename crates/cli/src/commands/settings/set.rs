//! `stateward settings set`

use crate::context::Context;
use crate::pace::PaceFlags;
use clap::{ArgGroup, Args};
use stateward_agent::settings::Settings;
use stateward_agent::{AgentError, Exit};

/// The command's flags.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true).multiple(true).args(["low_priority", "limit_rate"]))]
pub struct Arguments {
    #[command(flatten)]
    pace: PaceFlags,
}

/// Changes what the flags name; jobs that run already keep what they were given.
pub fn run(context: &Context, Arguments { pace }: Arguments) -> Result<Exit, AgentError> {
    super::print(context, Settings::change(context.agent().home(), pace.wish())?);
    Ok(Exit::Done)
}
