//! The run of an item that was begun last, until it has ended well: one that failed, or was lost with its process or its
//! machine, is begun again some times before the next one is due.
//!
//! It goes on from where it was: what the vault holds already is not sent again.

use super::spread_seconds;
use crate::AgentError;
use crate::jobs::JobFolder;
use serde::{Deserialize, Serialize};
use stateward_model::{ItemId, JobId, JobState, Timestamp};

/// After how many seconds a run is begun again, the first time, the second, and so on. The spread of what is caught up comes on
/// top: servers whose vault was away don't come back at the same second.
const AGAIN_AFTER_SECONDS: [i64; 3] = [300, 900, 3600];

/// A run that was begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct BegunRun {
    /// Its job.
    pub(super) job: JobId,
    /// How often it was begun again.
    #[serde(default)]
    pub(super) again: usize,
    /// When it is begun again; `None` while nobody has looked how it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) at: Option<Timestamp>,
}

/// What has become of a begun run.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Became {
    /// It goes on, or waits to be begun again.
    Open,
    /// There is nothing left to do: it ended well, a person stopped it, or it failed as often as it may.
    Done,
    /// It failed, and is begun again at that moment.
    Again(Timestamp),
}

impl BegunRun {
    /// Looks how it ended. A job whose record is gone is taken for lost.
    pub(super) fn look(&self, item: ItemId, jobs: &JobFolder, now: Timestamp) -> Became {
        if self.at.is_some() {
            return Became::Open;
        }
        let state = match jobs.load(self.job) {
            Ok(record) => record.state,
            Err(AgentError::UnknownJob(_)) => JobState::Failed,
            Err(error) => {
                tracing::warn!(%error, "how a job ended can't be read");
                return Became::Open;
            }
        };
        match (state, AGAIN_AFTER_SECONDS.get(self.again)) {
            (JobState::Queued | JobState::Running, _) => Became::Open,
            (JobState::Failed, Some(seconds)) => {
                Became::Again(now.plus_seconds(*seconds).plus_seconds(spread_seconds(item)))
            }
            _ => Became::Done,
        }
    }
}
