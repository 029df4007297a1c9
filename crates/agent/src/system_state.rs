//! What System State is on this machine, for a person who wants to know before protecting it.

use crate::{Agent, AgentError, Registration, server_backup};
use stateward_engine::EngineError;
use stateward_system_state::{OpenError, SystemState};
use std::path::Path;

pub use stateward_system_state::{ComponentDescription, EVERYTHING_ELSE, LeftOut, left_out};

/// The components below `root` with their sizes, as a backup by this home would read them. Walks all of it.
pub fn describe(agent: &Agent, root: &Path) -> Result<Vec<ComponentDescription>, AgentError> {
    if root.parent().is_none() && server_backup::server()?.is_some() {
        let what = "Listing Windows' System State other than by its recovery points";
        return Err(OpenError::NotBuilt(what).into());
    }
    let mut excluded = vec![agent.home().path().to_owned()];
    // Whoever may not read the home may still see what System State is.
    if let Ok(Some(registration)) = Registration::find(agent.home()) {
        excluded.push(registration.cache);
    }
    let state = SystemState::open(root, excluded, None)?;
    Ok(state.describe().map_err(EngineError::from)?)
}
