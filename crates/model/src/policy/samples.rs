//! Policies and points for the tests of this room.

use super::*;
use std::collections::BTreeSet;

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub fn times(texts: &[&str]) -> BTreeSet<TimeOfDay> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

pub fn every_day(zone: &str, at: &[&str]) -> Schedule {
    Schedule { zone: zone.parse().unwrap(), rhythm: Rhythm::Daily, times: times(at) }
}

pub fn daily(at: &[&str], keep_days: u32) -> Option<Daily> {
    Some(Daily { times: times(at), keep_days })
}

pub fn weekly(days: &[Weekday], at: &[&str], keep_weeks: u32) -> Option<Weekly> {
    Some(Weekly { days: days.iter().copied().collect(), times: times(at), keep_weeks })
}

pub fn numbered(days: &[MonthDay]) -> DaysOfMonth {
    DaysOfMonth::Numbered(days.iter().copied().collect())
}

pub fn weekdays(day: Weekday, week: WeekOfMonth) -> DaysOfMonth {
    DaysOfMonth::Weekdays { days: [day].into(), weeks: [week].into() }
}

pub fn monthly(days: DaysOfMonth, at: &[&str], keep_months: u32) -> Option<Monthly> {
    Some(Monthly { days, times: times(at), keep_months })
}

pub fn yearly(month: Month, days: DaysOfMonth, at: &[&str], keep_years: u32) -> Option<Yearly> {
    Some(Yearly { months: [month].into(), days, times: times(at), keep_years })
}

/// The example of "Create a backup policy": midnight and 18:00 every day for 7 days, on Saturdays for 4 weeks, on the last
/// Saturday of the month for 12 months, on the last one of March for 10 years.
pub fn worked_example() -> Policy {
    let both = ["00:00", "18:00"];
    let last_saturday = weekdays(Weekday::Saturday, WeekOfMonth::Last);
    let retention = Retention {
        daily: daily(&both, 7),
        weekly: weekly(&[Weekday::Saturday], &both, 4),
        monthly: monthly(last_saturday.clone(), &both, 12),
        yearly: yearly(Month::March, last_saturday, &both, 10),
    };
    Policy::new(every_day("UTC", &both), retention).unwrap()
}

/// Every day at 02:00 in Berlin, kept for so many days, and the points of Sundays for so many weeks.
pub fn berlin(keep_days: u32, keep_weeks: u32) -> Policy {
    let retention = Retention {
        daily: daily(&["02:00"], keep_days),
        weekly: weekly(&[Weekday::Sunday], &["02:00"], keep_weeks),
        ..Retention::default()
    };
    Policy::new(every_day("Europe/Berlin", &["02:00"]), retention).unwrap()
}

/// A point of each run after `from` until `to`, received 20 minutes later.
pub fn points(policy: &Policy, from: &str, to: &str) -> Vec<Point> {
    let runs = policy.schedule().runs_after(at(from)).take_while(|run| run.at <= at(to));
    runs.map(|run| Point::scheduled(run.at.plus_seconds(1_200))).collect()
}

/// The times of the points that are kept.
pub fn kept(policy: &Policy, points: &[Point], now: &str) -> Vec<String> {
    let verdicts = select(policy, points, at(now));
    let kept = points.iter().zip(&verdicts).filter(|(_, verdict)| verdict.keeps(at(now)));
    kept.map(|(point, _)| point.received_at.to_string()).collect()
}
