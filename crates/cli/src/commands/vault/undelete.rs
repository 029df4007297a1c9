//! `stateward vault undelete`

use super::list_deleted::{name_of, object};
use crate::context::Context;
use clap::Args;
use stateward_agent::{AgentError, Exit, admin};

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The name that the vault had, or its id (`stateward vault list-deleted`)
    #[arg(value_name = "NAME")]
    vault: String,
}

/// Has a deleted vault back; of several of that name the one that was deleted last.
pub fn run(context: &Context, Arguments { vault: asked }: Arguments) -> Result<Exit, AgentError> {
    let client = admin::administrator(context.agent())?;
    let deleted = client.deleted_vaults()?;
    let meant =
        deleted.iter().find(|vault| vault.name == asked || name_of(vault).eq_ignore_ascii_case(&asked));
    let vault = meant.ok_or(AgentError::NotDeleted(asked))?;
    client.undelete_vault(vault)?;
    let name = name_of(vault);
    context.output().object(&object("result", vault));
    context.output().line(format_args!("Vault {name} is there again"));
    context.output().hint(format_args!("`stateward vault show {name}` shows it"));
    Ok(Exit::Done)
}
