//! `stateward policy delete`

use crate::context::Context;
use crate::vault_choice::InVault;
use clap::Args;
use serde_json::json;
use stateward_agent::{AgentError, Exit};
use stateward_model::PolicyName;

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Its name
    #[arg(value_name = "NAME")]
    name: PolicyName,
    #[command(flatten)]
    vault: InVault,
}

/// Deletes a policy that no item has.
pub fn run(context: &Context, Arguments { name, vault }: Arguments) -> Result<Exit, AgentError> {
    let (client, vault) = vault.find(context)?;
    if client.find_policy(&vault, &name)?.is_none() {
        return Err(AgentError::UnknownPolicy(name));
    }
    client.delete_policy(&vault, &name)?;
    context.output().object(&json!({ "type": "result", "name": name }));
    context.output().line(format_args!("Policy {name} is deleted"));
    Ok(Exit::Done)
}
