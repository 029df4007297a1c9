//! `stateward alert …`: what people should know of a vault. Needs `stateward login`.

pub mod list;
pub mod resolve;

use crate::context::Context;
use clap::Subcommand;
use stateward_agent::{AgentError, Exit};

/// The noun's verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show the alerts, newest first
    List(list::Arguments),
    /// Say that an alert was dealt with
    Resolve(resolve::Arguments),
}

/// Runs a verb.
pub fn run(context: &Context, command: Command) -> Result<Exit, AgentError> {
    match command {
        Command::List(arguments) => list::run(context, arguments),
        Command::Resolve(arguments) => resolve::run(context, arguments),
    }
}
