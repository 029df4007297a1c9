//! Windows: files and folders are read and put back; System State is what Windows Server Backup stages
//! ([`crate::server_backup`]). That of another system's tree isn't read here, and whoever asks for it is told so.
//!
//! What is not built has no values here, so nothing can pretend to have done anything.

mod encrypted;
mod files;
mod machine;
mod moments;
mod node;
mod paths;
mod snapshots;
mod stat;
mod target;
mod walk;

pub use files::{FILES_COMPONENT, Files};
pub use paths::point_path;
pub use target::{FolderTarget, MergeTarget};

use crate::components::ComponentDescription;
use crate::open_error::OpenError;
use crate::server_backup::Server;
use crate::server_backup::backup::IMAGE_FOLDER;
use crate::server_backup::prechecks::Machine;
use crate::server_backup::source::StagingFiles;
use crate::snapshots::{HeldSnapshots, SnapshotLedger, SnapshotPlace, SnapshotWish};
use machine::ThisMachine;
use stateward_engine::{Source, SourceDescription, SourceError, Visitor};
use stateward_format::manifest::Precheck;
use stateward_model::ComponentName;
use stateward_windows::privileges::Privileges;
use stateward_windows::volume::free_bytes;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The System State of a tree in which no system runs. There is none here.
#[derive(Debug)]
pub enum SystemState {}

impl SystemState {
    /// # Errors
    /// Always [`OpenError::NotBuilt`].
    pub fn open(
        _root: &Path,
        _excluded: Vec<PathBuf>,
        _components: Option<Vec<ComponentName>>,
    ) -> Result<Self, OpenError> {
        Err(OpenError::NotBuilt("Reading the System State of another system's tree"))
    }

    /// Reads from snapshots from now on.
    pub fn freeze<'a>(
        &mut self,
        _wish: &SnapshotWish<'_>,
        _ledger: &'a dyn SnapshotLedger,
    ) -> HeldSnapshots<'a> {
        match *self {}
    }

    /// Each component with its size.
    pub fn describe(&self) -> Result<Vec<ComponentDescription>, SourceError> {
        match *self {}
    }
}

/// The server that Windows Server Backup runs on: this one.
///
/// # Errors
/// If it can't be told where Windows lies.
pub fn this_server() -> io::Result<Option<Server>> {
    let machine = ThisMachine::open()?;
    let windows = machine.windows().to_owned();
    Ok(Some(Server {
        commands: Box::new(Machine::commands_of(&windows)),
        registry: Box::new(machine.clone()),
        services: Box::new(machine.clone()),
        volumes: Box::new(machine),
        windows,
    }))
}

/// The files of a staging volume, whose root is the source's top.
pub fn staged_files(root: &Path) -> Result<StagingFiles, OpenError> {
    Ok((Box::new(Files::of_volume(root, IMAGE_FOLDER)), Vec::new()))
}

/// The rights beyond access lists that this process has, asked for once.
pub(crate) fn privileges() -> Privileges {
    static PRIVILEGES: OnceLock<Privileges> = OnceLock::new();
    *PRIVILEGES.get_or_init(stateward_windows::privileges::enable)
}

/// The operating system and its version.
pub fn operating_system() -> String {
    match stateward_windows::process::system_version() {
        Some((major, minor, build)) => format!("Windows {major}.{minor}.{build}"),
        None => "Windows".to_owned(),
    }
}

/// Something is not as it should be, and the job goes on.
fn warn(code: &str, message: String) -> Precheck {
    Precheck { code: code.to_owned(), outcome: 1, message }
}

/// The quick checks before a backup: has the volume of `folder` at least `needed_bytes` free (`free-space`), and may the
/// process read what access lists keep from it (`backup-rights`)?
pub fn prechecks(folder: &Path, needed_bytes: u64) -> Vec<Precheck> {
    let mut checked = Vec::new();
    match free_bytes(folder) {
        Ok(free) if free >= needed_bytes => {}
        Ok(free) => checked.push(warn(
            "free-space",
            format!(
                "The volume of the cache folder has {free} bytes free; at least {needed_bytes} should be"
            ),
        )),
        Err(cause) => checked.push(warn(
            "free-space",
            format!("It can't be told how much the volume of the cache folder has free: {cause}"),
        )),
    }
    if !privileges().backup {
        let message = "This user may not read what access lists keep from him: run the backup as an administrator or as the service";
        checked.push(warn("backup-rights", message.to_owned()));
    }
    checked
}

/// Not built, which is told as a warning.
pub fn verify_packages() -> Precheck {
    Precheck {
        code: "package-integrity".to_owned(),
        outcome: 1,
        message:
            "Installed files weren't compared with what they should be: that isn't built for Windows yet"
                .to_owned(),
    }
}

/// Windows has no numbers of owners: all rights, and the access list of the folder above decides.
pub(crate) fn own_access() -> ((u32, u32), u32) {
    ((0, 0), 0)
}

/// None is made here that stays when its process ends.
///
/// # Errors
/// Always.
pub fn remove_snapshot(_place: &SnapshotPlace) -> Result<(), String> {
    Err("no snapshot of Windows outlives the process that made it".to_owned())
}

/// A source without values.
macro_rules! no_source {
    ($name:ident) => {
        impl Source for $name {
            fn description(&self) -> SourceDescription {
                match *self {}
            }

            fn components(&self) -> Vec<ComponentName> {
                match *self {}
            }

            fn estimate(&self) -> Option<(u64, u64)> {
                match *self {}
            }

            fn walk(&self, _: &ComponentName, _: &mut dyn Visitor) -> Result<bool, SourceError> {
                match *self {}
            }
        }
    };
}

no_source!(SystemState);
