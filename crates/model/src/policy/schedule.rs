//! When backups run: the agent's half of a policy.
//!
//! As the Schedule Backup wizard has it (Azure Backup, "Back up Windows Server files and folders", *Create a backup
//! policy*): every day, or on days of the week in every n-th week, at times of the day. Here there may be more than three
//! times, and they belong to a time zone whose changes of the clocks are followed ([`zone`](super::zone) says how).

use super::calendar::{Date, LocalTime, TimeOfDay, Weekday};
use super::limits::{self, InvalidPolicy};
use super::zone::Zone;
use crate::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// When backups run. What is in it is proved by [`Policy::new`](super::Policy::new), or by [`Schedule::check`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Schedule {
    /// Whose clocks and calendar count.
    pub zone: Zone,
    /// On which days.
    pub rhythm: Rhythm,
    /// At which times of these days.
    pub times: BTreeSet<TimeOfDay>,
}

/// On which days backups run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Rhythm {
    /// Every day.
    Daily,
    /// On days of the week.
    #[serde(rename_all = "camelCase")]
    Weekly {
        /// Which days.
        days: BTreeSet<Weekday>,
        /// In every how many weeks: 1 for each, 2 for every other. Weeks begin on Monday.
        every_weeks: u32,
        /// A day of one of the weeks in which backups run; says nothing where they run in each.
        counted_from: Date,
    },
}

impl Rhythm {
    /// Whether backups run on that day.
    pub fn contains(&self, date: Date) -> bool {
        match self {
            Self::Daily => true,
            Self::Weekly { days, every_weeks, counted_from } => {
                let weeks = date.monday().days_since(counted_from.monday()) / 7;
                days.contains(&date.weekday()) && weeks.rem_euclid(i64::from((*every_weeks).max(1))) == 0
            }
        }
    }

    /// After how many days it begins anew.
    fn days(&self) -> u32 {
        match self {
            Self::Daily => 1,
            Self::Weekly { every_weeks, .. } => every_weeks.saturating_mul(7),
        }
    }

    fn is_empty(&self) -> bool {
        matches!(self, Self::Weekly { days, .. } if days.is_empty())
    }
}

/// One run of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// The moment.
    pub at: Timestamp,
    /// What the schedule says, by the clocks of its zone. Not what they show where the clocks skip that time.
    pub planned: LocalTime,
}

/// What a schedule says at one moment. See [`Schedule::look`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// The run to start now, if there is one.
    pub due: Option<Run>,
    /// The first of the runs that [`Self::due`] catches up for, if there are any.
    pub missed_since: Option<Run>,
    /// The run after that.
    pub next: Option<Run>,
    /// What to hand in at the next look. To be kept together with the start of the run, neither before nor after.
    pub handled: Timestamp,
}

impl Schedule {
    /// Proves one that came without its policy.
    ///
    /// # Errors
    /// [`InvalidPolicy`] names the limit that it breaks.
    pub fn check(&self) -> Result<(), InvalidPolicy> {
        limits::check_schedule(self)
    }

    /// The runs after `moment`, in order; times that the clocks skip together are one run.
    pub fn runs_after(&self, moment: Timestamp) -> impl Iterator<Item = Run> + '_ {
        // A time that was skipped can be a moment of a later day (a zone may skip a whole day).
        let first = self.zone.local(moment).date.plus_days(-2);
        let last = self.zone.local(Timestamp(i64::MAX)).date;
        let never = self.times.is_empty() || self.rhythm.is_empty();
        let runs = dates_from(first)
            .take_while(move |date| !never && *date <= last)
            .filter(|date| self.rhythm.contains(*date))
            .flat_map(move |date| self.times.iter().map(move |time| LocalTime { date, time: *time }))
            .map(|planned| Run { at: self.zone.moment(planned), planned });
        later_ones(moment, runs)
    }

    /// The first run after `moment`; `None` at the end of time only.
    pub fn next_after(&self, moment: Timestamp) -> Option<Run> {
        self.runs_after(moment).next()
    }

    /// The last run at or before `moment`.
    pub fn last_until(&self, moment: Timestamp) -> Option<Run> {
        let days = i64::from(self.rhythm.days()) + 7;
        let begin = moment.plus_seconds(-days * 86_400);
        self.runs_after(begin).take_while(|run| run.at <= moment).last()
    }

    /// What is to be done now, if all was done that was due until `handled` (when the schedule was made or changed, that
    /// moment; later what the last look gave).
    ///
    /// Runs that were missed are caught up once, however many they were. If the clock was set back, no run is started a second time; if by so much that more than one run lies between, the schedule
    /// begins anew from `now`, so that a clock that was years ahead for a while does not stop backups for years.
    pub fn look(&self, handled: Timestamp, now: Timestamp) -> Look {
        if handled > now {
            return self.look_after_setback(handled, now);
        }
        let due = self.last_until(now).filter(|run| run.at > handled);
        let missed_since = due.and_then(|due| self.next_after(handled).filter(|first| first.at < due.at));
        let handled = due.map_or(handled, |run| run.at);
        Look { due, missed_since, next: self.next_after(now), handled }
    }

    fn look_after_setback(&self, handled: Timestamp, now: Timestamp) -> Look {
        let next = self.next_after(now);
        match next {
            Some(next) if next.at < handled => {
                Look { due: None, missed_since: None, next: Some(next), handled: now }
            }
            _ => Look { due: None, missed_since: None, next: self.next_after(handled), handled },
        }
    }
}

/// The runs after `moment`, and of those at one moment the first.
pub(super) fn later_ones(moment: Timestamp, runs: impl Iterator<Item = Run>) -> impl Iterator<Item = Run> {
    let mut last = moment;
    runs.filter(move |run| {
        let is_later = run.at > last;
        last = last.max(run.at);
        is_later
    })
}

/// All days from that one on.
pub(super) fn dates_from(first: Date) -> impl Iterator<Item = Date> {
    let following = |date: &Date| Some(date.plus_days(1)).filter(|next| next > date);
    std::iter::successors(Some(first), following)
}

#[cfg(test)]
mod tests;
