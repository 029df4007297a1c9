//! `stateward vault show`

use super::{group_of, soft_delete_days};
use crate::commands::server;
use crate::context::Context;
use crate::display::facts;
use crate::output::Output;
use crate::vault_choice::NamedVault;
use crate::{tags, units};
use clap::Args;
use stateward_agent::{AgentError, Exit};
use stateward_api::arm::vaults::Vault;
use stateward_model::AgentVersion;

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    vault: NamedVault,
}

/// Shows a vault: its servers, then itself.
pub fn run(context: &Context, Arguments { vault }: Arguments) -> Result<Exit, AgentError> {
    let (client, vault) = vault.find(context)?;
    let mut servers = client.servers(&vault)?;
    servers.retain(server::is_registered);
    let output = context.output();
    servers.iter().for_each(|server| output.object(&server::object("server", &vault.name, server)));
    let minimum = super::minimum_agent(&client, &vault)?;
    let mut object = super::object("result", &vault);
    object["minimum_agent_version"] = serde_json::json!(minimum);
    output.object(&object);
    print(output, &vault, minimum);
    super::warn_of_redundancy(context, &vault);
    server::table(&vault.name, &servers).print(output, "No server is registered with it yet");
    Ok(Exit::Done)
}

fn print(output: &Output, vault: &Vault, minimum: Option<AgentVersion>) {
    let properties = &vault.properties;
    let redundancy = properties.redundancy_settings.clone().unwrap_or_default();
    let security = properties.security_settings.clone().unwrap_or_default();
    let immutability = security.immutability_settings.map(|settings| format!("{:?}", settings.state));
    let mut lines = vec![
        ("Id", properties.vault_id.clone().unwrap_or_default()),
        ("Resource group", group_of(&vault.id).to_owned()),
        ("Location", vault.location.clone()),
        ("Created", properties.created_at.map(units::time).unwrap_or_default()),
        (
            "Redundancy",
            redundancy.standard_tier_storage_redundancy.map(|kind| format!("{kind:?}")).unwrap_or_default(),
        ),
        ("Immutability", immutability.unwrap_or_default()),
        ("Soft delete", soft_delete_days(&security).map(|days| format!("{days} days")).unwrap_or_default()),
    ];
    if let Some(minimum) = minimum {
        lines.push(("Backups by agents", format!("from version {minimum} on")));
    }
    if !vault.tags.is_empty() {
        lines.push(("Tags", tags::text(&vault.tags)));
    }
    if let Some(usage) = properties.usage {
        lines.push(("Servers", units::count(usage.servers)));
        lines.push(("Items", units::count(usage.items)));
        lines.push(("Recovery points", units::count(usage.recovery_points)));
        lines.push(("Stored", units::bytes(usage.stored_bytes)));
    }
    output.line(format_args!("Vault {}", vault.name));
    facts(output, &lines);
}
