//! `stateward audit verify`

use crate::context::Context;
use crate::display::facts;
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

/// Has the vault check its whole log. It can't find what somebody rewrote from some entry on to its end; whoever keeps a
/// hash from time to time can.
pub fn run(context: &Context, Arguments { vault }: Arguments) -> Result<Exit, AgentError> {
    let (client, vault) = vault.find(context)?;
    let check = client.check_audit_log(&vault)?;
    if let Some(number) = check.altered_at {
        return Err(AgentError::AuditAltered { number });
    }
    let output = context.output();
    output.object(&json!({
        "type": "result", "is_intact": check.is_intact, "entries": check.entries, "last_at": check.last_at,
        "last_hash": check.last_hash,
    }));
    output.line("The audit log is as it was written");
    let last = check.last_at.map_or_else(|| "none".to_owned(), units::time);
    let hash = check.last_hash.unwrap_or_else(|| "none".to_owned());
    facts(output, &[("Entries", units::count(check.entries)), ("Last", last), ("Hash", hash)]);
    output.hint("Keep the hash elsewhere: a later log that does not have it was rewritten");
    Ok(Exit::Done)
}
