use super::super::samples::*;
use super::super::{Reason, Until};
use super::*;

const NOW: &str = "2026-11-28T12:00:00Z";

#[test]
fn it_shows_what_will_be_kept_and_why() {
    let policy = berlin(10, 4);
    let kept = kept_at(&policy, &[], at(NOW), at("2027-02-01T12:00:00Z"));
    let received: Vec<String> = kept.points.iter().map(|point| point.received_at.to_string()).collect();
    assert_eq!(received.len(), 10 + 2, "{received:?}");
    assert_eq!(received[..3], ["2027-01-10T01:00:00Z", "2027-01-17T01:00:00Z", "2027-01-23T01:00:00Z"]);
    assert!(kept.points.iter().all(|point| !point.exists && !point.claims.is_empty()));
    let newest = kept.points.last().unwrap().claims.last().unwrap();
    assert_eq!((newest.reason, newest.until), (Reason::LastGood, Until::NoEnd));
}

#[test]
fn points_that_are_there_are_shown_as_long_as_they_are_kept() {
    let policy = berlin(10, 4);
    let existing = points(&policy, "2026-11-20T12:00:00Z", NOW);
    let at_first = kept_at(&policy, &existing, at(NOW), at(NOW));
    assert_eq!(at_first.points.len(), existing.len());
    assert!(at_first.points.iter().all(|point| point.exists));
    let later = kept_at(&policy, &existing, at(NOW), at("2026-12-05T12:00:00Z"));
    assert_eq!(later.points.iter().filter(|point| point.exists).count(), 5);
    assert_eq!(later.points.iter().filter(|point| !point.exists).count(), 7);
}

#[test]
fn the_next_runs_are_those_of_the_schedule() {
    let runs = next_runs(&berlin(7, 4), at("2026-03-28T12:00:00Z"), 2);
    let texts: Vec<String> = runs.iter().map(|run| format!("{}, {}", run.planned, run.at)).collect();
    assert_eq!(
        texts,
        ["Sunday 2026-03-29 02:00, 2026-03-29T01:00:00Z", "Monday 2026-03-30 02:00, 2026-03-30T00:00:00Z"]
    );
}
