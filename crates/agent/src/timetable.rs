//! When this server's items are backed up by themselves: the home's copy of what the vault says, and what was done of it.
//!
//! The copy lies in `timetable.json`. A run counts as handled once its job was written down, so that a machine that was off, or a
//! vault that was away, is caught up with once. What is caught up begins some moments later than it could: servers that missed
//! the same hour don't come at the same second. A run that fails is begun again ([`begun`]).

mod begun;

use crate::document::{Document, DocumentError};
use crate::jobs::JobFolder;
use crate::{Agent, AgentError, Home};
use begun::{Became, BegunRun};
use serde::{Deserialize, Serialize};
use stateward_api::agent::{ScheduledItem, Timetable};
use stateward_model::policy::{Look, Schedule};
use stateward_model::{ItemId, JobId, PolicyName, Timestamp};
use std::collections::BTreeMap;

const FILE: &str = "timetable.json";

/// A run that begins later than this was missed, and is caught up.
const LATE_SECONDS: i64 = 120;

/// Within how many seconds servers spread what they catch up.
const SPREAD_SECONDS: u32 = 300;

/// The home's copy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    /// The vault's name for it. Not `version`: that is the file's own.
    timetable: String,
    items: Vec<KeptItem>,
}

impl Document for Kept {
    const VERSION: u32 = 1;
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct KeptItem {
    item: ItemId,
    policy: PolicyName,
    schedule: Schedule,
    /// All runs until then were begun, or lie before the schedule held.
    handled: Timestamp,
    /// The run that was begun last, until it has ended well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    begun: Option<BegunRun>,
}

/// A run whose time has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DueRun {
    /// The item.
    pub(crate) item: ItemId,
    /// Until when its runs count as handled from now on.
    handled: Timestamp,
    /// How often this one was begun before.
    again: usize,
}

/// When an item is backed up next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextRun {
    /// Its policy's name.
    pub policy: PolicyName,
    /// When; `None` if never again.
    pub at: Option<Timestamp>,
}

/// The timetable, and from when on each missed run may begin.
#[derive(Debug, Default)]
pub(crate) struct KeptTimetable {
    kept: Kept,
    /// In this process only: one that starts anew spreads anew.
    begins: BTreeMap<ItemId, Timestamp>,
}

/// When the items of a home are backed up next, as far as its copy of the timetable knows.
pub fn next_runs(home: &Home, now: Timestamp) -> Result<BTreeMap<ItemId, NextRun>, AgentError> {
    let kept = read(home)?;
    let next = |item: &KeptItem| {
        let look = item.schedule.look(item.handled, now);
        let again = item.begins_again().map(|at| at.max(now));
        let planned = look.due.map(|_| now).or(look.next.map(|run| run.at));
        NextRun { policy: item.policy.clone(), at: again.into_iter().chain(planned).min() }
    };
    Ok(kept.items.iter().map(|item| (item.item, next(item))).collect())
}

/// Since when each item waits whose planned run has not begun.
pub(crate) fn waiting(home: &Home, now: Timestamp) -> Result<BTreeMap<ItemId, Timestamp>, AgentError> {
    let due = |item: &KeptItem| {
        let look = item.schedule.look(item.handled, now);
        Some((item.item, look.missed_since.or(look.due)?.at))
    };
    Ok(read(home)?.items.iter().filter_map(due).collect())
}

impl KeptItem {
    /// When its last run is begun again, if it failed.
    fn begins_again(&self) -> Option<Timestamp> {
        self.begun.as_ref()?.at
    }
}

/// The copy. One that is damaged is none: the vault gives it again, and a server goes on being backed up.
fn read(home: &Home) -> Result<Kept, AgentError> {
    match home.read(FILE) {
        Err(AgentError::Document(DocumentError::Damaged { path, why })) => {
            tracing::warn!(path = %path.display(), why, "the timetable is asked for anew");
            Ok(Kept::default())
        }
        read => Ok(read?.unwrap_or_default()),
    }
}

impl KeptTimetable {
    pub(crate) fn load(home: &Home) -> Result<Self, AgentError> {
        Ok(Self { kept: read(home)?, begins: BTreeMap::new() })
    }

    /// Which one it is.
    pub(crate) fn version(&self) -> &str {
        &self.kept.timetable
    }

    /// Takes another one from the vault. What was planned the same before goes on; a schedule that is new holds from now on.
    pub(crate) fn replace(&mut self, agent: &Agent, timetable: Timetable) -> Result<(), AgentError> {
        let now = agent.now();
        let Timetable { mut version, items } = timetable;
        // It is sent back within an address. One that can't be is never the present one.
        version.retain(|c| c.is_ascii_alphanumeric());
        let kept = items.into_iter().filter_map(|item| self.kept_item(item, now)).collect();
        self.kept = Kept { timetable: version, items: kept };
        agent.home().write(FILE, &self.kept)
    }

    fn kept_item(&self, planned: ScheduledItem, now: Timestamp) -> Option<KeptItem> {
        let ScheduledItem { item, policy, schedule } = planned;
        if let Err(why) = schedule.check() {
            // No vault of ours has such a one: it would be refused as a policy.
            tracing::error!(%item, %why, "a schedule of the vault can't be");
            return None;
        }
        let before = self.kept.items.iter().find(|kept| kept.item == item && kept.schedule == schedule);
        let handled = before.map_or(now, |kept| kept.handled);
        let begun = before.and_then(|kept| kept.begun.clone());
        Some(KeptItem { item, policy, schedule, handled, begun })
    }

    /// Notes that a run was begun, as that job.
    pub(crate) fn handled(&mut self, home: &Home, run: &DueRun, job: JobId) -> Result<(), AgentError> {
        self.begins.remove(&run.item);
        if let Some(kept) = self.kept.items.iter_mut().find(|kept| kept.item == run.item) {
            kept.handled = run.handled;
            kept.begun = Some(BegunRun { job, again: run.again, at: None });
        }
        home.write(FILE, &self.kept)
    }

    /// Looks how the runs ended that were begun. Those that failed are planned again.
    pub(crate) fn settle(&mut self, agent: &Agent) -> Result<(), AgentError> {
        let (jobs, now) = (JobFolder::of(agent.home()), agent.now());
        let mut is_changed = false;
        for kept in &mut self.kept.items {
            let Some(begun) = &mut kept.begun else { continue };
            match begun.look(kept.item, &jobs, now) {
                Became::Open => continue,
                Became::Done => kept.begun = None,
                Became::Again(at) => begun.at = Some(at),
            }
            is_changed = true;
        }
        match is_changed {
            true => agent.home().write(FILE, &self.kept),
            false => Ok(()),
        }
    }

    /// The run that is to begin now: of those whose time has come, the one that waits longest.
    pub(crate) fn due(&mut self, now: Timestamp) -> Option<DueRun> {
        let mut first: Option<(Timestamp, DueRun)> = None;
        for kept in &mut self.kept.items {
            let Look { due, handled, .. } = kept.schedule.look(kept.handled, now);
            let Some(run) = due else {
                // Differs only where the clock was set back.
                kept.handled = handled;
                // Of a run that is not to come any more: what is missed later is spread anew.
                self.begins.remove(&kept.item);
                if let Some(begun) = &kept.begun
                    && let Some(at) = begun.at.filter(|at| *at <= now)
                    && first.as_ref().is_none_or(|(first, _)| at < *first)
                {
                    first = Some((at, DueRun { item: kept.item, handled, again: begun.again + 1 }));
                }
                continue;
            };
            let begins = self.begins.entry(kept.item).or_insert_with(|| begins(kept.item, run.at, now));
            let is_first = first.as_ref().is_none_or(|(at, _)| run.at < *at);
            if *begins <= now && is_first {
                first = Some((run.at, DueRun { item: kept.item, handled, again: 0 }));
            }
        }
        first.map(|(_, run)| run)
    }

    /// In how many seconds to look again for a run; `None`: no run is planned.
    pub(crate) fn next_look(&self, now: Timestamp) -> Option<u32> {
        let moments = self.kept.items.iter().filter_map(|kept| {
            let look = kept.schedule.look(kept.handled, now);
            match look.due {
                Some(_) => Some(self.begins.get(&kept.item).copied().unwrap_or(now)),
                None => kept.begins_again().into_iter().chain(look.next.map(|run| run.at)).min(),
            }
        });
        let first = moments.min()?;
        // Rounded up: a look that comes too early finds nothing and is made again at once.
        let left = u64::try_from(first.0.saturating_sub(now.0)).unwrap_or(0);
        Some(u32::try_from(left.div_ceil(1_000_000_000)).unwrap_or(u32::MAX))
    }

    /// The next run of any item.
    pub(crate) fn next_run(&self, now: Timestamp) -> Option<Timestamp> {
        self.kept
            .items
            .iter()
            .filter_map(|kept| kept.schedule.look(kept.handled, now).next)
            .map(|run| run.at)
            .min()
    }
}

/// When a run begins: at its time, or some moments after now if that is over.
fn begins(item: ItemId, at: Timestamp, now: Timestamp) -> Timestamp {
    if now <= at.plus_seconds(LATE_SECONDS) {
        return at;
    }
    now.plus_seconds(spread_seconds(item))
}

/// How many seconds later than others an item begins that could begin at the same moment.
fn spread_seconds(item: ItemId) -> i64 {
    let number = item.0.iter().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(*byte)));
    i64::from(number % SPREAD_SECONDS)
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod year;
