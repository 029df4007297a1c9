//! `stateward item backup`

use crate::commands::job::vault::print_asked;
use crate::context::Context;
use crate::retain_flag::RetainFlag;
use crate::vault_choice::NamedItem;
use clap::Args;
use stateward_agent::{AgentError, Exit};
use stateward_api::arm::items::{BackupRequest, BackupWishes};

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    item: NamedItem,
    #[command(flatten)]
    retain: RetainFlag,
}

/// Asks for a backup.
pub fn run(context: &Context, Arguments { item, retain }: Arguments) -> Result<Exit, AgentError> {
    let (client, vault, item) = item.find(context)?;
    let request = BackupRequest { properties: BackupWishes { retain_until: retain.until } };
    let job = client.back_up_item(&item, &request)?;
    let properties = &item.properties;
    let headline = format!("{} was asked to back {} up", properties.computer_name, properties.friendly_name);
    print_asked(context.output(), &vault, job, &headline);
    Ok(Exit::Done)
}
