//! `stateward policy create`

use super::flags::PolicyFlags;
use crate::context::Context;
use crate::vault_choice::InVault;
use clap::Args;
use stateward_agent::{AgentError, Exit};
use stateward_model::PolicyName;

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Its name: 3 to 150 letters, digits and `-`
    #[arg(value_name = "NAME")]
    name: PolicyName,
    #[command(flatten)]
    vault: InVault,
    #[command(flatten)]
    flags: PolicyFlags,
}

/// Makes a policy. One of that name is not changed: `policy update` does that.
pub fn run(context: &Context, Arguments { name, vault, flags }: Arguments) -> Result<Exit, AgentError> {
    let properties = flags.policy(context.agent().now())?;
    let (client, vault) = vault.find(context)?;
    if client.find_policy(&vault, &name)?.is_some() {
        return Err(AgentError::PolicyExists(name));
    }
    let policy = client.put_policy(&vault, &name, properties)?;
    let output = context.output();
    super::print_result(output, &format!("Policy {name} is made"), &policy);
    output
        .hint(format_args!("Next: `stateward item set-policy ITEM --vault {} --policy {name}`", vault.name));
    Ok(Exit::Done)
}
