//! Jobs.

use super::containers::workload;
use super::filter::Filter;
use super::place::Manager;
use super::query::Query;
use super::vaults::id_of;
use crate::app::jobs::{JobFault, JudgedJob, Standing};
use crate::app::vaults::Vault;
use crate::app::{App, Error};
use crate::http::extract::Segments;
use axum::Json as Answer;
use axum::extract::State;
use axum::http::StatusCode;
use stateward_api::agent::JobReport;
use stateward_api::arm::jobs as arm;
use stateward_api::arm::{List, PROVIDER, Resource};
use stateward_model::{JobId, Phase, Timestamp};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

type AppState = State<Arc<App>>;

/// The keys by which jobs are looked for.
const KEYS: &[&str] = &[
    "status",
    "operation",
    "backupManagementType",
    "jobId",
    "startTime",
    "endTime",
    "entityFriendlyName",
    "mabServerName",
    "workloadType",
];

fn seconds_between(start: Timestamp, end: Timestamp) -> i64 {
    end.0.saturating_sub(start.0) / 1_000_000_000
}

fn error_of(fault: &JobFault) -> arm::JobError {
    let (code, what, remedy) = match fault {
        JobFault::Reported(code) => (
            code.as_str(),
            format!("The job failed on its server with the code `{code}`"),
            format!(
                "`stateward explain {code}` tells what it means and what to do; `stateward job show` on the server names what \
                 it was about"
            ),
        ),
        JobFault::Lost => (
            "job-lost",
            "Nothing was heard of the job any more: its agent ended without a word, or does not reach the vault".to_owned(),
            "See that the server runs and reaches the vault, then run the job again: it goes on with what the vault holds"
                .to_owned(),
        ),
        JobFault::NotTaken => (
            "command-expired",
            "The server's agent did not ask for the job within a day".to_owned(),
            "See that `stateward agent run` runs on the server and reaches the vault, then ask for the job again".to_owned(),
        ),
    };
    arm::JobError { error_string: what, recommendations: vec![remedy], code: code.to_owned() }
}

/// A job's phases. When each but the first began is known to its server alone.
fn tasks(judged: &JudgedJob) -> Vec<arm::JobTask> {
    let report = &judged.job.report;
    if !report.kind.is_of_agents() {
        let began = Some(report.started_at);
        let duration = judged.ended_at.map(|end| arm::duration_text(seconds_between(report.started_at, end)));
        return vec![arm::JobTask {
            task_id: report.kind.to_string(),
            start_time: began,
            end_time: judged.ended_at,
            duration,
            status: judged.standing.as_str().to_owned(),
        }];
    }
    let phases = [Phase::Preparing, Phase::Estimating, Phase::Transferring, Phase::Finishing];
    let present = phases.iter().position(|phase| *phase == report.phase).unwrap_or_default();
    let status = |place: usize| match judged.standing {
        Standing::Completed | Standing::CompletedWithWarnings => "Completed",
        _ if place < present => "Completed",
        _ if place > present => "NotStarted",
        Standing::InProgress | Standing::Cancelling => "InProgress",
        Standing::Failed => "Failed",
        Standing::Cancelled => "Cancelled",
    };
    let task = |(place, phase): (usize, &Phase)| arm::JobTask {
        task_id: phase.to_string(),
        start_time: (place == 0).then_some(report.started_at),
        end_time: judged.ended_at.filter(|_| place == present),
        duration: None,
        status: status(place).to_owned(),
    };
    phases.iter().enumerate().map(task).collect()
}

/// A job's figures, as texts.
fn figures(judged: &JudgedJob, seconds: i64) -> BTreeMap<String, String> {
    let JobReport { files, bytes, moved_bytes, warnings, point, phase, .. } = &judged.job.report;
    if !judged.job.report.kind.is_of_agents() {
        return BTreeMap::new();
    }
    let rate = moved_bytes.checked_div(u64::try_from(seconds).unwrap_or_default()).unwrap_or(*moved_bytes);
    let mut bag: BTreeMap<String, String> = [
        ("Files", files.to_string()),
        ("Bytes", bytes.to_string()),
        ("Bytes transferred", moved_bytes.to_string()),
        ("Bytes transferred per second", rate.to_string()),
        ("Warnings", warnings.to_string()),
        ("Phase", phase.to_string()),
        (arm::STATE_ON_SERVER, state_on_server(judged)),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect();
    bag.extend(point.map(|point| ("Recovery point".to_owned(), point.to_string())));
    bag
}

fn state_on_server(judged: &JudgedJob) -> String {
    let JobReport { state, is_paused, .. } = &judged.job.report;
    match judged.standing {
        Standing::InProgress if *is_paused => arm::PAUSED.to_owned(),
        _ => state.to_string(),
    }
}

fn actions(standing: Standing) -> Vec<String> {
    match standing {
        Standing::InProgress => vec!["Cancellable".to_owned()],
        _ => Vec::new(),
    }
}

fn shown(app: &App, vault: &Vault, judged: &JudgedJob) -> arm::Job {
    let (job, report) = (&judged.job, &judged.job.report);
    let seconds = seconds_between(report.started_at, judged.ended_at.unwrap_or(judged.now));
    let error = judged.fault.as_ref().map(error_of);
    let item = job.item.as_ref();
    Resource {
        id: format!("{}/backupJobs/{}", id_of(app, vault), report.job),
        name: report.job.to_string(),
        r#type: format!("{PROVIDER}/vaults/backupJobs"),
        properties: arm::JobProperties {
            job_type: "MabJob".to_owned(),
            backup_management_type: "MAB".to_owned(),
            operation: report.kind.to_string(),
            status: judged.standing.as_str().to_owned(),
            start_time: report.started_at,
            end_time: judged.ended_at,
            duration: arm::duration_text(seconds),
            entity_friendly_name: item.map_or(&job.server_label, |(label, _)| label).to_string(),
            activity_id: report.job,
            actions_info: actions(judged.standing),
            mab_server_name: job.server_label.to_string(),
            mab_server_type: "Windows".to_owned(),
            workload_type: item.map(|(_, kind)| workload(*kind).to_owned()),
            extended_info: arm::JobExtendedInfo {
                tasks_list: tasks(judged),
                property_bag: figures(judged, seconds),
                dynamic_error_message: error.as_ref().map(|e| e.error_string.clone()).unwrap_or_default(),
            },
            error_details: error.map(|error| vec![error]),
            server_id: job.server,
            reported_at: job.reported_at,
        },
    }
}

/// The times between which jobs that a filter lets through began.
fn began(filter: &Filter) -> Result<RangeInclusive<Timestamp>, Error> {
    let first = filter.moment("startTime")?.unwrap_or(Timestamp(i64::MIN));
    let last = filter.moment("endTime")?.unwrap_or(Timestamp(i64::MAX));
    match first <= last {
        true => Ok(first..=last),
        false => Err(Error::invalid("The `$filter` has a `startTime` that is after its `endTime`")),
    }
}

/// `GET {vault}/backupJobs`
pub(in crate::http) async fn list_jobs(
    State(app): AppState,
    manager: Manager,
    query: Query,
) -> Result<Answer<List<arm::Job>>, Error> {
    let filter = query.filter(KEYS)?;
    let vault = app.vault_at(&manager.place).await?;
    let jobs = app.jobs_of(vault.id, began(&filter)?).await?;
    let listed = jobs.iter().filter(|judged| {
        let (job, report) = (&judged.job, &judged.job.report);
        let (label, kind) = job.item.as_ref().map_or((&job.server_label, ""), |(l, k)| (l, workload(*k)));
        filter.admits("status", judged.standing.as_str())
            && filter.admits("operation", &report.kind.to_string())
            && filter.admits("backupManagementType", "MAB")
            && filter.admits("jobId", &report.job.to_string())
            && filter.admits("entityFriendlyName", label.as_str())
            && filter.admits("mabServerName", job.server_label.as_str())
            && filter.admits("workloadType", kind)
    });
    Ok(Answer(query.page(&app, listed.map(|judged| shown(&app, &vault, judged)).collect())))
}

type JobSegments = Segments<(String, String, String, String)>;

fn job_id(name: &str) -> Result<JobId, Error> {
    name.parse().map_err(|_| Error::not_found(format!("job `{name}`")))
}

/// `GET {vault}/backupJobs/{job}`
pub(in crate::http) async fn get_job(
    State(app): AppState,
    manager: Manager,
    Segments((.., name)): JobSegments,
) -> Result<Answer<arm::Job>, Error> {
    let id = job_id(&name)?;
    let vault = app.vault_at(&manager.place).await?;
    let judged = app.job(vault.id, id).await?;
    Ok(Answer(shown(&app, &vault, &judged)))
}

/// `POST {vault}/backupJobs/{job}/cancel`
pub(in crate::http) async fn cancel_job(
    State(app): AppState,
    manager: Manager,
    Segments((.., name)): JobSegments,
) -> Result<StatusCode, Error> {
    app.cancel_job(&manager.actor(), &manager.place, job_id(&name)?).await?;
    Ok(StatusCode::ACCEPTED)
}
