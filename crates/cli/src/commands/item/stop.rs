//! `stateward item stop`

use crate::context::Context;
use crate::vault_choice::{Ended, EndedItem};
use clap::{Args, ValueEnum};
use stateward_agent::{AgentError, Exit, protect};
use stateward_api::arm::items::{ItemChange, ProtectedItem};
use stateward_api::arm::vaults::Vault;
use stateward_client::AdminClient;
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
    item: EndedItem,
    /// What becomes of its recovery points
    #[arg(long, value_enum, default_value_t = Keep::Forever)]
    keep: Keep,
}

/// Stops an item's backups.
pub fn run(context: &Context, Arguments { item, keep }: Arguments) -> Result<Exit, AgentError> {
    let keeps = match keep {
        Keep::Forever => StopKeeps::Forever,
        Keep::Expire => StopKeeps::Expire,
    };
    match item.find(context)? {
        Ended::OfVault(of) => {
            let (client, vault, item) = *of;
            stop(context, &client, (&vault, &item), keeps)?;
        }
        Ended::OfThisServer(name, pin) => {
            let item = protect::stop(context.agent(), &name, keeps, pin)?;
            context.output().object(&super::object("result", &item));
            context.output().line(format_args!("Item {} is not backed up any more", item.label));
            context.output().hint("An administrator resumes its backups: `stateward item resume`");
        }
    }
    Ok(Exit::Done)
}

fn stop(
    context: &Context,
    client: &AdminClient,
    (vault, item): (&Vault, &ProtectedItem),
    keeps: StopKeeps,
) -> Result<(), AgentError> {
    let change = ItemChange {
        protection_state: Some("ProtectionStopped".to_owned()),
        stop_keeps: Some(keeps),
        ..ItemChange::default()
    };
    let item = client.change_item(item, change)?;
    let name = &item.properties.friendly_name;
    let output = context.output();
    super::print_result(output, &format!("Item {name} is not backed up any more"), &item);
    output.hint(format_args!(
        "`stateward item resume {} --vault {}` resumes its backups",
        item.name, vault.name
    ));
    Ok(())
}
