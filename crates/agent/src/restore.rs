//! The restore job, and what it shares with `recover`: laying an opened recovery point into a folder.

mod asked;
mod laying;
mod machine;

pub use laying::{ConflictRule, Conflicts, LayingWish};
pub use machine::Machine;

use crate::head::PinnedHead;
use crate::items::{Items, Selection, StoredPath, within_point};
use crate::jobs::run::{RunningJob, Worked};
use crate::jobs::{ItemReference, JobOutcome, JobRequest, PlannedJob};
use crate::points::{self, MomentDescription};
use crate::recovery_plan::ImageRoot;
use crate::settings::PaceWish;
use crate::{Agent, AgentError, RegisteredServer, cache, disk, platform};
use stateward_crypto::EpochKeys;
use stateward_engine::points::open_point;
use stateward_engine::{
    CacheFolder, EngineError, PointSummary, RestoreOutcome, RestoreRequest, ServerTrust, TargetError, Tools,
    TrustedPoint, VaultRead,
};
use stateward_format::manifest::Warning;
use stateward_model::{ComponentName, JobKind};
use stateward_system_state::{LaidTarget, TargetOpenError};
use std::path::{Path, PathBuf};

/// What is restored, and where to.
#[derive(Debug, Clone, Copy)]
pub struct Selected<'a> {
    /// The recovery point.
    pub point: PointSummary,
    /// Only these components; empty means all.
    pub components: &'a [ComponentName],
    /// Only what lies at or below these absolute paths; empty means everything.
    pub paths: &'a [StoredPath],
    /// The folder.
    pub target: &'a Path,
    /// How it is laid there.
    pub laying: &'a LayingWish,
    /// What the restore is about, where no paths are given: what its item is known to hold. Empty: all of it.
    pub item_paths: &'a [StoredPath],
}

/// What a person wants of a restore.
#[derive(Debug, Clone)]
pub struct RestoreWish<'a> {
    /// The recovery point, as [`points::choose`] takes it.
    pub recovery_point: &'a str,
    /// The item, where that does not say which is meant.
    pub item: Option<&'a str>,
    /// Only these components; empty means all.
    pub components: Vec<ComponentName>,
    /// Only what lies at or below these paths; empty means everything.
    pub paths: Vec<PathBuf>,
    /// The folder.
    pub target: StoredPath,
    /// How it is laid there.
    pub laying: LayingWish,
    /// How much of the machine and of the line it may take.
    pub pace: PaceWish,
}

/// The job that a person asks for with *Recover Data*, of what this server backed up.
pub fn plan(agent: &Agent, wish: RestoreWish<'_>) -> Result<PlannedJob, AgentError> {
    let pace = wish.pace.of_job(agent.home(), JobKind::Restore)?;
    let listed = points::list_own(agent)?;
    let point = points::choose(&listed, wish.recovery_point, wish.item)?;
    let request = JobRequest::Restore {
        point: point.recovery_point,
        sequence: point.sequence,
        components: wish.components,
        paths: wish.paths.iter().map(|path| within_point(path)).collect::<Result<_, _>>()?,
        target: wish.target,
        laying: wish.laying,
    };
    let item = Some(ItemReference { id: point.item, label: point.item_label.clone() });
    Ok(PlannedJob { request, item, pace })
}

/// Where recovery points come from, and what opens them.
pub(crate) struct Origin<'a> {
    /// The objects.
    pub vault: &'a dyn VaultRead,
    /// Whom they are believed of.
    pub trust: ServerTrust,
    /// What opens them.
    pub keys: Vec<EpochKeys>,
    /// Spares reading, if it is there.
    pub cache: Option<CacheFolder>,
}

/// The paths that a job's item is about, if it is one of files and folders and this home still protects it.
pub(crate) fn item_paths(agent: &Agent, item: Option<&ItemReference>) -> Vec<StoredPath> {
    let items = Items::load(agent.home()).unwrap_or_default();
    match item.and_then(|item| items.by_id(item.id)).map(|item| &item.selection) {
        Some(Selection::Files { paths, .. }) => paths.clone(),
        Some(Selection::SystemState { .. }) | None => Vec::new(),
    }
}

/// Restores over the network, as the server that this home is registered as.
pub(crate) fn work(agent: &Agent, selected: Selected<'_>, job: &RunningJob<'_>, tools: &Tools<'_>) -> Worked {
    let begun = RegisteredServer::load(agent.home())
        .and_then(|server| job.connect(agent, &server).map(|vault| (server, vault)));
    match begun {
        Ok((server, vault)) => {
            // A cache that can't be used only makes the restore slower.
            let cache = cache::open(&server.registration.cache).ok();
            let from =
                Origin { vault: &*vault, trust: server.trust(), keys: vec![server.epoch_keys()], cache };
            match rolled_back(agent, &*vault) {
                Ok(warning) => {
                    warning.iter().for_each(|warning| tools.progress.warning(warning));
                    lay(&from, selected, job, tools)
                }
                Err(error) => Err(error).into(),
            }
        }
        Err(error) => Err(error).into(),
    }
}

/// A vault that hides the newest recovery point is told of: whoever asked for the latest may have got an older one.
fn rolled_back(agent: &Agent, vault: &dyn VaultRead) -> Result<Option<Warning>, AgentError> {
    PinnedHead::missing_from(agent.home(), &vault.chain()?)
}

/// Lays a recovery point into its target. Files that are lost make the job fail, though the rest is there.
pub(crate) fn lay(
    from: &Origin<'_>,
    selected: Selected<'_>,
    job: &RunningJob<'_>,
    tools: &Tools<'_>,
) -> Worked {
    match try_lay(from, selected, tools) {
        Ok((done, one_moment, conflicts)) => {
            let files_lost = done.lost_in_all;
            Worked {
                outcome: Some(JobOutcome::Restore {
                    recovery_point: selected.point.hash,
                    files: done.files,
                    bytes: done.bytes,
                    bytes_downloaded: done.moved_bytes,
                    files_lost,
                    one_moment,
                    conflicts,
                }),
                error: (files_lost > 0).then_some(AgentError::FilesLost { files: files_lost }),
            }
        }
        Err(error) => Err(at_target(error, selected.target, job)).into(),
    }
}

/// Names the target in an error that concerns it, and what it still needs.
fn at_target(error: AgentError, target: &Path, job: &RunningJob<'_>) -> AgentError {
    let full = || AgentError::TargetFull {
        path: target.to_owned(),
        free: disk::free(target),
        bytes_needed: job.bytes_left(),
    };
    match error {
        AgentError::Engine(EngineError::Target(TargetError::Full)) => full(),
        AgentError::Target(TargetOpenError::Unusable { cause, .. }) if disk::is_full(&cause) => full(),
        AgentError::Engine(EngineError::Target(
            TargetError::Failed { path, cause } | TargetError::Broken { path, cause },
        )) => AgentError::TargetFailed { path: target.join(path), cause },
        other => other,
    }
}

/// What was laid, whether that is of one moment, and what became of what lay there already.
type Laid = (RestoreOutcome, Option<bool>, Option<Conflicts>);

fn try_lay(from: &Origin<'_>, selected: Selected<'_>, tools: &Tools<'_>) -> Result<Laid, AgentError> {
    let point = open_point(from.vault, &from.trust, &from.keys, selected.point)?;
    check_components(&point, selected.components)?;
    machine::check(&point.manifest, selected.laying)?
        .iter()
        .for_each(|warning| tools.progress.warning(warning));
    let epoch = point.header.epoch;
    let keys = from.keys.iter().find(|keys| keys.epoch() == epoch);
    let keys = keys.ok_or_else(|| AgentError::Internal("a point was opened with no key".to_owned()))?;
    let paths: Vec<Vec<u8>> = selected.paths.iter().map(|path| platform::point_path(&path.0)).collect();
    let named = if selected.paths.is_empty() { selected.item_paths } else { selected.paths };
    let laying = selected.laying.laying(named, point.received_at.unwrap_or(point.manifest.finished_at));
    let image = image_root(&point, &selected)?;
    let folder = image.as_ref().map_or(selected.target, |image| image.folder.as_path());
    let target = LaidTarget::open(folder, &point.summary.hash, &laying)?;
    let done = target.with(&laying, |target| {
        let request = RestoreRequest {
            point: &point,
            vault: from.vault,
            keys,
            components: selected.components,
            paths: &paths,
            target,
            cache: from.cache.as_ref(),
            threads: 0,
        };
        stateward_engine::restore(request, tools)
    })?;
    let conflicts = target.finish().map_err(EngineError::from)?.map(Conflicts::from);
    if let Some(image) = image.filter(|_| done.lost_in_all == 0)
        && let Some(error) = image.finish(&point.manifest, tools.clock.now())?
    {
        let message = format!("There is no plan beside the image: {error}");
        tools.progress.warning(&Warning { code: "plan-not-written".to_owned(), path: Vec::new(), message });
    }
    let missing = asked::missing(selected.paths, &done.paths_not_found, &done.lost);
    missing.iter().for_each(|warning| tools.progress.warning(warning));
    match !missing.is_empty() && missing.len() == selected.paths.len() {
        true => Err(AgentError::NothingAtPaths),
        false => {
            let one_moment = MomentDescription::of(&point.manifest).map(|moment| moment.is_one);
            Ok((done, one_moment, conflicts))
        }
    }
}

/// The root that the image of a whole System State of Windows goes to, if the target is one.
fn image_root(point: &TrustedPoint, selected: &Selected<'_>) -> Result<Option<ImageRoot>, AgentError> {
    let is_whole = selected.components.is_empty() && selected.paths.is_empty();
    if !is_whole || *selected.laying != LayingWish::default() {
        return Ok(None);
    }
    let name: String = point.summary.hash.to_string().chars().take(16).collect();
    ImageRoot::of(selected.target, &point.manifest, &name)
}

fn check_components(point: &TrustedPoint, asked: &[ComponentName]) -> Result<(), AgentError> {
    let known = || point.manifest.components.iter().map(|part| &part.name);
    match asked.iter().find(|asked| known().all(|name| name != *asked)) {
        None => Ok(()),
        Some(component) => Err(AgentError::UnknownComponent {
            component: component.to_string(),
            known: known().map(ToString::to_string).collect(),
        }),
    }
}
