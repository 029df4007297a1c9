//! What a person wants to know first: what is protected here, and how it stands.

use crate::head::PinnedHead;
use crate::items::Items;
use crate::jobs::{JobFolder, JobRecord};
use crate::proofs::{ProofSettings, Proofs};
use crate::settings::Settings;
use crate::timetable::{self, NextRun};
use crate::{Agent, AgentError, Registration};
use stateward_model::{ItemId, JobKind, JobState};
use std::collections::BTreeMap;

fn noted<T: Default>(found: Result<T, AgentError>, damage: &mut Vec<AgentError>) -> T {
    found.unwrap_or_else(|error| {
        damage.push(error);
        T::default()
    })
}

/// A home at a glance. Made from the home alone: no vault is asked.
#[derive(Debug)]
pub struct Overview {
    /// Which vault, and as whom; `None` before registration.
    pub registration: Option<Registration>,
    /// What is protected.
    pub items: Items,
    /// The newest recovery point that was acknowledged.
    pub head: Option<PinnedHead>,
    /// All jobs, newest first.
    pub jobs: Vec<JobRecord>,
    /// When items are backed up next, as far as is known here.
    pub next_runs: BTreeMap<ItemId, NextRun>,
    /// What was proven to come back.
    pub proofs: Proofs,
    /// When that is proven again.
    pub proof_settings: ProofSettings,
    /// Whether a process is there that would do it.
    pub is_served: bool,
}

impl Overview {
    /// Of an agent's home.
    ///
    /// # Errors
    /// If any part of it can't be read.
    pub fn of(agent: &Agent) -> Result<Self, AgentError> {
        let (overview, damage) = Self::as_far_as_readable(agent);
        damage.into_iter().next().map_or(Ok(overview), Err)
    }

    /// Of an agent's home, with nothing in place of what can't be read, and why that can't be.
    pub fn as_far_as_readable(agent: &Agent) -> (Self, Vec<AgentError>) {
        let (home, mut damage) = (agent.home(), Vec::new());
        let overview = Self {
            registration: noted(Registration::find(home), &mut damage),
            items: noted(Items::load(home), &mut damage),
            head: noted(PinnedHead::find(home), &mut damage),
            jobs: noted(JobFolder::of(home).list(), &mut damage),
            next_runs: noted(timetable::next_runs(home, agent.now()), &mut damage),
            proofs: noted(Proofs::load(home), &mut damage),
            proof_settings: noted(Settings::load(home), &mut damage).proofs,
            is_served: home.is_served(),
        };
        (overview, damage)
    }

    /// The newest backup of an item that ended well, warnings or not.
    pub fn last_backup(&self, item: ItemId) -> Option<&JobRecord> {
        self.jobs.iter().find(|job| {
            job.kind() == JobKind::Backup
                && job.item.as_ref().is_some_and(|of| of.id == item)
                && matches!(job.state, JobState::Completed | JobState::CompletedWithWarnings)
        })
    }

    /// The jobs that go on.
    pub fn running(&self) -> impl Iterator<Item = &JobRecord> {
        self.jobs.iter().filter(|job| !job.state.is_ended())
    }
}
