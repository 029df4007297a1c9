//! `stateward job notify`: what the process is started with that posts to the home's webhook.

use crate::context::Context;
use clap::Args;
use stateward_agent::notifications;
use stateward_agent::{AgentError, Exit};

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {}

/// Posts what waits.
pub fn run(context: &Context, _: Arguments) -> Result<Exit, AgentError> {
    notifications::deliver(context.agent())?;
    Ok(Exit::Done)
}
