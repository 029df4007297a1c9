//! `stateward pin …`: security PINs, which acts need that are begun on a server. Needs `stateward login`.

pub mod create;

use crate::context::Context;
use clap::Subcommand;
use stateward_agent::{AgentError, Exit};

/// The noun's verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a security PIN: good for five minutes and one act
    Create(create::Arguments),
}

/// Runs a verb.
pub fn run(context: &Context, command: Command) -> Result<Exit, AgentError> {
    match command {
        Command::Create(arguments) => create::run(context, arguments),
    }
}
