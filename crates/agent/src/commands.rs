//! What administrators ask of this server at its vault, made into jobs.

use crate::items::{Items, StoredPath};
use crate::jobs::{self, ItemReference, JobRequest, Pace, detach};
use crate::restore::LayingWish;
use crate::settings::Settings;
use crate::{Agent, AgentError, points};
use stateward_api::agent::{Command, CommandRequest};
use stateward_model::{ComponentName, ItemId, JobId, Label, OnDemand, PointHash};
use stateward_system_state::TargetOpenError;
use std::process::Child;

/// Begins what a command asks for.
pub(crate) fn begin(agent: &Agent, command: &Command) -> Result<(Label, Child), AgentError> {
    let (request, item) = match &command.request {
        CommandRequest::Backup { item, retain_until } => {
            let on_demand = Some(OnDemand { retain_until: *retain_until });
            (JobRequest::backup(on_demand), reference(agent, *item)?)
        }
        CommandRequest::Restore { item, point, components } => {
            restore(agent, command.job, (*item, *point), components.clone())?
        }
    };
    let pace = Settings::load(agent.home())?.pace_of(request.kind());
    start_of_item(agent, command.job, request, item, pace)
}

/// Starts an item's job in a process of its own.
pub(crate) fn start_of_item(
    agent: &Agent,
    job: JobId,
    request: JobRequest,
    item: ItemReference,
    pace: Pace,
) -> Result<(Label, Child), AgentError> {
    let label = item.label.clone();
    Ok((label, start(agent, job, request, Some(item), pace)?))
}

/// Starts a job in a process of its own.
pub(crate) fn start(
    agent: &Agent,
    job: JobId,
    request: JobRequest,
    item: Option<ItemReference>,
    pace: Pace,
) -> Result<Child, AgentError> {
    let record = jobs::queue_as(agent, job, request, item, pace)?;
    detach::spawn(agent.home(), &[job]).inspect_err(|error| {
        jobs::abandon(agent, record, error);
    })
}

/// An item of this home.
pub(crate) fn reference(agent: &Agent, item: ItemId) -> Result<ItemReference, AgentError> {
    let items = Items::load(agent.home())?;
    let item = items.find(&item.to_string())?;
    Ok(ItemReference { id: item.id, label: item.label.clone() })
}

/// The vault says what to restore and never where to: a new folder, named by the job, below the root that was set on this
/// server.
fn restore(
    agent: &Agent,
    job: JobId,
    (item, hash): (ItemId, PointHash),
    components: Vec<ComponentName>,
) -> Result<(JobRequest, ItemReference), AgentError> {
    let root = Settings::load(agent.home())?.restore_root.ok_or(AgentError::NoRestoreRoot)?;
    // A disk that is not mounted would be missed otherwise, and the restore go to the one below.
    std::fs::read_dir(&root.0).map_err(|cause| TargetOpenError::Unusable { path: root.0.clone(), cause })?;
    let listed = points::list_own(agent)?;
    let point = points::choose(&listed, &hash.to_string(), Some(&item.to_string()))?;
    let request = JobRequest::Restore {
        point: point.recovery_point,
        sequence: point.sequence,
        components,
        paths: Vec::new(),
        target: StoredPath(root.0.join(job.to_string())),
        laying: LayingWish::default(),
    };
    Ok((request, ItemReference { id: point.item, label: point.item_label.clone() }))
}
