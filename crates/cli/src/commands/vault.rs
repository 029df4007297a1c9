//! `stateward vault …`: administering vaults. Needs `stateward login`.

pub mod create;
pub mod credentials;
pub mod delete;
pub mod download_package;
pub mod list;
pub mod list_deleted;
pub mod packages;
mod settings;
pub mod show;
pub mod undelete;
pub mod update;

use crate::context::Context;
use clap::Subcommand;
use serde_json::{Value, json};
use stateward_agent::{AgentError, Exit};
use stateward_api::arm::vaults::{SecuritySettings, Vault};
use stateward_client::AdminClient;
use stateward_model::AgentVersion;

/// The noun's verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a vault
    Create(create::Arguments),
    /// Show all vaults
    List(list::Arguments),
    /// Show one vault with its servers
    Show(show::Arguments),
    /// Change a vault's settings
    Update(update::Arguments),
    /// Delete a vault that holds nothing; it can be had back for some days
    Delete(delete::Arguments),
    /// Show the vaults that were deleted and can be had back
    ListDeleted(list_deleted::Arguments),
    /// Have a deleted vault back
    Undelete(undelete::Arguments),
    /// Make a vault credentials file, with which a server is registered
    Credentials(credentials::Arguments),
    /// Show the packages of the agent that the vault offers, with their checksums
    Packages(packages::Arguments),
    /// Download a package of the agent, and prove its checksum
    DownloadPackage(download_package::Arguments),
}

/// Runs a verb.
pub fn run(context: &Context, command: Command) -> Result<Exit, AgentError> {
    match command {
        Command::Create(arguments) => create::run(context, arguments),
        Command::List(arguments) => list::run(context, arguments),
        Command::Show(arguments) => show::run(context, arguments),
        Command::Update(arguments) => update::run(context, arguments),
        Command::Delete(arguments) => delete::run(context, arguments),
        Command::ListDeleted(arguments) => list_deleted::run(context, arguments),
        Command::Undelete(arguments) => undelete::run(context, arguments),
        Command::Credentials(arguments) => credentials::run(context, arguments),
        Command::Packages(arguments) => packages::run(context, arguments),
        Command::DownloadPackage(arguments) => download_package::run(context, arguments),
    }
}

/// A vault as an object; `kind` is what the line is.
fn object(kind: &str, vault: &Vault) -> Value {
    let properties = &vault.properties;
    let redundancy = properties.redundancy_settings.clone().unwrap_or_default();
    let security = properties.security_settings.clone().unwrap_or_default();
    let usage = properties.usage;
    json!({
        "type": kind, "name": vault.name, "id": properties.vault_id, "created_at": properties.created_at,
        "servers": usage.map(|usage| usage.servers), "items": usage.map(|usage| usage.items),
        "recovery_points": usage.map(|usage| usage.recovery_points),
        "stored_bytes": usage.map(|usage| usage.stored_bytes),
        "resource_group": group_of(&vault.id), "location": vault.location, "tags": vault.tags,
        "redundancy": redundancy.standard_tier_storage_redundancy,
        "redundancy_health": redundancy.redundancy_health,
        "redundancy_health_reason": redundancy.redundancy_health_reason,
        "immutability": security.immutability_settings.map(|settings| settings.state),
        "soft_delete_days": soft_delete_days(&security), "resource_id": vault.id,
    })
}

fn soft_delete_days(security: &SecuritySettings) -> Option<u32> {
    security.soft_delete_settings.as_ref()?.soft_delete_retention_period_in_days
}

/// The oldest agent that may make backups in a vault; `None` for any.
fn minimum_agent(client: &AdminClient, vault: &Vault) -> Result<Option<AgentVersion>, AgentError> {
    Ok(client.agent_settings(vault)?.properties.minimum_agent_version)
}

/// The resource group in a vault's path.
fn group_of(id: &str) -> &str {
    let mut parts = id.split('/').skip_while(|part| !part.eq_ignore_ascii_case("resourceGroups"));
    parts.nth(1).unwrap_or_default()
}

/// Says when the vault's stores can't give the redundancy that it is set to: then nothing can be protected in it.
fn warn_of_redundancy(context: &Context, vault: &Vault) {
    let redundancy = vault.properties.redundancy_settings.as_ref();
    if let Some(reason) = redundancy.and_then(|settings| settings.redundancy_health_reason.as_ref()) {
        context
            .output()
            .say(format_args!("Warning: The redundancy of vault {} is not met: {reason}", vault.name));
    }
}
