//! Jobs as agents report them, and as they are judged.

use super::*;
use crate::app::testing::{TestApp, open_request};

fn report(number: u8, state: JobState) -> JobReport {
    JobReport {
        job: JobId([number; 16]),
        kind: JobKind::Backup,
        item: None,
        state,
        is_paused: false,
        phase: Phase::Transferring,
        started_at: Timestamp(i64::from(number)),
        ended_at: None,
        files: 3,
        bytes: 4,
        moved_bytes: 5,
        warnings: 0,
        error_code: Some("disk-full".to_owned()),
        point: None,
    }
}

#[tokio::test]
async fn a_job_that_ended_stays_ended_and_the_newest_comes_first() {
    let test = TestApp::new().await;
    let caller = test.server("web-01").await.caller;
    for (number, state) in
        [(1, JobState::Running), (1, JobState::Failed), (1, JobState::Running), (2, JobState::Running)]
    {
        test.app.put_job(caller, JobId([number; 16]), &report(number, state)).await.unwrap();
    }
    let vault = test.app.vault_at(&test.place()).await.unwrap();
    let jobs = test.app.jobs_of(vault.id, Timestamp(i64::MIN)..=Timestamp(i64::MAX)).await.unwrap();
    let reports = jobs.iter().map(|judged| &judged.job.report);
    let states: Vec<_> = reports.map(|report| (report.job.0[0], report.state)).collect();
    assert_eq!(states, [(2, JobState::Running), (1, JobState::Failed)]);
}

#[tokio::test]
async fn a_report_with_a_name_in_it_is_refused() {
    let test = TestApp::new().await;
    let caller = test.server("web-01").await.caller;
    let mut wrong = report(1, JobState::Failed);
    wrong.error_code = Some("/etc/shadow".to_owned());
    let refused = test.app.put_job(caller, wrong.job, &wrong).await;
    assert!(matches!(refused, Err(Error::InvalidRequest(_))));
    let other = test.app.put_job(caller, JobId([9; 16]), &report(1, JobState::Failed)).await;
    assert!(matches!(other, Err(Error::InvalidRequest(_))));
}

fn actor() -> Actor {
    Actor::Task("test")
}

/// How a job stands, and why it failed.
async fn standing(test: &TestApp, vault: VaultId, number: u8) -> (Standing, Option<JobFault>) {
    let judged = test.app.job(vault, JobId([number; 16])).await.unwrap();
    (judged.standing, judged.fault)
}

#[tokio::test]
async fn a_job_whose_agent_is_silent_and_holds_no_session_is_lost() {
    let test = TestApp::new().await;
    let server = test.server("web-01").await;
    let (caller, vault) = (server.caller, server.caller.vault);
    test.app.open_session(caller, &open_request(1)).await.unwrap();
    let running = JobReport { error_code: None, ..report(1, JobState::Running) };
    test.app.put_job(caller, running.job, &running).await.unwrap();
    // The session's heartbeat keeps it, though its reports are lost on their way.
    for _ in 0..5 {
        test.clock.advance(50);
        test.app.heartbeat(caller, open_request(1).session).await.unwrap();
    }
    assert_eq!(standing(&test, vault, 1).await, (Standing::InProgress, None));
    test.clock.advance(60);
    assert_eq!(standing(&test, vault, 1).await, (Standing::Failed, Some(JobFault::Lost)));
    // It was only cut off: it is there again.
    test.app.put_job(caller, running.job, &running).await.unwrap();
    assert_eq!(standing(&test, vault, 1).await, (Standing::InProgress, None));
    test.clock.advance(SILENT_SECONDS - 1);
    assert_eq!(standing(&test, vault, 1).await, (Standing::InProgress, None));
    test.clock.advance(1);
    assert_eq!(standing(&test, vault, 1).await, (Standing::Failed, Some(JobFault::Lost)));
    // The next session is not this job's.
    test.app.open_session(caller, &open_request(2)).await.unwrap();
    assert_eq!(standing(&test, vault, 1).await, (Standing::Failed, Some(JobFault::Lost)));
}

#[tokio::test]
async fn a_cancelled_job_is_told_with_its_next_report_and_ends_as_its_agent_says() {
    let test = TestApp::new().await;
    let server = test.server("web-01").await;
    let (caller, vault) = (server.caller, server.caller.vault);
    let running = JobReport { error_code: None, ..report(1, JobState::Running) };
    let answer = test.app.put_job(caller, running.job, &running).await.unwrap();
    assert!(!answer.cancel_requested);
    for _ in 0..2 {
        test.app.cancel_job(&actor(), &test.place(), running.job).await.unwrap();
    }
    assert_eq!(standing(&test, vault, 1).await.0, Standing::Cancelling);
    assert!(test.app.put_job(caller, running.job, &running).await.unwrap().cancel_requested);
    let cancelled = JobReport { state: JobState::Cancelled, ..running.clone() };
    test.app.put_job(caller, running.job, &cancelled).await.unwrap();
    assert_eq!(standing(&test, vault, 1).await.0, Standing::Cancelled);
    let failed = report(2, JobState::Failed);
    test.app.put_job(caller, failed.job, &failed).await.unwrap();
    let refused = test.app.cancel_job(&actor(), &test.place(), failed.job).await;
    assert!(matches!(refused, Err(Error::Refused { code: ErrorCode::InvalidState, .. })));
    let unknown = test.app.cancel_job(&actor(), &test.place(), JobId([7; 16])).await;
    assert!(matches!(unknown, Err(Error::NotFound(_))));
    let fault = Some(JobFault::Reported("disk-full".to_owned()));
    assert_eq!(standing(&test, vault, 2).await, (Standing::Failed, fault));
}

#[tokio::test]
async fn the_vaults_own_kinds_are_not_for_agents() {
    let test = TestApp::new().await;
    let caller = test.server("web-01").await.caller;
    let own = JobReport { kind: JobKind::DeleteBackupData, ..report(1, JobState::Completed) };
    assert!(matches!(test.app.put_job(caller, own.job, &own).await, Err(Error::InvalidRequest(_))));
}

#[tokio::test]
async fn jobs_are_found_by_the_time_at_which_they_began() {
    let test = TestApp::new().await;
    let caller = test.server("web-01").await.caller;
    for number in 1..=4 {
        let report = report(number, JobState::Running);
        test.app.put_job(caller, report.job, &report).await.unwrap();
    }
    let found = test.app.jobs_of(caller.vault, Timestamp(2)..=Timestamp(3)).await.unwrap();
    assert_eq!(found.iter().map(|judged| judged.job.report.job.0[0]).collect::<Vec<_>>(), [3, 2]);
}
