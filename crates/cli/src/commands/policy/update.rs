//! `stateward policy update`

use super::flags::PolicyFlags;
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
    #[command(flatten)]
    flags: PolicyFlags,
}

/// Puts another schedule and retention in the place of all that the policy has.
pub fn run(context: &Context, Arguments { name, vault, flags }: Arguments) -> Result<Exit, AgentError> {
    let properties = flags.policy(context.agent().now())?;
    let (client, vault) = vault.find(context)?;
    if client.find_policy(&vault, &name)?.is_none() {
        return Err(AgentError::UnknownPolicy(name));
    }
    let policy = client.put_policy(&vault, &name, properties)?;
    super::print_result(context.output(), &format!("Policy {name} is changed"), &policy);
    Ok(Exit::Done)
}
