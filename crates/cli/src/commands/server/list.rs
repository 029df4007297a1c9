//! `stateward server list`

use crate::context::Context;
use crate::units;
use crate::vault_choice::InVault;
use clap::Args;
use stateward_agent::{AgentError, Exit};

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    vault: InVault,
}

/// Shows the servers of a vault.
pub fn run(context: &Context, Arguments { vault }: Arguments) -> Result<Exit, AgentError> {
    let (client, vault) = vault.find(context)?;
    let servers = client.servers(&vault.name)?;
    servers.iter().for_each(|server| context.output().object(&super::object(&vault.name, server)));
    for (server, at) in servers.iter().filter_map(|server| Some((server, server.forked_at?))) {
        context.output().say(format_args!(
            "Warning: {} ({}): two agents make recovery points as this server, last noticed {}",
            server.label,
            server.id,
            units::time(at)
        ));
    }
    super::table(&vault.name, &servers)
        .print(context.output(), "No server is registered with this vault yet");
    Ok(Exit::Done)
}
