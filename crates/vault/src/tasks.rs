//! What the vault does by itself, over and over while it serves. One file a task; each is a loop that calls `app`, and
//! whatever stops it half-way, it begins again.
//!
//! Where several processes serve one vault, each has all of them: what they do must be as right done twice.

mod expiry;
mod operations;
mod overdue;
mod parts;
mod reserve;

use crate::app::App;
use std::sync::Arc;
use tokio::task::JoinHandle;

/// The tasks of a vault that serves.
pub(crate) struct Tasks(Vec<JoinHandle<()>>);

impl Tasks {
    /// Starts all of them.
    pub(crate) fn start(app: &Arc<App>) -> Self {
        let app = || Arc::clone(app);
        Self(vec![
            tokio::spawn(parts::run(app())),
            tokio::spawn(reserve::run(app())),
            tokio::spawn(expiry::run(app())),
            tokio::spawn(operations::run(app())),
            tokio::spawn(overdue::run(app())),
        ])
    }

    /// Stops all of them, each where it waits next.
    pub(crate) fn stop(self) {
        self.0.iter().for_each(JoinHandle::abort);
    }
}
