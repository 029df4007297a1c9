//! Policies: when a server is backed up, and how long its recovery points are kept. All of it pure: a moment is handed in,
//! an answer comes out, and vault, agent and portal give the same one.
//!
//! A [`Policy`] is a [`Schedule`] and a [`Retention`] that fit together. From it follow
//!
//! - [`Schedule::look`]: which run is due, what was missed, what comes next;
//! - [`selection`]: which recovery points are kept, until when, and why;
//! - [`change`]: what another policy would mean for the points that are there;
//! - [`expiry`]: what the vault may expire now, or why it must ask first;
//! - [`preview`]: what a policy will come to keep.
//!
//! [`WorkHours`] are no part of a policy: a server's line is shared out by them.
//!
//! What Azure Backup does is told from its documentation, named as "page, *section*"; where the rules differ from it, that
//! is said. What is not here: protection states, roles, soft delete and collection, which are the vault's.
//!
//! **Invariants.** A point is judged by the vault's time alone. No point ends because a newer one came. Every point is kept
//! for [`limits::KEEP_DAYS_MIN`] days, and the last good one for ever.

pub mod calendar;
pub mod change;
pub mod expiry;
pub mod limits;
pub mod preview;
pub mod retention;
pub mod schedule;
pub mod selection;
pub mod work_hours;
pub mod zone;

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

pub use calendar::{Date, DaysOfMonth, LocalTime, Month, MonthDay, TimeOfDay, WeekOfMonth, Weekday};
pub use limits::InvalidPolicy;
pub use retention::{Daily, Monthly, Retention, TierKind, Weekly, Yearly};
pub use schedule::{Look, Rhythm, Run, Schedule};
pub use selection::{Claim, Point, Reason, Until, Verdict, select};
pub use work_hours::WorkHours;
pub use zone::Zone;

use crate::Timestamp;
use serde::{Deserialize, Serialize};

/// A schedule and a retention that keep all [`limits`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct Policy(Parts);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    schedule: Schedule,
    retention: Retention,
}

impl Policy {
    /// Puts the two together, if they are allowed and retention names only what the schedule makes.
    pub fn new(schedule: Schedule, retention: Retention) -> Result<Self, InvalidPolicy> {
        limits::check(&schedule, &retention)?;
        Ok(Self(Parts { schedule, retention }))
    }

    /// When backups run.
    pub fn schedule(&self) -> &Schedule {
        &self.0.schedule
    }

    /// How long recovery points are kept.
    pub fn retention(&self) -> &Retention {
        &self.0.retention
    }

    /// Until when a point on demand is to be kept that the vault received then. A wish (`asked`) can lengthen, but never go
    /// below the minimum. Without one it is kept like a daily point ("Back up Windows Server files and folders", *Set up
    /// on-demand backup policy retention behavior*), and for the minimum where there is no daily retention (Azure: one day).
    pub fn on_demand_until(&self, asked: Option<Timestamp>, received_at: Timestamp) -> Timestamp {
        let least = self.minimum_until(received_at);
        let daily = self.retention().daily.as_ref();
        let as_daily = daily.map(|tier| self.days_after(received_at, tier.keep_days));
        asked.or(as_daily).map_or(least, |wished| wished.max(least))
    }

    /// Until when every point is kept that the vault received then.
    pub fn minimum_until(&self, received_at: Timestamp) -> Timestamp {
        self.days_after(received_at, limits::KEEP_DAYS_MIN)
    }

    fn days_after(&self, moment: Timestamp, days: u32) -> Timestamp {
        self.schedule().zone.after(moment, TierKind::Daily.span(days))
    }
}

impl TryFrom<Parts> for Policy {
    type Error = InvalidPolicy;
    fn try_from(parts: Parts) -> Result<Self, InvalidPolicy> {
        Self::new(parts.schedule, parts.retention)
    }
}

impl From<Policy> for Parts {
    fn from(policy: Policy) -> Parts {
        policy.0
    }
}
