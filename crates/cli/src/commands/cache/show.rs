//! `stateward cache show`

use crate::context::Context;
use clap::Args;
use stateward_agent::{AgentError, Exit, cache};

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {}

/// Shows the cache folder.
pub fn run(context: &Context, _: Arguments) -> Result<Exit, AgentError> {
    super::print(context, &cache::state(context.agent())?);
    Ok(Exit::Done)
}
