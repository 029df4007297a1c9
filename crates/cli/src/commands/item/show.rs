//! `stateward item show`

use crate::context::Context;
use crate::display::facts;
use crate::units;
use crate::vault_choice::PerhapsInVault;
use clap::Args;
use stateward_agent::overview::Overview;
use stateward_agent::{AgentError, Exit, admin};

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The item's name, or its id
    #[arg(value_name = "ITEM")]
    item: String,
    #[command(flatten)]
    vault: PerhapsInVault,
    /// The server that the item is on (its name or id), where several have one of that name
    #[arg(long, value_name = "SERVER", requires = "vault")]
    server: Option<String>,
}

/// Shows an item.
pub fn run(context: &Context, Arguments { item, vault, server }: Arguments) -> Result<Exit, AgentError> {
    let Some((client, vault)) = vault.find(context)? else {
        return of_this_server(context, &item);
    };
    let item = admin::find_item(&client, &vault, &item, server.as_deref())?;
    let headline = format!("Item {}", item.properties.friendly_name);
    super::print_result(context.output(), &headline, &item);
    Ok(Exit::Done)
}

fn of_this_server(context: &Context, asked: &str) -> Result<Exit, AgentError> {
    let overview = Overview::of(context.agent())?;
    let item = overview.items.find(asked)?;
    let last = overview.last_backup(item.id).and_then(|job| job.ended_at);
    let output = context.output();
    let mut object = super::object("result", item);
    object["last_backup"] = serde_json::json!(last);
    output.object(&object);
    output.line(format_args!("Item {}", item.label));
    facts(
        output,
        &[
            ("Id", item.id.to_string()),
            ("Kind", item.selection.kind().to_string()),
            ("Content", super::selection_text(&item.selection)),
            ("Last backup", last.map_or_else(|| "never".to_owned(), units::time)),
        ],
    );
    Ok(Exit::Done)
}
