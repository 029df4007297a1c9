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
    pub fn of(agent: &Agent) -> Result<Self, AgentError> {
        Ok(Self {
            registration: Registration::find(agent.home())?,
            items: Items::load(agent.home())?,
            head: PinnedHead::find(agent.home())?,
            jobs: JobFolder::of(agent.home()).list()?,
            next_runs: timetable::next_runs(agent.home(), agent.now())?,
            proofs: Proofs::load(agent.home())?,
            proof_settings: Settings::load(agent.home())?.proofs,
            is_served: agent.home().is_served(),
        })
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
