//! Schedules and retention against an independent oracle and against their laws, over policies, zones and histories that
//! nobody thought of. `STATEWARD_LONG=1` tries many more; `PROPTEST_CASES` sets how many.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]

mod made_up;
mod oracle;

use made_up::{Made, a_policy, a_schedule, made};
use proptest::prelude::*;
use stateward_model::Timestamp;
use stateward_model::policy::expiry::{HighWater, Item, ItemPlan, plan};
use stateward_model::policy::{Point, Reason, Until, Verdict, select};

/// Here and not by the room of the tests' builders, which depends on half of the house and so on every change of `model`.
fn cases(short: u32, long: u32) -> ProptestConfig {
    let is_long = std::env::var_os("STATEWARD_LONG").is_some_and(|value| value == "1");
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|number| number.parse().ok());
    let cases = cases.unwrap_or(if is_long { long } else { short });
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

fn ends(verdicts: &[Verdict]) -> Vec<Option<Until>> {
    verdicts.iter().map(Verdict::until).collect()
}

proptest! {
    #![proptest_config(cases(60, 4_000))]

    #[test]
    fn a_schedule_runs_when_the_oracle_says(schedule in a_schedule(), begin in made_up::a_moment(), days in 1..800i64) {
        let end = begin.plus_seconds(days * 86_400);
        let expected = oracle::runs(&schedule, begin.plus_seconds(1), end);
        let found: Vec<Timestamp> =
            schedule.runs_after(begin).map(|run| run.at).take_while(|at| *at <= end).collect();
        prop_assert_eq!(&found, &expected);
        let last = schedule.last_until(end).map(|run| run.at);
        prop_assert!(found.is_empty() || last == found.last().copied());
    }

    #[test]
    fn tiers_keep_what_the_oracle_says(Made { policy, points, now } in made()) {
        let verdicts = select(&policy, &points, now);
        let zone = &policy.schedule().zone;
        for ((verdict, expected), point) in verdicts.iter().zip(oracle::claims(&policy, &points, now)).zip(&points) {
            let found: Vec<_> = verdict.0.iter().filter_map(|claim| match (claim.reason, claim.until) {
                (Reason::Tier { tier, slot, .. }, Until::Moment(until)) => Some((tier, zone.moment(slot), until)),
                _ => None,
            }).collect();
            prop_assert_eq!(found, expected, "{:?} at {}", point, now);
        }
    }

    #[test]
    fn every_live_point_lives_a_week_and_the_last_good_one_for_ever(Made { policy, points, now } in made()) {
        let verdicts = select(&policy, &points, now);
        for (point, verdict) in points.iter().zip(&verdicts) {
            prop_assert_eq!(point.is_live, verdict.until().is_some());
            if point.is_live {
                prop_assert!(verdict.until() >= Some(Until::Moment(policy.minimum_until(point.received_at))));
                prop_assert!(verdict.until() >= point.retain_until.map(Until::Moment));
            }
        }
        let last_good = points.iter().zip(&verdicts).rfind(|(point, _)| point.is_live && point.is_good);
        prop_assert!(last_good.is_none_or(|(_, verdict)| verdict.until() == Some(Until::NoEnd)));
    }

    #[test]
    fn no_point_ends_earlier_because_newer_ones_came(
        Made { policy, points, now } in made(), flood in prop::collection::vec(0..400_000i64, 1..40),
    ) {
        let newest = points.iter().map(|point| point.received_at).max().unwrap_or_default();
        let mut more = points.clone();
        more.extend(flood.iter().map(|seconds| Point::scheduled(newest.plus_seconds(*seconds))));
        let (before, after) = (ends(&select(&policy, &points, now)), ends(&select(&policy, &more, now)));
        for ((before, after), point) in before.iter().zip(&after).zip(&points).filter(|(_, point)| point.is_good) {
            // The last good point has an end again, but it outlives the one that came.
            let came = Until::Moment(newest.plus_seconds(flood[0]));
            prop_assert!(after >= before || *after >= Some(came), "{:?}: {:?} became {:?}", point, before, after);
        }
    }

    #[test]
    fn what_is_forgotten_of_points_that_are_gone_keeps_more(Made { policy, points, now } in made()) {
        let known = select(&policy, &points, now);
        let live: Vec<Point> = points.iter().copied().filter(|point| point.is_live).collect();
        let forgotten = select(&policy, &live, now);
        let known = points.iter().zip(&known).filter(|(point, _)| point.is_live).map(|(_, verdict)| verdict.until());
        for (known, forgotten) in known.zip(ends(&forgotten)) {
            prop_assert!(forgotten >= known);
        }
    }

    #[test]
    fn longer_retention_ends_no_point_earlier(Made { policy, points, now } in made(), more in 1..5u32) {
        let mut retention = policy.retention().clone();
        if let Some(tier) = &mut retention.daily { tier.keep_days += more }
        if let Some(tier) = &mut retention.weekly { tier.keep_weeks += more }
        if let Some(tier) = &mut retention.monthly { tier.keep_months += more }
        if let Some(tier) = &mut retention.yearly { tier.keep_years += more }
        let longer = stateward_model::Policy::new(policy.schedule().clone(), retention).unwrap();
        let (before, after) = (ends(&select(&policy, &points, now)), ends(&select(&longer, &points, now)));
        prop_assert!(before.iter().zip(&after).all(|(before, after)| after >= before));
        prop_assert!(stateward_model::policy::change::lessenings(&policy, &longer).is_empty());
    }

}

proptest! {
    #![proptest_config(cases(20, 200))]

    #[test]
    fn expiry_in_many_runs_comes_to_what_one_look_says(
        policy in a_policy(), begin in made_up::a_moment(), lateness in prop::collection::vec(60..7_200i64, 1..20),
        missed in prop::collection::vec(any::<bool>(), 1..9), gaps in prop::collection::vec(600..86_000i64, 1..9),
    ) {
        let end = begin.plus_seconds(300 * 86_400);
        let runs = policy.schedule().runs_after(begin).take_while(|run| run.at <= end).enumerate();
        let all: Vec<Point> = runs
            .filter(|(nth, _)| *nth % 7 == 0 || !missed[nth % missed.len()])
            .map(|(nth, run)| Point::scheduled(run.at.plus_seconds(lateness[nth % lateness.len()])))
            .collect();
        let (mut points, mut now, mut high_water) = (Vec::<Point>::new(), begin, HighWater(begin));
        for nth in 0.. {
            if now >= end { break }
            now = now.plus_seconds(gaps[nth % gaps.len()]);
            points.extend(all[points.len()..].iter().take_while(|point| point.received_at <= now));
            // A person confirms whatever has to be confirmed: here it is about what ends, not how many at once.
            points.iter_mut().for_each(|point| point.is_expiry_confirmed = true);
            let plan = plan(high_water, &[Item { policy: Some(&policy), points: &points }], now).unwrap();
            high_water = plan.high_water;
            let ItemPlan::Expire(expiring) = &plan.items[0] else { unreachable!("all are confirmed") };
            expiring.iter().for_each(|expired| points[expired.index].is_live = false);
        }
        let mut fresh = points.clone();
        fresh.iter_mut().for_each(|point| point.is_live = true);
        for (point, verdict) in points.iter().zip(select(&policy, &fresh, now)) {
            prop_assert_eq!(point.is_live, verdict.keeps(now), "{:?} at {}: {:?}", point, now, verdict);
        }
    }

}

proptest! {
    #![proptest_config(cases(60, 4_000))]

    #[test]
    fn looks_start_every_run_once_or_catch_it_up(
        schedule in a_schedule(), begin in made_up::a_moment(), steps in prop::collection::vec(1..200_000i64, 1..200),
    ) {
        let (mut handled, mut now, mut started) = (begin, begin, Vec::new());
        for step in steps {
            now = now.plus_seconds(step);
            let look = schedule.look(handled, now);
            if let Some(due) = look.due {
                let missed = look.missed_since.map_or(due.at, |run| run.at);
                prop_assert_eq!(schedule.next_after(handled).map(|run| run.at), Some(missed));
                started.push(due.at);
            }
            handled = look.handled;
            prop_assert!(look.next.unwrap().at > now);
            prop_assert_eq!(schedule.last_until(now).filter(|run| run.at > handled), None);
        }
        prop_assert!(started.windows(2).all(|two| two[0] < two[1]));
    }

    #[test]
    fn a_clock_that_jumps_skips_one_run_at_most_and_never_stops_them(
        schedule in a_schedule(), begin in made_up::a_moment(), jumps in prop::collection::vec(-400_000_000..400_000_000i64, 0..6),
    ) {
        let (mut handled, mut now) = (begin, begin);
        for jump in jumps {
            now = now.plus_seconds(jump);
            handled = schedule.look(handled, now).handled;
        }
        // The clock goes right from here on, looked at when a run is due.
        let first = schedule.next_after(now).unwrap().at;
        let second = schedule.next_after(first).unwrap().at;
        let at_first = schedule.look(handled, first);
        let at_second = schedule.look(at_first.handled, second);
        prop_assert!(at_first.due.is_some() || at_second.due.is_some());
    }
}
