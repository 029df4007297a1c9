//! `stateward item set-policy`

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
    /// The policy that it is to have
    #[arg(long, value_name = "NAME")]
    policy: PolicyName,
}

/// Gives an item a policy.
pub fn run(context: &Context, Arguments { item, policy }: Arguments) -> Result<Exit, AgentError> {
    let (client, _, item) = item.find(context)?;
    let change = ItemChange { policy_id: Some(policy.to_string()), ..ItemChange::default() };
    let item = client.change_item(&item, change)?;
    let headline = format!("Item {} has the policy {policy}", item.properties.friendly_name);
    super::print_result(context.output(), &headline, &item);
    Ok(Exit::Done)
}
