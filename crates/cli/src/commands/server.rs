//! `stateward server …`: the servers of a vault, as its administrator sees them. Needs `stateward login`.

pub mod list;

use crate::context::Context;
use crate::display::Table;
use crate::units;
use clap::Subcommand;
use serde_json::{Value, json};
use stateward_agent::{AgentError, Exit};
use stateward_api::admin::Server;

/// The noun's verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show all registered servers
    List(list::Arguments),
}

/// Runs a verb.
pub fn run(context: &Context, command: Command) -> Result<Exit, AgentError> {
    match command {
        Command::List(arguments) => list::run(context, arguments),
    }
}

/// A server as an object.
pub fn object(vault: &str, server: &Server) -> Value {
    json!({
        "type": "server", "vault": vault, "server": server.id, "label": server.label,
        "domain": server.domain,
        "operating_system": server.operating_system, "agent_version": server.agent_version,
        "registered_at": server.registered_at, "seen_at": server.seen_at,
        "forked_at": server.forked_at,
    })
}

/// Servers as a table.
pub fn table(vault: &str, servers: &[Server]) -> Table {
    let mut table =
        Table::new(&["Vault", "Server", "Operating system", "Agent", "Last seen", "Domain", "Id"]);
    for server in servers {
        table.row(vec![
            vault.to_string(),
            server.label.to_string(),
            server.operating_system.clone(),
            server.agent_version.clone(),
            server.seen_at.map_or_else(|| "never".to_owned(), units::time),
            domain_of(server, servers),
            server.id.to_string(),
        ]);
    }
    table
}

/// Who founded the server's deduplication domain: its label, or `own` where it is the server itself.
fn domain_of(server: &Server, servers: &[Server]) -> String {
    match servers.iter().find(|founder| founder.id == server.domain) {
        _ if server.domain == server.id => "own".to_owned(),
        Some(founder) => founder.label.to_string(),
        None => server.domain.to_string(),
    }
}
