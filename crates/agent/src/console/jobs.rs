//! Jobs: begun, listed, looked at, paused, stopped.

use super::Console;
use super::answer::{Answer, Refusal, answered};
use super::body::{Body, Part};
use super::shapes;
use crate::backup::{self, BackupWish};
use crate::jobs::{JobFolder, JobRecord, PlannedJob, VerifyExtent, detach, queue_all};
use crate::restore::{self, ConflictRule, LayingWish, RestoreWish};
use crate::verify::{self, USUAL_PERCENT, VerifyWish};
use crate::{Agent, AgentError};
use axum::extract::State;
use stateward_api::console::{
    BackupRequest, Conflict, Job, JobDetail, JobList, RestoreRequest, VerifyRequest,
};
use stateward_model::JobId;
use std::sync::Arc;

/// So many warnings of a job are listed.
const WARNINGS_MOST: usize = 10_000;

/// *Back Up Now*.
pub(super) async fn back_up(
    State(console): State<Arc<Console>>,
    Body(request): Body<BackupRequest>,
) -> Answer<JobList> {
    answered(console, move |console| {
        let wish = BackupWish {
            item: request.item.as_deref(),
            retain_until: request.retain_until,
            despite_prechecks: request.despite_prechecks,
            pace: shapes::pace(request.pace),
        };
        begin(&console.agent, backup::plan(&console.agent, &wish)?)
    })
    .await
}

/// *Recover Data*.
pub(super) async fn restore(
    State(console): State<Arc<Console>>,
    Body(request): Body<RestoreRequest>,
) -> Answer<JobList> {
    answered(console, move |console| {
        let planned = restore::plan(&console.agent, restore_wish(&request)?)?;
        begin(&console.agent, vec![planned])
    })
    .await
}

fn restore_wish(request: &RestoreRequest) -> Result<RestoreWish<'_>, Refusal> {
    let laying = LayingWish {
        conflict: match request.conflict {
            Conflict::Fail => ConflictRule::Fail,
            Conflict::Copy => ConflictRule::Copy,
            Conflict::Overwrite => ConflictRule::Overwrite,
            Conflict::Skip => ConflictRule::Skip,
        },
        original: request.original,
        without_access: request.no_acl,
        despite_other_system: request.despite_other_system,
    };
    let target = request.target.clone().map(shapes::whole_path).transpose()?;
    if target.is_some() && request.original {
        return Err(Refusal::invalid("A restore goes to a target or back to where it came from, not both"));
    }
    let target = laying.place(target.as_ref().map(|target| target.0.as_path()))?;
    let target =
        target.ok_or_else(|| Refusal::invalid("A target is needed, or that it goes back (`original`)"))?;
    let path = |path| shapes::whole_path(path).map(|path| path.0);
    Ok(RestoreWish {
        recovery_point: &request.recovery_point,
        item: request.item.as_deref(),
        components: request.components.clone(),
        paths: request.paths.iter().cloned().map(path).collect::<Result<_, _>>()?,
        target,
        laying,
        pace: shapes::pace(request.pace),
    })
}

/// Verify, or a restore on trial.
pub(super) async fn verify(
    State(console): State<Arc<Console>>,
    Body(request): Body<VerifyRequest>,
) -> Answer<JobList> {
    answered(console, move |console| {
        let percent = request.percent.unwrap_or(USUAL_PERCENT);
        if !(percent > 0.0 && percent <= 100.0) {
            return Err(Refusal::invalid("`percent` must be more than 0 and at most 100"));
        }
        let wish = VerifyWish {
            recovery_point: request.recovery_point.as_deref(),
            item: request.item.as_deref(),
            extent: if request.full { VerifyExtent::Full } else { VerifyExtent::Percent(percent) },
            trial_restore: request.trial_restore.as_deref(),
            pace: shapes::pace(request.pace),
        };
        begin(&console.agent, vec![verify::plan(&console.agent, &wish)?])
    })
    .await
}

/// Begins jobs in a process of their own, which goes on when the console ends.
fn begin(agent: &Agent, planned: Vec<PlannedJob>) -> Result<JobList, Refusal> {
    let (queued, mut child) = detach::start(agent, || queue_all(agent, planned))?;
    // A process that nobody waits for stays in the system's table after its end, and would be taken for alive.
    let waits = std::thread::Builder::new().name("job".to_owned()).spawn(move || child.wait());
    if let Err(error) = waits {
        tracing::warn!(%error, "nobody waits for a job's process");
    }
    let folder = JobFolder::of(agent.home());
    let jobs = queued.iter().map(|job| folder.load(job.id)).collect::<Result<Vec<_>, _>>()?;
    Ok(JobList { value: jobs.iter().map(Job::from).collect() })
}

/// All jobs.
pub(super) async fn list(State(console): State<Arc<Console>>) -> Answer<JobList> {
    answered(console, |console| {
        let jobs = JobFolder::of(console.agent.home()).list()?;
        Ok(JobList { value: jobs.iter().map(Job::from).collect() })
    })
    .await
}

/// One of them.
pub(super) async fn show(State(console): State<Arc<Console>>, Part(job): Part) -> Answer<JobDetail> {
    answered(console, move |console| {
        let folder = JobFolder::of(console.agent.home());
        let job = find(&folder, &job)?;
        let mut kept = folder.warnings(job.id, WARNINGS_MOST + 1)?;
        let is_cut = kept.len() > WARNINGS_MOST;
        kept.truncate(WARNINGS_MOST);
        if !is_cut {
            kept.extend(JobFolder::lost_warnings(&job, kept.len()));
        }
        let log = Some(folder.log_path(job.id)).filter(|log| log.exists());
        Ok(JobDetail {
            job: (&job).into(),
            warning_list: kept.iter().map(Into::into).collect(),
            is_cut,
            log: log.map(|log| shapes::path(&log)),
        })
    })
    .await
}

/// The job of a whole id: a page never shortens one.
pub(super) fn find(folder: &JobFolder, id: &str) -> Result<JobRecord, AgentError> {
    let id: JobId = id.parse().map_err(|_| AgentError::UnknownJob(id.to_owned()))?;
    folder.load(id)
}

/// Makes one wait.
pub(super) async fn pause(State(console): State<Arc<Console>>, Part(job): Part) -> Answer<Job> {
    act(console, job, |folder, id| folder.set_paused(id, true)).await
}

/// Lets one go on.
pub(super) async fn resume(State(console): State<Arc<Console>>, Part(job): Part) -> Answer<Job> {
    act(console, job, |folder, id| folder.set_paused(id, false)).await
}

/// Asks one to stop.
pub(super) async fn cancel(State(console): State<Arc<Console>>, Part(job): Part) -> Answer<Job> {
    act(console, job, JobFolder::ask_to_cancel).await
}

async fn act(
    console: Arc<Console>,
    job: String,
    done: impl FnOnce(&JobFolder, JobId) -> Result<(), AgentError> + Send + 'static,
) -> Answer<Job> {
    answered(console, move |console| {
        let folder = JobFolder::of(console.agent.home());
        let job = find(&folder, &job)?;
        done(&folder, job.id)?;
        Ok((&folder.load(job.id)?).into())
    })
    .await
}
