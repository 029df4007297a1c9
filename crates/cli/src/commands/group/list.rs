//! `stateward group list`

use crate::context::Context;
use crate::display::Table;
use crate::tags;
use clap::Args;
use stateward_agent::{AgentError, Exit, admin};

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {}

/// Shows all resource groups in which the administrator has a role.
pub fn run(context: &Context, _: Arguments) -> Result<Exit, AgentError> {
    let mut table = Table::new(&["Name", "Location", "Tags"]);
    for group in admin::administrator(context.agent())?.groups()? {
        context.output().object(&super::object("group", &group));
        table.row(vec![group.name, group.location, tags::text(&group.tags)]);
    }
    table.print(context.output(), "There is no resource group. Next: `stateward group create NAME`");
    Ok(Exit::Done)
}
