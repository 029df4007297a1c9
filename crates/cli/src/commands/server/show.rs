//! `stateward server show`

use crate::context::Context;
use crate::display::facts;
use crate::units;
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

/// Shows a server, and what is wrong with it.
pub fn run(context: &Context, Arguments { server, vault }: Arguments) -> Result<Exit, AgentError> {
    let (client, vault) = vault.find(context)?;
    let server = admin::find_server(&client, &vault, &server)?;
    let output = context.output();
    output.object(&super::object("result", &vault.name, &server));
    let (properties, more) = (&server.properties, &server.properties.extended_info);
    output.line(format_args!("Server {}", properties.friendly_name));
    let items = match more.backup_items.is_empty() {
        true => "none".to_owned(),
        false => more.backup_items.join(", "),
    };
    facts(
        output,
        &[
            ("Id", more.server_id.to_string()),
            ("Operating system", more.operating_system.clone()),
            ("Agent", super::agent_of(&server)),
            ("Registered", units::time(more.registered_at)),
            ("Last seen", more.last_seen.map_or_else(|| "never".to_owned(), units::time)),
            ("Items", items),
            ("Last backup", more.last_backup_status.clone().unwrap_or_else(|| "none yet".to_owned())),
            ("Health", properties.health_status.clone()),
        ],
    );
    for wrong in &properties.mab_container_health_details {
        output.line(format_args!("  {}: {}", wrong.title, wrong.message));
        wrong.recommendations.iter().for_each(|what| output.hint(format_args!("Hint: {what}")));
    }
    Ok(Exit::Done)
}
