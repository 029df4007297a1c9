//! `stateward passphrase …`

pub mod change;

use crate::context::Context;
use clap::Subcommand;
use stateward_agent::{AgentError, Exit};

/// The noun's verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Give this server another passphrase; the old one opens nothing at the vault any more
    Change(change::Arguments),
}

/// Runs a verb.
pub fn run(context: &Context, command: Command) -> Result<Exit, AgentError> {
    match command {
        Command::Change(arguments) => change::run(context, arguments),
    }
}
