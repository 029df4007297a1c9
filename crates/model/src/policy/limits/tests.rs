use super::super::samples::*;
use super::super::{Policy, WeekOfMonth};
use super::*;

fn refusal(schedule: &Schedule, retention: Retention) -> String {
    Policy::new(schedule.clone(), retention).unwrap_err().to_string()
}

fn only_daily(keep_days: u32) -> Retention {
    Retention { daily: daily(&["02:00"], keep_days), ..Retention::default() }
}

fn one_tier(kind: TierKind, count: u32) -> Retention {
    let (first, at) = (numbered(&[MonthDay::Day(1)]), ["02:00"]);
    let mut retention = Retention::default();
    match kind {
        TierKind::Daily => retention.daily = daily(&at, count),
        TierKind::Weekly => retention.weekly = weekly(&[Weekday::Sunday], &at, count),
        TierKind::Monthly => retention.monthly = monthly(first, &at, count),
        TierKind::Yearly => retention.yearly = yearly(super::super::Month::January, first, &at, count),
    }
    retention
}

#[test]
fn every_tier_has_the_least_and_the_most_of_the_reference() {
    // Daily 7 to 9,999, weekly 4 to 5,163, monthly 3 to 1,188, yearly 1 to 99.
    let schedule = every_day("UTC", &["02:00"]);
    for (kind, least, most) in [
        (TierKind::Daily, 7, 9_999),
        (TierKind::Weekly, 4, 5_163),
        (TierKind::Monthly, 3, 1_188),
        (TierKind::Yearly, 1, 99),
    ] {
        for allowed in [least, most] {
            assert!(Policy::new(schedule.clone(), one_tier(kind, allowed)).is_ok(), "{allowed} {kind}");
        }
        for wrong in [0, least - 1, most + 1, u32::MAX] {
            let expected = format!(
                "The {kind} retention can't be {wrong} {}: {least} to {most} are allowed",
                kind.unit()
            );
            assert_eq!(refusal(&schedule, one_tier(kind, wrong)), expected);
        }
    }
}

#[test]
fn a_schedule_needs_times_and_days() {
    let mut schedule = every_day("UTC", &[]);
    assert_eq!(Policy::new(schedule.clone(), only_daily(7)), Err(InvalidPolicy::NoTimes));
    schedule.times = (0..24).map(|hour| TimeOfDay::new(hour, 0).unwrap()).collect();
    assert!(Policy::new(schedule.clone(), only_daily(30)).is_ok(), "more than Azure's three times a day");
    schedule.times.insert("23:30".parse().unwrap());
    assert_eq!(Policy::new(schedule.clone(), only_daily(7)), Err(InvalidPolicy::TooManyTimes { times: 25 }));
    schedule.times = times(&["02:00"]);
    let rhythm = |days: &[Weekday], every_weeks| Rhythm::Weekly {
        days: days.iter().copied().collect(),
        every_weeks,
        counted_from: "2026-11-28".parse().unwrap(),
    };
    schedule.rhythm = rhythm(&[], 1);
    assert_eq!(Policy::new(schedule.clone(), only_daily(7)), Err(InvalidPolicy::NoDays));
    for weeks in [0, 53] {
        schedule.rhythm = rhythm(&[Weekday::Monday], weeks);
        assert_eq!(Policy::new(schedule.clone(), only_daily(7)), Err(InvalidPolicy::EveryWeeks { weeks }));
    }
    schedule.rhythm = rhythm(&[Weekday::Monday], 52);
    assert!(Policy::new(schedule, only_daily(7)).is_ok());
}

#[test]
fn retention_names_only_what_the_schedule_makes() {
    let mut schedule = every_day("UTC", &["02:00"]);
    assert_eq!(Policy::new(schedule.clone(), Retention::default()), Err(InvalidPolicy::NoTier));
    let other_time = Retention { daily: daily(&["02:00", "18:00"], 7), ..Retention::default() };
    assert_eq!(
        refusal(&schedule, other_time),
        "The daily retention names 18:00, but no backup runs then: retention can only name times of the schedule"
    );
    let no_time = Retention { daily: daily(&[], 7), ..Retention::default() };
    assert_eq!(
        refusal(&schedule, no_time),
        InvalidPolicy::TierWithoutTimes { tier: TierKind::Daily }.to_string()
    );
    schedule.rhythm = Rhythm::Weekly {
        days: [Weekday::Sunday].into(),
        every_weeks: 1,
        counted_from: "2026-11-28".parse().unwrap(),
    };
    for (retention, tier) in [
        (
            Retention { weekly: weekly(&[Weekday::Friday], &["02:00"], 4), ..Retention::default() },
            TierKind::Weekly,
        ),
        (
            Retention {
                monthly: monthly(weekdays(Weekday::Friday, WeekOfMonth::Last), &["02:00"], 3),
                ..Retention::default()
            },
            TierKind::Monthly,
        ),
    ] {
        let expected = InvalidPolicy::DayNotScheduled { tier, day: Weekday::Friday };
        assert_eq!(Policy::new(schedule.clone(), retention), Err(expected));
    }
    // A day of the month may be any: the next run takes its place.
    assert!(Policy::new(schedule, one_tier(TierKind::Monthly, 12)).is_ok());
}

#[test]
fn a_tier_needs_days_and_days_that_exist() {
    let schedule = every_day("UTC", &["02:00"]);
    let monthly_on = |days| Retention { monthly: monthly(days, &["02:00"], 12), ..Retention::default() };
    for days in [numbered(&[]), DaysOfMonth::Weekdays { days: [Weekday::Sunday].into(), weeks: [].into() }] {
        let expected = InvalidPolicy::TierWithoutDays { tier: TierKind::Monthly };
        assert_eq!(Policy::new(schedule.clone(), monthly_on(days)), Err(expected));
    }
    for day in [0, 32, 255] {
        let expected = InvalidPolicy::NoSuchDay { tier: TierKind::Monthly, day };
        assert_eq!(Policy::new(schedule.clone(), monthly_on(numbered(&[MonthDay::Day(day)]))), Err(expected));
    }
}

#[test]
fn a_policy_may_not_come_to_keep_more_points_than_an_item_may_have() {
    let schedule = every_day("UTC", &["02:00", "14:00"]);
    let keep = |at: &[&str], keep_days| Retention { daily: daily(at, keep_days), ..Retention::default() };
    assert!(Policy::new(schedule.clone(), keep(&["02:00", "14:00"], 4_999)).is_ok());
    assert_eq!(
        Policy::new(schedule.clone(), keep(&["02:00", "14:00"], 5_000)),
        Err(InvalidPolicy::TooManyPoints { points: 10_000 })
    );
    // Points that a longer tier keeps anyway are not counted twice.
    let mut twice = keep(&["02:00"], 9_990);
    twice.weekly = weekly(&[Weekday::Sunday], &["02:00"], 1_000);
    assert!(Policy::new(schedule, twice).is_ok());
}
