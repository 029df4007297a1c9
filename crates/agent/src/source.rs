//! Where the agent meets `system-state`: what an item reads, and where a restore lays things.

use crate::items::Selection;
use crate::registration::Registration;
use crate::settings::Settings;
use crate::{Agent, AgentError};
use stateward_engine::Source;
use stateward_format::manifest::Precheck;
use stateward_system_state::{Files, SystemState, prechecks, verify_packages};
use std::path::{Path, PathBuf};

/// The cache folder's file system should have this much free: an index of 10⁷ chunks and two metadata streams fit.
const CACHE_BYTES_FREE: u64 = 1 << 30;

/// An item that can be read, and what was checked before.
pub struct OpenedSource {
    /// What is read.
    pub source: Box<dyn Source>,
    /// Kept with the recovery point.
    pub prechecks: Vec<Precheck>,
}

/// Opens what an item reads. The agent's own home and cache are never part of it.
pub fn open(
    agent: &Agent,
    registration: &Registration,
    selection: &Selection,
) -> Result<OpenedSource, AgentError> {
    let excluded = vec![agent.home().path().to_owned(), registration.cache.clone()];
    let source = open_excluding(selection, excluded)?;
    let mut prechecks = prechecks(&registration.cache, CACHE_BYTES_FREE);
    let is_this_system = matches!(selection, Selection::SystemState { root, .. } if root.0 == Path::new("/"));
    if is_this_system && Settings::load(agent.home())?.verify_packages {
        prechecks.push(verify_packages());
    }
    Ok(OpenedSource { source, prechecks })
}

/// Opens what a selection reads.
pub fn open_excluding(selection: &Selection, excluded: Vec<PathBuf>) -> Result<Box<dyn Source>, AgentError> {
    Ok(match selection {
        Selection::SystemState { components, root } => {
            Box::new(SystemState::open(&root.0, excluded, components.clone())?)
        }
        Selection::Files { paths } => {
            Box::new(Files::open(paths.iter().map(|path| path.0.clone()).collect(), excluded)?)
        }
    })
}
