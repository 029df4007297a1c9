use super::super::samples::*;
use super::super::{MonthDay, Retention, Weekday};
use super::*;

const NOW: &str = "2026-11-28T12:00:00Z";

fn with(retention: Retention) -> Policy {
    Policy::new(every_day("Europe/Berlin", &["02:00", "14:00"]), retention).unwrap()
}

fn points_of_a_quarter(policy: &Policy) -> Vec<Point> {
    let mut points = points(policy, "2026-09-01T00:00:00Z", NOW);
    let verdicts = select(policy, &points, at(NOW));
    for (point, verdict) in points.iter_mut().zip(verdicts) {
        point.is_live = verdict.keeps(at(NOW));
    }
    points
}

#[test]
fn longer_retention_lengthens_and_shorter_ends_existing_points() {
    let (short, long) = (berlin(10, 4), berlin(30, 4));
    let of_long = points_of_a_quarter(&long);
    let shortened = effects(&long, &short, &of_long, at(NOW));
    assert!(shortened.iter().all(|effect| effect.after < effect.before));
    // 20 days are past the new length, and three of them are Sundays that four weeks still want.
    assert_eq!(shortened.iter().filter(|effect| effect.ends_at_once(at(NOW))).count(), 20 - 3);
    let lengthened = effects(&short, &long, &points_of_a_quarter(&short), at(NOW));
    assert!(lengthened.iter().all(|effect| effect.after > effect.before && !effect.ends_at_once(at(NOW))));
    // The ten daily points but the newest, which has no end, and the three Sundays before them.
    assert_eq!(lengthened.len(), 9 + 3);
    assert!(effects(&long, &long, &of_long, at(NOW)).is_empty());
}

#[test]
fn daily_to_weekly_ends_daily_points_and_weekly_to_daily_keeps_by_days() {
    let both = ["02:00", "14:00"];
    let days = with(Retention { daily: daily(&both, 30), ..Retention::default() });
    let weeks = with(Retention { weekly: weekly(&[Weekday::Sunday], &["02:00"], 8), ..Retention::default() });
    let to_weeks = effects(&days, &weeks, &points_of_a_quarter(&days), at(NOW));
    let ended = to_weeks.iter().filter(|effect| effect.ends_at_once(at(NOW))).count();
    // Of 60 points the newest 14 are kept for their first seven days, and of older ones the first of each week.
    assert_eq!(ended, 60 - 14 - 4);
    let points = points_of_a_quarter(&weeks);
    let to_days = select(&days, &points, at(NOW));
    for (point, verdict) in points.iter().zip(to_days).filter(|(point, _)| point.is_live) {
        let by_days = days.schedule().zone.after(point.received_at, TierKind::Daily.span(30));
        assert!(verdict.until() >= Some(Until::Moment(by_days)));
    }
}

#[test]
fn a_new_tier_takes_points_that_are_there() {
    let old = berlin(30, 4);
    let points = points_of_a_quarter(&old);
    let mut retention = old.retention().clone();
    retention.monthly = monthly(numbered(&[MonthDay::Day(1)]), &["02:00"], 12);
    let new = Policy::new(old.schedule().clone(), retention).unwrap();
    let changed = effects(&old, &new, &points, at(NOW));
    // November's from the 1st, a Sunday; October's is the oldest that is left.
    let received: Vec<_> =
        changed.iter().map(|effect| points[effect.index].received_at.to_string()).collect();
    assert_eq!(received, ["2026-10-30T01:20:00Z", "2026-11-01T01:20:00Z"]);
    assert!(lessenings(&old, &new).is_empty());
    assert_eq!(lessenings(&new, &old), [Lessening::TierRemoved { tier: TierKind::Monthly }]);
}

#[test]
fn other_days_are_no_lessening_and_keep_as_many_points() {
    let on = |day| with(Retention { weekly: weekly(&[day], &["02:00"], 8), ..Retention::default() });
    let (sunday, wednesday) = (on(Weekday::Sunday), on(Weekday::Wednesday));
    assert!(lessenings(&sunday, &wednesday).is_empty());
    let points = points_of_a_quarter(&sunday);
    let old_kept = kept(&sunday, &points, "2026-12-06T12:00:00Z").len();
    let new_kept = kept(&wednesday, &points, "2026-12-06T12:00:00Z").len();
    assert!(new_kept >= old_kept, "{new_kept} of {old_kept}");
}

#[test]
fn every_way_to_keep_less_is_named() {
    let both = ["02:00", "14:00"];
    let old = with(Retention {
        daily: daily(&both, 30),
        weekly: weekly(&[Weekday::Sunday, Weekday::Friday], &both, 8),
        ..Retention::default()
    });
    let new = with(Retention {
        daily: daily(&["02:00"], 14),
        weekly: weekly(&[Weekday::Monday], &both, 9),
        ..Retention::default()
    });
    let texts: Vec<String> = lessenings(&old, &new).iter().map(Lessening::to_string).collect();
    assert_eq!(
        texts,
        [
            "daily retention shortened from 30 to 14 days",
            "daily retention keeps 1 recovery point of each of its days instead of 2",
            "weekly retention keeps 2 recovery points of each of its weeks instead of 4",
        ]
    );
}
