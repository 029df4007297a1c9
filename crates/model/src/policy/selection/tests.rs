use super::super::samples::*;
use super::super::*;

/// Reasons that hold at `now`, with their ends, of the point received then.
fn why(policy: &Policy, points: &[Point], received: &str, now: &str) -> Vec<String> {
    let index = points.iter().position(|point| point.received_at == at(received)).unwrap();
    let verdict = &select(policy, points, at(now))[index];
    let text = |claim: &Claim| match claim.until {
        Until::Moment(end) => format!("{} until {end}", claim.reason),
        Until::NoEnd => claim.reason.to_string(),
    };
    verdict.holding(at(now)).map(text).collect()
}

fn gone(points: &mut [Point], received: &str) {
    points.iter_mut().find(|point| point.received_at == at(received)).unwrap().is_live = false;
}

#[test]
fn the_worked_example_of_the_documentation() {
    let policy = worked_example();
    // A little more than two years, with the leap day of 2028 in the middle.
    let points = points(&policy, "2027-01-01T00:00:00Z", "2029-03-31T23:00:00Z");
    let now = "2029-04-01T00:00:00Z";
    let kept = kept(&policy, &points, now);
    let of_day = |day: &str| kept.iter().filter(|time| time.starts_with(day)).count();
    // Every day: both times for 7 days.
    assert_eq!((of_day("2029-03-23"), of_day("2029-03-25"), of_day("2029-03-30")), (0, 2, 2));
    // Saturdays for 4 weeks.
    assert_eq!((of_day("2029-03-24"), of_day("2029-03-10"), of_day("2029-03-03")), (2, 2, 0));
    assert_eq!((of_day("2029-03-16"), of_day("2029-03-18")), (0, 0));
    // Last Saturdays for 12 months: 29 April 2028 is there, 25 March 2028 only as the yearly one.
    assert_eq!((of_day("2029-02-24"), of_day("2028-04-29"), of_day("2028-02-26")), (2, 2, 0));
    assert_eq!(
        why(&policy, &points, "2028-03-25T18:20:00Z", now),
        ["yearly, Saturday 2028-03-25 18:00 until 2038-03-25T18:20:00Z"]
    );
    assert_eq!(of_day("2027-03-27"), 2);
    // The very first point stands for the year that began before it.
    assert_eq!(kept.first().map(String::as_str), Some("2027-01-01T18:20:00Z"));
    // The first one, two years, eleven months, three Saturdays, seven days.
    assert_eq!(kept.len(), 1 + 2 * 2 + 2 * 11 + 2 * 3 + 2 * 7);
}

#[test]
fn a_point_says_why_it_is_kept() {
    let policy = berlin(30, 8);
    let points = points(&policy, "2026-11-23T12:00:00Z", "2026-11-30T12:00:00Z");
    assert_eq!(
        why(&policy, &points, "2026-11-29T01:20:00Z", "2026-11-30T12:00:00Z"),
        [
            "daily, Sunday 2026-11-29 02:00 until 2026-12-29T01:20:00Z",
            "weekly, Sunday 2026-11-29 02:00 until 2027-01-24T01:20:00Z",
            "every recovery point, 7 days until 2026-12-06T01:20:00Z",
        ]
    );
    assert_eq!(
        why(&policy, &points, "2026-11-30T01:20:00Z", "2037-11-30T12:00:00Z"),
        ["the last good recovery point"]
    );
}

#[test]
fn an_explanation_uses_the_clocks_of_the_zone() {
    let policy = berlin(7, 4);
    let points = points(&policy, "2026-10-24T12:00:00Z", "2026-10-26T12:00:00Z");
    let texts: Vec<String> = select(&policy, &points, at("2026-10-26T12:00:00Z"))[0]
        .0
        .iter()
        .map(|claim| claim.explain(&policy.schedule().zone))
        .collect();
    assert_eq!(
        texts,
        [
            "daily, Sunday 2026-10-25 02:00, until Sunday 2026-11-01 02:20",
            "weekly, Sunday 2026-10-25 02:00, until Sunday 2026-11-22 02:20",
            "every recovery point, 7 days, until Sunday 2026-11-01 02:20",
        ]
    );
}

#[test]
fn a_point_that_was_the_last_for_long_stays_for_the_first_week_of_the_next() {
    let policy = berlin(7, 4);
    let mut points = points(&policy, "2026-11-01T12:00:00Z", "2026-11-20T12:00:00Z");
    points.push(Point::scheduled(at("2027-06-01T00:20:00Z")));
    let newest_two = ["2026-11-20T01:20:00Z", "2027-06-01T00:20:00Z"];
    assert_eq!(kept(&policy, &points, "2027-06-08T00:19:59Z"), newest_two);
    assert_eq!(kept(&policy, &points, "2027-06-08T00:20:00Z"), newest_two[1..]);
    // Where runs follow each other within retention, nothing is kept longer for it.
    let regular = super::super::samples::points(&policy, "2026-11-01T12:00:00Z", "2026-11-20T12:00:00Z");
    assert!(!kept(&policy, &regular, "2026-11-20T12:00:00Z").contains(&"2026-11-13T01:20:00Z".to_owned()));
}

#[test]
fn the_next_good_point_takes_the_place_of_a_missed_one() {
    // The weekly backup on Sunday fails; on Monday one is made on demand before the scheduled one.
    let policy = berlin(7, 8);
    let mut points = points(&policy, "2026-11-20T12:00:00Z", "2026-12-03T12:00:00Z");
    points.retain(|point| point.received_at != at("2026-11-29T01:20:00Z"));
    let mut on_demand = Point::scheduled(at("2026-11-29T15:00:00Z"));
    on_demand.retain_until = Some(at("2026-12-20T00:00:00Z"));
    points.insert(9, on_demand);
    assert_eq!(
        why(&policy, &points, "2026-11-29T15:00:00Z", "2026-12-10T00:00:00Z"),
        [
            "weekly, Sunday 2026-11-29 02:00 until 2027-01-24T15:00:00Z",
            "kept on demand until 2026-12-20T00:00:00Z"
        ]
    );
    // Had nobody made one, Monday's would have come in its place.
    points.remove(9);
    assert_eq!(
        why(&policy, &points, "2026-11-30T01:20:00Z", "2026-12-10T00:00:00Z"),
        ["weekly, in place of Sunday 2026-11-29 02:00 until 2027-01-25T01:20:00Z"]
    );
}

#[test]
fn a_bucket_is_taken_by_its_first_good_point_however_many_follow() {
    let policy = berlin(7, 8);
    let mut points = points(&policy, "2026-11-28T12:00:00Z", "2026-11-30T12:00:00Z");
    // Whoever holds an agent's key floods the vault from Sunday noon on.
    let noon = at("2026-11-29T12:00:00Z");
    points.extend((0..500).map(|minute| Point::scheduled(noon.plus_seconds(minute * 60))));
    let kept = kept(&policy, &points, "2026-12-20T00:00:00Z");
    // The last one committed is among the flood.
    assert_eq!(kept, ["2026-11-29T01:20:00Z", "2026-11-29T20:19:00Z"]);
}

#[test]
fn buckets_go_by_the_vaults_time_even_where_its_clock_went_back() {
    let policy = berlin(7, 8);
    let received = ["2026-11-29T03:00:00Z", "2026-11-29T02:00:00Z", "2026-12-09T02:00:00Z"];
    let points = received.map(|time| Point::scheduled(at(time)));
    assert_eq!(kept(&policy, &points, "2026-12-20T00:00:00Z"), received[1..]);
}

#[test]
fn a_damaged_point_keeps_its_place_and_the_next_good_one_has_it_too() {
    let policy = berlin(7, 8);
    let mut points = points(&policy, "2026-11-28T12:00:00Z", "2026-12-01T12:00:00Z");
    points[0].is_good = false;
    let kept = kept(&policy, &points, "2026-12-20T00:00:00Z");
    assert_eq!(kept, ["2026-11-29T01:20:00Z", "2026-11-30T01:20:00Z", "2026-12-01T01:20:00Z"]);
}

#[test]
fn the_last_good_point_stays_and_all_do_when_none_is_good() {
    let policy = berlin(7, 4);
    let mut points = points(&policy, "2026-11-01T12:00:00Z", "2026-11-20T12:00:00Z");
    assert_eq!(kept(&policy, &points, "2099-01-01T00:00:00Z"), ["2026-11-20T01:20:00Z"]);
    points.last_mut().unwrap().is_good = false;
    assert_eq!(kept(&policy, &points, "2099-01-01T00:00:00Z"), ["2026-11-19T01:20:00Z"]);
    points.iter_mut().for_each(|point| point.is_good = false);
    assert_eq!(kept(&policy, &points, "2099-01-01T00:00:00Z").len(), points.len());
    // The last by the order of commits: a clock that was ahead for a while does not make an older one the last.
    let ahead = Point::scheduled(at("2040-01-01T00:00:00Z"));
    let points = [ahead, Point::scheduled(at("2026-11-20T01:20:00Z"))];
    assert_eq!(kept(&policy, &points, "2099-01-01T00:00:00Z"), ["2026-11-20T01:20:00Z"]);
}

#[test]
fn a_bucket_passes_on_when_its_point_is_gone_before_its_time_only() {
    let policy = berlin(40, 4);
    let mut points = points(&policy, "2026-11-28T12:00:00Z", "2027-02-01T12:00:00Z");
    let (sunday, monday) = ("2026-11-29T01:20:00Z", "2026-11-30T01:20:00Z");
    gone(&mut points, sunday);
    // Deleted within its four weeks: Monday's stands in.
    assert!(
        why(&policy, &points, monday, "2026-12-20T00:00:00Z")[1].starts_with("weekly, in place of Sunday")
    );
    // Expired after its 40 days: Monday's is kept for its own 40 days and not a day longer.
    assert_eq!(why(&policy, &points, monday, "2027-01-08T02:00:00Z").len(), 1);
    assert!(why(&policy, &points, monday, "2027-01-09T02:00:00Z").is_empty());
}

#[test]
fn a_promise_and_a_wish_hold_whatever_the_policy_says() {
    let policy = berlin(7, 4);
    let mut points = points(&policy, "2026-11-01T12:00:00Z", "2026-11-20T12:00:00Z");
    points[0].promised_until = Some(at("2030-01-01T00:00:00Z"));
    points[1].retain_until = Some(at("2029-01-01T00:00:00Z"));
    assert_eq!(kept(&policy, &points, "2028-12-31T23:59:59Z").len(), 3);
    assert_eq!(kept(&policy, &points, "2029-01-01T00:00:00Z").len(), 2);
    assert_eq!(kept(&policy, &points, "2030-01-01T00:00:00Z").len(), 1);
}

#[test]
fn lengths_follow_the_calendar() {
    let month_end = Retention {
        monthly: monthly(numbered(&[MonthDay::Day(31)]), &["02:00"], 3),
        yearly: yearly(Month::February, numbered(&[MonthDay::Day(29)]), &["02:00"], 1),
        ..Retention::default()
    };
    let policy = Policy::new(every_day("Europe/Berlin", &["02:00"]), month_end).unwrap();
    let all = points(&policy, "2027-10-01T00:00:00Z", "2029-03-10T00:00:00Z");
    let end = |received: &str, nth: usize| why(&policy, &all, received, "2027-10-01T00:00:00Z")[nth].clone();
    // From 30 November three months on is 29 February; the clocks change in March, the time on the wall stays.
    assert_eq!(
        end("2027-11-30T01:20:00Z", 0),
        "monthly, Tuesday 2027-11-30 02:00 until 2028-02-29T01:20:00Z"
    );
    assert_eq!(end("2028-01-31T01:20:00Z", 0), "monthly, Monday 2028-01-31 02:00 until 2028-04-30T00:20:00Z");
    // The leap day's point ends on the 28th; in a year without one the 28th has its slot.
    assert_eq!(end("2028-02-29T01:20:00Z", 1), "yearly, Tuesday 2028-02-29 02:00 until 2029-02-28T01:20:00Z");
    assert_eq!(
        end("2029-02-28T01:20:00Z", 1),
        "yearly, Wednesday 2029-02-28 02:00 until 2030-02-28T01:20:00Z"
    );
}

#[test]
fn slots_follow_the_clocks_of_the_zone() {
    // 02:00 is skipped on 29 March 2026 and shown twice on 25 October, both Sundays.
    let policy = berlin(7, 4);
    let points = points(&policy, "2026-03-28T12:00:00Z", "2026-10-26T12:00:00Z");
    assert_eq!(
        why(&policy, &points, "2026-03-29T01:20:00Z", "2026-04-20T00:00:00Z"),
        ["weekly, Sunday 2026-03-29 02:00 until 2026-04-26T01:20:00Z"]
    );
    assert_eq!(
        why(&policy, &points, "2026-10-25T00:20:00Z", "2026-11-20T00:00:00Z"),
        ["weekly, Sunday 2026-10-25 02:00 until 2026-11-22T01:20:00Z"]
    );
}

#[test]
fn one_time_of_two_may_be_kept_longer() {
    let retention = Retention { daily: daily(&["18:00"], 30), ..Retention::default() };
    let policy = Policy::new(every_day("UTC", &["00:00", "18:00"]), retention).unwrap();
    let points = points(&policy, "2026-11-01T00:00:00Z", "2026-11-30T12:00:00Z");
    let kept = kept(&policy, &points, "2026-11-30T12:00:00Z");
    let at_midnight = kept.iter().filter(|time| time.contains("T00:20")).count();
    // Those of midnight for the seven days of every point.
    assert_eq!((kept.len() - at_midnight, at_midnight), (29, 7));
}

#[test]
fn nothing_is_judged_where_there_is_nothing() {
    assert!(select(&berlin(7, 4), &[], Timestamp(0)).is_empty());
    let mut gone = Point::scheduled(Timestamp(0));
    gone.is_live = false;
    let verdicts = select(&berlin(7, 4), &[gone], Timestamp(0));
    assert_eq!((verdicts[0].until(), verdicts[0].keeps(Timestamp(0))), (None, false));
}
