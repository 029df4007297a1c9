//! Who runs the backups, how the last ones went, and what would trouble the next.

use super::{Check, Outcome};
use crate::codes::warnings;
use crate::items::{Item, Items, Selection};
use crate::overview::Overview;
use crate::prechecks::PrecheckAction;
use crate::settings::Settings;
use crate::snapshots::Ledger;
use crate::source::CACHE_BYTES_FREE;
use crate::{Agent, RegisteredServer, server_backup, timetable};
use stateward_format::manifest::Precheck;
use stateward_model::{ItemId, JobKind, JobState, Timestamp};
use std::collections::BTreeMap;

/// A planned backup that did not begin by so many seconds after its time is overdue.
const OVERDUE_SECONDS: i64 = 15 * 60;

/// Of an item without a policy: a backup older than a week is old.
const OLD_SECONDS: i64 = 7 * 86_400;

/// Whether a process does what is planned.
pub(super) fn service(agent: &Agent) -> Vec<Check> {
    const NAME: &str = "agent";
    if !agent.home().exists() {
        return vec![Check::skipped(NAME, "There is no home")];
    }
    let mut checks = vec![match agent.home().is_served() {
        true => Check::passed(NAME, "An agent serves this home: it does what is planned and asked for"),
        false => Check::warning(
            NAME,
            "No agent serves this home, so nothing is backed up by itself",
            "Start it: `stateward agent start`",
        ),
    }];
    if let Ok(overview) = Overview::of(agent) {
        let running: Vec<String> = overview.running().map(|job| job.id.to_string()).collect();
        if !running.is_empty() {
            checks.push(Check::passed("job", format!("A job runs: {}", running.join(", "))));
        }
    }
    checks
}

/// How each item stands.
pub(super) fn items(agent: &Agent) -> Vec<Check> {
    const NAME: &str = "backup";
    let known = Overview::of(agent).and_then(|overview| {
        let waiting = timetable::waiting(agent.home(), agent.now())?;
        Ok((overview, waiting))
    });
    match known {
        Err(error) => vec![Check::error(NAME, &error)],
        Ok((overview, _)) if overview.items.items.is_empty() => vec![Check::warning(
            NAME,
            "Nothing is protected on this server yet",
            "Choose it: `stateward protect system-state`, `stateward protect files PATH…`",
        )],
        Ok((overview, waiting)) => {
            overview.items.items.iter().map(|item| one(agent, &overview, &waiting, item)).collect()
        }
    }
}

fn one(agent: &Agent, overview: &Overview, waiting: &BTreeMap<ItemId, Timestamp>, item: &Item) -> Check {
    const NAME: &str = "backup";
    let (label, now) = (&item.label, agent.now());
    let latest = overview.jobs.iter().find(|job| {
        job.kind() == JobKind::Backup
            && job.state.is_ended()
            && job.item.as_ref().is_some_and(|of| of.id == item.id)
    });
    let failed = latest.filter(|job| job.state == JobState::Failed).and_then(|job| job.failure.as_ref());
    if let Some(failure) = failed {
        let words = format!("The last backup of `{label}` failed: {}", failure.message);
        let check = Check::warning(NAME, words, failure.remedy.clone());
        return Check { code: Some(failure.code.clone()), ..check };
    }
    let last = overview.last_backup(item.id).and_then(|job| job.ended_at);
    let last = last.map(to_the_second);
    let told = last.map_or_else(|| "there is none yet".to_owned(), |at| format!("the last is of {at}"));
    if let Some(since) = waiting.get(&item.id).filter(|at| at.plus_seconds(OVERDUE_SECONDS) < now) {
        let words = format!("A backup of `{label}` is overdue since {since}; {told}");
        return Check::warning(
            NAME,
            words,
            "See that the agent runs and reaches the vault, or make one: `stateward backup now`",
        );
    }
    match (last, overview.next_runs.get(&item.id).and_then(|next| next.at)) {
        (None, None) => Check::warning(
            NAME,
            format!("`{label}` was never backed up, and no backup of it is planned"),
            "Make one: `stateward backup now`; and plan them: `stateward schedule`",
        ),
        (None, Some(next)) => Check::warning(
            NAME,
            format!("`{label}` was never backed up; the first backup is planned for {next}"),
            "To have one now: `stateward backup now`",
        ),
        (Some(at), None) if at.plus_seconds(OLD_SECONDS) < now => Check::warning(
            NAME,
            format!("The last backup of `{label}` is of {at}, and none is planned"),
            "Make one: `stateward backup now`; and plan them: `stateward schedule`",
        ),
        (Some(at), None) => {
            Check::passed(NAME, format!("The last backup of `{label}` is of {at}; none is planned"))
        }
        (Some(at), Some(next)) => Check::passed(
            NAME,
            format!("The last backup of `{label}` is of {at}, the next is planned for {next}"),
        ),
    }
}

/// Nobody reads the rest of it.
fn to_the_second(at: Timestamp) -> Timestamp {
    Timestamp(at.0 - at.0.rem_euclid(1_000_000_000))
}

/// What would be found before a backup of System State now.
pub(super) fn prechecks(agent: &Agent, server: Option<&RegisteredServer>) -> Vec<Check> {
    let folder =
        server.map_or_else(|| agent.home().default_cache(), |server| server.registration.cache.clone());
    let settings = Settings::load(agent.home()).unwrap_or_default();
    let mut found = stateward_system_state::prechecks(&folder, CACHE_BYTES_FREE);
    let mut checks = Vec::new();
    if has_system_state(agent) {
        match server_backup::server().and_then(|server| {
            server.map_or_else(
                || Ok(Vec::new()),
                |server| server_backup::look(agent.home(), &server, &settings),
            )
        }) {
            Ok(more) => found.extend(more),
            Err(error) => checks.push(Check::error("precheck", &error)),
        }
    }
    found.into_iter().map(|precheck| judged(precheck, &settings)).chain(checks).collect()
}

/// Whether System State is protected.
fn has_system_state(agent: &Agent) -> bool {
    Items::load(agent.home()).is_ok_and(|items| {
        items.items.iter().any(|item| matches!(item.selection, Selection::SystemState { .. }))
    })
}

fn judged(precheck: Precheck, settings: &Settings) -> Check {
    let action = settings.prechecks.action_of(&precheck);
    let outcome = match action {
        _ if precheck.outcome == 0 => Outcome::Passed,
        PrecheckAction::Pass => Outcome::Passed,
        PrecheckAction::Warn => Outcome::Warning,
        PrecheckAction::Block => Outcome::Failed,
    };
    let known = warnings::ALL.iter().find(|known| known.code == precheck.code);
    let check = Check::new("precheck", outcome, precheck.message);
    match outcome {
        Outcome::Passed => check,
        _ => Check { code: Some(precheck.code), remedy: known.map(|known| known.remedy.to_owned()), ..check },
    }
}

/// Whether a dead run left snapshots of the source behind.
pub(super) fn snapshots(agent: &Agent) -> Check {
    const NAME: &str = "snapshots";
    let is_running = Overview::of(agent).is_ok_and(|overview| overview.running().next().is_some());
    match Ledger::of(agent.home()).count() {
        Err(error) => Check::error(NAME, &error),
        Ok(0) => Check::passed(NAME, "No snapshot of the source is left"),
        Ok(count) if is_running => {
            Check::passed(NAME, format!("A job reads from {count} snapshots of the source"))
        }
        Ok(count) => Check::warning(
            NAME,
            format!("A run that died left {count} snapshots of the source, which take space"),
            "The next backup removes them: `stateward backup now`",
        ),
    }
}
