//! `stateward item list`

use super::{kind_of, state_of, vault_object};
use crate::context::Context;
use crate::display::Table;
use crate::units;
use crate::vault_choice::PerhapsInVault;
use clap::Args;
use stateward_agent::overview::Overview;
use stateward_agent::{AgentError, Exit};
use stateward_api::arm::items::ProtectedItem;

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    vault: PerhapsInVault,
}

/// Shows what is protected.
pub fn run(context: &Context, Arguments { vault }: Arguments) -> Result<Exit, AgentError> {
    match vault.find(context)? {
        Some((client, vault)) => of_vault(context, &client.items(&vault)?),
        None => of_this_server(context)?,
    }
    Ok(Exit::Done)
}

fn of_this_server(context: &Context) -> Result<(), AgentError> {
    let overview = Overview::of(context.agent())?;
    let mut table = Table::new(&["Item", "Kind", "Last backup", "Content"]);
    for item in &overview.items.items {
        let last = overview.last_backup(item.id);
        let mut object = super::object("item", item);
        object["last_backup"] = serde_json::json!(last.and_then(|job| job.ended_at));
        context.output().object(&object);
        table.row(vec![
            item.label.to_string(),
            item.selection.kind().to_string(),
            last.and_then(|job| job.ended_at).map_or_else(|| "never".to_owned(), units::time),
            super::selection_text(&item.selection),
        ]);
    }
    table.print(context.output(), "Nothing is protected yet. Next: `stateward protect system-state`");
    Ok(())
}

fn of_vault(context: &Context, items: &[ProtectedItem]) {
    let headings = ["Server", "Item", "Kind", "State", "Policy", "Last recovery point", ">Points", "Id"];
    let mut table = Table::new(&headings);
    for item in items {
        context.output().object(&vault_object("item", item));
        let properties = &item.properties;
        table.row(vec![
            properties.computer_name.clone(),
            properties.friendly_name.clone(),
            kind_of(item).to_string(),
            state_of(item).to_owned(),
            properties.policy_name.clone(),
            properties.last_recovery_point.map_or_else(|| "none".to_owned(), units::time),
            units::count(properties.extended_info.recovery_point_count),
            item.name.clone(),
        ]);
    }
    table.print(context.output(), "No server of this vault protects anything yet");
}
