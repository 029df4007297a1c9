//! `stateward domain …`: sharing this server's deduplication domain.

pub mod share;

use crate::context::Context;
use clap::Subcommand;
use stateward_agent::{AgentError, Exit};

/// The noun's verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a domain file, with which another server is registered into this server's deduplication domain
    Share(share::Arguments),
}

/// Runs a verb.
pub fn run(context: &Context, command: Command) -> Result<Exit, AgentError> {
    match command {
        Command::Share(arguments) => share::run(context, arguments),
    }
}
