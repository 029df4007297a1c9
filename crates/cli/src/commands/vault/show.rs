//! `stateward vault show`

use crate::commands::server;
use crate::context::Context;
use crate::display::facts;
use crate::units;
use clap::Args;
use stateward_agent::{AgentError, Exit, admin};
use stateward_model::Label;

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The vault's name
    #[arg(value_name = "NAME")]
    name: Label,
}

/// Shows a vault: its servers, then itself.
pub fn run(context: &Context, Arguments { name }: Arguments) -> Result<Exit, AgentError> {
    let client = admin::administrator(context.agent())?;
    let vault = client.vault(&name)?;
    let servers = client.servers(&name)?;
    let output = context.output();
    servers.iter().for_each(|server| output.object(&server::object(&name, server)));
    output.object(&super::object("result", &vault));
    output.line(format_args!("Vault {name}"));
    facts(
        output,
        &[
            ("Id", vault.id.to_string()),
            ("Created", units::time(vault.created_at)),
            ("Servers", units::count(vault.servers)),
            ("Recovery points", units::count(vault.recovery_points)),
            ("Stored", units::bytes(vault.stored_bytes)),
        ],
    );
    server::table(&name, &servers).print(output, "No server is registered with it yet");
    Ok(Exit::Done)
}
