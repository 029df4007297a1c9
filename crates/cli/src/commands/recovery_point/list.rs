//! `stateward recovery-point list`

use crate::context::Context;
use clap::Args;
use stateward_agent::points::{self, ListedPoint};
use stateward_agent::{AgentError, Exit};

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Only this item's
    #[arg(long, value_name = "NAME")]
    item: Option<String>,
}

/// Shows the recovery points of this server.
pub fn run(context: &Context, Arguments { item }: Arguments) -> Result<Exit, AgentError> {
    let mut listed = points::list_own(context.agent())?;
    if let Some(item) = item {
        listed.retain(|point| match point {
            ListedPoint::Usable(point) => point.item_label.as_str() == item || point.item.to_string() == item,
            ListedPoint::Unusable { .. } => false,
        });
    }
    let empty = "There is no recovery point yet. Next: `stateward backup now --wait`";
    Ok(super::print_list(context.output(), &listed, empty))
}
