//! The sessions that this home holds, or may hold, at the vault.
//!
//! A session is written down before it is opened. After a crash the next process shows the vault the dead session's
//! secret and replaces it at once, instead of waiting for its lease to run out.

use crate::Home;
use crate::document::Document;
use serde::{Deserialize, Serialize};
use stateward_api::agent::Replaces;
use stateward_client::SessionKeeper;
use stateward_model::SessionId;
use std::sync::{Mutex, PoisonError};

const FILE: &str = "session.json";

/// More dead sessions than these are not worth remembering: each try that died left one.
const REMEMBERED: usize = 8;

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Sessions {
    /// Newest first.
    sessions: Vec<Replaces>,
}

impl Document for Sessions {
    const VERSION: u32 = 1;
}

/// Keeps sessions in `session.json`. What can't be written is only logged: it costs the time of a lease.
#[derive(Debug)]
pub struct HomeSessions {
    home: Home,
    writing: Mutex<()>,
}

impl HomeSessions {
    /// Of a home.
    pub fn of(home: &Home) -> Self {
        Self { home: home.clone(), writing: Mutex::new(()) }
    }

    fn load(&self) -> Sessions {
        let found = self.home.read(FILE);
        found
            .inspect_err(|error| tracing::warn!(%error, "sessions can't be read"))
            .ok()
            .flatten()
            .unwrap_or_default()
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Replaces>)) {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sessions = self.load();
        change(&mut sessions.sessions);
        sessions.sessions.truncate(REMEMBERED);
        if let Err(error) = self.home.write(FILE, &sessions) {
            tracing::warn!(%error, "a session can't be written down");
        }
    }
}

impl SessionKeeper for HomeSessions {
    fn previous(&self) -> Vec<Replaces> {
        self.load().sessions
    }

    fn opening(&self, session: SessionId, secret: &str) {
        let new = Replaces { session, secret: secret.to_owned() };
        self.change(|sessions| sessions.insert(0, new));
    }

    fn opened(&self, session: SessionId) {
        self.change(|sessions| sessions.retain(|known| known.session == session));
    }

    fn closed(&self, session: SessionId) {
        self.change(|sessions| sessions.retain(|known| known.session != session));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_that_were_not_closed_are_known_to_the_next_process_newest_first() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(Some(folder.path())).unwrap();
        let keeper = HomeSessions::of(&home);
        let ids = [1, 2, 3].map(|byte| SessionId([byte; 16]));
        let known = || HomeSessions::of(&home).previous().iter().map(|s| s.session).collect::<Vec<_>>();
        assert_eq!(known(), []);
        keeper.opening(ids[0], "a");
        keeper.opening(ids[1], "b");
        assert_eq!(known(), [ids[1], ids[0]]);
        keeper.opened(ids[1]);
        assert_eq!(known(), [ids[1]]);
        keeper.opening(ids[2], "c");
        keeper.closed(ids[1]);
        assert_eq!(known(), [ids[2]]);
    }
}
