//! The home's cache folder: where it is, how large, and moving it.

use crate::items::absolute;
use crate::{Agent, AgentError, Registration};
use stateward_engine::{CacheFolder, EngineError};
use std::path::{Path, PathBuf};

/// The cache folder as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheState {
    /// Where.
    pub path: PathBuf,
    /// Bytes of all files in it.
    pub bytes: u64,
}

/// The home's cache folder.
pub fn state(agent: &Agent) -> Result<CacheState, AgentError> {
    let path = Registration::load(agent.home())?.cache;
    let bytes = CacheFolder::open(&path).map_err(EngineError::from)?.bytes();
    Ok(CacheState { path, bytes })
}

/// Moves the cache to another folder, which must be absent or empty. No job may run meanwhile. The new place is noted between
/// copying and removing, so that whatever happens there is a cache, or one that is made anew from the vault.
pub fn relocate(agent: &Agent, target: &Path) -> Result<CacheState, AgentError> {
    let _job = agent.home().lock_for_job()?;
    let registration = Registration::load(agent.home())?;
    let target = absolute(target)?.0;
    let old = CacheFolder::open(&registration.cache).map_err(EngineError::from)?;
    let new = old.copy_to(&target).map_err(EngineError::from)?;
    Registration { cache: target.clone(), ..registration }.save(agent.home())?;
    if let Err(error) = old.remove() {
        tracing::warn!(%error, "the old cache folder can't be removed");
    }
    Ok(CacheState { path: target, bytes: new.bytes() })
}
