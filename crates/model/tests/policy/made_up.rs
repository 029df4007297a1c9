//! Policies and histories that are made up.

use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use proptest::sample::select;
use stateward_model::Timestamp;
use stateward_model::policy::{
    Daily, Date, DaysOfMonth, Month, MonthDay, Monthly, Point, Policy, Retention, Rhythm, Schedule,
    TimeOfDay, WeekOfMonth, Weekday, Weekly, Yearly, Zone,
};

/// Zones of both hemispheres, with changes of an hour and of half of one, at midnight and by odd offsets, and without any.
const ZONES: &[&str] = &[
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Santiago",
    "Australia/Sydney",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Asia/Kathmandu",
    "Asia/Beirut",
    "America/St_Johns",
];

/// A policy, the points of an item, and a moment at which they are judged.
#[derive(Debug, Clone)]
pub struct Made {
    pub policy: Policy,
    pub points: Vec<Point>,
    pub now: Timestamp,
}

/// A whole minute of the years 2023 to 2029.
pub fn a_moment() -> impl Strategy<Value = Timestamp> {
    (27_873_120..31_555_000i64).prop_map(|minutes| Timestamp::from_seconds(minutes * 60, 0).unwrap())
}

fn a_zone() -> impl Strategy<Value = Zone> {
    select(ZONES).prop_map(|name| name.parse().unwrap())
}

/// Quarters of an hour, most of them in the night, where clocks are changed.
fn a_time() -> impl Strategy<Value = TimeOfDay> {
    prop_oneof![3 => 0..16u8, 1 => 16..96u8]
        .prop_map(|quarters| TimeOfDay::new(quarters / 4, quarters % 4 * 15).unwrap())
}

fn a_date() -> impl Strategy<Value = Date> {
    (2023..2030i16, 1..=12u8, 1..=28u8).prop_map(|(year, month, day)| Date::new(year, month, day).unwrap())
}

fn weekdays() -> impl Strategy<Value = std::collections::BTreeSet<Weekday>> {
    btree_set(select(&Weekday::ALL[..]), 1..7)
}

fn a_rhythm() -> impl Strategy<Value = Rhythm> {
    let weekly = (weekdays(), 1..5u32, a_date())
        .prop_map(|(days, every_weeks, counted_from)| Rhythm::Weekly { days, every_weeks, counted_from });
    prop_oneof![Just(Rhythm::Daily), weekly]
}

pub fn a_schedule() -> impl Strategy<Value = Schedule> {
    (a_zone(), a_rhythm(), btree_set(a_time(), 1..6)).prop_map(|(zone, rhythm, times)| Schedule {
        zone,
        rhythm,
        times,
    })
}

fn days_of_month() -> impl Strategy<Value = DaysOfMonth> {
    let day = prop_oneof![4 => (1..=31u8).prop_map(MonthDay::Day), 1 => Just(MonthDay::Last)];
    let weeks =
        [WeekOfMonth::First, WeekOfMonth::Second, WeekOfMonth::Third, WeekOfMonth::Fourth, WeekOfMonth::Last];
    prop_oneof![
        btree_set(day, 1..4).prop_map(DaysOfMonth::Numbered),
        (weekdays(), btree_set(select(weeks.to_vec()), 1..3))
            .prop_map(|(days, weeks)| DaysOfMonth::Weekdays { days, weeks }),
    ]
}

/// Policies that run every day, so that every tier may name any day.
pub fn a_policy() -> impl Strategy<Value = Policy> {
    let daily = prop::option::of(7..40u32);
    let weekly = prop::option::of((weekdays(), 4..12u32));
    let monthly = prop::option::of((days_of_month(), 3..8u32));
    let yearly =
        prop::option::weighted(0.3, (btree_set(select(&Month::ALL[..]), 1..3), days_of_month(), 1..3u32));
    let schedule = (a_zone(), btree_set(a_time(), 1..4));
    let first_only = vec(any::<bool>(), 4);
    (schedule, daily, weekly, monthly, yearly, first_only).prop_filter_map(
        "it keeps nothing",
        |((zone, times), daily, weekly, monthly, yearly, first_only)| {
            let some = |nth: usize| match first_only[nth] {
                true => times.first().copied().into_iter().collect(),
                false => times.clone(),
            };
            let retention = Retention {
                daily: daily.map(|keep_days| Daily { times: some(0), keep_days }),
                weekly: weekly.map(|(days, keep_weeks)| Weekly { days, times: some(1), keep_weeks }),
                monthly: monthly.map(|(days, keep_months)| Monthly { days, times: some(2), keep_months }),
                yearly: yearly.map(|(months, days, keep_years)| Yearly {
                    months,
                    days,
                    times: some(3),
                    keep_years,
                }),
            };
            Policy::new(Schedule { zone, rhythm: Rhythm::Daily, times: times.clone() }, retention).ok()
        },
    )
}

/// A point some minutes after the one before, or before it where the clock went back: good or not, there or gone, wanted
/// longer by somebody or not.
fn a_point() -> impl Strategy<Value = (i64, bool, bool, Option<i64>)> {
    (
        -900..9_000i64,
        prop::bool::weighted(0.9),
        prop::bool::weighted(0.8),
        prop::option::weighted(0.1, 1..400i64),
    )
}

pub fn made() -> impl Strategy<Value = Made> {
    (a_policy(), a_moment(), vec(a_point(), 0..70), 0..200i64).prop_map(|(policy, begin, made, days)| {
        let mut received_at = begin;
        let mut points = Vec::new();
        for (minutes, is_good, is_live, wish) in made {
            received_at = received_at.plus_seconds(minutes * 60);
            let retain_until = wish.map(|days| received_at.plus_seconds(days * 86_400));
            points.push(Point { is_good, is_live, retain_until, ..Point::scheduled(received_at) });
        }
        Made { policy, points, now: received_at.plus_seconds(days * 86_400) }
    })
}
