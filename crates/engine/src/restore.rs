//! Restore: recovery point → target.
//!
//! The metadata streams are read in order; what they name is made at the target at once, except the content of files,
//! which is planned in windows ([`window`]): within a window, the frames that are needed are fetched pack by pack, each
//! opened once, and every chunk written to all the places that want it. Folders get their owners, modes and times in a
//! second pass, when nothing is made in them any more.
//!
//! Memory: one window's plan (some megabytes) and, for each thread, a pack and a frame.
//!
//! Nothing is ever invented: a file whose bytes cannot all be proved is taken away again and named as lost.

mod flush;
mod folders;
mod held;
mod lay;
mod links;
pub(crate) mod position;
mod same;
mod select;
mod window;

use crate::cache::CacheFolder;
use crate::fetch::{Catalogue, ChunkFetcher};
use crate::points::TrustedPoint;
use crate::records::RecordStream;
use crate::target::Target;
use crate::vault_store::VaultRead;
use crate::{EngineError, PointError, Tools};
use stateward_crypto::EpochKeys;
use stateward_format::manifest::{Component, Warning};
use stateward_model::{ComponentName, Phase};
use std::thread;

/// What is restored, and where to.
pub struct RestoreRequest<'a> {
    /// The recovery point.
    pub point: &'a TrustedPoint,
    /// Where its packs are.
    pub vault: &'a dyn VaultRead,
    /// The keys of the point's epoch.
    pub keys: &'a EpochKeys,
    /// Only these components; empty means all.
    pub components: &'a [ComponentName],
    /// Only what lies at or below these paths (bytes, absolute, from `/`); empty means everything.
    pub paths: &'a [Vec<u8>],
    /// Where it is laid: at the target plus its absolute path.
    pub target: &'a dyn Target,
    /// Where the pack index may be found, to spare reading the packs' tables; never needed.
    pub cache: Option<&'a CacheFolder>,
    /// Threads that decode; 0 means as many as the machine has processors.
    pub threads: usize,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoreOutcome {
    /// Files put back, whole.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Bytes read from the vault.
    pub moved_bytes: u64,
    /// What could not be put back as it was (an owner, an attribute): the first of them, as many as fit in 16 MiB. All of
    /// them went to [`Progress::warning`](crate::Progress::warning).
    pub warnings: Vec<Warning>,
    /// What is lost: files that could not be put back whole, each with the reason. Nothing of them is left at the target.
    /// The first of them, as of `warnings`.
    pub lost: Vec<Warning>,
    /// How many are lost in all. If there is any, the job has failed, though the rest is there.
    pub lost_in_all: u64,
    /// The places in [`RestoreRequest::paths`] of those at and below which the recovery point holds nothing.
    pub paths_not_found: Vec<usize>,
}

/// Lays a recovery point, or a part of it, into a target.
pub fn restore(request: RestoreRequest<'_>, tools: &Tools<'_>) -> Result<RestoreOutcome, EngineError> {
    tools.progress.phase(Phase::Preparing);
    let components = chosen_components(&request)?;
    let packs = &request.point.header.packs;
    let catalogue = Catalogue::load(request.vault, request.keys, packs, request.cache, tools)?;
    // The totals are only said.
    let expected =
        |of: fn(&Component) -> u64| components.iter().map(|part| of(part)).fold(0, u64::saturating_add);
    if request.paths.is_empty() {
        tools.progress.expected(expected(|c| c.files), expected(|c| c.bytes));
    }
    tools.progress.phase(Phase::Transferring);
    let mut fetcher = ChunkFetcher::new(request.vault, request.keys, &catalogue.index);
    let (flush, woken) = flush::Flush::new();
    let mut outcome = thread::scope(|scope| {
        let target = request.target;
        let flushing = scope.spawn(move || flush::run(target, &woken));
        let layer = lay::Layer::new(&request, tools, &catalogue.index, flush);
        let laid = lay_all(layer, &components, &mut fetcher);
        let flushed = flushing.join().expect("a thread's panic is passed on");
        let outcome = laid?;
        flushed.map(|()| outcome).map_err(EngineError::from)
    })?;
    tools.progress.phase(Phase::Finishing);
    request.target.sync()?;
    outcome.moved_bytes += fetcher.moved_bytes;
    Ok(outcome)
}

/// Everything but making it durable.
fn lay_all(
    mut layer: lay::Layer<'_>,
    components: &[&Component],
    fetcher: &mut ChunkFetcher<'_>,
) -> Result<RestoreOutcome, EngineError> {
    for component in components {
        layer.lay(&mut RecordStream::open(&component.stream), fetcher)?;
    }
    layer.finish_files()?;
    for component in components {
        layer.finish_folders(&mut RecordStream::open(&component.stream), fetcher)?;
    }
    Ok(layer.outcome())
}

fn chosen_components<'a>(request: &RestoreRequest<'a>) -> Result<Vec<&'a Component>, EngineError> {
    let all = &request.point.manifest.components;
    for name in request.components {
        if !all.iter().any(|component| component.name == *name) {
            let point = request.point.summary.hash;
            return Err(PointError::Incomplete { point, why: format!("it has no component `{name}`") }.into());
        }
    }
    let is_chosen = |component: &&Component| {
        request.components.is_empty() || request.components.contains(&component.name)
    };
    Ok(all.iter().filter(is_chosen).collect())
}
