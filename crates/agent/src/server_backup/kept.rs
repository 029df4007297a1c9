//! What the home keeps of staging: `staging.json`, with how large the last image was, and where something is staged now.

use super::place::Place;
use crate::document::Document;
use crate::items::StoredPath;
use crate::{AgentError, Home};
use serde::{Deserialize, Serialize};
use stateward_engine::Cancellation;
use stateward_format::manifest::Precheck;
use stateward_system_state::server_backup::Server;
use stateward_system_state::server_backup::prechecks::WARN;
use stateward_system_state::server_backup::staging::StagingDisk;
use stateward_system_state::server_backup::wbadmin::stop_job;

const FILE: &str = "staging.json";

/// The code of what could not be cleared away.
pub(super) const NOT_CLEARED: &str = "staging-not-cleared";

/// All of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    /// How long the last image was, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_image_bytes: Option<u64>,
    /// Where something is staged, or is about to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    begun: Option<Begun>,
}

impl Document for Kept {
    const VERSION: u32 = 1;
}

/// A place as the home keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "on")]
enum Begun {
    Volume { mount: StoredPath },
    Disk { file: StoredPath, mount: StoredPath, bytes: u64 },
}

impl Begun {
    fn of(place: &Place) -> Self {
        match place {
            Place::Volume(mount) => Self::Volume { mount: StoredPath(mount.clone()) },
            Place::Disk(StagingDisk { file, mount, bytes }) => {
                Self::Disk { file: StoredPath(file.clone()), mount: StoredPath(mount.clone()), bytes: *bytes }
            }
        }
    }

    fn place(&self) -> Place {
        match self.clone() {
            Self::Volume { mount } => Place::Volume(mount.0),
            Self::Disk { file, mount, bytes } => {
                Place::Disk(StagingDisk { file: file.0, mount: mount.0, bytes })
            }
        }
    }
}

impl Kept {
    pub fn load(home: &Home) -> Result<Self, AgentError> {
        Ok(home.read(FILE)?.unwrap_or_default())
    }

    pub fn save(&self, home: &Home) -> Result<(), AgentError> {
        home.write(FILE, self)
    }

    /// Writes down that something is about to be staged.
    pub fn begin(&mut self, home: &Home, place: &Place) -> Result<(), AgentError> {
        self.begun = Some(Begun::of(place));
        self.save(home)
    }

    /// Writes down that nothing is staged any more.
    pub fn end(&mut self, home: &Home) -> Result<(), AgentError> {
        self.begun = None;
        self.save(home)
    }

    /// Whether what lies at a place is this home's.
    pub fn is_ours(&self, place: &Place) -> bool {
        self.begun.as_ref() == Some(&Begun::of(place))
    }

    /// Clears away what a run that died left; tells what stays.
    pub fn clear_leftovers(
        &mut self,
        home: &Home,
        server: &Server,
        machine: &str,
        cancellation: &Cancellation,
    ) -> Result<Option<Precheck>, AgentError> {
        let Some(begun) = self.begun.clone() else { return Ok(None) };
        if super::is_at_work(server)
            && let Err(error) = server.commands.run(&stop_job(), &mut |_| {}, cancellation)
        {
            tracing::warn!(%error, "the backup of a run that died can't be stopped");
        }
        match begun.place().clear(server, machine, cancellation) {
            Ok(()) => {
                tracing::info!("cleared away what a run that died had staged");
                self.end(home)?;
                Ok(None)
            }
            Err(error) => {
                let message = format!("What an earlier backup staged can't be cleared away: {error}");
                Ok(Some(Precheck { code: NOT_CLEARED.to_owned(), outcome: WARN, message }))
            }
        }
    }
}
