//! `stateward audit list`

use crate::context::Context;
use crate::display::Table;
use crate::units;
use crate::vault_choice::InVault;
use clap::Args;
use serde_json::json;
use stateward_agent::{AgentError, Exit};

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    vault: InVault,
}

/// Shows who changed what in a vault.
pub fn run(context: &Context, Arguments { vault }: Arguments) -> Result<Exit, AgentError> {
    let (client, vault) = vault.find(context)?;
    let mut table = Table::new(&[">Number", "Time", "Who", "Act", "Subject"]);
    for entry in client.audit_log(&vault)? {
        context.output().object(&json!({
            "type": "audit-entry", "number": entry.number, "at": entry.at, "actor": entry.actor, "act": entry.act,
            "subject": entry.subject, "detail": entry.detail, "hash": entry.hash,
        }));
        table.row(vec![
            units::count(entry.number),
            units::time(entry.at),
            entry.actor,
            entry.act,
            entry.subject,
        ]);
    }
    table.print(context.output(), "Nothing was changed in this vault yet");
    Ok(Exit::Done)
}
