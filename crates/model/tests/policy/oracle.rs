//! A second, slow reading of the rules, to hold the first one up against: it walks through time in quarters of an hour and
//! looks at the clock on the wall. All it shares with the product is what a zone's clocks show at a moment.

use stateward_model::Timestamp;
use stateward_model::policy::{
    DaysOfMonth, LocalTime, MonthDay, Point, Policy, Rhythm, Schedule, TierKind, TimeOfDay, WeekOfMonth,
    Weekday, Zone,
};
use std::collections::BTreeSet;

const STEP_SECONDS: i64 = 900;

/// Days since 1970-01-01, counted year by year and month by month.
fn day_number(year: i64, month: i64, day: i64) -> i64 {
    let is_leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let years: i64 = (1970..year).map(|year| if is_leap(year) { 366 } else { 365 }).sum();
    let months: i64 = (1..month).map(|month| days_in_month(year, month)).sum();
    years + months + day - 1
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// A day of the calendar in plain numbers.
#[derive(Clone, Copy)]
struct Day {
    year: i64,
    month: i64,
    day: i64,
}

impl Day {
    fn of(local: LocalTime) -> Self {
        let date = local.date;
        Self { year: date.year().into(), month: date.month() as i64 + 1, day: date.day().into() }
    }

    fn number(self) -> i64 {
        day_number(self.year, self.month, self.day)
    }

    /// 1970-01-01 was a Thursday.
    fn weekday(self) -> Weekday {
        Weekday::ALL[(self.number() + 4).rem_euclid(7) as usize]
    }

    /// Whole weeks since Monday, 1969-12-29.
    fn week(self) -> i64 {
        (self.number() + 3).div_euclid(7)
    }

    fn is_of_month(self, days: &DaysOfMonth) -> bool {
        let last = days_in_month(self.year, self.month);
        match days {
            DaysOfMonth::Numbered(days) => days.iter().any(|wanted| match *wanted {
                MonthDay::Last => self.day == last,
                MonthDay::Day(number) if i64::from(number) > last => self.day == last,
                MonthDay::Day(number) => self.day == i64::from(number),
            }),
            DaysOfMonth::Weekdays { days, weeks } => {
                // All days of this month with this weekday, in order.
                let like: Vec<i64> = (1..=last).filter(|day| (day - self.day) % 7 == 0).collect();
                let nth = |week: &WeekOfMonth| match week {
                    WeekOfMonth::First => like[0],
                    WeekOfMonth::Second => like[1],
                    WeekOfMonth::Third => like[2],
                    WeekOfMonth::Fourth => like[3],
                    WeekOfMonth::Last => like[like.len() - 1],
                };
                days.contains(&self.weekday()) && weeks.iter().any(|week| nth(week) == self.day)
            }
        }
    }
}

/// Minutes on the wall since 1970-01-01 00:00.
fn wall(zone: &Zone, moment: Timestamp) -> i64 {
    let local = zone.local(moment);
    Day::of(local).number() * 1_440 + i64::from(local.time.hour()) * 60 + i64::from(local.time.minute())
}

/// The moments from `from` until `to` at which the wall first shows, or skips, a time that is wanted.
fn moments(
    zone: &Zone,
    times: &BTreeSet<TimeOfDay>,
    wanted: impl Fn(Day) -> bool,
    from: Timestamp,
    to: Timestamp,
) -> Vec<Timestamp> {
    let mut found = Vec::new();
    // Begun two days earlier, so that what the wall has shown by `from` is known.
    let mut now = Timestamp::from_seconds(from.seconds().div_euclid(STEP_SECONDS) * STEP_SECONDS, 0).unwrap();
    now = now.plus_seconds(-2 * 86_400);
    let mut shown = wall(zone, now);
    while now <= to {
        let shows = wall(zone, now);
        let mut reached = (shown + 1..=shows).filter(|minute| minute % (STEP_SECONDS / 60) == 0);
        let is_wanted = reached.any(|minute| {
            let time = minute.rem_euclid(1_440);
            let time = TimeOfDay::new((time / 60) as u8, (time % 60) as u8).unwrap();
            times.contains(&time) && wanted(day_of_number(minute.div_euclid(1_440)))
        });
        if is_wanted && now >= from {
            found.push(now);
        }
        shown = shown.max(shows);
        now = now.plus_seconds(STEP_SECONDS);
    }
    found
}

fn day_of_number(number: i64) -> Day {
    let mut year = 1970;
    while day_number(year + 1, 1, 1) <= number {
        year += 1;
    }
    let mut month = 1;
    while month < 12 && day_number(year, month + 1, 1) <= number {
        month += 1;
    }
    Day { year, month, day: number - day_number(year, month, 1) + 1 }
}

/// All runs of a schedule from `from` until `to`.
pub fn runs(schedule: &Schedule, from: Timestamp, to: Timestamp) -> Vec<Timestamp> {
    let wanted = |day: Day| match &schedule.rhythm {
        Rhythm::Daily => true,
        Rhythm::Weekly { days, every_weeks, counted_from } => {
            let time = TimeOfDay::new(0, 0).unwrap();
            let first = Day::of(LocalTime { date: *counted_from, time }).week();
            days.contains(&day.weekday()) && (day.week() - first) % i64::from(*every_weeks) == 0
        }
    };
    moments(&schedule.zone, &schedule.times, wanted, from, to)
}

/// A tier in plain numbers: all moments of its slots, and how long it keeps.
struct Tier {
    kind: TierKind,
    count: i64,
    slots: Vec<Timestamp>,
}

fn tiers(policy: &Policy, from: Timestamp, to: Timestamp) -> Vec<Tier> {
    let retention = policy.retention();
    let zone = &policy.schedule().zone;
    let from = from.plus_seconds(-400 * 86_400);
    let mut tiers = Vec::new();
    if let Some(tier) = &retention.daily {
        let slots = moments(zone, &tier.times, |_| true, from, to);
        tiers.push(Tier { kind: TierKind::Daily, count: tier.keep_days.into(), slots });
    }
    if let Some(tier) = &retention.weekly {
        let slots = moments(zone, &tier.times, |day| tier.days.contains(&day.weekday()), from, to);
        tiers.push(Tier { kind: TierKind::Weekly, count: tier.keep_weeks.into(), slots });
    }
    if let Some(tier) = &retention.monthly {
        let slots = moments(zone, &tier.times, |day| day.is_of_month(&tier.days), from, to);
        tiers.push(Tier { kind: TierKind::Monthly, count: tier.keep_months.into(), slots });
    }
    if let Some(tier) = &retention.yearly {
        let is_month = |day: Day| tier.months.iter().any(|month| *month as i64 + 1 == day.month);
        let slots = moments(zone, &tier.times, |day| is_month(day) && day.is_of_month(&tier.days), from, to);
        tiers.push(Tier { kind: TierKind::Yearly, count: tier.keep_years.into(), slots });
    }
    tiers
}

/// The moment at which the wall first shows, or skips, what it would show so much later.
fn later(zone: &Zone, from: Timestamp, kind: TierKind, count: i64) -> Timestamp {
    let local = zone.local(from);
    let mut day = Day::of(local);
    let days = match kind {
        TierKind::Daily => count,
        TierKind::Weekly => 7 * count,
        TierKind::Monthly | TierKind::Yearly => {
            let months =
                day.year * 12 + day.month - 1 + if kind == TierKind::Monthly { count } else { 12 * count };
            (day.year, day.month) = (months / 12, months % 12 + 1);
            day.day = day.day.min(days_in_month(day.year, day.month));
            0
        }
    };
    let minute = i64::from(local.time.hour()) * 60 + i64::from(local.time.minute());
    let target = (day.number() + days) * 1_440 + minute;
    // No zone is more than 15 hours from UTC.
    let mut moment = Timestamp::from_seconds(target * 60, 0).unwrap().plus_seconds(-15 * 3_600);
    while wall(zone, moment) < target {
        moment = moment.plus_seconds(60);
    }
    moment
}

/// For each point what its tiers keep it for: which tier, from which slot, until when.
pub fn claims(
    policy: &Policy,
    points: &[Point],
    now: Timestamp,
) -> Vec<Vec<(TierKind, Timestamp, Timestamp)>> {
    let zone = &policy.schedule().zone;
    let mut claims = vec![Vec::new(); points.len()];
    let first = points.iter().map(|point| point.received_at).min().unwrap_or_default();
    let last = points.iter().map(|point| point.received_at).max().unwrap_or_default();
    for tier in tiers(policy, first, last) {
        let slot_of =
            |point: &Point| tier.slots.iter().copied().filter(|slot| *slot <= point.received_at).max();
        let until = |point: &Point| later(zone, point.received_at, tier.kind, tier.count);
        for (index, point) in points.iter().enumerate().filter(|(_, point)| point.is_live) {
            let slot = slot_of(point);
            let is_before = |(other_index, other): &(usize, &Point)| {
                (other.received_at, *other_index) < (point.received_at, index) && slot_of(other) == slot
            };
            let takes = |other: &Point| other.is_good && (other.is_live || until(other) <= now);
            if !points.iter().enumerate().filter(is_before).any(|(_, other)| takes(other)) {
                claims[index].push((
                    tier.kind,
                    slot.expect("400 days have a slot of every tier"),
                    until(point),
                ));
            }
        }
    }
    claims
}
