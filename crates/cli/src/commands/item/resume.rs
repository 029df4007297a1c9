//! `stateward item resume`

use crate::context::Context;
use crate::vault_choice::NamedItem;
use clap::Args;
use stateward_agent::{AgentError, Exit};
use stateward_api::arm::items::ItemChange;
use stateward_model::PolicyName;

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    item: NamedItem,
    /// The policy that it is to have [default: the one that it has]
    #[arg(long, value_name = "NAME")]
    policy: Option<PolicyName>,
}

/// Resumes a stopped item's backups.
pub fn run(context: &Context, Arguments { item, policy }: Arguments) -> Result<Exit, AgentError> {
    let (client, _, item) = item.find(context)?;
    let change = ItemChange {
        protection_state: Some("Protected".to_owned()),
        policy_id: policy.map(String::from),
        ..ItemChange::default()
    };
    let item = client.change_item(&item, change)?;
    let headline = format!("Item {} is backed up again", item.properties.friendly_name);
    super::print_result(context.output(), &headline, &item);
    Ok(Exit::Done)
}
