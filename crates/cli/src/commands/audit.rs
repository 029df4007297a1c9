//! `stateward audit …`: the log of all changes of a vault. Needs `stateward login`.

pub mod list;
pub mod verify;

use crate::context::Context;
use clap::Subcommand;
use stateward_agent::{AgentError, Exit};

/// The noun's verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show the changes, oldest first
    List(list::Arguments),
    /// Check that the log is as it was written
    Verify(verify::Arguments),
}

/// Runs a verb.
pub fn run(context: &Context, command: Command) -> Result<Exit, AgentError> {
    match command {
        Command::List(arguments) => list::run(context, arguments),
        Command::Verify(arguments) => verify::run(context, arguments),
    }
}
