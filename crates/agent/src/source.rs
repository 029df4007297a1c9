//! Where the agent meets `system-state`: what an item reads, and of which moment.

use crate::items::{Selection, StoredPath};
use crate::registration::Registration;
use crate::restore::Machine;
use crate::server_backup;
use crate::settings::Settings;
use crate::snapshots::{self, Ledger};
use crate::{Agent, AgentError, platform};
use stateward_engine::{Cancellation, Source};
use stateward_format::manifest::Precheck;
use stateward_model::JobId;
use stateward_system_state::server_backup::Server;
use stateward_system_state::snapshots::{HeldSnapshots, SnapshotWish};
use stateward_system_state::{Exclusion, Files, OpenError, SystemState, prechecks, verify_packages};
use std::path::{Path, PathBuf};

/// The cache folder's file system should have this much free: an index of 10⁷ chunks and two metadata streams fit.
pub(crate) const CACHE_BYTES_FREE: u64 = 1 << 30;

/// What is read, or has to be made first.
pub(crate) enum Opened<'a> {
    /// It lies there.
    Ready(Box<dyn Source>),
    /// Windows Server Backup has to make it.
    Wanted(Box<server_backup::Wanted<'a>>),
}

/// An item that can be read, and what was checked before.
pub(crate) struct OpenedSource<'a> {
    /// What is read.
    pub source: Opened<'a>,
    /// Kept with the recovery point.
    pub prechecks: Vec<Precheck>,
    /// What it is read from, if snapshots are wanted; to be released after the source is dropped.
    pub snapshots: Option<HeldSnapshots<'a>>,
}

/// Opens what an item reads. The agent's own home and cache are never part of it. Snapshots that a dead run left are
/// removed first.
pub(crate) fn open<'a>(
    agent: &'a Agent,
    ledger: &'a Ledger<'a>,
    registration: &Registration,
    selection: &Selection,
    job: (JobId, &Cancellation),
) -> Result<OpenedSource<'a>, AgentError> {
    let mut checked = prechecks(&registration.cache, CACHE_BYTES_FREE);
    checked.extend(ledger.remove_leftovers(registration.server)?);
    let (job, cancellation) = job;
    if let Some(server) = server_of(selection)? {
        let settings = Settings::load(agent.home())?;
        let (wanted, found) = server_backup::open(agent, server, &settings, cancellation)?;
        checked.extend(found);
        checked.push(Machine::here().precheck());
        let source = Opened::Wanted(Box::new(wanted));
        return Ok(OpenedSource { source, prechecks: checked, snapshots: None });
    }
    let folder = agent.home().snapshots();
    platform::make_private_folder(&folder)
        .and_then(|()| platform::restrict_folder(&folder))
        .map_err(|cause| agent.home().unusable(&folder, cause))?;
    let name = snapshots::name(registration.server, job);
    let clock = &*agent.surroundings().clock;
    let wish = SnapshotWish { folder: &folder, name: &name, clock, cancellation };
    let settings = Settings::load(agent.home())?;
    let wish = settings.source_snapshot.then_some(wish);
    let excluded = vec![agent.home().path().to_owned(), registration.cache.clone()];
    let mut source = Readable::open(selection, excluded)?;
    let is_other_tree = matches!(selection, Selection::SystemState { root, .. } if root.0 != Path::new("/"));
    if !is_other_tree {
        checked.push(Machine::here().precheck());
    }
    let is_this_system = matches!(selection, Selection::SystemState { root, .. } if root.0 == Path::new("/"));
    if is_this_system && settings.verify_packages {
        checked.push(verify_packages());
    }
    let snapshots = wish.map(|wish| source.freeze(&wish, ledger));
    checked.extend(snapshots.iter().flat_map(|held| held.problems.clone()));
    Ok(OpenedSource { source: Opened::Ready(source.boxed()), prechecks: checked, snapshots })
}

/// The server whose System State Windows Server Backup makes, if that is what the selection is of.
fn server_of(selection: &Selection) -> Result<Option<Server>, AgentError> {
    let Selection::SystemState { components, root } = selection else { return Ok(None) };
    let server = server_backup::server()?.filter(|_| root.0 == Path::new("/"));
    match components {
        Some(_) if server.is_some() => Err(OpenError::NotBuilt(
            "Protecting some components only of Windows' System State, which is one whole,",
        )
        .into()),
        _ => Ok(server),
    }
}

/// Whether a selection can be opened at all, and whether each of its exclusions leaves something of it out.
pub fn check(agent: &Agent, selection: &Selection) -> Result<(), AgentError> {
    if let Some(server) = server_of(selection)? {
        return server_backup::check(&server, &Settings::load(agent.home())?.prechecks);
    }
    let Selection::Files { paths, exclusions } = selection else {
        return Readable::open(selection, Vec::new()).map(drop);
    };
    let chosen = Files::open(paths.iter().map(|path| path.0.clone()).collect(), Vec::new())?;
    for exclusion in read(exclusions)? {
        if !chosen.reaches(&exclusion)? {
            return Err(OpenError::LeavesNothingOut(exclusion.given().to_owned()).into());
        }
    }
    Ok(())
}

fn read(exclusions: &[StoredPath]) -> Result<Vec<Exclusion>, AgentError> {
    Ok(exclusions.iter().map(|given| Exclusion::new(&given.0)).collect::<Result<_, _>>()?)
}

/// An opened selection.
enum Readable {
    SystemState(SystemState),
    Files(Files),
}

impl Readable {
    fn open(selection: &Selection, excluded: Vec<PathBuf>) -> Result<Self, AgentError> {
        Ok(match selection {
            Selection::SystemState { components, root } => {
                Self::SystemState(SystemState::open(&root.0, excluded, components.clone())?)
            }
            Selection::Files { paths, exclusions } => {
                let paths = paths.iter().map(|path| path.0.clone()).collect();
                Self::Files(Files::open(paths, excluded)?.without(read(exclusions)?)?)
            }
        })
    }

    fn freeze<'a>(&mut self, wish: &SnapshotWish<'_>, ledger: &'a Ledger<'_>) -> HeldSnapshots<'a> {
        match self {
            Self::SystemState(state) => state.freeze(wish, ledger),
            Self::Files(files) => files.freeze(wish, ledger),
        }
    }

    fn boxed(self) -> Box<dyn Source> {
        match self {
            Self::SystemState(state) => Box::new(state),
            Self::Files(files) => Box::new(files),
        }
    }
}
