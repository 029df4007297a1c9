//! `stateward policy show`

use crate::context::Context;
use crate::vault_choice::InVault;
use clap::Args;
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

/// Shows a policy.
pub fn run(context: &Context, Arguments { name, vault }: Arguments) -> Result<Exit, AgentError> {
    let (client, vault) = vault.find(context)?;
    let found = client.find_policy(&vault, &name)?;
    let policy = found.ok_or(AgentError::UnknownPolicy(name))?;
    super::print_result(context.output(), &format!("Policy {}", policy.name), &policy);
    Ok(Exit::Done)
}
