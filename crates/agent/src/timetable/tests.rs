//! Which run begins when, whatever happened to the clock, the vault and the process in between.

use super::*;
use crate::jobs::{JobRecord, JobRequest};
use stateward_client::Surroundings;
use stateward_model::{JobState, SystemRandom};
use stateward_testing::FakeClock;
use std::sync::Arc;

pub(super) struct Rig {
    _folder: tempfile::TempDir,
    pub(super) agent: Agent,
    pub(super) clock: Arc<FakeClock>,
}

impl Rig {
    pub(super) fn at(moment: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(Some(folder.path())).unwrap();
        home.prepare().unwrap();
        let clock = Arc::new(FakeClock::at(time(moment)));
        let surroundings = Surroundings { clock: clock.clone(), random: Arc::new(SystemRandom) };
        Self { agent: Agent::new(home, surroundings, "test"), clock, _folder: folder }
    }

    fn set(&self, moment: &str) -> Timestamp {
        self.clock.set(time(moment));
        time(moment)
    }

    /// As a process finds it that begins now.
    pub(super) fn load(&self) -> KeptTimetable {
        KeptTimetable::load(self.agent.home()).unwrap()
    }
}

pub(super) fn time(moment: &str) -> Timestamp {
    format!("{moment}:00Z").parse().unwrap()
}

pub(super) fn item(number: u8) -> ItemId {
    ItemId([number; 16])
}

pub(super) fn job(number: u8) -> JobId {
    JobId([number; 16])
}

/// Leaves a job's record in the home that has come to `state`.
fn come_to(rig: &Rig, job: JobId, state: JobState) {
    let request = JobRequest::backup(None);
    let mut record = JobRecord::queued(job, request, None, rig.agent.now());
    record.state = state;
    JobFolder::of(rig.agent.home()).save(&record).unwrap();
}

/// Every night at two, of some items.
fn nightly(items: &[u8]) -> Timetable {
    planned("02:00", items)
}

fn planned(at: &str, items: &[u8]) -> Timetable {
    let schedule: Schedule =
        serde_json::from_value(serde_json::json!({ "zone": "UTC", "rhythm": "Daily", "times": [at] }))
            .unwrap();
    let of = |number: &u8| ScheduledItem {
        item: item(*number),
        policy: "nightly".parse().unwrap(),
        schedule: schedule.clone(),
    };
    Timetable { version: format!("v{at}{}", items.len()), items: items.iter().map(of).collect() }
}

#[test]
fn a_run_begins_at_its_time_once_and_not_before_the_schedule_held() {
    let rig = Rig::at("2026-11-28T01:00");
    let mut kept = rig.load();
    kept.replace(&rig.agent, nightly(&[1])).unwrap();
    assert_eq!(kept.version(), "v02001");
    assert_eq!((kept.due(rig.agent.now()), kept.next_look(rig.agent.now())), (None, Some(3600)));
    let now = rig.set("2026-11-28T02:00");
    let run = kept.due(now).unwrap();
    assert_eq!((run.item, kept.next_look(now)), (item(1), Some(0)));
    // Until it is written down it stays due, for a process that begins anew as well.
    assert_eq!(rig.load().due(now).as_ref(), Some(&run));
    kept.handled(rig.agent.home(), &run, job(1)).unwrap();
    assert_eq!((kept.due(now), rig.load().due(now)), (None, None));
    assert_eq!(kept.next_run(now), Some(time("2026-11-29T02:00")));
    assert_eq!(kept.next_look(now), Some(86_400));
}

#[test]
fn what_was_missed_is_caught_up_once_and_some_moments_later() {
    let rig = Rig::at("2026-11-28T01:00");
    rig.load().replace(&rig.agent, nightly(&[1])).unwrap();
    // Three nights off.
    let now = rig.set("2026-12-01T08:00");
    let mut kept = rig.load();
    let shown = next_runs(rig.agent.home(), now).unwrap();
    assert_eq!(shown[&item(1)], NextRun { policy: "nightly".parse().unwrap(), at: Some(now) });
    let begins = begins(item(1), time("2026-12-01T02:00"), now);
    assert!(now <= begins && begins < now.plus_seconds(i64::from(SPREAD_SECONDS)), "{begins}");
    assert_eq!(kept.due(now).is_some(), begins == now);
    let wait = kept.next_look(now).unwrap();
    assert_eq!(now.plus_seconds(i64::from(wait)), begins);
    let run = kept.due(begins).unwrap();
    kept.handled(rig.agent.home(), &run, job(1)).unwrap();
    assert_eq!(kept.due(begins.plus_seconds(3600)), None);
    assert_eq!(kept.next_run(begins), Some(time("2026-12-02T02:00")));
    // Others that missed it come at other moments.
    let all: std::collections::BTreeSet<_> =
        (0..50).map(|number| super::begins(item(number), time("2026-12-01T02:00"), now)).collect();
    assert!(all.len() > 20, "{all:?}");
}

#[test]
fn a_schedule_that_changes_holds_from_then_on_and_others_go_on() {
    let rig = Rig::at("2026-11-28T01:00");
    let mut kept = rig.load();
    kept.replace(&rig.agent, nightly(&[1, 2])).unwrap();
    let now = rig.set("2026-11-28T02:01");
    let mut changed = nightly(&[1]);
    changed.items.extend(planned("01:30", &[2]).items);
    kept.replace(&rig.agent, changed).unwrap();
    // The second one's 01:30 had passed when it was planned.
    assert_eq!(kept.due(now).unwrap().item, item(1));
    let run = kept.due(now).unwrap();
    kept.handled(rig.agent.home(), &run, job(1)).unwrap();
    assert_eq!(kept.due(now), None);
    assert_eq!(kept.next_run(now), Some(time("2026-11-29T01:30")));
    kept.replace(&rig.agent, Timetable::default()).unwrap();
    assert_eq!((kept.next_run(now), kept.next_look(now)), (None, None));
    assert!(next_runs(rig.agent.home(), now).unwrap().is_empty());
}

#[test]
fn what_is_missed_again_after_the_schedule_changed_is_spread_anew() {
    let rig = Rig::at("2026-11-28T01:00");
    let mut kept = rig.load();
    kept.replace(&rig.agent, nightly(&[1])).unwrap();
    let now = rig.set("2026-11-28T08:00");
    assert_eq!(kept.due(now), None, "it waits for its moment");
    kept.replace(&rig.agent, planned("07:00", &[1])).unwrap();
    assert_eq!(kept.due(now), None);
    let later = rig.set("2026-11-30T08:00");
    let begins = begins(item(1), time("2026-11-30T07:00"), later);
    assert!(begins > later);
    assert_eq!(kept.due(later), None);
    assert!(kept.due(begins).is_some());
}

#[test]
fn of_several_the_one_that_waits_longest_is_first() {
    let rig = Rig::at("2026-11-28T00:00");
    let mut kept = rig.load();
    let mut both = planned("02:01", &[1]);
    both.items.extend(planned("02:00", &[2]).items);
    kept.replace(&rig.agent, both).unwrap();
    let now = rig.set("2026-11-28T02:02");
    for expected in [2, 1] {
        let run = kept.due(now).unwrap();
        assert_eq!(run.item, item(expected));
        kept.handled(rig.agent.home(), &run, job(1)).unwrap();
    }
    assert_eq!(kept.due(now), None);
}

#[test]
fn a_clock_that_was_ahead_stops_nothing() {
    let rig = Rig::at("2026-11-28T01:00");
    let mut kept = rig.load();
    kept.replace(&rig.agent, nightly(&[1])).unwrap();
    let ahead = rig.set("2031-01-01T02:00");
    let run = kept.due(ahead).unwrap();
    kept.handled(rig.agent.home(), &run, job(1)).unwrap();
    let right = rig.set("2026-11-28T01:10");
    assert_eq!(kept.due(right), None);
    assert!(kept.due(rig.set("2026-11-28T02:00")).is_some());
}

#[test]
fn what_no_vault_of_ours_says_is_left_out_and_its_version_can_stand_in_an_address() {
    let rig = Rig::at("2026-11-28T01:00");
    let mut kept = rig.load();
    let mut wrong = nightly(&[1, 2]);
    wrong.version = "a&waitSeconds=0#\u{e9}1".to_owned();
    wrong.items[0].schedule.times.clear();
    kept.replace(&rig.agent, wrong).unwrap();
    assert_eq!(kept.version(), "awaitSeconds01");
    assert_eq!(kept.kept.items.iter().map(|kept| kept.item).collect::<Vec<_>>(), [item(2)]);
}

#[test]
fn a_damaged_copy_is_asked_for_anew() {
    let rig = Rig::at("2026-11-28T01:00");
    rig.load().replace(&rig.agent, nightly(&[1])).unwrap();
    std::fs::write(rig.agent.home().path().join(FILE), b"{\"version\": 1, \"items\": 7").unwrap();
    let kept = rig.load();
    assert_eq!((kept.version(), kept.next_run(rig.agent.now())), ("", None));
    assert!(next_runs(rig.agent.home(), rig.agent.now()).unwrap().is_empty());
}

#[test]
fn a_run_that_fails_is_begun_again_three_times_and_then_not_before_the_next() {
    let rig = Rig::at("2026-11-28T01:00");
    let mut kept = rig.load();
    kept.replace(&rig.agent, nightly(&[1])).unwrap();
    let mut now = rig.set("2026-11-28T02:00");
    for (number, (least, most)) in (1..).zip([(300, 600), (900, 1200), (3600, 3900)]) {
        let run = kept.due(now).unwrap();
        assert_eq!(run.again, usize::from(number) - 1);
        kept.handled(rig.agent.home(), &run, job(number)).unwrap();
        come_to(&rig, job(number), JobState::Running);
        kept.settle(&rig.agent).unwrap();
        assert_eq!(kept.due(now.plus_seconds(5000)), None, "it goes on");
        come_to(&rig, job(number), JobState::Failed);
        // A process that begins anew looks as well.
        kept = rig.load();
        kept.settle(&rig.agent).unwrap();
        let wait = i64::from(kept.next_look(now).unwrap());
        assert!((least..most).contains(&wait), "{wait}");
        let shown = next_runs(rig.agent.home(), now).unwrap();
        assert_eq!(shown[&item(1)].at, Some(now.plus_seconds(wait)));
        assert_eq!(kept.due(now.plus_seconds(wait - 1)), None);
        now = now.plus_seconds(wait);
        rig.clock.set(now);
    }
    let last = kept.due(now).unwrap();
    kept.handled(rig.agent.home(), &last, job(4)).unwrap();
    come_to(&rig, job(4), JobState::Failed);
    kept.settle(&rig.agent).unwrap();
    assert_eq!((kept.due(now), kept.next_run(now)), (None, Some(time("2026-11-29T02:00"))));
    let next = kept.due(time("2026-11-29T02:00")).unwrap();
    assert_eq!(next.again, 0);
}

#[test]
fn a_run_that_ended_well_or_by_a_person_is_not_begun_again_and_one_whose_record_is_gone_is() {
    for (state, is_again) in [
        (Some(JobState::Completed), false),
        (Some(JobState::CompletedWithWarnings), false),
        (Some(JobState::Cancelled), false),
        (None, true),
    ] {
        let rig = Rig::at("2026-11-28T01:00");
        let mut kept = rig.load();
        kept.replace(&rig.agent, nightly(&[1])).unwrap();
        let now = rig.set("2026-11-28T02:00");
        let run = kept.due(now).unwrap();
        kept.handled(rig.agent.home(), &run, job(1)).unwrap();
        if let Some(state) = state {
            come_to(&rig, job(1), state);
        }
        kept.settle(&rig.agent).unwrap();
        assert_eq!(kept.due(now.plus_seconds(7200)).is_some(), is_again, "{state:?}");
    }
}
