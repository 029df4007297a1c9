//! `stateward server …`: the servers of a vault, as its administrator sees them. Needs `stateward login`.

pub mod list;
pub mod show;
pub mod unregister;

use crate::context::Context;
use crate::display::Table;
use crate::output::Output;
use crate::units;
use clap::Subcommand;
use serde_json::{Value, json};
use stateward_agent::{AgentError, Exit};
use stateward_api::arm::containers::Container;

/// The noun's verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show all registered servers
    List(list::Arguments),
    /// Show one server
    Show(show::Arguments),
    /// End a server's registration; its recovery points stay
    Unregister(unregister::Arguments),
}

/// Runs a verb.
pub fn run(context: &Context, command: Command) -> Result<Exit, AgentError> {
    match command {
        Command::List(arguments) => list::run(context, arguments),
        Command::Show(arguments) => show::run(context, arguments),
        Command::Unregister(arguments) => unregister::run(context, arguments),
    }
}

/// A server as an object; `kind` is what the line is.
pub fn object(kind: &str, vault: &str, server: &Container) -> Value {
    let (properties, more) = (&server.properties, &server.properties.extended_info);
    json!({
        "type": kind, "vault": vault, "server": more.server_id, "label": properties.friendly_name,
        "domain": more.domain, "operating_system": more.operating_system,
        "agent_version": properties.agent_version, "outdated": more.is_outdated, "registered_at": more.registered_at,
        "seen_at": more.last_seen, "forked_at": more.forked_at, "items": more.backup_items,
        "health": properties.health_status, "registration": properties.registration_status,
    })
}

/// Whether a server is registered still; what it left is there as long as it has items.
pub fn is_registered(server: &Container) -> bool {
    server.properties.registration_status == "Registered"
}

/// Servers as a table.
pub fn table(vault: &str, servers: &[Container]) -> Table {
    let mut table =
        Table::new(&["Vault", "Server", "Operating system", "Agent", "Last seen", "Domain", "Id"]);
    for server in servers {
        let (properties, more) = (&server.properties, &server.properties.extended_info);
        table.row(vec![
            vault.to_owned(),
            properties.friendly_name.clone(),
            more.operating_system.clone(),
            agent_of(server),
            more.last_seen.map_or_else(|| "never".to_owned(), units::time),
            domain_of(server, servers),
            more.server_id.to_string(),
        ]);
    }
    table
}

/// The server's agent, and whether it is behind.
pub fn agent_of(server: &Container) -> String {
    let version = &server.properties.agent_version;
    match server.properties.extended_info.is_outdated {
        true => format!("{version} (outdated)"),
        false => version.clone(),
    }
}

/// Who founded the server's deduplication domain: its label, or `own` where it is the server itself.
fn domain_of(server: &Container, servers: &[Container]) -> String {
    let more = &server.properties.extended_info;
    match servers.iter().find(|founder| founder.properties.extended_info.server_id == more.domain) {
        _ if more.domain == more.server_id => "own".to_owned(),
        Some(founder) => founder.properties.friendly_name.clone(),
        None => more.domain.to_string(),
    }
}

/// Says what is wrong with a server.
fn warn(output: &Output, server: &Container) {
    let (properties, more) = (&server.properties, &server.properties.extended_info);
    let (name, id) = (&properties.friendly_name, more.server_id);
    if let Some(at) = more.forked_at {
        output.say(format_args!(
            "Warning: {name} ({id}): two agents make recovery points as this server, last noticed {}",
            units::time(at)
        ));
    }
}
