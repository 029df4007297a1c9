use super::*;

fn times(texts: &[&str]) -> BTreeSet<TimeOfDay> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn daily(zone: &str, at: &[&str]) -> Schedule {
    Schedule { zone: zone.parse().unwrap(), rhythm: Rhythm::Daily, times: times(at) }
}

fn weekly(zone: &str, days: &[Weekday], every_weeks: u32, counted_from: &str, at: &[&str]) -> Schedule {
    let counted_from = counted_from.parse().unwrap();
    let rhythm = Rhythm::Weekly { days: days.iter().copied().collect(), every_weeks, counted_from };
    Schedule { zone: zone.parse().unwrap(), rhythm, times: times(at) }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn runs(schedule: &Schedule, after: &str, count: usize) -> Vec<String> {
    schedule.runs_after(at(after)).take(count).map(|run| run.at.to_string()).collect()
}

#[test]
fn a_daily_schedule_runs_at_its_times() {
    let schedule = daily("UTC", &["00:00", "18:00"]);
    assert_eq!(
        runs(&schedule, "2028-02-28T18:00:00Z", 3),
        ["2028-02-29T00:00:00Z", "2028-02-29T18:00:00Z", "2028-03-01T00:00:00Z"]
    );
    assert_eq!(runs(&schedule, "2028-02-28T17:59:59.999999999Z", 1), ["2028-02-28T18:00:00Z"]);
}

#[test]
fn every_other_week_on_two_days() {
    // As in the pictures of "Create a backup policy": every alternate Sunday and Wednesday at 09:30 and 01:00.
    let schedule =
        weekly("UTC", &[Weekday::Sunday, Weekday::Wednesday], 2, "2026-11-25", &["09:30", "01:00"]);
    let expected = [
        "2026-11-25T01:00:00Z",
        "2026-11-25T09:30:00Z",
        "2026-11-29T01:00:00Z",
        "2026-11-29T09:30:00Z",
        "2026-12-09T01:00:00Z",
    ];
    assert_eq!(runs(&schedule, "2026-11-23T00:00:00Z", 5), expected);
    // Weeks are counted to both sides, over the turn of the year and of a year with 53 of them.
    assert_eq!(runs(&schedule, "2026-11-12T00:00:00Z", 1), ["2026-11-15T01:00:00Z"]);
    assert_eq!(runs(&schedule, "2026-12-27T10:00:00Z", 1), ["2027-01-06T01:00:00Z"]);
}

#[test]
fn a_time_that_the_clocks_skip_runs_when_they_skip_it_and_once() {
    let schedule = daily("Europe/Berlin", &["01:30", "02:00", "02:30", "03:00", "03:30"]);
    assert_eq!(
        runs(&schedule, "2026-03-29T00:00:00Z", 3),
        ["2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z"]
    );
    let apia = daily("Pacific/Apia", &["00:00", "12:00"]);
    assert_eq!(
        runs(&apia, "2011-12-29T12:00:00Z", 3),
        ["2011-12-29T22:00:00Z", "2011-12-30T10:00:00Z", "2011-12-30T22:00:00Z"]
    );
}

#[test]
fn a_time_that_the_clocks_show_twice_runs_once() {
    let schedule = daily("Australia/Sydney", &["01:30", "02:00", "02:30", "03:00"]);
    assert_eq!(
        runs(&schedule, "2026-04-04T14:00:00Z", 5),
        [
            "2026-04-04T14:30:00Z",
            "2026-04-04T15:00:00Z",
            "2026-04-04T15:30:00Z",
            "2026-04-04T17:00:00Z",
            "2026-04-05T15:30:00Z"
        ]
    );
}

#[test]
fn the_last_run_is_found_as_far_back_as_the_rhythm_goes() {
    let rare = weekly("Europe/Berlin", &[Weekday::Monday], 52, "2026-01-05", &["02:00"]);
    let last = rare.last_until(at("2026-12-31T00:00:00Z")).unwrap();
    assert_eq!(last.at, at("2026-01-05T01:00:00Z"));
    assert_eq!(rare.last_until(last.at), Some(last));
}

#[test]
fn a_schedule_without_times_or_days_never_runs() {
    assert_eq!(daily("UTC", &[]).next_after(Timestamp(0)), None);
    assert_eq!(weekly("UTC", &[], 1, "2026-11-25", &["02:00"]).next_after(Timestamp(0)), None);
}

#[test]
fn runs_end_with_time() {
    let schedule = daily("Asia/Kathmandu", &["02:00"]);
    assert_eq!(schedule.next_after(Timestamp(i64::MAX)), None);
    assert!(schedule.next_after(Timestamp(i64::MIN)).is_some());
    assert!(schedule.last_until(Timestamp(i64::MAX)).is_some());
}

#[test]
fn missed_runs_are_caught_up_once() {
    let schedule = daily("UTC", &["02:00"]);
    let look = schedule.look(at("2026-11-25T02:00:00Z"), at("2026-11-28T10:00:00Z"));
    assert_eq!(look.due.unwrap().at, at("2026-11-28T02:00:00Z"));
    assert_eq!(look.missed_since.unwrap().at, at("2026-11-26T02:00:00Z"));
    assert_eq!(look.next.unwrap().at, at("2026-11-29T02:00:00Z"));
    let again = schedule.look(look.handled, at("2026-11-28T10:00:01Z"));
    assert_eq!((again.due, again.handled), (None, look.handled));
    let on_time = schedule.look(look.handled, at("2026-11-29T02:00:00Z"));
    assert_eq!((on_time.due.unwrap().at, on_time.missed_since), (at("2026-11-29T02:00:00Z"), None));
}

#[test]
fn a_clock_that_is_set_back_a_little_starts_no_run_twice() {
    let schedule = daily("UTC", &["02:00"]);
    let handled = at("2026-11-28T02:00:00Z");
    for now in ["2026-11-28T01:59:00Z", "2026-11-27T02:00:00Z", "2026-11-28T02:00:00Z"] {
        let look = schedule.look(handled, at(now));
        assert_eq!((look.due, look.handled), (None, handled), "{now}");
        assert_eq!(look.next.unwrap().at, at("2026-11-29T02:00:00Z"), "{now}");
    }
}

#[test]
fn a_clock_that_was_years_ahead_does_not_stop_backups() {
    let schedule = daily("UTC", &["02:00"]);
    let ahead = schedule.look(at("2026-11-27T02:00:00Z"), at("2036-06-01T12:00:00Z"));
    assert_eq!(ahead.due.unwrap().at, at("2036-06-01T02:00:00Z"));
    let back = schedule.look(ahead.handled, at("2026-11-28T01:00:00Z"));
    assert_eq!((back.due, back.handled), (None, at("2026-11-28T01:00:00Z")));
    let then = schedule.look(back.handled, at("2026-11-28T02:00:00Z"));
    assert_eq!(then.due.unwrap().at, at("2026-11-28T02:00:00Z"));
}
