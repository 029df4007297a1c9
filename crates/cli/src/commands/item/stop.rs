//! `stateward item stop`

use crate::context::Context;
use crate::vault_choice::NamedItem;
use clap::{Args, ValueEnum};
use stateward_agent::{AgentError, Exit};
use stateward_api::arm::items::ItemChange;
use stateward_model::StopKeeps;

/// What becomes of the recovery points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Keep {
    /// All are kept until somebody decides otherwise
    Forever,
    /// Each comes to the end that its policy says; the last good one stays
    Expire,
}

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    item: NamedItem,
    /// What becomes of its recovery points
    #[arg(long, value_enum, default_value_t = Keep::Forever)]
    keep: Keep,
}

/// Stops an item's backups.
pub fn run(context: &Context, Arguments { item, keep }: Arguments) -> Result<Exit, AgentError> {
    let (client, vault, item) = item.find(context)?;
    let keeps = match keep {
        Keep::Forever => StopKeeps::Forever,
        Keep::Expire => StopKeeps::Expire,
    };
    let change = ItemChange {
        protection_state: Some("ProtectionStopped".to_owned()),
        stop_keeps: Some(keeps),
        ..ItemChange::default()
    };
    let item = client.change_item(&item, change)?;
    let name = &item.properties.friendly_name;
    let output = context.output();
    super::print_result(output, &format!("Item {name} is not backed up any more"), &item);
    output.hint(format_args!(
        "`stateward item resume {} --vault {}` resumes its backups",
        item.name, vault.name
    ));
    Ok(Exit::Done)
}
