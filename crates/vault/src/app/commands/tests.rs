//! What agents are asked to do: from the wish to its job.

use super::*;
use crate::app::jobs::{JobFault, Standing};
use crate::app::testing::{TestApp, TestServer};
use stateward_model::{ItemId, JobId};

fn actor() -> Actor {
    Actor::Task("test")
}

async fn ask(test: &TestApp, server: &TestServer) -> Result<JobId, Error> {
    let of = (server.caller.server, server.item);
    let operation = test.app.ask_for_backup(&actor(), &test.place(), of, None).await?;
    Ok(test.app.operation(server.caller.vault, operation).await?.job.unwrap())
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
    assert!(test.app.commands(other.caller, 0).await.unwrap().is_empty());
    let waiting = test.app.commands(server.caller, 0).await.unwrap();
    let [command] = &waiting[..] else { panic!("{waiting:?}") };
    assert_eq!(command.request, CommandRequest::Backup { item: server.item, retain_until: None });
    assert!(matches!(test.app.take_command(other.caller, command.id).await, Err(Error::NotFound(_))));
    // However long it waited: it is not lost before it was taken.
    test.clock.advance(3600);
    assert_eq!(standing(&test, &server, job).await, (Standing::InProgress, None));
    for _ in 0..2 {
        assert_eq!(test.app.take_command(server.caller, command.id).await.unwrap().job, job);
    }
    assert!(test.app.commands(server.caller, 0).await.unwrap().is_empty());
    assert_eq!(standing(&test, &server, job).await, (Standing::InProgress, None));
    test.clock.advance(120);
    assert_eq!(standing(&test, &server, job).await, (Standing::Failed, Some(JobFault::Lost)));
}

#[tokio::test]
async fn what_nobody_takes_within_a_day_has_failed() {
    let test = TestApp::new().await;
    let server = test.server("web-01").await;
    let job = ask(&test, &server).await.unwrap();
    let id = test.app.commands(server.caller, 0).await.unwrap()[0].id;
    test.clock.advance(TAKEABLE_SECONDS);
    assert!(test.app.commands(server.caller, 0).await.unwrap().is_empty());
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
    let id = test.app.commands(server.caller, 0).await.unwrap()[0].id;
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
    let waits = tokio::spawn(async move { beside.commands(caller, 60).await });
    let job = ask(&test, &server).await.unwrap();
    let heard = waits.await.unwrap().unwrap();
    assert_eq!(heard.iter().map(|command| command.job).collect::<Vec<_>>(), [job]);
}
