//! `stateward status`

use crate::context::Context;
use crate::display::{Table, facts, short};
use crate::output::Output;
use crate::units;
use clap::Args;
use serde_json::json;
use stateward_agent::items::Item;
use stateward_agent::jobs::JobFailure;
use stateward_agent::overview::Overview;
use stateward_agent::{AgentError, Exit};

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {}

/// Shows this server at a glance, as far as its home can be read. Asks no vault.
pub fn run(context: &Context, _: Arguments) -> Result<Exit, AgentError> {
    let (overview, damage) = Overview::as_far_as_readable(context.agent());
    let failures: Vec<JobFailure> = damage.iter().map(JobFailure::from).collect();
    let output = context.output();
    output.object(&json!({
        "type": "result", "home": context.agent().home().path(),
        "server": overview.registration.as_ref().map(|found| found.server),
        "label": overview.registration.as_ref().map(|found| &found.label),
        "vault": overview.registration.as_ref().map(|found| &found.vault_name),
        "url": overview.registration.as_ref().map(|found| &found.url),
        "items": overview.items.items.iter().map(|item| &item.label).collect::<Vec<_>>(),
        "recovery_point": overview.head.map(|head| head.point),
        "recovery_point_sequence": overview.head.map(|head| head.sequence),
        "recovery_point_time": overview.head.map(|head| head.received_at),
        "running_jobs": overview.running().map(|job| job.id).collect::<Vec<_>>(),
        "is_served": overview.is_served,
        "proofs": proofs(context, &overview),
        "damage": failures,
        "next_backups": overview.next_runs.iter().map(|(item, next)| json!({
            "item_id": item, "policy": next.policy, "at": next.at,
        })).collect::<Vec<_>>(),
    }));
    print(context, output, &overview, &failures);
    Ok(if damage.is_empty() { Exit::Done } else { Exit::Failed })
}

/// What was proven to come back, for programs.
fn proofs(context: &Context, overview: &Overview) -> serde_json::Value {
    let (now, settings) = (context.agent().now(), &overview.proof_settings);
    let trial = |item: &Item| {
        let tries = overview.proofs.restores.get(&item.id);
        json!({
            "item_id": item.id,
            "proven": tries.and_then(|tries| tries.proven),
            "hindered": tries.and_then(|tries| tries.hindered.as_ref()),
            "next": overview.proofs.next_trial(settings, item.id, now),
        })
    };
    json!({
        "verified_at": overview.proofs.verify.proven,
        "next_verify": overview.proofs.next_verify(settings, now),
        "trial_restores": overview.items.items.iter().map(trial).collect::<Vec<_>>(),
    })
}

/// The same for people: nothing of a home that has no recovery point.
fn proof_lines(overview: &Overview) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    if overview.head.is_none() {
        return lines;
    }
    let verified = overview.proofs.verify.proven.map_or_else(|| "never".to_owned(), units::time);
    lines.push(("Last verified", verified));
    for item in &overview.items.items {
        let tries = overview.proofs.restores.get(&item.id);
        let proven = tries.and_then(|tries| tries.proven).map_or_else(
            || format!("{}: never", item.label),
            |proven| {
                let (time, point) = (units::time(proven.at), short(proven.recovery_point));
                format!("{}: {time}, all {} of {point}", item.label, units::counted(proven.files, "file"))
            },
        );
        lines.push(("Last proven restore", proven));
        if let Some(why) = tries.and_then(|tries| tries.hindered.as_ref()) {
            lines.push(("", why.clone()));
        }
    }
    lines
}

fn print(context: &Context, output: &Output, overview: &Overview, damage: &[JobFailure]) {
    output.line(format_args!("Home {}", context.agent().home().path().display()));
    for JobFailure { code, message, remedy } in damage {
        output.line(format_args!("{message} [{code}]"));
        output.hint(format_args!("Hint: {remedy}"));
    }
    let mut lines = Vec::new();
    match &overview.registration {
        None if !damage.is_empty() => (),
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
    lines.extend(proof_lines(overview));
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
    if !damage.is_empty() {
        table.print(output, "What is protected here can't be told, or nothing is");
        return;
    }
    table.print(output, "Nothing is protected yet. Next: `stateward protect system-state`");
    if overview.registration.is_none() {
        output.hint("Next: `stateward register --credentials FILE`");
    } else if !overview.is_served {
        output.hint("No agent runs here, so nothing is backed up by itself: `stateward agent start`");
    }
}
