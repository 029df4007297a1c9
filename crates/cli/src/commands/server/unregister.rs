//! `stateward server unregister`

use crate::context::Context;
use crate::vault_choice::InVault;
use clap::Args;
use stateward_agent::{AgentError, Exit, admin};

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The server's name, or its id
    #[arg(value_name = "SERVER")]
    server: String,
    #[command(flatten)]
    vault: InVault,
}

/// Ends a server's registration at once: its key is not taken any more.
pub fn run(context: &Context, Arguments { server, vault }: Arguments) -> Result<Exit, AgentError> {
    let (client, vault) = vault.find(context)?;
    let server = admin::find_server(&client, &vault, &server)?;
    client.unregister(&vault, &server)?;
    let output = context.output();
    output.object(&super::object("result", &vault.name, &server));
    output.line(format_args!("Server {} is not registered any more", server.properties.friendly_name));
    output.hint("Its recovery points stay: with restore credentials and the passphrase they can be restored");
    Ok(Exit::Done)
}
