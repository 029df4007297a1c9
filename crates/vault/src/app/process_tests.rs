//! Tests of several processes that serve one vault: two [`App`]s over one database and one store. What one knows the other
//! does, and where two want the same at the same moment one of them gets it.

use super::parts::{Begun, PartPlace};
use super::testing::{
    TestApp, TestServer, create_vault as create, open_request, register_request, registration,
};
use super::{App, Error};
use crate::app::audit::Actor;
use crate::app::principals::{Assignment, Role};
use bytes::Bytes;
use futures::future::join_all;
use stateward_format::point::{self, PackReference};
use stateward_model::{PackId, SessionId};
use std::sync::Arc;

/// How often two of them run against each other.
fn rounds() -> u8 {
    if std::env::var_os("STATEWARD_LONG").is_some_and(|value| value == "1") { 100 } else { 12 }
}

async fn two() -> (TestApp, Arc<App>) {
    let test = TestApp::new().await;
    let other = test.beside().await;
    (test, other)
}

fn session(number: u8) -> SessionId {
    SessionId([number; 16])
}

/// Does both at the same time, each on a thread of its own.
fn both<T: Send + 'static>(
    one: impl Future<Output = T> + Send + 'static,
    other: impl Future<Output = T> + Send + 'static,
) -> impl Future<Output = [T; 2]> {
    let (one, other) = (tokio::spawn(one), tokio::spawn(other));
    async { [one.await.unwrap(), other.await.unwrap()] }
}

/// The one that succeeded, and why the other did not.
fn one_of<T: std::fmt::Debug>(results: [Result<T, Error>; 2]) -> (T, Error) {
    match results {
        [Ok(won), Err(lost)] | [Err(lost), Ok(won)] => (won, lost),
        other => panic!("not just one of them succeeded: {other:?}"),
    }
}

async fn put(
    test: &TestApp,
    app: &Arc<App>,
    server: &TestServer,
    number: u8,
    bytes: &[u8],
) -> Result<bool, Error> {
    let id = PackId(*blake3::hash(bytes).as_bytes());
    app.put_pack(server.caller, session(number), id, test.received(bytes).await).await
}

fn reference(bytes: &[u8]) -> PackReference {
    PackReference { id: PackId(*blake3::hash(bytes).as_bytes()), length: bytes.len() as u32 }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_sessions_that_are_opened_at_the_same_moment_one_is() {
    let (test, other) = two().await;
    for round in 0..rounds() {
        let caller = test.server("web-01").await.caller;
        let (one, app) = (Arc::clone(&test.app), Arc::clone(&other));
        let (first, second) = (open_request(2 * round + 1), open_request(2 * round + 2));
        let results = both(async move { one.open_session(caller, &first).await.map(drop) }, async move {
            app.open_session(caller, &second).await.map(drop)
        });
        let ((), lost) = one_of(results.await);
        assert!(matches!(lost, Error::SessionBusy { .. }), "{lost:?}");
    }
}

#[tokio::test]
async fn a_session_that_one_process_replaced_is_lost_to_the_other() {
    let (test, other) = two().await;
    let server = test.server("web-01").await;
    test.app.open_session(server.caller, &open_request(1)).await.unwrap();
    other.heartbeat(server.caller, session(1)).await.unwrap();
    assert!(matches!(
        other.open_session(server.caller, &open_request(2)).await,
        Err(Error::SessionBusy { .. })
    ));
    put(&test, &test.app, &server, 1, b"pack").await.unwrap();
    test.clock.advance(61);
    other.open_session(server.caller, &open_request(2)).await.unwrap();
    assert!(matches!(test.app.heartbeat(server.caller, session(1)).await, Err(Error::SessionLost)));
    assert!(matches!(put(&test, &test.app, &server, 1, b"late").await, Err(Error::SessionLost)));
    let object = server.point(1, None, &[reference(b"pack")], |_| {});
    let late = test.app.commit_point(server.caller, session(1), object.clone()).await;
    assert!(matches!(late, Err(Error::SessionLost)));
    other.commit_point(server.caller, session(2), object).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_point_that_both_commit_is_there_once_with_one_receipt() {
    let (test, other) = two().await;
    for round in 1..=rounds() {
        let server = test.server("web-01").await;
        test.app.open_session(server.caller, &open_request(round)).await.unwrap();
        let bytes = [round; 9];
        let received = [test.received(&bytes).await, test.received(&bytes).await];
        let mut apps = [Arc::clone(&test.app), Arc::clone(&other)].into_iter();
        let [one, two] = received.map(|received| {
            let (app, caller) = (apps.next().unwrap(), server.caller);
            async move { app.put_pack(caller, session(round), reference(&bytes).id, received).await }
        });
        for put in both(one, two).await {
            put.unwrap();
        }
        let object = server.point(1, None, &[reference(&bytes)], |_| {});
        let [one, two] = commits(&test, &other, &server, round, [object.clone(), object]);
        let [one, two] = both(one, two).await;
        assert_eq!(one.unwrap(), two.unwrap());
        assert_eq!(test.app.points(server.caller).await.unwrap().len(), 1);
    }
}

fn commits(
    test: &TestApp,
    other: &Arc<App>,
    server: &TestServer,
    number: u8,
    objects: [Bytes; 2],
) -> [impl Future<Output = Result<Bytes, Error>> + Send + 'static + use<>; 2] {
    let caller = server.caller;
    let [first, second] = objects;
    [(Arc::clone(&test.app), first), (Arc::clone(other), second)]
        .map(|(app, object)| async move { app.commit_point(caller, session(number), object).await })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_first_points_one_is_and_of_two_next_ones_the_second_is_a_fork() {
    let (test, other) = two().await;
    for round in 1..=rounds() {
        let server = test.server("web-01").await;
        test.app.open_session(server.caller, &open_request(round)).await.unwrap();
        let packs = [[round, 1], [round, 2]];
        for bytes in &packs {
            put(&test, &other, &server, round, bytes).await.unwrap();
        }
        let of = |sequence, previous| {
            packs.map(|bytes| server.point(sequence, previous, &[reference(&bytes)], |_| {}))
        };
        let [one, two] = commits(&test, &other, &server, round, of(1, None));
        let (_, lost) = one_of(both(one, two).await);
        assert!(matches!(lost, Error::WrongHead(_)), "{lost:?}");
        let head = test.app.points(server.caller).await.unwrap()[0].hash;
        let [one, two] = commits(&test, &other, &server, round, of(2, Some(head)));
        for committed in both(one, two).await {
            committed.unwrap();
        }
        let listed = other.points(server.caller).await.unwrap();
        assert_eq!(listed.iter().map(|point| point.sequence).collect::<Vec<_>>(), [1, 2, 2]);
        let known = test.servers().await;
        let known = known.iter().find(|known| known.id == server.caller.server).unwrap();
        assert!(known.forked_at.is_some());
        // Whatever was needed by either is referred to from its own point on.
        let mut connection = other.database.read().await.unwrap();
        let lifetimes = crate::db::points::lifetimes(&mut connection, server.caller.server).await.unwrap();
        for bytes in &packs {
            let covers = |first: i64, last: Option<i64>| first <= 2 && last.is_none_or(|last| last >= 2);
            let id = reference(bytes).id;
            assert!(
                lifetimes.iter().any(|(pack, first, last)| *pack == id && covers(*first, *last)),
                "{lifetimes:?}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credentials_register_no_more_servers_than_they_say() {
    let (test, other) = two().await;
    for round in 0..rounds() {
        let file = test.credentials(&register_request()).await.unwrap();
        let (first, second) =
            (registration(&file, "web", 2 * round), registration(&file, "web", 2 * round + 1));
        let (one, app) = (Arc::clone(&test.app), Arc::clone(&other));
        let results =
            both(async move { one.register(&first).await }, async move { app.register(&second).await });
        let (_, lost) = one_of(results.await);
        assert!(matches!(lost, Error::CredentialsUsedUp(1)), "{lost:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_assertion_is_taken_by_one_and_its_token_is_good_at_both() {
    let (test, other) = two().await;
    let server = test.server("web-01").await;
    for _ in 0..rounds() {
        let request = server.token_request(|_| {});
        let (one, app, same) = (Arc::clone(&test.app), Arc::clone(&other), request.clone());
        let results =
            both(async move { one.issue_token(&request).await }, async move { app.issue_token(&same).await });
        let (token, lost) = one_of(results.await);
        assert!(matches!(lost, Error::InvalidClient(_)), "{lost:?}");
        for app in [&test.app, &other] {
            app.authenticate(&token.access_token).await.unwrap();
        }
    }
}

#[tokio::test]
async fn wrong_secrets_are_counted_over_both() {
    let (test, other) = two().await;
    let made = test
        .app
        .create_principal(&Actor::Console, "ops", &Assignment::everywhere(Role::Reader))
        .await
        .unwrap();
    for app in [&test.app, &other, &test.app, &other, &test.app] {
        assert!(app.check_secret(&made.client_id, "guess").await.is_err());
    }
    for app in [&other, &test.app] {
        let blocked = app.check_secret(&made.client_id, &made.client_secret).await.unwrap_err();
        assert!(blocked.to_string().contains("too many wrong secrets"), "{blocked}");
    }
    test.clock.advance(2);
    other.check_secret(&made.client_id, &made.client_secret).await.unwrap();
    assert!(test.app.check_secret(&made.client_id, "guess").await.is_err());
    test.app.check_secret(&made.client_id, &made.client_secret).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vault_that_both_make_is_one() {
    let (test, other) = two().await;
    for round in 0..rounds() {
        let (first, second) = (format!("Archive-{round}"), format!("archive-{round}"));
        let (one, app) = (Arc::clone(&test.app), Arc::clone(&other));
        let results =
            both(async move { create(&one, &first).await }, async move { create(&app, &second).await });
        let [(one, one_is_new), (two, two_is_new)] = results.await.map(Result::unwrap);
        assert_eq!(one.id, two.id);
        assert_ne!(one_is_new, two_is_new);
    }
}

/// The halves of a pack that went to two processes never become one pack, and nobody takes them for it.
#[tokio::test]
async fn parts_that_went_to_both_are_no_pack_and_the_whole_still_is() {
    let (test, other) = two().await;
    let server = test.server("web-01").await;
    test.app.open_session(server.caller, &open_request(1)).await.unwrap();
    let bytes = vec![7; 1 << 20];
    let pack = reference(&bytes);
    let mut assemblies = Vec::new();
    for (app, range) in [(&test.app, 0..512 << 10), (&other, 512 << 10..1 << 20)] {
        let place = PartPlace { range: range.clone(), pack_length: pack.length };
        let begun = app.begin_part(server.caller, session(1), pack.id, place).await.unwrap();
        let Begun::Receive(mut part) = begun else { panic!("it is not there yet") };
        part.write(&bytes[range.start as usize..range.end as usize]).unwrap();
        let outcome = app.finish_part(server.caller, session(1), pack.id, part).await.unwrap();
        // By its name the agent sees that there are two, and sends again what went into the first.
        assemblies.push(outcome.assembly.expect("half a pack is none"));
    }
    assert_ne!(assemblies[0], assemblies[1]);
    assert!(matches!(other.pack(server.caller, pack.id).await, Err(Error::NotFound(_))));
    let object = server.point(1, None, &[pack], |_| {});
    let refused = test.app.commit_point(server.caller, session(1), object.clone()).await;
    assert!(matches!(refused, Err(Error::PacksMissing(_))));
    put(&test, &other, &server, 1, &bytes).await.unwrap();
    test.app.commit_point(server.caller, session(1), object).await.unwrap();
}

/// Everything that some servers do in a backup, alternating between both processes, all at the same time and in one domain.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_of_one_domain_back_up_over_both_at_the_same_time() {
    let (test, other) = two().await;
    let founder = test.server("web-00").await;
    let mut servers = vec![founder];
    for _ in 1..6 {
        servers.push(test.server_in_domain("web", &servers[0]).await);
    }
    let test = Arc::new(test);
    let runs = servers.into_iter().zip(1u8..).map(|(server, number)| {
        let (test, apps) = (Arc::clone(&test), [Arc::clone(&test.app), Arc::clone(&other)]);
        tokio::spawn(async move {
            let app = |step: usize| &apps[(step + usize::from(number)) % 2];
            let (mut previous, points) = (None, u64::from(rounds() / 3).min(19));
            for sequence in 1..=points {
                let number = number * 20 + (sequence % 20) as u8;
                app(0).open_session(server.caller, &open_request(number)).await.unwrap();
                let packs: Vec<Vec<u8>> = (0..4).map(|n| vec![number, n, sequence as u8]).collect();
                for (step, bytes) in packs.iter().enumerate() {
                    put(&test, app(step), &server, number, bytes).await.unwrap();
                    app(step + 1).heartbeat(server.caller, session(number)).await.unwrap();
                }
                let needed: Vec<_> = packs.iter().map(|bytes| reference(bytes)).collect();
                let object = server.point(sequence, previous, &needed, |_| {});
                previous = Some(point::hash(&object));
                app(1).commit_point(server.caller, session(number), object).await.unwrap();
                app(0).close_session(server.caller, session(number)).await.unwrap();
            }
            let listed = app(0).points(server.caller).await.unwrap();
            assert_eq!(
                listed.iter().map(|point| point.sequence).collect::<Vec<_>>(),
                Vec::from_iter(1..=points)
            );
        })
    });
    for run in join_all(runs).await {
        run.unwrap();
    }
}

/// Only PostgreSQL can be lost; it is here for all runs where it is installed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_dies_is_told_of_and_loses_nothing_that_was_acknowledged() {
    let Some(postgres) = crate::db::testing::Server::start() else { return };
    let database = crate::db::testing::TestDatabase::on(&postgres).await;
    let test = Arc::new(TestApp::over(database).await);
    let mut servers = Vec::new();
    for _ in 0..8 {
        let server = test.server("web").await;
        let number = servers.len() as u8 + 1;
        test.app.open_session(server.caller, &open_request(number)).await.unwrap();
        servers.push(server);
    }
    let runs: Vec<_> = servers
        .into_iter()
        .zip(1u8..)
        .map(|(server, number)| {
            let test = Arc::clone(&test);
            tokio::spawn(async move {
                let mut objects: Vec<Bytes> = Vec::new();
                let mut was_lost = false;
                while objects.len() < 4 || !was_lost {
                    let previous = objects.last().map(|object| point::hash(object));
                    let object = server.point(objects.len() as u64 + 1, previous, &[], |_| {});
                    // As an agent does it: the same call again until it is answered.
                    loop {
                        match test.app.commit_point(server.caller, session(number), object.clone()).await {
                            Ok(_) => break,
                            Err(Error::Unavailable(why)) => {
                                assert!(why.contains("database"), "{why}");
                                was_lost = true;
                            }
                            Err(error) => panic!("{error:?}"),
                        }
                        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                    }
                    objects.push(object);
                }
                (server, objects)
            })
        })
        .collect();
    // When all are at work.
    let vault = test.app.vault_at(&test.place()).await.unwrap().id;
    while test.app.vault_usage(vault).await.unwrap().recovery_points < 8 {
        tokio::task::yield_now().await;
    }
    postgres.kill();
    postgres.revive();
    for run in join_all(runs).await {
        let (server, objects) = run.unwrap();
        let listed = test.app.points(server.caller).await.unwrap();
        let listed: Vec<_> = listed.into_iter().map(|point| point.hash).collect();
        assert_eq!(listed, objects.iter().map(|object| point::hash(object)).collect::<Vec<_>>());
    }
}

/// Half a minute: in the long form only.
#[tokio::test]
async fn a_process_that_hangs_within_a_transaction_keeps_others_out_for_a_while_only() {
    let (test, other) = two().await;
    let server = test.server("web-01").await;
    test.app.open_session(server.caller, &open_request(1)).await.unwrap();
    if rounds() < 100 {
        return;
    }
    let hangs = test.app.database.write_in(crate::db::Scope::Domain(server.caller.domain)).await.unwrap();
    let refused = other.heartbeat(server.caller, session(1)).await;
    assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
    drop(hangs);
    other.heartbeat(server.caller, session(1)).await.unwrap();
}
