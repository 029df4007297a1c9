//! What the running agent tells of jobs: of those that could not say themselves how they ended, and again what could not be
//! delivered.

use crate::jobs::JobFolder;
use crate::{Agent, AgentError, notifications};
use std::process::Child;
use std::time::{Duration, Instant};

/// How often what could not be delivered is tried again.
const BETWEEN_TRIES: Duration = Duration::from_secs(600);

/// When it was looked last, and who posts.
#[derive(Debug, Default)]
pub(super) struct Telling {
    /// Nothing has run since it was looked for lost jobs.
    is_settled: bool,
    tried_at: Option<Instant>,
    posting: Vec<Child>,
}

impl Telling {
    /// A job runs or was begun: it may be lost.
    pub(super) fn job_seen(&mut self) {
        self.is_settled = false;
    }

    /// Looks between two jobs. What goes wrong is logged, and keeps nobody from backing up.
    pub(super) fn look(&mut self, agent: &Agent) {
        // Those that have ended are waited for by looking.
        self.posting.retain_mut(|child| matches!(child.try_wait(), Ok(None)));
        if !self.is_settled {
            self.is_settled = true;
            if let Err(error) = self.settle(agent) {
                tracing::warn!(%error, "lost jobs can't be told");
            }
        }
        if self.posting.is_empty() && self.tried_at.is_none_or(|at| at.elapsed() >= BETWEEN_TRIES) {
            self.tried_at = Some(Instant::now());
            self.posting.extend(notifications::deliver_what_waits(agent));
        }
    }

    fn settle(&mut self, agent: &Agent) -> Result<(), AgentError> {
        // While a job runs it is none of them, and neither is one that is just being queued.
        let _alone = match agent.home().lock_for_job() {
            Ok(lock) => lock,
            Err(AgentError::Busy { .. }) => {
                self.is_settled = false;
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        for lost in JobFolder::of(agent.home()).settle_lost()? {
            tracing::warn!(job = %lost.id, "a job was lost");
            self.posting.extend(notifications::tell(agent, &lost));
        }
        Ok(())
    }
}
