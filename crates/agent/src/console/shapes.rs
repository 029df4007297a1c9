//! What the agent knows, in the contract's shapes.

use super::answer::Refusal;
use crate::AgentError;
use crate::doctor;
use crate::items::{Item, Selection, StoredPath, absolute};
use crate::jobs::{JobFailure, JobOutcome, JobRecord, JobWarning};
use crate::registration::Registration;
use crate::settings::PaceWish;
use stateward_api::console::{self as contract, FilePath, Rate, RateWord};
use stateward_system_state::Exclusion;
use std::path::{Component, Path};

/// A path as the contract has it.
pub(super) fn path(path: &Path) -> FilePath {
    StoredPath(path.to_owned()).into()
}

/// A path that a person named: one that begins at the root, for there is no other folder to count from.
pub(super) fn whole_path(given: FilePath) -> Result<StoredPath, Refusal> {
    let path = StoredPath::try_from(given).map_err(|_| Refusal::invalid("A path can't be read"))?;
    let mut parts = path.0.components();
    // A drive's letter alone is its root, as it is for the commands: nobody works in a folder of it here.
    let is_drive = matches!((parts.next(), parts.next()), (Some(Component::Prefix(_)), None));
    match is_drive || path.0.is_absolute() {
        true => Ok(absolute(&path.0)?),
        false => Err(Refusal::invalid(format!("`{}` does not begin at the root", path.0.display()))),
    }
}

/// What a person leaves out: a name, or a path that begins at the root.
pub(super) fn exclusion(given: FilePath) -> Result<StoredPath, Refusal> {
    let path = StoredPath::try_from(given).map_err(|_| Refusal::invalid("A path can't be read"))?;
    Exclusion::new(&path.0).map_err(AgentError::from)?;
    Ok(path)
}

/// How much of the machine a job may take, as a person wishes it.
pub(super) fn pace(wish: contract::PaceWish) -> PaceWish {
    let rate = match wish.limit_rate {
        None | Some(Rate::Word(RateWord::Same)) => None,
        Some(Rate::Word(RateWord::Off)) => Some(None),
        Some(Rate::BytesPerSecond(rate)) => Some(Some(rate)),
    };
    PaceWish { low_priority: wish.low_priority, bytes_per_second: rate }
}

impl From<&Registration> for contract::Registration {
    fn from(known: &Registration) -> Self {
        Self {
            server: known.server,
            label: known.label.clone(),
            vault: known.vault_name.clone(),
            vault_id: known.vault,
            url: known.url.clone(),
            cache: path(&known.cache),
            registered_at: known.registered_at,
        }
    }
}

impl From<&Item> for contract::Item {
    fn from(item: &Item) -> Self {
        let all = |paths: &[StoredPath]| paths.iter().cloned().map(FilePath::from).collect::<Vec<_>>();
        let (components, root, paths, exclusions) = match &item.selection {
            Selection::SystemState { components, root } => {
                (components.clone(), Some(root.clone().into()), None, Vec::new())
            }
            Selection::Files { paths, exclusions } => (None, None, Some(all(paths)), all(exclusions)),
        };
        Self {
            item: item.label.clone(),
            item_id: item.id,
            kind: item.selection.kind(),
            components,
            root,
            paths,
            exclusions,
        }
    }
}

impl From<&JobRecord> for contract::Job {
    fn from(job: &JobRecord) -> Self {
        let figures = &job.figures;
        Self {
            job: job.id,
            kind: job.kind(),
            status: job.state,
            phase: job.phase,
            is_paused: job.is_paused,
            item: job.item.as_ref().map(|item| item.label.clone()),
            item_id: job.item.as_ref().map(|item| item.id),
            files: figures.files,
            bytes: figures.bytes,
            moved_bytes: figures.moved_bytes,
            files_expected: figures.files_expected,
            bytes_expected: figures.bytes_expected,
            rate: figures.rate,
            eta_seconds: figures.eta_seconds,
            warnings: job.warnings,
            low_priority: job.pace.low_priority,
            limit_rate: job.pace.bytes_per_second,
            started_at: job.started_at,
            ended_at: job.ended_at,
            outcome: job.outcome.as_ref().map(Into::into),
            error: job.failure.as_ref().map(Into::into),
        }
    }
}

impl From<&JobFailure> for contract::JobError {
    fn from(failure: &JobFailure) -> Self {
        Self {
            code: failure.code.clone(),
            message: failure.message.clone(),
            recommendation: failure.remedy.clone(),
        }
    }
}

impl From<&JobWarning> for contract::Warning {
    fn from(warning: &JobWarning) -> Self {
        Self {
            code: warning.code.clone(),
            path: warning.path.clone(),
            path_base64: warning.path_base64.clone(),
            message: warning.message.clone(),
        }
    }
}

impl From<&JobOutcome> for contract::JobOutcome {
    fn from(outcome: &JobOutcome) -> Self {
        let nothing = Self::default();
        match outcome {
            JobOutcome::Backup {
                recovery_point,
                sequence,
                received_at,
                files,
                bytes,
                bytes_uploaded,
                files_unchanged,
            } => Self {
                recovery_point: Some(*recovery_point),
                sequence: Some(*sequence),
                received_at: Some(*received_at),
                files: Some(*files),
                bytes: Some(*bytes),
                bytes_uploaded: Some(*bytes_uploaded),
                files_unchanged: Some(*files_unchanged),
                ..nothing
            },
            JobOutcome::Restore {
                recovery_point,
                files,
                bytes,
                bytes_downloaded,
                files_lost,
                one_moment,
                conflicts,
            } => Self {
                recovery_point: Some(*recovery_point),
                files: Some(*files),
                bytes: Some(*bytes),
                bytes_downloaded: Some(*bytes_downloaded),
                files_lost: Some(*files_lost),
                one_moment: *one_moment,
                conflicts: conflicts.map(|met| contract::Conflicts {
                    identical: met.identical,
                    copied: met.copied,
                    overwritten: met.overwritten,
                    skipped: met.skipped,
                }),
                ..nothing
            },
            JobOutcome::Verify { recovery_points, packs, packs_in_all, bytes, bytes_in_all, problems } => {
                Self {
                    recovery_points: Some(*recovery_points),
                    packs: Some(*packs),
                    packs_in_all: Some(*packs_in_all),
                    bytes: Some(*bytes),
                    bytes_in_all: Some(*bytes_in_all),
                    problems: Some(*problems),
                    ..nothing
                }
            }
        }
    }
}

impl From<doctor::Outcome> for contract::CheckOutcome {
    fn from(outcome: doctor::Outcome) -> Self {
        match outcome {
            doctor::Outcome::Passed => Self::Passed,
            doctor::Outcome::Warning => Self::Warning,
            doctor::Outcome::Failed => Self::Failed,
            doctor::Outcome::Skipped => Self::Skipped,
        }
    }
}

impl From<&doctor::Check> for contract::Check {
    fn from(check: &doctor::Check) -> Self {
        Self {
            name: check.name.to_owned(),
            outcome: check.outcome.into(),
            message: check.message.clone(),
            code: check.code.clone(),
            recommendation: check.remedy.clone(),
            milliseconds: check.took.map(|took| took.as_secs_f64() * 1000.0),
        }
    }
}
