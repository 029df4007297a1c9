//! `stateward item delete`

use super::vault_object;
use crate::context::Context;
use crate::output::Output;
use crate::vault_choice::{Ended, EndedItem};
use clap::Args;
use serde_json::json;
use stateward_agent::{AgentError, Exit, protect};
use stateward_api::arm::items::ProtectedItem;
use stateward_api::arm::vaults::Vault;
use stateward_model::JobId;

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    item: EndedItem,
}

/// Deletes an item with its recovery points.
pub fn run(context: &Context, Arguments { item }: Arguments) -> Result<Exit, AgentError> {
    match item.find(context)? {
        Ended::OfVault(of) => {
            let (client, vault, item) = *of;
            let job = client.delete_item(&item)?;
            print(context.output(), &vault, &item, job);
        }
        Ended::OfThisServer(name, pin) => {
            let item = protect::delete(context.agent(), &name, pin)?;
            let output = context.output();
            output.object(&super::object("result", &item));
            output.line(format_args!("Item {} is deleted with its recovery points at the vault", item.label));
            output.hint("For some days an administrator can have them back: `stateward item undelete`");
        }
    }
    Ok(Exit::Done)
}

fn print(output: &Output, vault: &Vault, item: &ProtectedItem, job: Option<JobId>) {
    let mut object = vault_object("result", item);
    (object["is_deleted"], object["job"]) = (json!(true), json!(job));
    output.object(&object);
    output.line(format_args!("Item {} is deleted with its recovery points", item.properties.friendly_name));
    output.hint(format_args!(
        "They can be had back for {} days: `stateward item undelete {} --vault {}`",
        item.properties.soft_delete_retention_period_in_days, item.name, vault.name
    ));
}
