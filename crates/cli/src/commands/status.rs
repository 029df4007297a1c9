//! `stateward status`

use crate::context::Context;
use crate::display::{Table, facts, short};
use crate::output::Output;
use crate::units;
use clap::Args;
use serde_json::json;
use stateward_agent::overview::Overview;
use stateward_agent::{AgentError, Exit};

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {}

/// Shows this server at a glance. Asks no vault.
pub fn run(context: &Context, _: Arguments) -> Result<Exit, AgentError> {
    let overview = Overview::of(context.agent())?;
    let output = context.output();
    output.object(&json!({
        "type": "result", "home": context.agent().home().path(),
        "server": overview.registration.as_ref().map(|found| found.server),
        "label": overview.registration.as_ref().map(|found| &found.label),
        "vault": overview.registration.as_ref().map(|found| &found.vault_name),
        "url": overview.registration.as_ref().map(|found| &found.url),
        "items": overview.items.items.iter().map(|item| &item.label).collect::<Vec<_>>(),
        "recovery_point": overview.head.map(|head| head.point),
        "recovery_point_time": overview.head.map(|head| head.received_at),
        "running_jobs": overview.running().map(|job| job.id).collect::<Vec<_>>(),
        "is_served": overview.is_served,
        "next_backups": overview.next_runs.iter().map(|(item, next)| json!({
            "item_id": item, "policy": next.policy, "at": next.at,
        })).collect::<Vec<_>>(),
    }));
    print(context, output, &overview);
    Ok(Exit::Done)
}

fn print(context: &Context, output: &Output, overview: &Overview) {
    output.line(format_args!("Home {}", context.agent().home().path().display()));
    let mut lines = Vec::new();
    match &overview.registration {
        None => lines.push(("Server", "not registered".to_owned())),
        Some(found) => {
            lines.push(("Server", format!("{} ({})", found.label, found.server)));
            lines.push(("Vault", format!("{} at {}", found.vault_name, found.url)));
        }
    }
    if let Some(head) = overview.head {
        let time = units::time(head.received_at);
        lines.push(("Newest recovery point", format!("{}, {time}", short(head.point))));
    }
    for job in overview.running() {
        let kind = job.kind().to_string().to_lowercase();
        let how = if job.is_paused { "Paused" } else { "Running" };
        lines.push((how, format!("{kind}, {}, job {}", job.phase, short(job.id))));
    }
    facts(output, &lines);
    let mut table = Table::new(&["Item", "Kind", "Last backup", "Status", "Policy", "Next backup"]);
    for item in &overview.items.items {
        let (last, next) = (overview.last_backup(item.id), overview.next_runs.get(&item.id));
        table.row(vec![
            item.label.to_string(),
            item.selection.kind().to_string(),
            last.and_then(|job| job.ended_at).map_or_else(|| "never".to_owned(), units::time),
            last.map(|job| job.state.to_string()).unwrap_or_default(),
            next.map_or_else(|| "none".to_owned(), |next| next.policy.to_string()),
            next.and_then(|next| next.at).map(units::time).unwrap_or_default(),
        ]);
    }
    table.print(output, "Nothing is protected yet. Next: `stateward protect system-state`");
    if overview.registration.is_none() {
        output.hint("Next: `stateward register --credentials FILE`");
    } else if !overview.is_served {
        output.hint("No agent runs here, so nothing is backed up by itself: `stateward agent run`");
    }
}
