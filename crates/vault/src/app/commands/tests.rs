//! What agents are asked to do: from the wish to its job.

use super::*;
use crate::app::jobs::{JobFault, Standing};
use crate::app::testing::{TestApp, TestServer, open_request};
use stateward_model::{ItemId, JobId, SessionId};

fn actor() -> Actor {
    Actor::Task("test")
}

async fn ask(test: &TestApp, server: &TestServer) -> Result<JobId, Error> {
    let of = (server.caller.server, server.item);
    let operation = test.app.ask_for_backup(&actor(), &test.place(), of, None).await?;
    Ok(test.app.operation(server.caller.vault, operation).await?.job.unwrap())
}

async fn waiting(test: &TestApp, server: &TestServer) -> Vec<Command> {
    test.app.commands(server.caller, &CommandWait::default()).await.unwrap().commands
}

async fn standing(test: &TestApp, server: &TestServer, job: JobId) -> (Standing, Option<JobFault>) {
    let judged = test.app.job(server.caller.vault, job).await.unwrap();
    (judged.standing, judged.fault)
}

#[tokio::test]
async fn a_backup_that_was_asked_for_is_taken_once_and_only_by_its_server() {
    let test = TestApp::new().await;
    let (server, other) = (test.server("web-01").await, test.server("web-02").await);
    let job = ask(&test, &server).await.unwrap();
    let refused = ask(&test, &server).await.unwrap_err();
    assert!(refused.to_string().contains(&job.to_string()), "{refused}");
    assert!(waiting(&test, &other).await.is_empty());
    let queued = waiting(&test, &server).await;
    let [command] = &queued[..] else { panic!("{queued:?}") };
    assert_eq!(command.request, CommandRequest::Backup { item: server.item, retain_until: None });
    assert!(matches!(test.app.take_command(other.caller, command.id).await, Err(Error::NotFound(_))));
    // However long it waited: it is not lost before it was taken.
    test.clock.advance(3600);
    assert_eq!(standing(&test, &server, job).await, (Standing::InProgress, None));
    for _ in 0..2 {
        assert_eq!(test.app.take_command(server.caller, command.id).await.unwrap().job, job);
    }
    assert!(waiting(&test, &server).await.is_empty());
    assert_eq!(standing(&test, &server, job).await, (Standing::InProgress, None));
    test.clock.advance(120);
    assert_eq!(standing(&test, &server, job).await, (Standing::Failed, Some(JobFault::Lost)));
}

#[tokio::test]
async fn what_nobody_takes_within_a_day_has_failed() {
    let test = TestApp::new().await;
    let server = test.server("web-01").await;
    let job = ask(&test, &server).await.unwrap();
    let id = waiting(&test, &server).await[0].id;
    test.clock.advance(TAKEABLE_SECONDS);
    assert!(waiting(&test, &server).await.is_empty());
    let refused = test.app.take_command(server.caller, id).await;
    assert!(matches!(refused, Err(Error::Refused { code: ErrorCode::InvalidState, .. })));
    assert_eq!(standing(&test, &server, job).await, (Standing::Failed, Some(JobFault::NotTaken)));
    ask(&test, &server).await.unwrap();
}

#[tokio::test]
async fn a_command_that_is_cancelled_before_it_is_taken_ends_at_once() {
    let test = TestApp::new().await;
    let server = test.server("web-01").await;
    let job = ask(&test, &server).await.unwrap();
    let id = waiting(&test, &server).await[0].id;
    test.app.cancel_job(&actor(), &test.place(), job).await.unwrap();
    assert_eq!(standing(&test, &server, job).await, (Standing::Cancelled, None));
    assert!(matches!(test.app.take_command(server.caller, id).await, Err(Error::NotFound(_))));
}

#[tokio::test]
async fn nothing_is_asked_of_what_takes_no_backups() {
    let test = TestApp::new().await;
    let server = test.server("web-01").await;
    let of = (server.caller.server, server.item);
    let code = |result: Result<OperationId, Error>| match result {
        Err(Error::Refused { code, .. }) => code,
        other => panic!("{other:?}"),
    };
    let past = test.app.ask_for_backup(&actor(), &test.place(), of, Some(test.app.now())).await;
    assert!(matches!(past, Err(Error::InvalidRequest(_))));
    let far = test.app.now().plus_seconds(100 * 366 * 86_400);
    let far_away = test.app.ask_for_backup(&actor(), &test.place(), of, Some(far)).await;
    assert!(far_away.unwrap_err().to_string().contains("99 years"));
    let on_demand = Some(stateward_model::OnDemand { retain_until: Some(far) });
    let by_agent = stateward_api::agent::OpenSessionRequest { on_demand, ..open_request(1) };
    assert!(matches!(test.app.open_session(server.caller, &by_agent).await, Err(Error::InvalidRequest(_))));
    let unknown = (server.caller.server, ItemId([9; 16]));
    let unknown = test.app.ask_for_backup(&actor(), &test.place(), unknown, None).await;
    assert!(matches!(unknown, Err(Error::NotFound(_))));
    test.app.delete_item(&actor(), &test.place(), of).await.unwrap();
    let deleted = test.app.ask_for_backup(&actor(), &test.place(), of, None).await;
    assert_eq!(code(deleted), ErrorCode::ProtectionStopped);
    let other = test.server("web-02").await;
    let named = crate::app::containers::Named::Id(other.caller.server);
    test.app.unregister(&actor(), &test.place(), &named).await.unwrap();
    let of = (other.caller.server, other.item);
    let gone = test.app.ask_for_backup(&actor(), &test.place(), of, None).await;
    assert_eq!(code(gone), ErrorCode::InvalidState);
}

#[tokio::test]
async fn an_agent_that_waits_at_one_process_hears_what_another_was_asked() {
    let test = TestApp::new().await;
    let server = test.server("web-01").await;
    let beside = test.beside().await;
    let caller = server.caller;
    let waits = tokio::spawn(async move {
        beside.commands(caller, &CommandWait { wait_seconds: 60, timetable: None, agent_version: None }).await
    });
    let job = ask(&test, &server).await.unwrap();
    let heard = waits.await.unwrap().unwrap();
    assert_eq!(heard.commands.iter().map(|command| command.job).collect::<Vec<_>>(), [job]);
}

/// Commits one recovery point of a server's item.
async fn committed(test: &TestApp, server: &TestServer) -> PointHash {
    test.app.open_session(server.caller, &open_request(1)).await.unwrap();
    let point = server.point(1, None, &[], |_| {});
    let hash = stateward_format::point::hash(&point);
    test.app.commit_point(server.caller, SessionId([1; 16]), point).await.unwrap();
    hash
}

#[tokio::test]
async fn a_restore_is_asked_for_by_point_and_components_and_never_says_where_to() {
    let test = TestApp::new().await;
    let server = test.server("web-01").await;
    let of = (server.caller.server, server.item);
    let point = committed(&test, &server).await;
    let components: Vec<ComponentName> = vec!["configuration".parse().unwrap()];
    let ask = |components: &[ComponentName]| {
        let components = components.to_vec();
        async { test.app.ask_for_restore(&actor(), &test.place(), of, point, components).await }
    };
    let operation = ask(&components).await.unwrap();
    let job = test.app.operation(server.caller.vault, operation).await.unwrap().job.unwrap();
    let again = ask(&components).await.unwrap_err();
    assert!(again.to_string().contains(&job.to_string()), "{again}");
    // Another part of it is another restore, and so is a backup of the item.
    ask(&[]).await.unwrap();
    super::tests::ask(&test, &server).await.unwrap();
    let queued = waiting(&test, &server).await;
    assert_eq!(queued.len(), 3);
    let command = queued.iter().find(|command| command.job == job).unwrap();
    assert_eq!(command.request, CommandRequest::Restore { item: server.item, point, components });
    let judged = test.app.job(server.caller.vault, job).await.unwrap();
    assert_eq!(
        (judged.job.report.kind, judged.standing),
        (stateward_model::JobKind::Restore, Standing::InProgress)
    );
    let entry =
        test.audit().await.into_iter().rev().find(|entry| entry.act == "recovery-point.restore").unwrap();
    assert_eq!(entry.subject, point.to_string());
}

#[tokio::test]
async fn what_can_t_be_restored_is_not_asked_for() {
    let test = TestApp::new().await;
    let (server, other) = (test.server("web-01").await, test.server("web-02").await);
    let of = (server.caller.server, server.item);
    let point = committed(&test, &server).await;
    let ask = |of, point| {
        let test = &test;
        async move { test.app.ask_for_restore(&actor(), &test.place(), of, point, Vec::new()).await }
    };
    let unknown = ask(of, PointHash([9; 32])).await;
    assert!(matches!(unknown, Err(Error::NotFound(_))), "{unknown:?}");
    let of_another = ask((other.caller.server, other.item), point).await;
    assert!(matches!(of_another, Err(Error::NotFound(_))), "{of_another:?}");
    test.app.delete_item(&actor(), &test.place(), of).await.unwrap();
    let deleted = ask(of, point).await;
    assert!(matches!(deleted, Err(Error::Refused { code: ErrorCode::InvalidState, .. })), "{deleted:?}");
    assert!(waiting(&test, &server).await.is_empty());
}

#[tokio::test]
async fn an_agent_learns_when_its_items_are_backed_up_and_of_each_change() {
    let test = TestApp::new().await;
    let server = test.server("web-01").await;
    let of = (server.caller.server, server.item);
    let ask = |known: &str| {
        let wait = CommandWait { wait_seconds: 0, timetable: Some(known.to_owned()), agent_version: None };
        let test = &test;
        async move { test.app.commands(server.caller, &wait).await.unwrap().timetable }
    };
    let none = ask("").await.unwrap();
    assert!(none.items.is_empty());
    assert_eq!(ask(&none.version).await, None);
    // Who does not ask is not told.
    let silent = test.app.commands(server.caller, &CommandWait::default()).await.unwrap();
    assert_eq!(silent.timetable, None);

    let policy = crate::app::testing::policy(30, None);
    test.app.put_policy(&actor(), &test.place(), "daily", policy.clone(), None).await.unwrap();
    test.give_policy(&server, "daily").await;
    let given = ask(&none.version).await.unwrap();
    let [item] = &given.items[..] else { panic!("{given:?}") };
    assert_eq!((item.item, item.policy.as_str(), &item.schedule), (server.item, "daily", policy.schedule()));
    assert_eq!(ask(&given.version).await, None);

    test.app.delete_item(&actor(), &test.place(), of).await.unwrap();
    assert_eq!(ask(&given.version).await.unwrap(), none);
}
