//! `stateward vault list`

use super::group_of;
use crate::context::Context;
use crate::display::Table;
use crate::units;
use clap::Args;
use stateward_agent::{AgentError, Exit, admin};
use stateward_model::GroupName;

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Only the vaults of this resource group
    #[arg(long, value_name = "GROUP")]
    resource_group: Option<GroupName>,
}

/// Shows all vaults.
pub fn run(context: &Context, Arguments { resource_group }: Arguments) -> Result<Exit, AgentError> {
    let mut table = Table::new(&[
        "Name",
        "Resource group",
        ">Servers",
        ">Items",
        ">Recovery points",
        ">Stored",
        "Created",
    ]);
    for vault in admin::administrator(context.agent())?.vaults(resource_group.as_ref())? {
        context.output().object(&super::object("vault", &vault));
        let usage = vault.properties.usage;
        let count = |number: Option<u64>| number.map(units::count).unwrap_or_default();
        table.row(vec![
            vault.name.clone(),
            group_of(&vault.id).to_owned(),
            count(usage.map(|usage| usage.servers)),
            count(usage.map(|usage| usage.items)),
            count(usage.map(|usage| usage.recovery_points)),
            usage.map(|usage| units::bytes(usage.stored_bytes)).unwrap_or_default(),
            vault.properties.created_at.map(units::time).unwrap_or_default(),
        ]);
    }
    table.print(context.output(), "There is no vault yet. Next: `stateward vault create NAME`");
    Ok(Exit::Done)
}
