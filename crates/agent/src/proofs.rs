//! Proofs, without being asked, that what the vault holds comes back: every some days a share of it is verified, and from time to
//! time the newest recovery point of each item is laid into a folder of the home's own and removed again ([`trial`]).
//!
//! The running agent makes them, between jobs, out of work hours and with low priority; each is a job like any other. What was
//! proven lies in `proofs.json`. It may be lost: then everything is proven again.

mod trial;

pub(crate) use trial::{is_hindrance, look_up, work};

use crate::document::{Document, DocumentError};
use crate::head::PinnedHead;
use crate::items::{Items, StoredPath};
use crate::jobs::Pace;
use crate::settings::Settings;
use crate::{Agent, AgentError, Home};
use serde::{Deserialize, Serialize};
use stateward_model::{ItemId, JobKind, PointHash, Timestamp};
use std::collections::BTreeMap;
use std::num::NonZeroU32;

const FILE: &str = "proofs.json";

const DAY_SECONDS: i64 = 86_400;

/// Nobody waits longer for a proof than this, in days.
pub const DAYS_MAX: u32 = 366;

/// When proofs are made, and where trial restores go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProofSettings {
    /// Every so many days a share is verified; `None`: never.
    #[serde(default = "usual_verify_days")]
    pub verify_days: Option<NonZeroU32>,
    /// Every so many days the newest recovery point of each item is restored on trial; `None`: never.
    #[serde(default = "usual_trial_days")]
    pub trial_days: Option<NonZeroU32>,
    /// The folder in which trial restores make theirs, if it is not the home.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial_folder: Option<StoredPath>,
}

fn usual_verify_days() -> Option<NonZeroU32> {
    NonZeroU32::new(7)
}

fn usual_trial_days() -> Option<NonZeroU32> {
    NonZeroU32::new(30)
}

impl Default for ProofSettings {
    fn default() -> Self {
        Self { verify_days: usual_verify_days(), trial_days: usual_trial_days(), trial_folder: None }
    }
}

/// A wish about proofs; what it does not mention stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProofWish {
    /// How often to verify, or never.
    pub verify_days: Option<Option<NonZeroU32>>,
    /// How often to restore on trial, or never.
    pub trial_days: Option<Option<NonZeroU32>>,
    /// The folder of trial restores, or the home.
    pub trial_folder: Option<Option<StoredPath>>,
}

impl ProofWish {
    /// The settings that come of it.
    pub(crate) fn over(self, settings: ProofSettings) -> ProofSettings {
        ProofSettings {
            verify_days: self.verify_days.unwrap_or(settings.verify_days),
            trial_days: self.trial_days.unwrap_or(settings.trial_days),
            trial_folder: self.trial_folder.unwrap_or(settings.trial_folder),
        }
    }
}

/// A restore that was made only to see that it can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProvenRestore {
    /// When it was done.
    pub at: Timestamp,
    /// Of which recovery point.
    pub recovery_point: PointHash,
    /// Files that came back, whole.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// One kind of proof: the last one, and the last try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tries<P> {
    /// The last that succeeded.
    pub proven: Option<P>,
    /// When it was last begun, or found that it can't be.
    pub tried_at: Option<Timestamp>,
    /// Why there was none then, in words, if it was not even begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hindered: Option<String>,
}

impl<P> Default for Tries<P> {
    fn default() -> Self {
        Self { proven: None, tried_at: None, hindered: None }
    }
}

/// What was proven in a home.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proofs {
    /// Since when there is something to prove, as far as the running agent saw.
    pub since: Option<Timestamp>,
    /// Verifies that found nothing wrong.
    pub verify: Tries<Timestamp>,
    /// Trial restores of each item.
    pub restores: BTreeMap<ItemId, Tries<ProvenRestore>>,
}

impl Document for Proofs {
    const VERSION: u32 = 1;
}

impl Proofs {
    /// The home's. Damaged ones are none.
    pub fn load(home: &Home) -> Result<Self, AgentError> {
        match home.read(FILE) {
            Err(AgentError::Document(error @ DocumentError::Damaged { .. })) => {
                tracing::warn!(%error, "everything is proven again");
                Ok(Self::default())
            }
            read => Ok(read?.unwrap_or_default()),
        }
    }

    /// Changes the home's, with nobody else in between.
    pub(crate) fn change(home: &Home, change: impl FnOnce(&mut Self)) -> Result<(), AgentError> {
        let _settings = home.lock_settings()?;
        let mut proofs = Self::load(home)?;
        change(&mut proofs);
        home.write(FILE, &proofs)
    }

    /// When a share is verified next.
    pub fn next_verify(&self, settings: &ProofSettings, now: Timestamp) -> Option<Timestamp> {
        next(settings.verify_days?, self.verify.proven, self.verify.tried_at, self.since?, now)
    }

    /// When an item is next restored on trial.
    pub fn next_trial(&self, settings: &ProofSettings, item: ItemId, now: Timestamp) -> Option<Timestamp> {
        let (proven, tried) = match self.restores.get(&item) {
            Some(tries) => (tries.proven.map(|restore| restore.at), tries.tried_at),
            None => (None, None),
        };
        next(settings.trial_days?, proven, tried, self.since?, now)
    }
}

/// The first proof is made a day after there is something to prove, each other one so many days after the last. One that
/// failed is tried again after a day. What lies in the future was noted under a wrong clock and does not count.
fn next(
    days: NonZeroU32,
    proven: Option<Timestamp>,
    tried: Option<Timestamp>,
    since: Timestamp,
    now: Timestamp,
) -> Option<Timestamp> {
    let not_ahead = |at: &Timestamp| *at <= now.plus_seconds(DAY_SECONDS);
    let planned = match proven.filter(not_ahead) {
        Some(at) => at.plus_seconds(i64::from(days.get()) * DAY_SECONDS),
        None => since.min(now).plus_seconds(DAY_SECONDS),
    };
    let again = tried.filter(not_ahead).map(|at| at.plus_seconds(DAY_SECONDS));
    again.into_iter().chain([planned]).max()
}

/// A proof whose time has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DueProof {
    /// A share is to be verified.
    Verify,
    /// An item is to be restored on trial.
    Trial(ItemId),
}

impl DueProof {
    /// The kind of its job.
    pub(crate) fn kind(self) -> JobKind {
        match self {
            Self::Verify => JobKind::Verify,
            Self::Trial(_) => JobKind::Restore,
        }
    }

    /// Notes that it is begun, or why it can't be.
    pub(crate) fn tried(self, agent: &Agent, hindered: Option<&AgentError>) -> Result<(), AgentError> {
        let (now, words) = (agent.now(), hindered.map(ToString::to_string));
        Proofs::change(agent.home(), |proofs| {
            let (tried_at, hindered) = match self {
                Self::Verify => (&mut proofs.verify.tried_at, &mut proofs.verify.hindered),
                Self::Trial(item) => {
                    let tries = proofs.restores.entry(item).or_default();
                    (&mut tries.tried_at, &mut tries.hindered)
                }
            };
            (*tried_at, *hindered) = (Some(now), words);
        })
    }
}

/// The proof that is to be made now, if any: the one that waits longest.
pub(crate) fn due(agent: &Agent, settings: &Settings) -> Result<Option<DueProof>, AgentError> {
    let (home, now) = (agent.home(), agent.now());
    if settings.throttle.work_hours.as_ref().is_some_and(|hours| hours.contain(now)) {
        return Ok(None);
    }
    let proofs = Proofs::load(home)?;
    if proofs.since.is_none() {
        if PinnedHead::find(home)?.is_some() {
            Proofs::change(home, |proofs| proofs.since = Some(now))?;
        }
        return Ok(None);
    }
    let trial = |item: ItemId| Some((proofs.next_trial(&settings.proofs, item, now)?, DueProof::Trial(item)));
    let items = Items::load(home)?;
    let all = items.items.iter().filter_map(|item| trial(item.id));
    let verify = proofs.next_verify(&settings.proofs, now).map(|at| (at, DueProof::Verify));
    let first = all.chain(verify).filter(|(at, _)| *at <= now).min_by_key(|(at, _)| *at);
    Ok(first.map(|(_, proof)| proof))
}

/// How much of the machine a proof takes: nobody waits for it.
pub(crate) fn pace(settings: &Settings, proof: DueProof) -> Pace {
    Pace { low_priority: true, ..settings.pace_of(proof.kind()) }
}

#[cfg(test)]
mod tests;
