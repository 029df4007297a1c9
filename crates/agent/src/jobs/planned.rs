//! Jobs that were asked for and are not written down yet: what could be wrong about them was looked at.

use crate::jobs::{self, ItemReference, JobRecord, JobRequest, Pace};
use crate::{Agent, AgentError};

/// A job that was asked for.
#[derive(Debug, Clone)]
pub struct PlannedJob {
    /// What it is to do.
    pub request: JobRequest,
    /// Its item, if it has one.
    pub item: Option<ItemReference>,
    /// How much of the machine and of the line it may take.
    pub pace: Pace,
}

/// Writes them down as jobs that are to run soon, one after another.
pub fn queue_all(agent: &Agent, planned: Vec<PlannedJob>) -> Result<Vec<JobRecord>, AgentError> {
    let queue = |job: PlannedJob| jobs::queue(agent, job.request, job.item, job.pace);
    planned.into_iter().map(queue).collect()
}
