//! `stateward policy list`

use super::words::schedule_of;
use crate::context::Context;
use crate::display::Table;
use crate::units;
use crate::vault_choice::InVault;
use clap::Args;
use stateward_agent::{AgentError, Exit};

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    vault: InVault,
}

/// Shows the policies of a vault.
pub fn run(context: &Context, Arguments { vault }: Arguments) -> Result<Exit, AgentError> {
    let (client, vault) = vault.find(context)?;
    let mut table = Table::new(&["Name", ">Items", "Backups"]);
    for policy in client.policies(&vault)? {
        context.output().object(&super::object("policy", &policy));
        let schedule = policy.properties.to_policy().map(|policy| schedule_of(&policy)).unwrap_or_default();
        let items = policy.properties.protected_items_count.map(units::count).unwrap_or_default();
        table.row(vec![policy.name, items, schedule]);
    }
    table.print(context.output(), "There is no policy yet. Next: `stateward policy create NAME`");
    Ok(Exit::Done)
}
