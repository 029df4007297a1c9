//! `stateward alert list`

use crate::context::Context;
use crate::display::{Table, short};
use crate::units;
use crate::vault_choice::InVault;
use clap::Args;
use serde_json::{Value, json};
use stateward_agent::{AgentError, Exit};
use stateward_api::arm::alerts::Alert;

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    vault: InVault,
    /// Those that were dealt with, too
    #[arg(long)]
    all: bool,
}

/// Shows the alerts of a vault.
pub fn run(context: &Context, Arguments { vault, all }: Arguments) -> Result<Exit, AgentError> {
    let (client, vault) = vault.find(context)?;
    let mut table = Table::new(&["Alert", "Severity", "Raised", "State", "Message"]);
    for alert in client.alerts(&vault, (!all).then_some("state eq 'Open'"))? {
        context.output().object(&object("alert", &alert));
        let properties = &alert.properties;
        table.row(vec![
            short(&alert.name),
            properties.severity.clone(),
            units::time(properties.raised_at),
            properties.state.clone(),
            properties.message.clone(),
        ]);
    }
    table.print(context.output(), "There is no open alert");
    Ok(Exit::Done)
}

/// An alert as an object; `kind` is what the line is.
pub(super) fn object(kind: &str, alert: &Alert) -> Value {
    let properties = &alert.properties;
    json!({
        "type": kind, "alert": alert.name, "severity": properties.severity, "kind": properties.kind,
        "state": properties.state, "subject": properties.subject, "message": properties.message,
        "raised_at": properties.raised_at, "resolved_at": properties.resolved_at,
    })
}
