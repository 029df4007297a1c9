//! Windows' System State in a backup job: looked at, staged by Windows Server Backup, given to the engine, and cleared away.
//!
//! Before anything is staged it is written down in the home ([`kept`]), so that what a run that died left is cleared away by
//! the next. The next holds the home's job lock, so no living run has any. What stages, and how it is judged, stands in
//! `system-state`; nothing here calls Windows, so all of it is built and tested everywhere.

mod kept;
mod place;
mod settings;
mod stage;

pub use settings::{RETRIES_MAX, ServerBackupSettings, ServerBackupWish};

use crate::prechecks::PrecheckSettings;
use crate::settings::Settings;
use crate::{Agent, AgentError, Home, platform};
use kept::Kept;
use place::Place;
use stage::Attempts;
use stateward_engine::Cancellation;
use stateward_format::manifest::{Precheck, Warning};
use stateward_system_state::server_backup::prechecks::{self, Needs};
use stateward_system_state::server_backup::source::StagedSource;
use stateward_system_state::server_backup::{Server, ServiceState};
use stateward_system_state::{staged_files, this_server};
use std::path::PathBuf;
use std::time::Duration;

/// The precheck of the edition, which also keeps System State from being protected at all.
pub(crate) const EDITION: &str = "windows-edition";

/// A System State that can be staged.
pub(crate) struct Wanted<'a> {
    home: &'a Home,
    server: Server,
    machine: String,
    place: Place,
    attempts: Attempts,
    kept: Kept,
}

/// What is staged, for as long as it is read; to be cleared away whatever becomes of the backup.
pub(crate) struct Staging<'a> {
    home: &'a Home,
    server: Server,
    machine: String,
    place: Place,
}

/// The server that Windows Server Backup runs on, if this is one.
pub(crate) fn server() -> Result<Option<Server>, AgentError> {
    this_server().map_err(|cause| AgentError::PathUnusable { path: PathBuf::from("Windows"), cause })
}

/// Whether System State can be protected here at all: it is a server's, unless somebody wants a client's all the same.
pub(crate) fn check(server: &Server, settings: &PrecheckSettings) -> Result<(), AgentError> {
    let edition = prechecks::edition(&*server.registry, settings.lets_through(EDITION));
    match edition.outcome {
        prechecks::BLOCK => Err(AgentError::ClientEdition),
        _ => Ok(()),
    }
}

/// Clears away what a dead run left, and looks at everything that a backup needs.
pub(crate) fn open<'a>(
    agent: &'a Agent,
    server: Server,
    settings: &Settings,
    cancellation: &Cancellation,
) -> Result<(Wanted<'a>, Vec<Precheck>), AgentError> {
    let (home, machine) = (agent.home(), platform::host_name());
    let mut kept = Kept::load(home)?;
    let mut checked: Vec<Precheck> =
        kept.clear_leftovers(home, &server, &machine, cancellation)?.into_iter().collect();
    let bytes = prechecks::staging_bytes(kept.last_image_bytes);
    let place = Place::chosen(&settings.server_backup, home, &server, bytes)?;
    place.refuse_foreign(&kept)?;
    let needs = Needs {
        staging: place.holder().to_owned(),
        staging_bytes: bytes,
        is_client_forced: settings.prechecks.lets_through(EDITION),
        verifies_system_files: settings.verify_packages,
    };
    checked.extend(prechecks::prechecks(&server.machine(), &needs, cancellation));
    let attempts = Attempts::of(&settings.server_backup);
    Ok((Wanted { home, server, machine, place, attempts, kept }, checked))
}

/// What would be found before a backup of this server, without what takes minutes.
pub(crate) fn look(home: &Home, server: &Server, settings: &Settings) -> Result<Vec<Precheck>, AgentError> {
    let bytes = prechecks::staging_bytes(Kept::load(home)?.last_image_bytes);
    let place = Place::chosen(&settings.server_backup, home, server, bytes)?;
    let needs = Needs {
        staging: place.holder().to_owned(),
        staging_bytes: bytes,
        is_client_forced: settings.prechecks.lets_through(EDITION),
        verifies_system_files: false,
    };
    Ok(prechecks::prechecks(&server.machine(), &needs, &Cancellation::default()))
}

impl<'a> Wanted<'a> {
    /// Stages it. `told` is given how far that is, in percent; nothing stays staged if it fails.
    pub fn stage(
        mut self,
        told: &mut dyn FnMut(u8),
        cancellation: &Cancellation,
    ) -> Result<(StagedSource, Staging<'a>), AgentError> {
        self.kept.begin(self.home, &self.place)?;
        let staged = self.try_stage(told, cancellation);
        let Self { home, server, machine, place, .. } = self;
        let staging = Staging { home, server, machine, place };
        match staged {
            Ok(source) => Ok((source, staging)),
            Err(error) => {
                if let Some(warning) = staging.clear() {
                    tracing::warn!("{}", warning.message);
                }
                Err(error)
            }
        }
    }

    fn try_stage(
        &mut self,
        told: &mut dyn FnMut(u8),
        cancellation: &Cancellation,
    ) -> Result<StagedSource, AgentError> {
        let attached = self.place.attach(&self.server, cancellation)?;
        let commands = &*self.server.commands;
        let staged = stage::stage(commands, &attached, &self.machine, &self.attempts, told, cancellation)?;
        let (inner, top) = staged_files(&attached.root)?;
        self.kept.last_image_bytes = Some(staged.image_bytes());
        self.kept.save(self.home)?;
        Ok(StagedSource::new(inner, top, &self.machine, &staged))
    }
}

impl Staging<'_> {
    /// Clears away what is staged; tells if something stays. The vault keeps the history.
    pub fn clear(self) -> Option<Warning> {
        // Somebody who has stopped the backup wants this all the same.
        let cancellation = Cancellation::default();
        let cleared = self.place.clear(&self.server, &self.machine, &cancellation);
        let done = cleared.map_err(AgentError::from).and_then(|()| {
            let mut kept = Kept::load(self.home)?;
            kept.end(self.home)
        });
        let message = done.err().map(|error| format!("{error}: the next backup tries again"))?;
        Some(Warning { code: kept::NOT_CLEARED.to_owned(), path: Vec::new(), message })
    }
}

/// Whether a backup by Windows Server Backup seems to run.
fn is_at_work(server: &Server) -> bool {
    let is_program = server.services.programs().is_ok_and(|programs| programs.contains("wbadmin.exe"));
    let engine = server.services.state("wbengine");
    is_program || engine.is_ok_and(|state| state == ServiceState::Running)
}

/// Waits, unless somebody asks to stop.
fn pause(time: Duration, cancellation: &Cancellation) -> Result<(), AgentError> {
    const LOOK: Duration = Duration::from_millis(100);
    let begun = std::time::Instant::now();
    while begun.elapsed() < time {
        if cancellation.is_cancelled() {
            return Err(AgentError::cancelled());
        }
        std::thread::sleep(LOOK.min(time));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
