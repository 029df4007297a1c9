use super::super::samples::*;
use super::super::{Reason, TierKind};
use super::*;

/// Expires day by day at noon, as a vault does, until `to`; gives the points as they are then.
fn live_on(policy: &Policy, from: &str, to: &str) -> Vec<Point> {
    let all = points(policy, from, to);
    let mut points: Vec<Point> = Vec::new();
    let mut high_water = HighWater(at(from));
    let mut now = at(from);
    while now < at(to) {
        now = now.plus_seconds(6 * 3_600);
        points.extend(all[points.len()..].iter().take_while(|point| point.received_at <= now));
        let plan = plan(high_water, &[Item { policy: Some(policy), points: &points }], now).unwrap();
        high_water = plan.high_water;
        let ItemPlan::Expire(expiring) = &plan.items[0] else { panic!("{:?} at {now}", plan.items) };
        expiring.iter().for_each(|expired| points[expired.index].is_live = false);
    }
    points
}

fn live(points: &[Point]) -> usize {
    points.iter().filter(|point| point.is_live).count()
}

#[test]
fn years_of_daily_expiry_are_never_held_and_end_where_one_look_ends() {
    for policy in [worked_example(), berlin(7, 4)] {
        let points = live_on(&policy, "2026-11-28T12:00:00Z", "2029-04-01T00:00:00Z");
        let mut fresh = points.clone();
        fresh.iter_mut().for_each(|point| point.is_live = true);
        let at_once: Vec<bool> = select(&policy, &fresh, at("2029-04-01T00:00:00Z"))
            .iter()
            .map(|verdict| verdict.keeps(at("2029-04-01T00:00:00Z")))
            .collect();
        assert_eq!(points.iter().map(|point| point.is_live).collect::<Vec<_>>(), at_once);
    }
}

#[test]
fn what_ended_is_told() {
    let policy = berlin(10, 4);
    let points = points(&policy, "2026-11-23T12:00:00Z", "2026-12-05T00:00:00Z");
    let now = at("2026-12-04T12:00:00Z");
    let plan = plan(HighWater(now), &[Item { policy: Some(&policy), points: &points }], now).unwrap();
    let ItemPlan::Expire(expiring) = &plan.items[0] else { panic!("{plan:?}") };
    // The first point of all has the open week as well; the second one was daily only.
    assert_eq!(expiring.len(), 0);
    let now = at("2026-12-05T12:00:00Z");
    let plan = super::plan(HighWater(now), &[Item { policy: Some(&policy), points: &points }], now).unwrap();
    let ItemPlan::Expire(expiring) = &plan.items[0] else { panic!("{plan:?}") };
    assert_eq!(expiring.len(), 1);
    assert!(matches!(expiring[0].ended.reason, Reason::Tier { tier: TierKind::Daily, .. }));
    assert_eq!(expiring[0].ended.until, Until::Moment(at("2026-12-05T01:20:00Z")));
}

#[test]
fn a_clock_that_is_a_day_away_is_not_believed() {
    let written = HighWater(at("2026-11-28T12:00:00Z"));
    for (now, believed) in [
        ("2026-11-29T11:59:59Z", true),
        ("2026-11-29T12:00:00Z", false),
        ("2036-11-28T12:00:00Z", false),
        ("2026-11-27T12:00:01Z", true),
        ("2026-11-27T12:00:00Z", false),
    ] {
        let plan = plan(written, &[], at(now));
        assert_eq!(plan.is_ok(), believed, "{now}: {plan:?}");
        if let Ok(plan) = plan {
            assert!(plan.high_water.0 >= written.0, "it never goes back");
        }
    }
    let refusal = written.advance(at("2036-11-28T12:00:00Z")).unwrap_err();
    assert!(
        refusal.to_string().starts_with("Nothing was expired: the vault's clock shows 2036-11-28T12:00:00Z")
    );
    assert!(matches!(written.advance(at("2016-01-01T00:00:00Z")), Err(ClockJumped::Back { .. })));
    // A person says that the clock is right: it is written down as it is.
    assert!(HighWater(at("2036-11-28T12:00:00Z")).advance(at("2036-11-28T12:00:01Z")).is_ok());
}

#[test]
fn the_ends_of_time_are_no_way_around() {
    for now in [Timestamp(i64::MAX), Timestamp(i64::MIN)] {
        assert!(HighWater(at("2026-11-28T12:00:00Z")).advance(now).is_err());
    }
}

#[test]
fn a_fifth_of_an_item_waits_for_a_person_and_others_do_not() {
    let long = berlin(60, 4);
    let mut points = live_on(&long, "2026-09-01T12:00:00Z", "2026-11-28T12:00:00Z");
    let before = live(&points);
    let now = at("2026-11-28T13:00:00Z");
    // Somebody shortens the policy of this item; another one goes on as ever.
    let short = berlin(7, 4);
    let others = super::super::samples::points(&short, "2026-11-19T12:00:00Z", "2026-11-28T12:00:00Z");
    let run = |points: &[Point]| {
        let items = [Item { policy: Some(&short), points }, Item { policy: Some(&short), points: &others }];
        plan(HighWater(now), &items, now).unwrap().items
    };
    let items = run(&points);
    let ItemPlan::Hold(held) = &items[0] else { panic!("{items:?}") };
    assert!(held.live == before && held.expiring.len() * 5 > before, "{held}");
    assert!(held.to_string().contains(&format!("{} of its {before} recovery points", held.expiring.len())));
    assert!(matches!(&items[1], ItemPlan::Expire(expiring) if expiring.len() == 1), "{:?}", items[1]);
    // A person confirms all but two of them: those two alone are not many.
    let confirmed: Vec<usize> = held.expiring.iter().skip(2).map(|point| point.index).collect();
    confirmed.iter().for_each(|index| points[*index].is_expiry_confirmed = true);
    let items = run(&points);
    assert!(matches!(&items[0], ItemPlan::Expire(expiring) if expiring.len() == confirmed.len() + 2));
}

#[test]
fn few_points_may_end_one_at_a_time() {
    for (expiring, live, unusual) in [
        (0, 0, false),
        (1, 2, false),
        (1, 5, false),
        (2, 5, true),
        (2, 6, false),
        (20, 100, false),
        (21, 100, true),
        (100, 101, true),
    ] {
        assert_eq!(is_unusual(expiring, live), unusual, "{expiring} of {live}");
    }
}

#[test]
fn nothing_expires_where_protection_was_stopped_with_its_data_kept() {
    let points = points(&berlin(7, 4), "2020-01-01T00:00:00Z", "2020-03-01T00:00:00Z");
    let now = at("2026-11-28T12:00:00Z");
    let plan = plan(HighWater(now), &[Item { policy: None, points: &points }], now).unwrap();
    assert_eq!(plan.items, [ItemPlan::Expire(Vec::new())]);
}
