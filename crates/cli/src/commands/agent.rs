//! `stateward agent …`

pub mod run;

use crate::context::Context;
use clap::Subcommand;
use stateward_agent::{AgentError, Exit};

/// The noun's verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Back up as the policies say, and do what administrators ask of this server at its vault, until it is stopped
    Run(run::Arguments),
}

/// Runs a verb.
pub fn run(context: &Context, command: Command) -> Result<Exit, AgentError> {
    match command {
        Command::Run(arguments) => run::run(context, arguments),
    }
}
