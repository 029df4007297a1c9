//! `stateward server list`

use crate::context::Context;
use crate::units;
use clap::Args;
use stateward_agent::{AgentError, Exit, admin};
use stateward_model::Label;

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The vault's name
    #[arg(long, value_name = "NAME")]
    vault: Label,
}

/// Shows the servers of a vault.
pub fn run(context: &Context, Arguments { vault }: Arguments) -> Result<Exit, AgentError> {
    let servers = admin::administrator(context.agent())?.servers(&vault)?;
    servers.iter().for_each(|server| context.output().object(&super::object(&vault, server)));
    for (server, at) in servers.iter().filter_map(|server| Some((server, server.forked_at?))) {
        context.output().say(format_args!(
            "Warning: {} ({}): two agents make recovery points as this server, last noticed {}",
            server.label,
            server.id,
            units::time(at)
        ));
    }
    super::table(&vault, &servers).print(context.output(), "No server is registered with this vault yet");
    Ok(Exit::Done)
}
