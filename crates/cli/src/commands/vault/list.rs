//! `stateward vault list`

use crate::context::Context;
use crate::display::Table;
use crate::units;
use clap::Args;
use stateward_agent::{AgentError, Exit, admin};

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {}

/// Shows all vaults.
pub fn run(context: &Context, _: Arguments) -> Result<Exit, AgentError> {
    let mut table = Table::new(&["Name", ">Servers", ">Recovery points", ">Stored", "Created"]);
    for vault in admin::administrator(context.agent())?.vaults()? {
        context.output().object(&super::object("vault", &vault));
        table.row(vec![
            vault.name.to_string(),
            units::count(vault.servers),
            units::count(vault.recovery_points),
            units::bytes(vault.stored_bytes),
            units::time(vault.created_at),
        ]);
    }
    table.print(context.output(), "There is no vault yet. Next: `stateward vault create NAME`");
    Ok(Exit::Done)
}
