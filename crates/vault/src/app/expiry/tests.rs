//! Expiry from day to day, and all that holds it up.

use super::*;
use crate::app::principals::Place;
use crate::app::recovery_points::Seen;
use crate::app::testing::{TestApp, TestServer, open_request, policy, prod};
use crate::app::vaults::VaultChange;
use crate::db::recovery_points::State;
use bytes::Bytes;
use ring::signature::{ED25519, UnparsedPublicKey};
use stateward_api::agent::OpenSessionRequest;
use stateward_format::point;
use stateward_format::tombstone::{self, Tombstone};
use stateward_model::{Clock as _, Immutability, OnDemand, PointHash, SessionId};
use stateward_store::ByteStore as _;
use stateward_store::faulty::Fault;
use stateward_store::recording::Call;

const SESSION: SessionId = SessionId([1; 16]);
const HOUR: i64 = 3_600;

fn actor() -> Actor {
    Actor::Principal("ops".to_owned())
}

fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> ErrorCode {
    match result.unwrap_err() {
        Error::Refused { code, .. } => code,
        other => panic!("{other:?}"),
    }
}

/// A vault with a server whose item has a policy, and the chain of its points.
struct World {
    test: TestApp,
    server: TestServer,
    chain: Vec<PointHash>,
}

impl World {
    /// At two in the morning, UTC.
    async fn new(body: stateward_model::Policy) -> Self {
        let test = Box::pin(TestApp::new()).await;
        test.clock.advance(26 * HOUR - test.clock.now().seconds() % (24 * HOUR));
        let server = Box::pin(test.server("web-01")).await;
        Box::pin(test.app.put_policy(&actor(), &prod(), "daily", body, None)).await.unwrap();
        test.give_policy(&server, "daily").await;
        test.app.open_session(server.caller, &open_request(1)).await.unwrap();
        Self { test, server, chain: Vec::new() }
    }

    /// Makes a recovery point.
    async fn back_up(&mut self) -> PointHash {
        self.back_up_in(SESSION).await
    }

    async fn back_up_in(&mut self, session: SessionId) -> PointHash {
        let sequence = self.chain.len() as u64 + 1;
        let object: Bytes = self.server.point(sequence, self.chain.last().copied(), &[], |_| {});
        self.test.app.commit_point(self.server.caller, session, object.clone()).await.unwrap();
        let hash = point::hash(&object);
        self.chain.push(hash);
        hash
    }

    /// Lets hours pass, with the task in between as often as the clock needs it.
    async fn pass(&self, hours: i64) -> Done {
        let mut done = Done::default();
        for _ in 0..hours.div_euclid(6) {
            self.test.clock.advance(6 * HOUR);
            let Done { expired, purged, held } = self.test.app.expire().await.unwrap();
            done = Done { expired: done.expired + expired, purged: done.purged + purged, held };
        }
        done
    }

    /// Makes a point on each of so many days; what the task did in these days.
    async fn days(&mut self, days: u32) -> Done {
        let mut all = Done::default();
        for _ in 0..days {
            self.back_up().await;
            let Done { expired, purged, held } = self.pass(24).await;
            all = Done { expired: all.expired + expired, purged: all.purged + purged, held };
        }
        all
    }

    async fn seen(&self) -> Vec<Seen> {
        let (server, item) = (self.server.caller.server, self.server.item);
        self.test.app.recovery_points(&prod(), server, item).await.unwrap().points
    }

    /// The points that can be restored from, by their place in the chain.
    async fn live(&self) -> Vec<u64> {
        let seen = self.seen().await;
        seen.iter().filter(|seen| seen.point.expired.is_none()).map(|seen| seen.point.sequence).collect()
    }

    async fn open_alerts(&self) -> Vec<(String, Severity, String)> {
        let alerts = self.test.app.alerts(self.server.caller.vault).await.unwrap();
        let open = alerts.into_iter().filter(|alert| alert.resolved_at.is_none());
        open.map(|alert| (alert.kind, alert.severity, alert.message)).collect()
    }

    async fn set(&self, state: State) {
        let mut transaction = self.test.app.write().await.unwrap();
        let item = (self.server.caller.server, self.server.item);
        db::recovery_points::set_state(&mut transaction, item, state).await.unwrap();
        transaction.commit().await.unwrap();
    }

    /// All tombstones in the store whose signature is right, by point and number.
    async fn tombstones(&self) -> Vec<Tombstone> {
        let root = format!("vaults/{}/tombstones/", self.server.caller.vault);
        let mut all = Vec::new();
        for object in self.test.store.list(&root).await.unwrap() {
            let bytes = self.test.store.read(&object.name, 4096).await.unwrap();
            let (said, signed, signature) = tombstone::decode(&bytes).unwrap();
            UnparsedPublicKey::new(&ED25519, self.test.app.key.public()).verify(signed, &signature).unwrap();
            all.push(said);
        }
        all
    }

    async fn shorten(&self, body: stateward_model::Policy) {
        Box::pin(self.test.app.put_policy(&actor(), &prod(), "daily", body, None)).await.unwrap();
    }
}

#[tokio::test]
async fn half_a_year_keeps_what_the_policy_says_and_purges_the_rest() {
    let mut world = World::new(policy(7, Some(5))).await;
    let done = world.days(184).await;
    let now = world.test.app.now();
    let zone = stateward_model::policy::Zone::utc();
    let of_age = |sequence: u64| now.plus_seconds(-24 * HOUR * (185 - sequence as i64));
    // A point is kept for seven days, those of Sundays for five weeks.
    let is_kept = |sequence: &u64| {
        let is_sunday =
            zone.local(of_age(*sequence)).date.weekday() == stateward_model::policy::Weekday::Sunday;
        let days = 185 - *sequence;
        days < 7 || is_sunday && days < 35
    };
    let expected: Vec<u64> = (1..=184).filter(is_kept).collect();
    assert_eq!(world.live().await, expected);
    assert_eq!((done.expired, done.held), (184 - expected.len(), 0));
    assert!(world.open_alerts().await.is_empty());
    // Those that expired within the last 14 days can be had back.
    let seen = world.seen().await;
    assert!(seen.iter().all(|seen| seen.point.expired.is_none_or(|expired| expired.purge_at > now)));
    assert_eq!(seen.len(), 184 - done.purged);
    assert!(done.purged > 130);
    // Each has its chain of words: first expired, then collected.
    let tombstones = world.tombstones().await;
    assert_eq!(tombstones.len(), done.expired + done.purged);
    for said in &tombstones {
        let expected = match said.number {
            1 => (PointState::Live, PointState::Expired),
            2 => (PointState::Expired, PointState::Collected),
            more => panic!("tombstone {more}"),
        };
        assert_eq!((said.before, said.after()), expected);
    }
    assert!(world.test.app.check_audit().await.unwrap().is_intact);
    // The agent is told of all of them, and which are gone.
    let listed = world.test.app.points(world.server.caller).await.unwrap();
    assert_eq!(listed.len(), 184);
    assert_eq!(listed.iter().filter(|point| point.gone_at.is_none()).count(), expected.len());
}

#[tokio::test]
async fn a_clock_that_jumps_stops_everything_until_a_person_says_that_it_is_right() {
    let mut world = World::new(policy(7, None)).await;
    world.days(9).await;
    let before = world.live().await;
    world.test.clock.advance(24 * HOUR);
    assert_eq!(world.test.app.expire().await.unwrap(), Done::default());
    let alerts = world.open_alerts().await;
    assert_eq!((alerts.len(), alerts[0].0.as_str(), alerts[0].1), (1, "clock-jumped", Severity::Critical));
    assert_eq!(world.live().await, before);
    let now = world.test.app.now();
    let wrong = world.test.app.confirm_clock(&actor(), now.plus_seconds(601)).await;
    assert_eq!(code(wrong), ErrorCode::InvalidState);
    assert_eq!(world.test.app.expire().await.unwrap(), Done::default());
    world.test.app.confirm_clock(&actor(), now.plus_seconds(-600)).await.unwrap();
    assert!(world.open_alerts().await.is_empty());
    assert_eq!(world.test.app.expire().await.unwrap().expired, 1);
    // Back by a day: nothing either, until it is set right again.
    world.test.clock.advance(-24 * HOUR);
    assert_eq!(world.test.app.expire().await.unwrap(), Done::default());
    assert_eq!(world.open_alerts().await.len(), 1);
    world.test.clock.advance(24 * HOUR);
    world.test.app.expire().await.unwrap();
    assert!(world.open_alerts().await.is_empty());
}

#[tokio::test]
async fn a_fifth_of_an_items_points_waits_for_a_person() {
    let mut world = World::new(policy(30, None)).await;
    world.days(30).await;
    world.shorten(policy(7, None)).await;
    let held = world.pass(6).await;
    assert_eq!((held.expired, held.held, world.live().await.len()), (0, 1, 29));
    let of_expiry = |alerts: Vec<(String, Severity, String)>| {
        alerts.into_iter().filter(|alert| alert.0 == HELD).collect::<Vec<_>>()
    };
    let alerts = of_expiry(world.open_alerts().await);
    assert_eq!((alerts.len(), alerts[0].1), (1, Severity::Critical));
    assert!(alerts[0].2.contains("of its 29 recovery points"), "{}", alerts[0].2);

    let seen = world.seen().await;
    let ended: Vec<PointHash> =
        seen.iter().filter(|seen| seen.has_ended).map(|seen| seen.point.hash).collect();
    assert!(ended.len() > 20);
    let live = seen.iter().find(|seen| !seen.has_ended).unwrap().point.hash;
    let app = &world.test.app;
    assert_eq!(code(app.confirm_expiry(&actor(), &prod(), &[ended[0], live]).await), ErrorCode::InvalidState);
    assert_eq!(world.pass(6).await.expired, 0, "all of them or none");
    app.confirm_expiry(&actor(), &prod(), &ended).await.unwrap();
    app.confirm_expiry(&actor(), &prod(), &ended).await.unwrap();
    let done = app.expire().await.unwrap();
    assert_eq!((done.expired, done.held), (ended.len(), 0));
    assert!(of_expiry(world.open_alerts().await).is_empty());
    let again = app.confirm_expiry(&actor(), &prod(), &[ended[0]]).await;
    assert_eq!(code(again), ErrorCode::InvalidState, "it has expired");
}

#[tokio::test]
async fn an_expired_point_can_be_had_back_until_it_is_purged() {
    let mut world = World::new(policy(7, None)).await;
    world.days(10).await;
    let (first, second) = (world.chain[0], world.chain[1]);
    assert!(!world.live().await.contains(&1));
    let app = world.test.app.clone();
    let undelete = |hash, until| {
        let app = app.clone();
        async move { app.undelete_point(&actor(), &prod(), hash, until).await }
    };
    undelete(first, None).await.unwrap();
    assert_eq!(code(undelete(first, None).await), ErrorCode::InvalidState, "it is there");
    assert_eq!(code(undelete(world.chain[9], None).await), ErrorCode::InvalidState);
    assert!(matches!(undelete(PointHash([7; 32]), None).await, Err(Error::NotFound(_))));
    let now = world.test.app.now();
    undelete(second, Some(now)).await.unwrap();
    let seen = world.seen().await;
    assert_eq!((seen[0].kept.rule, seen[0].kept.until), ("OnDemand", Some(now.plus_seconds(14 * 24 * HOUR))));
    assert_eq!(seen[1].kept.until, Some(now.plus_seconds(7 * 24 * HOUR)), "never below the minimum");
    app.store_tombstones().await.unwrap();
    let acts: Vec<_> =
        world.tombstones().await.iter().filter(|said| said.point == first).map(Tombstone::after).collect();
    assert_eq!(acts, [PointState::Expired, PointState::Live]);
    world.days(6).await;
    assert_eq!(world.live().await[..2], [1, 2]);
    world.days(8).await;
    let live = world.live().await;
    assert!(!live.contains(&1) && !live.contains(&2), "{live:?}");
    world.days(14).await;
    assert!(matches!(undelete(first, None).await, Err(Error::NotFound(_))));
    let words: Vec<_> = world.tombstones().await.into_iter().filter(|said| said.point == first).collect();
    assert_eq!(words.last().map(|said| (said.number, said.act)), Some((4, Act::Collect)));
}

#[tokio::test]
async fn a_stopped_item_keeps_all_or_goes_on_and_of_a_deleted_one_nothing_expires_until_it_is_purged() {
    let mut world = World::new(policy(7, None)).await;
    world.days(10).await;
    let live = world.live().await;
    let now = world.test.app.now();
    world.set(State { stopped: Some((now, "forever")), deleted: None }).await;
    world.pass(5 * 24).await;
    assert_eq!(world.live().await, live);
    assert_eq!(world.seen().await.last().unwrap().kept.rule, "Stopped");
    world.set(State { stopped: Some((now, "expire")), deleted: None }).await;
    // By now more than a fifth has ended.
    assert_eq!(world.pass(6).await.held, 1);
    let ended: Vec<_> =
        world.seen().await.iter().filter(|seen| seen.has_ended).map(|seen| seen.point.hash).collect();
    world.test.app.confirm_expiry(&actor(), &prod(), &ended).await.unwrap();
    world.pass(6).await;
    let left = world.live().await;
    assert!(left.len() < live.len() && left.contains(&10), "{left:?}");

    let now = world.test.app.now();
    let purge_at = now.plus_seconds(14 * 24 * HOUR);
    world.set(State { stopped: None, deleted: Some((now, purge_at)) }).await;
    let done = world.pass(13 * 24).await;
    assert_eq!((done.expired, done.purged, world.live().await), (0, 0, left.clone()));
    assert_eq!(world.seen().await.last().unwrap().kept.rule, "Deleted");
    let listed = world.test.app.points(world.server.caller).await.unwrap();
    assert!(listed.iter().all(|point| point.gone_at.is_some()), "nothing is restored from a deleted item");
    let done = world.pass(2 * 24).await;
    assert_eq!(done.purged, 10);
    let place: Place = prod();
    let (server, item) = (world.server.caller.server, world.server.item);
    assert!(matches!(world.test.app.recovery_points(&place, server, item).await, Err(Error::NotFound(_))));
    assert!(
        world.test.app.delete_policy(&actor(), &place, "daily", None).await.unwrap(),
        "nothing has it any more"
    );
}

#[tokio::test]
async fn the_last_good_point_stays_whatever_its_age() {
    let mut world = World::new(policy(7, None)).await;
    world.days(1).await;
    let done = world.pass(400 * 24).await;
    assert_eq!((done, world.live().await), (Done::default(), vec![1]));
    let seen = world.seen().await;
    assert_eq!((seen[0].kept.rule, seen[0].kept.until), ("LastGood", None));
}

#[tokio::test]
async fn an_immutable_vault_keeps_what_it_promised_after_it_is_none_any_more() {
    let mut world = World::new(policy(30, None)).await;
    let set = async |world: &World, immutability| {
        let change = VaultChange { immutability: Some(immutability), ..VaultChange::default() };
        world.test.app.update_vault(&actor(), &prod(), change, None).await.unwrap();
    };
    set(&world, Immutability::Unlocked).await;
    let promised = world.back_up().await;
    let until = world.test.app.now().plus_seconds(30 * 24 * HOUR);
    set(&world, Immutability::Disabled).await;
    world.shorten(policy(7, None)).await;
    world.pass(24).await;
    world.days(20).await;
    let seen = world.seen().await;
    let point = seen.iter().find(|seen| seen.point.hash == promised).unwrap();
    assert_eq!((point.kept.rule, point.kept.until), ("Immutable", Some(until)));
    world.days(12).await;
    assert!(!world.live().await.contains(&1));
}

#[tokio::test]
async fn a_point_on_demand_is_kept_as_long_as_was_asked_for_and_never_shorter_than_the_minimum() {
    let mut world = World::new(policy(10, None)).await;
    let now = world.test.app.now();
    let days = |days: i64| now.plus_seconds(days * 24 * HOUR);
    let asked = [(None, days(10)), (Some(days(90)), days(90)), (Some(days(1)), days(7))];
    for (number, (wished, _)) in asked.iter().enumerate() {
        world.test.app.close_session(world.server.caller, SessionId([number as u8 + 1; 16])).await.unwrap();
        let on_demand = Some(OnDemand { retain_until: *wished });
        let request = OpenSessionRequest { on_demand, ..open_request(number as u8 + 2) };
        world.test.app.open_session(world.server.caller, &request).await.unwrap();
        world.back_up_in(request.session).await;
    }
    let seen = world.seen().await;
    let until: Vec<_> = seen.iter().map(|seen| (seen.point.is_on_demand, seen.point.retain_until)).collect();
    assert_eq!(until, asked.map(|(_, until)| (true, Some(until))));
}

#[tokio::test]
async fn two_processes_at_once_do_it_once() {
    let mut world = World::new(policy(7, None)).await;
    world.days(8).await;
    let other = world.test.beside().await;
    world.back_up().await;
    world.pass(18).await;
    world.test.clock.advance(6 * HOUR);
    let (one, two) = tokio::join!(world.test.app.expire(), other.expire());
    one.unwrap();
    two.unwrap();
    let tombstones = world.tombstones().await;
    let mut names: Vec<_> = tombstones.iter().map(|said| (said.point, said.number)).collect();
    names.dedup();
    assert_eq!(names.len(), tombstones.len());
    assert!(tombstones.iter().all(|said| said.number == 1));
    assert_eq!((world.live().await.len(), tombstones.len()), (6, 3));
}

#[tokio::test]
async fn a_tombstone_that_could_not_be_stored_is_stored_by_the_next_run() {
    let mut world = World::new(policy(7, None)).await;
    world.days(7).await;
    world.back_up().await;
    world.pass(18).await;
    world.test.clock.advance(6 * HOUR);
    world.test.faults.fail(Call::Create, 0, 1, Fault::LostAnswer);
    assert!(world.test.app.expire().await.is_err());
    assert_eq!(world.live().await.len(), 6, "it has expired all the same");
    world.test.restart().await;
    assert_eq!(world.test.app.expire().await.unwrap(), Done::default());
    assert_eq!(world.tombstones().await.len(), 2);
    assert_eq!(world.test.app.store_tombstones().await.unwrap(), 0);
}
