//! `stateward vault …`: administering vaults. Needs `stateward login`.

pub mod create;
pub mod credentials;
pub mod list;
pub mod show;

use crate::context::Context;
use clap::Subcommand;
use serde_json::{Value, json};
use stateward_agent::{AgentError, Exit};
use stateward_api::admin::Vault;

/// The noun's verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a vault
    Create(create::Arguments),
    /// Show all vaults
    List(list::Arguments),
    /// Show one vault with its servers
    Show(show::Arguments),
    /// Make a vault credentials file, with which a server is registered
    Credentials(credentials::Arguments),
}

/// Runs a verb.
pub fn run(context: &Context, command: Command) -> Result<Exit, AgentError> {
    match command {
        Command::Create(arguments) => create::run(context, arguments),
        Command::List(arguments) => list::run(context, arguments),
        Command::Show(arguments) => show::run(context, arguments),
        Command::Credentials(arguments) => credentials::run(context, arguments),
    }
}

/// A vault as an object; `kind` is what the line is.
fn object(kind: &str, vault: &Vault) -> Value {
    json!({
        "type": kind, "name": vault.name, "id": vault.id, "created_at": vault.created_at,
        "servers": vault.servers, "recovery_points": vault.recovery_points, "stored_bytes": vault.stored_bytes,
    })
}
