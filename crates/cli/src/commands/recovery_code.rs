//! `stateward recovery-code …`

pub mod create;

use crate::context::Context;
use clap::Subcommand;
use stateward_agent::{AgentError, Exit};

/// The noun's verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make one more recovery code; those made before stay good
    Create(create::Arguments),
}

/// Runs a verb.
pub fn run(context: &Context, command: Command) -> Result<Exit, AgentError> {
    match command {
        Command::Create(arguments) => create::run(context, arguments),
    }
}
