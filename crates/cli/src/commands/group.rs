//! `stateward group …`: the resource groups that vaults are in. Needs `stateward login`.

pub mod create;
pub mod delete;
pub mod list;

use crate::context::Context;
use clap::Subcommand;
use serde_json::{Value, json};
use stateward_agent::{AgentError, Exit};
use stateward_api::arm::groups::ResourceGroup;

/// The noun's verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a resource group
    Create(create::Arguments),
    /// Show all resource groups
    List(list::Arguments),
    /// Delete a resource group that has no vault
    Delete(delete::Arguments),
}

/// Runs a verb.
pub fn run(context: &Context, command: Command) -> Result<Exit, AgentError> {
    match command {
        Command::Create(arguments) => create::run(context, arguments),
        Command::List(arguments) => list::run(context, arguments),
        Command::Delete(arguments) => delete::run(context, arguments),
    }
}

/// A resource group as an object; `kind` is what the line is.
fn object(kind: &str, group: &ResourceGroup) -> Value {
    json!({ "type": kind, "name": group.name, "location": group.location, "tags": group.tags })
}
