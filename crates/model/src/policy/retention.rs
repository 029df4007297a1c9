//! How long recovery points are kept: the vault's half of a policy, in the four tiers of the wizard's retention page
//! (Azure Backup, "Back up Windows Server files and folders", *Create a backup policy*; `LongTermRetentionPolicy` of the
//! ARM API). Each tier names days and times of the schedule, its *slots*, and for how long a recovery point of a slot is
//! kept. Tiers are independent of each other, and each may be left out.

use super::calendar::{Date, DaysOfMonth, LocalTime, Month, TimeOfDay, Weekday};
use super::schedule::{Run, dates_from, later_ones};
use super::zone::Zone;
use crate::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// How long recovery points are kept. What is in it is proved by [`Policy::new`](super::Policy::new).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Retention {
    /// Points of every day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub daily: Option<Daily>,
    /// Points of days of the week.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weekly: Option<Weekly>,
    /// Points of days of the month.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monthly: Option<Monthly>,
    /// Points of days of the year.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub yearly: Option<Yearly>,
}

/// Keeps points of every day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Daily {
    /// Of which of the schedule's times.
    pub times: BTreeSet<TimeOfDay>,
    /// For how many days.
    pub keep_days: u32,
}

/// Keeps points of days of the week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Weekly {
    /// Which days.
    pub days: BTreeSet<Weekday>,
    /// Of which of the schedule's times.
    pub times: BTreeSet<TimeOfDay>,
    /// For how many weeks.
    pub keep_weeks: u32,
}

/// Keeps points of days of the month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Monthly {
    /// Which days.
    pub days: DaysOfMonth,
    /// Of which of the schedule's times.
    pub times: BTreeSet<TimeOfDay>,
    /// For how many months.
    pub keep_months: u32,
}

/// Keeps points of days of the year.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Yearly {
    /// In which months.
    pub months: BTreeSet<Month>,
    /// Which days of these months.
    pub days: DaysOfMonth,
    /// Of which of the schedule's times.
    pub times: BTreeSet<TimeOfDay>,
    /// For how many years.
    pub keep_years: u32,
}

/// One of the four tiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub enum TierKind {
    Daily,
    Weekly,
    Monthly,
    Yearly,
}

impl TierKind {
    /// What its length is counted in.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Daily => "days",
            Self::Weekly => "weeks",
            Self::Monthly => "months",
            Self::Yearly => "years",
        }
    }

    /// So many of its units on the calendar; more than the calendar holds is as much as it holds.
    pub(super) fn span(self, count: u32) -> jiff::Span {
        let (span, count) = (jiff::Span::new(), i64::from(count));
        match self {
            Self::Daily => span.days(count.min(7_000_000)),
            Self::Weekly => span.weeks(count.min(1_000_000)),
            Self::Monthly => span.months(count.min(200_000)),
            Self::Yearly => span.years(count.min(19_000)),
        }
    }
}

impl fmt::Display for TierKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Monthly => "monthly",
            Self::Yearly => "yearly",
        })
    }
}

/// A tier as all of them are alike: slots, and for how many units of its kind a point of a slot is kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tier<'a> {
    pub kind: TierKind,
    pub days: Days<'a>,
    pub times: &'a BTreeSet<TimeOfDay>,
    pub count: u32,
}

/// The days of a tier's slots.
#[derive(Debug, Clone, Copy)]
pub(super) enum Days<'a> {
    Every,
    OfWeek(&'a BTreeSet<Weekday>),
    OfMonth(&'a DaysOfMonth),
    OfYear(&'a BTreeSet<Month>, &'a DaysOfMonth),
}

impl Days<'_> {
    fn contain(self, date: Date) -> bool {
        match self {
            Self::Every => true,
            Self::OfWeek(days) => days.contains(&date.weekday()),
            Self::OfMonth(days) => days.contain(date),
            Self::OfYear(months, days) => months.contains(&date.month()) && days.contain(date),
        }
    }
}

impl Tier<'_> {
    /// Its slots from the last one at or before `from` until `to`, in order; slots at one moment are one.
    pub fn slots(&self, zone: &Zone, from: Timestamp, to: Timestamp) -> Vec<Run> {
        // No tier is without a slot for longer than from the first to the last Sunday of a month a year later.
        let first = zone.local(from).date.plus_days(-400);
        let last = zone.local(to).date.plus_days(1);
        let days = dates_from(first).take_while(|date| *date <= last).filter(|date| self.days.contain(*date));
        let runs = days
            .flat_map(|date| self.times.iter().map(move |time| LocalTime { date, time: *time }))
            .map(|planned| Run { at: zone.moment(planned), planned });
        let mut slots: Vec<Run> =
            later_ones(Timestamp(i64::MIN), runs).take_while(|slot| slot.at <= to).collect();
        let open = slots.iter().rposition(|slot| slot.at <= from).unwrap_or(0);
        slots.split_off(open)
    }

    /// How many slots it has in one of its units at most.
    pub fn slots_in_unit(&self) -> usize {
        self.times.len()
            * match self.days {
                Days::Every => 1,
                Days::OfWeek(days) => days.len(),
                Days::OfMonth(days) => days.count(),
                Days::OfYear(months, days) => months.len() * days.count(),
            }
    }
}

impl Retention {
    /// Its tiers, shortest unit first.
    pub(super) fn tiers(&self) -> impl Iterator<Item = Tier<'_>> {
        let daily = self.daily.as_ref().map(|tier| Tier {
            kind: TierKind::Daily,
            days: Days::Every,
            times: &tier.times,
            count: tier.keep_days,
        });
        let weekly = self.weekly.as_ref().map(|tier| Tier {
            kind: TierKind::Weekly,
            days: Days::OfWeek(&tier.days),
            times: &tier.times,
            count: tier.keep_weeks,
        });
        let monthly = self.monthly.as_ref().map(|tier| Tier {
            kind: TierKind::Monthly,
            days: Days::OfMonth(&tier.days),
            times: &tier.times,
            count: tier.keep_months,
        });
        let yearly = self.yearly.as_ref().map(|tier| Tier {
            kind: TierKind::Yearly,
            days: Days::OfYear(&tier.months, &tier.days),
            times: &tier.times,
            count: tier.keep_years,
        });
        [daily, weekly, monthly, yearly].into_iter().flatten()
    }
}
