//! The trial restore: an item's newest recovery point, whole, into a new folder that nobody else may enter, and away again.

use super::{Proofs, ProvenRestore};
use crate::jobs::run::{RunningJob, Worked};
use crate::jobs::{ItemReference, JobOutcome, TrialPoint};
use crate::points::PointDescription;
use crate::restore::{self, LayingWish, Selected};
use crate::settings::Settings;
use crate::{Agent, AgentError, platform, points};
use stateward_engine::{EngineError, PointSummary, Tools};
use stateward_format::manifest::Warning;
use stateward_model::ItemId;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// So many bytes stay free beside a trial restore: a server is not filled up to prove something.
const FREE_BYTES_LEFT: u64 = 1 << 30;

/// What each file takes besides its bytes, at most: the rest of its last block.
const FILE_BYTES: u64 = 4096;

/// An item's newest recovery point, if there is room for it. Asks the vault which that is.
///
/// # Errors
/// [`AgentError::TrialNoRoom`] if there is none; else whatever keeps the recovery point from being chosen.
pub(crate) fn look_up(agent: &Agent, item: ItemId) -> Result<TrialPoint, AgentError> {
    let listed = points::list_own(agent)?;
    let PointDescription { recovery_point, sequence, files, bytes, .. } =
        *points::choose(&listed, "latest", Some(&item.to_string()))?;
    let point = TrialPoint { recovery_point, sequence, files, bytes };
    check_room(&folder(agent)?, &point)?;
    Ok(point)
}

/// Whether an error of [`look_up`] says something of the recovery points or of the room: then it is noted, and looked at again
/// after a day. Any other is of the way to the vault, which may be free in a minute.
pub(crate) fn is_hindrance(error: &AgentError) -> bool {
    !matches!(error, AgentError::Engine(EngineError::Vault(_)))
}

fn check_room(folder: &Path, point: &TrialPoint) -> Result<(), AgentError> {
    let bytes_needed = needed(point);
    match platform::free_space(folder) {
        Some(free) if free.bytes < bytes_needed || free.files.is_some_and(|free| free < point.files) => {
            Err(AgentError::TrialNoRoom { path: folder.to_owned(), bytes_needed, bytes_free: free.bytes })
        }
        _ => Ok(()),
    }
}

/// A recovery point may say any totals.
fn needed(point: &TrialPoint) -> u64 {
    point.bytes.saturating_add(point.files.saturating_mul(FILE_BYTES)).saturating_add(FREE_BYTES_LEFT)
}

/// Where trial restores make their folders.
fn folder(agent: &Agent) -> Result<PathBuf, AgentError> {
    let set = Settings::load(agent.home())?.proofs.trial_folder;
    Ok(set.map_or_else(|| agent.home().trials(), |set| set.0))
}

/// Makes one. Only a restore that lost nothing is noted as proven.
pub(crate) fn work(
    agent: &Agent,
    item: Option<&ItemReference>,
    known: Option<TrialPoint>,
    job: &RunningJob<'_>,
    tools: &Tools<'_>,
) -> Worked {
    let begun =
        item.ok_or(AgentError::NoItems).and_then(|item| Ok((item, begin(agent, item.id, known, job)?)));
    let (item, (point, target)) = match begun {
        Ok(begun) => begun,
        Err(error) => return Err(error).into(),
    };
    let selected = Selected {
        point: PointSummary { sequence: point.sequence, hash: point.recovery_point },
        components: &[],
        paths: &[],
        target: &target,
        laying: &LayingWish::default(),
        item_paths: &[],
    };
    let worked = restore::work(agent, selected, job, tools);
    if let Err(cause) = remove(&target) {
        tools.progress.warning(&not_removed(&target, &cause));
    }
    if worked.error.is_none()
        && let Some(JobOutcome::Restore { recovery_point, files, bytes, .. }) = worked.outcome
    {
        let proven = ProvenRestore { at: agent.now(), recovery_point, files, bytes };
        let noted = Proofs::change(agent.home(), |proofs| {
            let tries = proofs.restores.entry(item.id).or_default();
            (tries.proven, tries.hindered) = (Some(proven), None);
        });
        if let Err(error) = noted {
            return Worked { error: Some(error), ..worked };
        }
    }
    worked
}

/// The recovery point, and a new folder for it. What a trial left that was cut off is removed first.
fn begin(
    agent: &Agent,
    item: ItemId,
    known: Option<TrialPoint>,
    job: &RunningJob<'_>,
) -> Result<(TrialPoint, PathBuf), AgentError> {
    let folder = folder(agent)?;
    forget_leftovers(&folder, folder == agent.home().trials());
    let point = match known {
        Some(point) => {
            check_room(&folder, &point)?;
            point
        }
        None => look_up(agent, item)?,
    };
    let target = folder.join(format!("{PREFIX}{}", job.id()));
    platform::make_private_folder(&target)
        .map_err(|cause| AgentError::TargetFailed { path: target.clone(), cause })?;
    Ok((point, target))
}

/// What the folders of trials are called, so that nothing else in a folder that a person chose is ever removed.
const PREFIX: &str = "stateward-trial-";

/// A folder that was set may be that of other homes too, whose trials may go on: only what is older than this is a leftover there.
const LEFTOVER_AGE: Duration = Duration::from_secs(7 * 86_400);

/// The home's job lock is held, so in a folder of its own no other trial goes on.
fn forget_leftovers(folder: &Path, is_own: bool) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let made = entry.metadata().and_then(|found| found.modified());
        let is_old = is_own || made.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > LEFTOVER_AGE));
        let is_trial = entry.file_name().to_string_lossy().starts_with(PREFIX);
        if is_old
            && is_trial
            && let Err(cause) = remove(&entry.path())
        {
            tracing::warn!(path = %entry.path().display(), %cause, "an old trial restore can't be removed");
        }
    }
}

/// Follows no link (`std::fs::remove_dir_all`).
fn remove(target: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(target) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(cause),
        _ => Ok(()),
    }
}

fn not_removed(target: &Path, cause: &io::Error) -> Warning {
    Warning {
        code: "trial-not-removed".to_owned(),
        path: platform::path_bytes(target),
        message: format!("What was restored on trial can't be removed: {cause}"),
    }
}
