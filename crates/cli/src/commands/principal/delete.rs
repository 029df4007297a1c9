//! `stateward principal delete`

use crate::context::Context;
use crate::vault_choice::InVault;
use clap::Args;
use serde_json::json;
use stateward_agent::{AgentError, Exit};

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The principal's client id (`stateward principal list`)
    #[arg(value_name = "CLIENT-ID")]
    client_id: String,
    #[command(flatten)]
    vault: InVault,
}

/// Takes the role that was given in the vault; a principal without any other can't sign in any more.
pub fn run(context: &Context, Arguments { client_id, vault }: Arguments) -> Result<Exit, AgentError> {
    let (client, vault) = vault.find(context)?;
    client.delete_principal(&vault, &client_id)?;
    context.output().object(&json!({ "type": "result", "client_id": client_id }));
    context
        .output()
        .line(format_args!("{client_id} has no role of its own in vault {} any more", vault.name));
    Ok(Exit::Done)
}
