//! `stateward item undelete`

use crate::context::Context;
use crate::vault_choice::NamedItem;
use clap::Args;
use stateward_agent::{AgentError, Exit};
use stateward_api::arm::items::ItemChange;

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    item: NamedItem,
}

/// Has a deleted item back. Its backups are stopped then.
pub fn run(context: &Context, Arguments { item }: Arguments) -> Result<Exit, AgentError> {
    let (client, vault, item) = item.find(context)?;
    let item = client.change_item(&item, ItemChange { is_rehydrate: Some(true), ..ItemChange::default() })?;
    let output = context.output();
    let headline = format!("Item {} is there again; its backups are stopped", item.properties.friendly_name);
    super::print_result(output, &headline, &item);
    output.hint(format_args!("`stateward item resume {} --vault {}` resumes them", item.name, vault.name));
    Ok(Exit::Done)
}
