//! `stateward server list`

use crate::context::Context;
use crate::vault_choice::InVault;
use clap::Args;
use stateward_agent::{AgentError, Exit};

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    vault: InVault,
    /// Those that were unregistered and have left items, too
    #[arg(long)]
    all: bool,
}

/// Shows the servers of a vault.
pub fn run(context: &Context, Arguments { vault, all }: Arguments) -> Result<Exit, AgentError> {
    let (client, vault) = vault.find(context)?;
    let (mut servers, output) = (client.servers(&vault)?, context.output());
    servers.retain(|server| all || super::is_registered(server));
    servers.iter().for_each(|server| output.object(&super::object("server", &vault.name, server)));
    servers.iter().for_each(|server| super::warn(output, server));
    super::table(&vault.name, &servers).print(output, "No server is registered with this vault yet");
    Ok(Exit::Done)
}
