//! `stateward item delete`

use super::vault_object;
use crate::context::Context;
use crate::vault_choice::NamedItem;
use clap::Args;
use serde_json::json;
use stateward_agent::{AgentError, Exit};

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    item: NamedItem,
}

/// Deletes an item with its recovery points.
pub fn run(context: &Context, Arguments { item }: Arguments) -> Result<Exit, AgentError> {
    let (client, vault, item) = item.find(context)?;
    let job = client.delete_item(&item)?;
    let output = context.output();
    let mut object = vault_object("result", &item);
    (object["is_deleted"], object["job"]) = (json!(true), json!(job));
    output.object(&object);
    output.line(format_args!("Item {} is deleted with its recovery points", item.properties.friendly_name));
    output.hint(format_args!(
        "They can be had back for {} days: `stateward item undelete {} --vault {}`",
        item.properties.soft_delete_retention_period_in_days, item.name, vault.name
    ));
    Ok(Exit::Done)
}
