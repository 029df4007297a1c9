//! `stateward principal …`: who may do what in a vault. Needs `stateward login`.

pub mod create;
pub mod delete;
pub mod list;
pub mod set_role;

use crate::context::Context;
use clap::Subcommand;
use stateward_agent::{AgentError, Exit};

/// The noun's verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show all that have a role in a vault
    List(list::Arguments),
    /// Make a service principal with a role in a vault
    Create(create::Arguments),
    /// Give a service principal another role in a vault
    SetRole(set_role::Arguments),
    /// Take a service principal's role in a vault
    Delete(delete::Arguments),
}

/// Runs a verb.
pub fn run(context: &Context, command: Command) -> Result<Exit, AgentError> {
    match command {
        Command::List(arguments) => list::run(context, arguments),
        Command::Create(arguments) => create::run(context, arguments),
        Command::SetRole(arguments) => set_role::run(context, arguments),
        Command::Delete(arguments) => delete::run(context, arguments),
    }
}
