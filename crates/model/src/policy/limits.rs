//! What a policy may be: the limits, their sources, and the error that names the one that was broken.

use super::calendar::{DaysOfMonth, MonthDay, TimeOfDay, Weekday};
use super::retention::{Days, Retention, Tier, TierKind};
use super::schedule::{Rhythm, Schedule};

/// How many times a day backups may run. Azure has three (FAQ, *Are there limits on backup scheduling?*).
pub const TIMES_A_DAY_MAX: usize = 24;

/// From week to week at most; ours, Azure documents none.
pub const EVERY_WEEKS_MAX: u32 = 52;

/// How many recovery points an item may have (FAQ, *Is there a limit on the number of recovery points*; support matrix).
pub const POINTS_MAX: u64 = 9_999;

/// How long any recovery point is kept at least, in days: the least that the daily tier may ask for. So one that no tier
/// wants, and one made on demand, outlive the week in which an intruder could make a server forget them.
pub const KEEP_DAYS_MIN: u32 = 7;

/// For how many years any recovery point is kept at most: the most that the yearly tier may ask for. One made on demand can't
/// be wished to stay for longer either.
pub const KEEP_YEARS_MAX: u32 = 99;

/// The least and the most that a tier may keep, in its units. Least: "Security features for hybrid backups", *Prevent
/// attacks*. Most: support matrix of the MARS agent, *Backup limits*.
pub fn keep_limits(tier: TierKind) -> (u32, u32) {
    match tier {
        TierKind::Daily => (KEEP_DAYS_MIN, 9_999),
        TierKind::Weekly => (4, 5_163),
        TierKind::Monthly => (3, 1_188),
        TierKind::Yearly => (1, KEEP_YEARS_MAX),
    }
}

/// Why a policy can't be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPolicy {
    /// The schedule has no times.
    #[error("The schedule has no time of day: name at least one")]
    NoTimes,
    /// The schedule has too many times.
    #[error("The schedule has {times} times a day: at most {TIMES_A_DAY_MAX} are allowed")]
    TooManyTimes {
        /// How many.
        times: usize,
    },
    /// A weekly schedule has no days.
    #[error("The weekly schedule has no day: name at least one")]
    NoDays,
    /// A weekly schedule leaves out too many weeks, or there is no such thing as it says.
    #[error("The schedule can't run every {weeks} weeks: 1 to {EVERY_WEEKS_MAX} are allowed")]
    EveryWeeks {
        /// Every how many.
        weeks: u32,
    },
    /// Nothing would be kept.
    #[error("The policy keeps nothing: give at least one of daily, weekly, monthly and yearly retention")]
    NoTier,
    /// A tier has no times.
    #[error("The {tier} retention has no time of day: name at least one of the schedule's")]
    TierWithoutTimes {
        /// Which.
        tier: TierKind,
    },
    /// A tier names a time at which no backup runs (FAQ, *Can I use different times for backup scheduling and
    /// retention policies?*).
    #[error(
        "The {tier} retention names {time}, but no backup runs then: retention can only name times of the schedule"
    )]
    TimeNotScheduled {
        /// Which tier.
        tier: TierKind,
        /// Which time.
        time: TimeOfDay,
    },
    /// A tier has no days, weeks or months.
    #[error("The {tier} retention has no day: name at least one")]
    TierWithoutDays {
        /// Which.
        tier: TierKind,
    },
    /// A tier names a weekday on which no backup runs.
    #[error(
        "The {tier} retention names {day}, but no backup runs then: retention can only name days of the schedule"
    )]
    DayNotScheduled {
        /// Which tier.
        tier: TierKind,
        /// Which day.
        day: Weekday,
    },
    /// A tier names a day that no month has.
    #[error("The {tier} retention names day {day} of the month: 1 to 31 and the last are allowed")]
    NoSuchDay {
        /// Which tier.
        tier: TierKind,
        /// Which day.
        day: u8,
    },
    /// A tier is shorter or longer than allowed.
    #[error("The {tier} retention can't be {count} {}: {least} to {most} are allowed", .tier.unit())]
    KeepOutOfRange {
        /// Which.
        tier: TierKind,
        /// What was asked for, in the tier's units.
        count: u32,
        /// The least.
        least: u32,
        /// The most.
        most: u32,
    },
    /// More recovery points than an item may have.
    #[error(
        "The policy would come to keep about {points} recovery points: at most {POINTS_MAX} are allowed. Keep fewer times \
         a day, or for a shorter time"
    )]
    TooManyPoints {
        /// How many, give or take a few.
        points: u64,
    },
}

/// Checks everything, in the order in which people fill it in.
pub(super) fn check(schedule: &Schedule, retention: &Retention) -> Result<(), InvalidPolicy> {
    check_schedule(schedule)?;
    if retention.tiers().next().is_none() {
        return Err(InvalidPolicy::NoTier);
    }
    retention.tiers().try_for_each(|tier| check_tier(schedule, tier))?;
    match points_kept(schedule, retention) {
        points if points > POINTS_MAX => Err(InvalidPolicy::TooManyPoints { points }),
        _ => Ok(()),
    }
}

pub(super) fn check_schedule(schedule: &Schedule) -> Result<(), InvalidPolicy> {
    let times = schedule.times.len();
    match &schedule.rhythm {
        _ if times == 0 => Err(InvalidPolicy::NoTimes),
        _ if times > TIMES_A_DAY_MAX => Err(InvalidPolicy::TooManyTimes { times }),
        Rhythm::Weekly { days, .. } if days.is_empty() => Err(InvalidPolicy::NoDays),
        Rhythm::Weekly { every_weeks, .. } if !(1..=EVERY_WEEKS_MAX).contains(every_weeks) => {
            Err(InvalidPolicy::EveryWeeks { weeks: *every_weeks })
        }
        _ => Ok(()),
    }
}

fn check_tier(schedule: &Schedule, tier: Tier<'_>) -> Result<(), InvalidPolicy> {
    let (kind, count) = (tier.kind, tier.count);
    let (least, most) = keep_limits(kind);
    if tier.times.is_empty() {
        return Err(InvalidPolicy::TierWithoutTimes { tier: kind });
    }
    if let Some(time) = tier.times.difference(&schedule.times).next() {
        return Err(InvalidPolicy::TimeNotScheduled { tier: kind, time: *time });
    }
    if tier.slots_in_unit() == 0 {
        return Err(InvalidPolicy::TierWithoutDays { tier: kind });
    }
    check_days(schedule, tier)?;
    match (least..=most).contains(&count) {
        true => Ok(()),
        false => Err(InvalidPolicy::KeepOutOfRange { tier: kind, count, least, most }),
    }
}

fn check_days(schedule: &Schedule, tier: Tier<'_>) -> Result<(), InvalidPolicy> {
    let kind = tier.kind;
    let weekdays = match tier.days {
        Days::OfWeek(days) => Some(days),
        Days::OfMonth(DaysOfMonth::Weekdays { days, .. })
        | Days::OfYear(_, DaysOfMonth::Weekdays { days, .. }) => Some(days),
        Days::OfMonth(DaysOfMonth::Numbered(days)) | Days::OfYear(_, DaysOfMonth::Numbered(days)) => {
            let wrong = days.iter().find_map(|day| match day {
                MonthDay::Day(number) if !(1..=31).contains(number) => Some(*number),
                _ => None,
            });
            return wrong.map_or(Ok(()), |day| Err(InvalidPolicy::NoSuchDay { tier: kind, day }));
        }
        Days::Every => None,
    };
    let Rhythm::Weekly { days: scheduled, .. } = &schedule.rhythm else { return Ok(()) };
    match weekdays.and_then(|days| days.difference(scheduled).next()) {
        Some(day) => Err(InvalidPolicy::DayNotScheduled { tier: kind, day: *day }),
        None => Ok(()),
    }
}

/// How many recovery points a policy comes to keep if every run makes one, rounded to a whole number.
///
/// Each time of day is counted by itself: of its points of one age, those are kept that a tier still wants, but no more than
/// the schedule makes.
fn points_kept(schedule: &Schedule, retention: &Retention) -> u64 {
    let days_in = |kind: TierKind| match kind {
        TierKind::Daily => 1.0,
        TierKind::Weekly => 7.0,
        TierKind::Monthly => 365.2425 / 12.0,
        TierKind::Yearly => 365.2425,
    };
    let made_a_day = match &schedule.rhythm {
        Rhythm::Daily => 1.0,
        Rhythm::Weekly { days, every_weeks, .. } => days.len() as f64 / (7.0 * f64::from(*every_weeks)),
    };
    let kept_of = |time: &TimeOfDay| {
        // (until which age in days, how many a day); every point is kept for a while, wanted or not.
        let mut wants = vec![(f64::from(KEEP_DAYS_MIN), made_a_day)];
        wants.extend(retention.tiers().filter(|tier| tier.times.contains(time)).map(|tier| {
            let unit = days_in(tier.kind);
            let slots = tier.slots_in_unit() / tier.times.len();
            (f64::from(tier.count) * unit, slots as f64 / unit)
        }));
        kept_of_ages(wants, made_a_day)
    };
    schedule.times.iter().map(kept_of).sum::<f64>().round() as u64
}

/// How many points there come to be, if so many are made a day, and those who want some (until which age in days, how many
/// a day) want the same ones as far as there are not enough. The ages are walked from one's end to the next one's.
fn kept_of_ages(mut wants: Vec<(f64, f64)>, made_a_day: f64) -> f64 {
    wants.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut kept, mut from) = (0.0, 0.0);
    for nth in 0..wants.len() {
        let until = wants[nth].0;
        let wanted: f64 = wants[nth..].iter().map(|(_, a_day)| a_day).sum();
        kept += (until - from) * wanted.min(made_a_day);
        from = until;
    }
    kept
}

#[cfg(test)]
mod tests;
