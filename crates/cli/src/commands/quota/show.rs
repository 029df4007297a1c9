//! `stateward quota show`

use crate::context::Context;
use crate::display::{Table, facts};
use crate::output::Output;
use crate::units;
use crate::vault_choice::InVault;
use clap::Args;
use serde_json::json;
use stateward_agent::{AgentError, Exit};
use stateward_api::arm::quotas::Quotas;

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    vault: InVault,
}

/// Shows the quotas of a vault.
pub fn run(context: &Context, Arguments { vault }: Arguments) -> Result<Exit, AgentError> {
    let (client, vault) = vault.find(context)?;
    print(context.output(), &vault.name, &client.quotas(&vault)?);
    Ok(Exit::Done)
}

/// Prints quotas and what the servers make of them.
pub(super) fn print(output: &Output, vault: &str, quotas: &Quotas) {
    let properties = &quotas.properties;
    output.object(&json!({
        "type": "result", "vault": vault, "server_quota_bytes": properties.server_quota_bytes,
        "server_daily_bytes": properties.server_daily_bytes, "servers": properties.servers,
    }));
    let or_any = |bytes: Option<u64>| bytes.map_or_else(|| "any number of bytes".to_owned(), units::bytes);
    output.line(format_args!("Each server of vault {vault} may"));
    facts(
        output,
        &[
            ("Hold", or_any(properties.server_quota_bytes)),
            ("Send a day", or_any(properties.server_daily_bytes)),
        ],
    );
    let mut table = Table::new(&["Server", ">Holds", ">Sent today", "Id"]);
    for server in &properties.servers {
        table.row(vec![
            server.label.to_string(),
            units::bytes(server.held_bytes),
            units::bytes(server.sent_today_bytes),
            server.server.to_string(),
        ]);
    }
    table.print(output, "No server holds anything yet");
}
