//! `stateward vault delete`

use crate::context::Context;
use crate::vault_choice::NamedVault;
use clap::Args;
use stateward_agent::{AgentError, Exit};

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    vault: NamedVault,
}

/// Deletes a vault; if it holds something, the vault's refusal names what.
pub fn run(context: &Context, Arguments { vault }: Arguments) -> Result<Exit, AgentError> {
    let (client, vault) = vault.find(context)?;
    client.delete_vault(&vault)?;
    let output = context.output();
    output.object(&super::object("result", &vault));
    output.line(format_args!("Vault {} is deleted", vault.name));
    output.hint(format_args!("It can be had back for some days: `stateward vault undelete {}`", vault.name));
    Ok(Exit::Done)
}
