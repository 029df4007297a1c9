//! `stateward quota …`: how much each server of a vault may hold and send. Needs `stateward login`.

pub mod set;
pub mod show;

use crate::context::Context;
use clap::Subcommand;
use stateward_agent::{AgentError, Exit};

/// The noun's verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show the quotas, and what each server holds and sends
    Show(show::Arguments),
    /// Set or take away the quotas
    Set(set::Arguments),
}

/// Runs a verb.
pub fn run(context: &Context, command: Command) -> Result<Exit, AgentError> {
    match command {
        Command::Show(arguments) => show::run(context, arguments),
        Command::Set(arguments) => set::run(context, arguments),
    }
}
