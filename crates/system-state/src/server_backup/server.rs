//! The server that Windows Server Backup runs on, as a job holds it.

use crate::server_backup::machine::{Commands, Registry, Services, Volumes};
use crate::server_backup::prechecks::Machine;
use std::path::PathBuf;

/// What answers for a machine, for as long as a job lives.
pub struct Server {
    /// Its programs.
    pub commands: Box<dyn Commands>,
    /// Its registry.
    pub registry: Box<dyn Registry>,
    /// Its services.
    pub services: Box<dyn Services>,
    /// Its volumes.
    pub volumes: Box<dyn Volumes>,
    /// Where Windows lies.
    pub windows: PathBuf,
}

impl Server {
    /// As prechecks ask it.
    pub fn machine(&self) -> Machine<'_> {
        Machine {
            commands: &*self.commands,
            registry: &*self.registry,
            services: &*self.services,
            volumes: &*self.volumes,
            windows: &self.windows,
        }
    }
}
