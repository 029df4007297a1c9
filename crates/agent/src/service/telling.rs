//! What the running agent tells of jobs: of those that could not say themselves how they ended, and again what could not be
//! delivered.

use crate::jobs::JobFolder;
use crate::{Agent, AgentError, notifications};
use std::process::Child;
use std::time::{Duration, Instant, SystemTime};

/// How often what could not be delivered is tried again.
const BETWEEN_TRIES: Duration = Duration::from_secs(600);

/// When it was looked last, and who posts.
#[derive(Debug, Default)]
pub(super) struct Telling {
    /// When the folder of jobs was last changed when it was looked for lost ones: each word of a job is such a change.
    looked_at: Option<SystemTime>,
    tried_at: Option<Instant>,
    posting: Vec<Child>,
}

impl Telling {
    /// Looks between two jobs. What goes wrong is logged, and keeps nobody from backing up.
    pub(super) fn look(&mut self, agent: &Agent) {
        // Those that have ended are waited for by looking.
        self.posting.retain_mut(|child| matches!(child.try_wait(), Ok(None)));
        let changed_at = std::fs::metadata(agent.home().jobs()).and_then(|found| found.modified()).ok();
        if self.looked_at.is_none() || self.looked_at != changed_at {
            self.looked_at = changed_at;
            if let Err(error) = self.settle(agent) {
                tracing::warn!(%error, "lost jobs can't be told");
            }
        }
        if self.posting.is_empty() && self.tried_at.is_none_or(|at| at.elapsed() >= BETWEEN_TRIES) {
            self.tried_at = Some(Instant::now());
            self.posting.extend(notifications::deliver_what_waits(agent));
        }
    }

    /// A record names the process that is to write the next, so one whose process is gone is nobody else's to write.
    fn settle(&mut self, agent: &Agent) -> Result<(), AgentError> {
        for lost in JobFolder::of(agent.home()).settle_lost()? {
            tracing::warn!(job = %lost.id, "a job was lost");
            self.posting.extend(notifications::tell(agent, &lost));
        }
        Ok(())
    }
}
