//! `stateward system-state …`

pub mod list;
pub mod plan;

use crate::context::Context;
use clap::Subcommand;
use stateward_agent::{AgentError, Exit};

/// The noun's verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show the components with their sizes, and what is left out and why
    List(list::Arguments),
    /// Show how a System State of Windows is put back once its image lies at the root of a volume or a share; write it down, or do it
    Plan(plan::Arguments),
}

/// Runs a verb.
pub fn run(context: &Context, command: Command) -> Result<Exit, AgentError> {
    match command {
        Command::List(arguments) => list::run(context, arguments),
        Command::Plan(arguments) => plan::run(context, &arguments),
    }
}
