//! `stateward approval …`: a second person's consent, in vaults with a resource guard. Needs `stateward login`.

pub mod approve;
pub mod list;

use crate::context::Context;
use clap::Subcommand;
use stateward_agent::{AgentError, Exit};

/// The noun's verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show what consent was asked to
    List(list::Arguments),
    /// Consent to what another administrator asked for
    Approve(approve::Arguments),
}

/// Runs a verb.
pub fn run(context: &Context, command: Command) -> Result<Exit, AgentError> {
    match command {
        Command::List(arguments) => list::run(context, arguments),
        Command::Approve(arguments) => approve::run(context, arguments),
    }
}
