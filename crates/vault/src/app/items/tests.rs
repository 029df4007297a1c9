//! Protected items: from their first backup to their end.

use super::*;
use crate::app::testing::{TestApp, TestServer, open_request, policy};
use crate::app::vaults::VaultChange;
use stateward_api::agent::OpenSessionRequest;
use stateward_model::{ItemKind, JobId, JobState, Redundancy, SessionId, Timestamp};

#[tokio::test]
async fn a_label_changes_but_a_kind_does_not() {
    let test = TestApp::new().await;
    let server = test.server("web-01").await;
    let request = |label: &str, kind| ItemRequest { label: label.parse().unwrap(), kind };
    let id = ItemId([1; 16]);
    for label in ["etc", "etc-2"] {
        test.app.put_item(server.caller, id, &request(label, ItemKind::Files)).await.unwrap();
    }
    let other = test.app.put_item(server.caller, id, &request("etc", ItemKind::SystemState)).await;
    assert!(matches!(other, Err(Error::InvalidRequest(_))));
}

const SESSION: SessionId = SessionId([1; 16]);

fn actor() -> Actor {
    Actor::Task("test")
}

fn backup_of(server: &TestServer, number: u8) -> OpenSessionRequest {
    OpenSessionRequest { item: Some(server.item), ..open_request(number) }
}

fn place_of(server: &TestServer) -> ItemPlace {
    (server.caller.server, server.item)
}

async fn change(
    test: &TestApp,
    server: &TestServer,
    change: ItemChange,
) -> Result<(Item, Option<OperationId>), Error> {
    test.app.change_item(&actor(), &test.place(), place_of(server), &change).await
}

async fn delete(test: &TestApp, server: &TestServer) -> Result<Option<OperationId>, Error> {
    test.app.delete_item(&actor(), &test.place(), place_of(server)).await
}

fn state(word: &str) -> ItemChange {
    ItemChange { protection_state: Some(word.to_owned()), ..ItemChange::default() }
}

fn rehydrate() -> ItemChange {
    ItemChange { is_rehydrate: Some(true), ..state(STOPPED) }
}

/// A vault with a server whose item has one recovery point.
async fn with_point() -> (TestApp, TestServer) {
    let test = TestApp::new().await;
    let server = test.server("web-01").await;
    test.app.open_session(server.caller, &backup_of(&server, 1)).await.unwrap();
    let object = server.point(1, None, &[], |_| {});
    test.app.commit_point(server.caller, SESSION, object).await.unwrap();
    test.app.close_session(server.caller, SESSION).await.unwrap();
    (test, server)
}

fn code(error: &Error) -> Option<ErrorCode> {
    match error {
        Error::Refused { code, .. } => Some(*code),
        _ => None,
    }
}

#[tokio::test]
async fn a_stopped_item_takes_no_backup_until_it_is_resumed_and_keeps_its_points() {
    let (test, server) = with_point().await;
    let (item, operation) = change(&test, &server, state("protectionstopped")).await.unwrap();
    assert_eq!((item.stopped, item.points), (Some(StopKeeps::Forever), 1));
    let operation = test.app.operation(server.caller.vault, operation.unwrap()).await.unwrap();
    let job = test.app.job(server.caller.vault, operation.job.unwrap()).await.unwrap();
    assert_eq!(job.job.report.kind, JobKind::DisableBackup);
    // The same again, and what a client sends back as it read it, change nothing.
    let same = ItemChange { stop_keeps: Some(StopKeeps::Forever), ..state(STOPPED) };
    for again in [state(STOPPED), same, ItemChange::default()] {
        assert_eq!(change(&test, &server, again).await.unwrap().1, None);
    }
    let refused = test.app.open_session(server.caller, &backup_of(&server, 2)).await.unwrap_err();
    assert_eq!(code(&refused), Some(ErrorCode::ProtectionStopped));
    // A restore of it is something else.
    let restore = OpenSessionRequest { kind: JobKind::Restore, ..backup_of(&server, 3) };
    test.app.open_session(server.caller, &restore).await.unwrap();
    test.app.close_session(server.caller, restore.session).await.unwrap();
    let expiring = ItemChange { stop_keeps: Some(StopKeeps::Expire), ..state(STOPPED) };
    assert_eq!(change(&test, &server, expiring).await.unwrap().0.stopped, Some(StopKeeps::Expire));
    assert_eq!(change(&test, &server, state("Protected")).await.unwrap().0.stopped, None);
    test.app.open_session(server.caller, &backup_of(&server, 4)).await.unwrap();
    let wrong = change(&test, &server, state("Asleep")).await;
    assert!(matches!(wrong, Err(Error::InvalidRequest(_))));
}

#[tokio::test]
async fn a_deleted_item_can_be_had_back_for_the_vaults_days_and_is_purged_then() {
    let (test, server) = with_point().await;
    let vault = server.caller.vault;
    assert!(delete(&test, &server).await.unwrap().is_some());
    assert_eq!(delete(&test, &server).await.unwrap(), None);
    let refused = test.app.open_session(server.caller, &backup_of(&server, 2)).await.unwrap_err();
    assert_eq!(code(&refused), Some(ErrorCode::ProtectionStopped));
    let label = ItemRequest { label: "x".parse().unwrap(), kind: ItemKind::SystemState };
    let refused = test.app.put_item(server.caller, server.item, &label).await.unwrap_err();
    assert_eq!(code(&refused), Some(ErrorCode::ProtectionStopped));
    let refused = change(&test, &server, state("Protected")).await.err().unwrap();
    assert_eq!(code(&refused), Some(ErrorCode::InvalidState));
    test.clock.advance(14 * 86_400 - 1);
    test.app.expire().await.unwrap();
    let (back, _) = change(&test, &server, rehydrate()).await.unwrap();
    assert_eq!((back.deleted, back.stopped, back.points), (None, Some(StopKeeps::Forever), 1));
    let refused = change(&test, &server, rehydrate()).await.err().unwrap();
    assert_eq!(code(&refused), Some(ErrorCode::InvalidState));

    delete(&test, &server).await.unwrap();
    test.clock.advance(14 * 86_400);
    // Gone from its moment on, whether the task ran or not.
    assert!(test.app.items(vault).await.unwrap().is_empty());
    assert_eq!(test.app.vault_usage(vault).await.unwrap().deleted_items, 1);
    // The clock has jumped, which stops purging as well.
    test.app.expire().await.unwrap();
    assert_eq!(test.app.vault_usage(vault).await.unwrap().deleted_items, 1);
    test.app.confirm_clock(&actor(), test.app.now()).await.unwrap();
    for _ in 0..2 {
        test.app.expire().await.unwrap();
    }
    assert_eq!(test.app.vault_usage(vault).await.unwrap().deleted_items, 0);
    assert!(matches!(change(&test, &server, rehydrate()).await, Err(Error::NotFound(_))));
    let refused = test.app.put_item(server.caller, server.item, &label).await.unwrap_err();
    assert_eq!(code(&refused), Some(ErrorCode::ProtectionStopped));
    let entries = db::audit::list(&mut test.app.database.read().await.unwrap(), None, 0, 100).await.unwrap();
    let acts: Vec<_> =
        entries.iter().map(|entry| entry.act.as_str()).filter(|act| act.starts_with("item")).collect();
    assert_eq!(acts, ["item.delete", "item.undelete", "item.delete", "item.purge"]);
}

#[tokio::test]
async fn a_deletion_ends_the_backup_that_runs() {
    let (test, server) = with_point().await;
    test.app.open_session(server.caller, &backup_of(&server, 2)).await.unwrap();
    let object = server.point(2, Some(test.app.points(server.caller).await.unwrap()[0].hash), &[], |_| {});
    delete(&test, &server).await.unwrap();
    let refused = test.app.commit_point(server.caller, SessionId([2; 16]), object.clone()).await;
    assert!(matches!(refused, Err(Error::SessionLost)));
    // A session that names no item does not get around it.
    test.app.open_session(server.caller, &open_request(3)).await.unwrap();
    let refused = test.app.commit_point(server.caller, SessionId([3; 16]), object).await.unwrap_err();
    assert_eq!(code(&refused), Some(ErrorCode::ProtectionStopped));
}

#[tokio::test]
async fn an_immutable_vault_deletes_nothing_but_stops() {
    let (test, server) = with_point().await;
    let unlocked = VaultChange { immutability: Some(Immutability::Unlocked), ..VaultChange::default() };
    test.app.update_vault(&actor(), &test.place(), unlocked, None).await.unwrap();
    let refused = delete(&test, &server).await.unwrap_err();
    assert_eq!(code(&refused), Some(ErrorCode::VaultImmutable));
    change(&test, &server, state(STOPPED)).await.unwrap();
}

#[tokio::test]
async fn nothing_new_is_protected_where_the_redundancy_is_not_met() {
    let test = TestApp::new().await;
    let place = Place { vault: Some("far".to_owned()), ..test.place() };
    let geo = VaultChange { redundancy: Some(Redundancy::GeoRedundant), ..VaultChange::default() };
    let (vault, _) = test.app.put_vault(&actor(), &place, geo, None).await.unwrap();
    let server = test.server("web-01").await;
    let caller = ServerCaller { vault: vault.id, ..server.caller };
    let request = ItemRequest { label: "etc".parse().unwrap(), kind: ItemKind::Files };
    let refused = test.app.put_item(caller, ItemId([3; 16]), &request).await.unwrap_err();
    assert_eq!(code(&refused), Some(ErrorCode::RedundancyNotMet));
    assert!(refused.to_string().contains("second region"), "{refused}");
    // What is protected already goes on.
    let known = ItemRequest { label: "System".parse().unwrap(), kind: ItemKind::SystemState };
    test.app.put_item(caller, server.item, &known).await.unwrap();
}

#[tokio::test]
async fn an_item_tells_its_points_and_how_its_last_backup_ended() {
    let (test, server) = with_point().await;
    let item = async || test.app.item(server.caller.vault, place_of(&server)).await.unwrap();
    let now = test.app.now();
    assert_eq!((item().await.points, item().await.span), (1, Some((now, now))));
    assert_eq!(item().await.last_backup, None);
    for (number, state) in [(1, JobState::Completed), (2, JobState::Failed), (3, JobState::Running)] {
        let at = Timestamp(number);
        let report = crate::app::jobs::report_of(JobId([number as u8; 16]), server.item, state, at);
        test.app.put_job(server.caller, report.job, &report).await.unwrap();
    }
    assert_eq!(item().await.last_backup, Some((JobState::Failed, Timestamp(2))));
    let other = (server.caller.server, ItemId([9; 16]));
    assert!(matches!(test.app.item(server.caller.vault, other).await, Err(Error::NotFound(_))));
}

#[tokio::test]
async fn an_item_is_given_a_policy_by_its_path_and_resumed_by_it() {
    let (test, server) = with_point().await;
    let vault = server.caller.vault;
    for (name, days) in [("long", 30), ("short", 7)] {
        test.app.put_policy(&actor(), &test.place(), name, policy(days, None), None).await.unwrap();
    }
    let given = |id: &str| ItemChange { policy_id: Some(id.to_owned()), ..ItemChange::default() };
    let path = "/subscriptions/s/resourceGroups/g/providers/P/vaults/v/backupPolicies/LONG";
    let (item, operation) = change(&test, &server, given(path)).await.unwrap();
    assert_eq!(item.policy.as_deref(), Some("long"));
    let operation = test.app.operation(vault, operation.unwrap()).await.unwrap();
    let job = test.app.job(vault, operation.job.unwrap()).await.unwrap();
    assert_eq!(job.job.report.kind, JobKind::ConfigureBackup);
    // What a client sends back as it read it changes nothing, and an item that is being stopped keeps its own.
    for same in
        [given("long"), given(""), ItemChange { policy_id: Some(path.to_owned()), ..state("Protected") }]
    {
        assert_eq!(change(&test, &server, same).await.unwrap().1, None);
    }
    let stops = ItemChange { policy_id: Some("short".to_owned()), ..state(STOPPED) };
    let (item, _) = change(&test, &server, stops).await.unwrap();
    assert_eq!((item.policy.as_deref(), item.stopped), (Some("long"), Some(StopKeeps::Forever)));
    let (item, _) = change(&test, &server, given("long")).await.unwrap();
    assert_eq!(item.stopped, None);
    assert!(matches!(change(&test, &server, given("none")).await, Err(Error::NotFound(_))));
    let unlocked = VaultChange { immutability: Some(Immutability::Unlocked), ..VaultChange::default() };
    test.app.update_vault(&actor(), &test.place(), unlocked, None).await.unwrap();
    let refused = change(&test, &server, given("short")).await.err().unwrap();
    assert_eq!(code(&refused), Some(ErrorCode::VaultImmutable));
    assert!(refused.to_string().contains("from 30 to 7"), "{refused}");
}

#[tokio::test]
async fn a_server_stops_and_deletes_its_item_with_a_pin_only() {
    let test = TestApp::new().await;
    let server = test.server("web-01").await;
    let (app, caller, id) = (&test.app, server.caller, server.item);
    let admin = Actor::Task("test");
    for wrong in ["", "12345678"] {
        let stop = app.stop_own_item(caller, id, StopKeeps::Expire, wrong).await;
        let delete = app.delete_own_item(caller, id, wrong).await;
        for refused in [stop, delete] {
            assert!(
                matches!(refused, Err(Error::Refused { code: ErrorCode::SecurityPinWrong, .. })),
                "{refused:?}"
            );
        }
    }
    let find = async || app.item(caller.vault, (caller.server, id)).await.unwrap();
    assert!(find().await.stopped.is_none() && find().await.deleted.is_none());
    let pin = app.create_pin(&admin, &test.place()).await.unwrap();
    app.stop_own_item(caller, id, StopKeeps::Expire, &pin.digits).await.unwrap();
    assert_eq!(find().await.stopped, Some(StopKeeps::Expire));
    let used = app.delete_own_item(caller, id, &pin.digits).await;
    assert!(matches!(used, Err(Error::Refused { code: ErrorCode::SecurityPinWrong, .. })));
    let pin = app.create_pin(&admin, &test.place()).await.unwrap();
    for _ in 0..2 {
        // The second time it is deleted already, and needs none.
        app.delete_own_item(caller, id, &pin.digits).await.unwrap();
    }
    assert!(find().await.deleted.is_some());
    assert!(test.alerts().await.iter().any(|alert| alert.kind == "item-deleted"));
    let acts: Vec<_> = test.audit().await.into_iter().map(|entry| (entry.act, entry.actor)).collect();
    let by_server = |act: &str| acts.contains(&(act.to_owned(), format!("server {}", caller.server)));
    assert!(by_server("pin.use") && by_server("item.stop") && by_server("item.delete"), "{acts:?}");
}

#[tokio::test]
async fn deleting_in_a_guarded_vault_takes_two() {
    let test = TestApp::new().await;
    let server = test.server("web-01").await;
    let of = (server.caller.server, server.item);
    let [one, two] = ["one", "two"].map(|name| Actor::Principal(name.to_owned()));
    test.app.put_guard(&one, &test.place(), "VaultProxy", serde_json::json!({})).await.unwrap();
    let refused = test.app.delete_item(&one, &test.place(), of).await;
    assert!(matches!(refused, Err(Error::Refused { code: ErrorCode::ApprovalRequired, .. })), "{refused:?}");
    let waiting = test.app.approvals(&test.place()).await.unwrap();
    assert_eq!(waiting[0].subject, server.item.to_string());
    test.app.approve(&two, &test.place(), waiting[0].id).await.unwrap();
    assert!(test.app.delete_item(&one, &test.place(), of).await.unwrap().is_some());
}
