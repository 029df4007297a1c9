//! `stateward cache move`

use crate::context::Context;
use clap::Args;
use stateward_agent::{AgentError, Exit, cache};
use std::path::PathBuf;

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The folder that it is to be in
    #[arg(value_name = "DIR")]
    target: PathBuf,
}

/// Moves the cache.
pub fn run(context: &Context, Arguments { target }: Arguments) -> Result<Exit, AgentError> {
    super::print(context, &cache::relocate(context.agent(), &target)?);
    Ok(Exit::Done)
}
