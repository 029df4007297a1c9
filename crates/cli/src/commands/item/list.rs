//! `stateward item list`

use crate::context::Context;
use crate::display::Table;
use crate::units;
use clap::Args;
use stateward_agent::overview::Overview;
use stateward_agent::{AgentError, Exit};

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {}

/// Shows what is protected.
pub fn run(context: &Context, _: Arguments) -> Result<Exit, AgentError> {
    let overview = Overview::of(context.agent())?;
    let mut table = Table::new(&["Item", "Kind", "Last backup", "Content"]);
    for item in &overview.items.items {
        let last = overview.last_backup(item.id);
        let mut object = super::object("item", item);
        object["last_backup"] = serde_json::json!(last.and_then(|job| job.ended_at));
        context.output().object(&object);
        table.row(vec![
            item.label.to_string(),
            item.selection.kind().to_string(),
            last.and_then(|job| job.ended_at).map_or_else(|| "never".to_owned(), units::time),
            super::selection_text(&item.selection),
        ]);
    }
    table.print(context.output(), "Nothing is protected yet. Next: `stateward protect system-state`");
    Ok(Exit::Done)
}
