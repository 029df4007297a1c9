//! A year of a server's life, with its sleeps, its restarts and its wrong clocks: each planned run is made once, at its time or as
//! soon as the server is there again, and none is lost.
//!
//! What is planned is told by an oracle that knows no calendar: it looks at the clock on the wall every minute, and a time has come
//! when the clock has gone past it for the first time.

use super::*;
use crate::timetable::tests::{Rig, item, job, time};
use stateward_model::policy::{LocalTime, TimeOfDay, Weekday, Zone};
use std::collections::BTreeMap;

const MINUTE: i64 = 60;

/// How long the agent waits at its vault at most before it looks again; longer here than it is, to be done sooner.
const LOOK_SECONDS: u32 = 600;

/// How much later than its time a run may begin that was missed: its spread, and one look.
const CAUGHT_UP_SECONDS: i64 = SPREAD_SECONDS as i64 + LOOK_SECONDS as i64;

/// When the clock on the wall goes past one of the times for the first time, on a day that counts.
fn oracle(
    zone: &Zone,
    times: &[TimeOfDay],
    days: &[Weekday],
    begin: Timestamp,
    end: Timestamp,
) -> Vec<Timestamp> {
    let mut runs = Vec::new();
    let mut highest = zone.local(begin);
    let mut now = begin;
    while now < end {
        now = now.plus_seconds(MINUTE);
        let wall = zone.local(now);
        let passed = |date, time: &TimeOfDay| {
            let planned = LocalTime { date, time: *time };
            planned > highest && planned <= wall
        };
        // Where a whole day is skipped the dates between count too; none of the zones here does that within this year.
        let has_come = [wall.date, highest.date]
            .iter()
            .filter(|date| days.contains(&date.weekday()))
            .any(|date| times.iter().any(|time| passed(*date, time)));
        if has_come {
            runs.push(now);
        }
        highest = highest.max(wall);
    }
    runs
}

/// The same numbers for the same seed (xorshift64, Marsaglia 2003).
struct Chance(u64);

impl Chance {
    fn number(&mut self, below: u64) -> i64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % below).cast_signed()
    }

    fn one_in(&mut self, many: u64) -> bool {
        self.number(many) == 0
    }
}

/// A server, and what is known of its runs.
struct Life {
    rig: Rig,
    kept: KeptTimetable,
    planned: Vec<Timestamp>,
    /// The last of the planned runs that is done with, as its place among them.
    done: Option<usize>,
    /// Since when the next one could have begun.
    waits_since: Option<Timestamp>,
    made: BTreeMap<Timestamp, u32>,
}

impl Life {
    fn now(&self) -> Timestamp {
        self.rig.agent.now()
    }

    fn go_on(&self, seconds: i64) {
        self.rig.clock.advance_seconds(seconds);
    }

    /// As after a start of the machine, or a sleep: nothing of the process is left, or it did not see the time go by.
    fn come_back(&mut self) {
        self.kept = self.rig.load();
        self.waits_since = None;
    }

    /// One look of the agent.
    fn look(&mut self, seed: u64) {
        let now = self.now();
        let newest = self.planned.iter().rposition(|at| *at <= now);
        let waits = newest.filter(|newest| self.done.is_none_or(|done| *newest > done));
        match (self.kept.due(now), waits) {
            (Some(run), Some(newest)) => {
                self.kept.handled(self.rig.agent.home(), &run, job(1)).unwrap();
                *self.made.entry(self.planned[newest]).or_default() += 1;
                (self.done, self.waits_since) = (Some(newest), None);
            }
            (Some(_), None) => panic!("a run was begun that is not planned, at {now} with seed {seed}"),
            (None, Some(newest)) => {
                let since = *self.waits_since.get_or_insert(now);
                let late = (now.0 - since.0) / 1_000_000_000;
                let at = self.planned[newest];
                assert!(
                    late <= CAUGHT_UP_SECONDS,
                    "the run of {at} was not begun until {now} with seed {seed}"
                );
            }
            (None, None) => (),
        }
    }

    /// Until the next look.
    fn rest(&self) {
        let next = self.kept.next_look(self.now()).map_or(LOOK_SECONDS, |next| next.min(LOOK_SECONDS));
        self.go_on(i64::from(next.max(1)));
    }
}

fn live_a_year(zone: &str, times: &[&str], days: &[Weekday], seed: u64) {
    let rig = Rig::at("2026-01-01T00:00");
    let (begin, end) = (rig.agent.now(), time("2027-01-01T00:00"));
    let (zone, read): (Zone, Vec<TimeOfDay>) =
        (zone.parse().unwrap(), times.iter().map(|time| time.parse().unwrap()).collect());
    let rhythm = match days.len() {
        7 => serde_json::json!("Daily"),
        _ => serde_json::json!({ "Weekly": { "days": days, "everyWeeks": 1, "countedFrom": "2026-01-01" } }),
    };
    let schedule = serde_json::json!({ "zone": zone.name(), "rhythm": rhythm, "times": times });
    let item = ScheduledItem {
        item: item(1),
        policy: "policy".parse().unwrap(),
        schedule: serde_json::from_value(schedule).unwrap(),
    };
    let mut kept = rig.load();
    kept.replace(&rig.agent, Timetable { version: "1".to_owned(), items: vec![item] }).unwrap();
    let planned = oracle(&zone, &read, days, begin, end);
    let mut life = Life { rig, kept, planned, done: None, waits_since: None, made: BTreeMap::new() };
    let mut chance = Chance(seed);
    while life.now() < end {
        life.look(seed);
        life.rest();
        if chance.one_in(300) {
            // It sleeps, or is off.
            life.go_on(chance.number(72) * 3600 + chance.number(3600));
            life.come_back();
        } else if chance.one_in(300) {
            life.come_back();
        } else if chance.one_in(1000) {
            // The clock is wrong for some looks: ahead or behind by less than lies between two runs.
            let wrong = chance.number(4 * 3600) - 2 * 3600;
            life.go_on(wrong);
            life.waits_since = None;
            for _ in 0..chance.number(12) {
                life.look(seed);
                life.rest();
            }
            life.go_on(-wrong);
            life.waits_since = None;
        }
    }
    let twice: Vec<_> = life.made.iter().filter(|(_, times)| **times > 1).collect();
    assert!(twice.is_empty(), "made more than once with seed {seed}: {twice:?}");
    // What was missed together was caught up for by one.
    let (made, planned) = (life.made.len(), life.planned.len());
    assert!(made * 2 > planned, "{made} of {planned} were made with seed {seed}");
    let last = life.planned.last().unwrap().plus_seconds(4 * 86_400);
    life.rig.clock.set(last);
    life.come_back();
    assert!(
        life.done == Some(planned - 1)
            || life.kept.next_look(last).is_some_and(|next| next <= SPREAD_SECONDS)
    );
}

#[test]
fn a_year_of_nights_in_berlin() {
    live_a_year("Europe/Berlin", &["02:30", "14:00"], &Weekday::ALL, 1);
}

#[test]
fn a_year_of_weekends_in_new_york() {
    live_a_year("America/New_York", &["01:30"], &[Weekday::Saturday, Weekday::Sunday], 2);
}

#[test]
fn a_year_on_an_island_whose_clocks_change_by_half_an_hour() {
    live_a_year("Australia/Lord_Howe", &["02:15"], &Weekday::ALL, 3);
}
