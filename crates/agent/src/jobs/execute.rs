//! Queueing a home's jobs and running them.

use crate::items::{Item, Items};
use crate::jobs::run::{self, JobContext, JobListener, RunningJob, Worked};
use crate::jobs::{ItemReference, JobFailure, JobFolder, JobRecord, JobRequest, Pace};
use crate::restore::Selected;
use crate::{Agent, AgentError, Code, backup, hooks, lock::HeldLock, notifications, proofs, restore, verify};
use stateward_engine::{Cancellation, PointSummary, Tools};
use stateward_model::{JobId, JobState};

/// Writes down a job that is to run soon.
pub fn queue(
    agent: &Agent,
    request: JobRequest,
    item: Option<ItemReference>,
    pace: Pace,
) -> Result<JobRecord, AgentError> {
    queue_as(agent, JobId::new(&*agent.surroundings().random), request, item, pace)
}

/// The same for a job that has an id already: the vault knows of it.
pub fn queue_as(
    agent: &Agent,
    id: JobId,
    request: JobRequest,
    item: Option<ItemReference>,
    pace: Pace,
) -> Result<JobRecord, AgentError> {
    agent.home().prepare()?;
    let record = JobRecord::queued(id, request, item, agent.now()).at(pace);
    JobFolder::of(agent.home()).begin(&record)?;
    Ok(record)
}

/// Ends a queued job that never began: because a person stopped those before it, or because its process can't be
/// started.
pub fn abandon(agent: &Agent, mut record: JobRecord, why: &AgentError) -> JobRecord {
    record.state = match why.code() {
        Code::Cancelled => JobState::Cancelled,
        _ => JobState::Failed,
    };
    record.ended_at = Some(agent.now());
    record.failure = Some(JobFailure::from(why));
    if let Err(error) = JobFolder::of(agent.home()).save_last(&record) {
        tracing::warn!(%error, "the job's record can't be written");
    }
    drop(notifications::tell(agent, &record));
    record
}

/// Runs a queued job to its end. `_lock` is the home's job lock, held.
pub fn execute(
    agent: &Agent,
    _lock: &HeldLock,
    record: JobRecord,
    listener: &dyn JobListener,
    cancellation: &Cancellation,
) -> JobRecord {
    let folder = JobFolder::of(agent.home());
    if let Err(error) = folder.tidy() {
        tracing::warn!(%error, "old jobs can't be forgotten");
    }
    let context =
        JobContext { folder: Some(&folder), listener, surroundings: agent.surroundings(), cancellation };
    let (request, item) = (record.request.clone(), record.item.clone());
    let ended = run::run(record, context, |job, tools| work(agent, &request, item.as_ref(), job, tools));
    // Posted by a process of its own, which this one does not wait for.
    drop(notifications::tell(agent, &ended));
    ended
}

fn work(
    agent: &Agent,
    request: &JobRequest,
    item: Option<&ItemReference>,
    job: &RunningJob<'_>,
    tools: &Tools<'_>,
) -> Worked {
    match request {
        JobRequest::Backup { on_demand, despite_prechecks } => match protected(agent, item) {
            Ok(item) => {
                let work = || backup::work(agent, &item, (*on_demand, *despite_prechecks), job, tools);
                hooks::around(agent, &item, job, tools.cancellation, work)
            }
            Err(error) => Err(error).into(),
        },
        JobRequest::Restore { point, sequence, components, paths, target, laying } => {
            let point = PointSummary { sequence: *sequence, hash: *point };
            let item_paths = restore::item_paths(agent, item);
            let selected =
                Selected { point, components, paths, target: &target.0, laying, item_paths: &item_paths };
            restore::work(agent, selected, job, tools)
        }
        JobRequest::Trial { point } => proofs::work(agent, item, *point, job, tools),
        JobRequest::Verify { point, extent } => {
            let point = point.map(|(sequence, hash)| PointSummary { sequence, hash });
            verify::work(agent, point, *extent, job, tools)
        }
    }
}

fn protected(agent: &Agent, item: Option<&ItemReference>) -> Result<Item, AgentError> {
    let items = Items::load(agent.home())?;
    let item = item.ok_or(AgentError::NoItems)?;
    items.by_id(item.id).cloned().ok_or_else(|| items.unknown(item.label.as_str()))
}
