//! `stateward approval list`

use crate::context::Context;
use crate::display::{Table, short};
use crate::units;
use crate::vault_choice::InVault;
use clap::Args;
use serde_json::{Value, json};
use stateward_agent::{AgentError, Exit};
use stateward_api::arm::approvals::Approval;

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    vault: InVault,
}

/// Shows what consent was asked to.
pub fn run(context: &Context, Arguments { vault }: Arguments) -> Result<Exit, AgentError> {
    let (client, vault) = vault.find(context)?;
    let mut table = Table::new(&["Approval", "Act", "Subject", "State", "Asked", "By", "Good until"]);
    for approval in client.approvals(&vault)? {
        context.output().object(&object("approval", &approval));
        let properties = &approval.properties;
        table.row(vec![
            short(&approval.name),
            properties.act.clone(),
            properties.subject.clone(),
            format!("{:?}", properties.state),
            units::time(properties.asked_at),
            properties.asked_by.clone(),
            units::time(properties.expires_at),
        ]);
    }
    table.print(context.output(), "Nobody asks for consent in this vault");
    Ok(Exit::Done)
}

/// An approval as an object; `kind` is what the line is.
pub(super) fn object(kind: &str, approval: &Approval) -> Value {
    let properties = &approval.properties;
    json!({
        "type": kind, "approval": approval.name, "act": properties.act, "subject": properties.subject,
        "state": properties.state, "asked_by": properties.asked_by, "asked_at": properties.asked_at,
        "expires_at": properties.expires_at, "approved_by": properties.approved_by,
        "approved_at": properties.approved_at, "used_at": properties.used_at,
    })
}
