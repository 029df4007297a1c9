//! `stateward settings show`

use crate::context::Context;
use clap::Args;
use stateward_agent::settings::Settings;
use stateward_agent::{AgentError, Exit};

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {}

/// Shows the settings.
pub fn run(context: &Context, _: Arguments) -> Result<Exit, AgentError> {
    super::print(context, &Settings::load(context.agent().home())?)?;
    Ok(Exit::Done)
}
