//! Where it is staged: a volume that a person gave, or a virtual disk that is made for each backup and removed after it.

use super::kept::Kept;
use super::settings::ServerBackupSettings;
use crate::{AgentError, Home, platform};
use stateward_engine::Cancellation;
use stateward_system_state::server_backup::Server;
use stateward_system_state::server_backup::backup::IMAGE_FOLDER;
use stateward_system_state::server_backup::plan::WindowsVersion;
use stateward_system_state::server_backup::staging::{self, StagingDisk, StagingError};
use std::path::{Path, PathBuf};

/// A virtual disk may become so many times as large as what is expected; it takes what it holds only.
const DISK_FACTOR: u64 = 2;

/// The first version that makes disks of the newer kind: Server 2012.
const NEWER_DISKS: WindowsVersion = WindowsVersion { major: 6, minor: 2, build: 0 };

/// A place for staging.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// A volume, by a drive or a folder at which it is mounted.
    Volume(PathBuf),
    /// A virtual disk.
    Disk(StagingDisk),
}

/// A place that can be staged at.
#[derive(Debug)]
pub(super) struct Attached {
    /// As `wbadmin` takes it.
    pub target: String,
    /// As files take it.
    pub root: PathBuf,
}

impl Place {
    /// As the settings say: a volume if one is mounted there, else a disk in that folder; by themselves a disk in the home.
    pub fn chosen(
        settings: &ServerBackupSettings,
        home: &Home,
        server: &Server,
        needed_bytes: u64,
    ) -> Result<Self, AgentError> {
        let folder = match &settings.staging {
            Some(place) if staging::volume_at(&*server.volumes, &place.0)?.is_some() => {
                staging::given_volume(&*server.volumes, &place.0, &server.windows)?;
                return Ok(Self::Volume(place.0.clone()));
            }
            Some(place) => place.0.join("stateward-staging"),
            None => home.staging(),
        };
        let version = WindowsVersion::in_text(&platform::operating_system());
        let kind = if version.is_some_and(|version| version < NEWER_DISKS) { "vhd" } else { "vhdx" };
        Ok(Self::Disk(StagingDisk {
            file: folder.join(format!("staging.{kind}")),
            mount: folder.join("volume"),
            bytes: needed_bytes.saturating_mul(DISK_FACTOR),
        }))
    }

    /// What must have the space: the volume, or a folder above the disk that is there.
    pub fn holder(&self) -> &Path {
        match self {
            Self::Volume(mount) => mount,
            Self::Disk(disk) => {
                disk.file.ancestors().skip(1).find(|path| path.is_dir()).unwrap_or(&disk.file)
            }
        }
    }

    /// Refuses a volume with an image that this home didn't make: it would be removed with ours.
    pub fn refuse_foreign(&self, kept: &Kept) -> Result<(), StagingError> {
        match self {
            Self::Volume(mount) if mount.join(IMAGE_FOLDER).exists() && !kept.is_ours(self) => {
                let why = format!(
                    "it holds a `{IMAGE_FOLDER}` that isn't of this agent's making; give a volume without one, or remove it if \
                     nobody needs it"
                );
                Err(StagingError::Unfit { place: mount.clone(), why })
            }
            _ => Ok(()),
        }
    }

    /// Lets the volume appear.
    pub fn attach(&self, server: &Server, cancellation: &Cancellation) -> Result<Attached, AgentError> {
        match self {
            Self::Volume(mount) => {
                let volume = staging::given_volume(&*server.volumes, mount, &server.windows)?;
                Ok(Attached { target: target(mount, &volume.id), root: mount.clone() })
            }
            Self::Disk(disk) => {
                let folder = disk.file.parent().unwrap_or(&disk.file);
                platform::make_private_folder(folder)
                    .map_err(|cause| StagingError::Unusable { path: folder.to_owned(), cause })?;
                let volume = disk.attach(&*server.commands, &*server.volumes, cancellation)?;
                Ok(Attached { target: volume.id.clone(), root: root(&volume.id, &disk.mount) })
            }
        }
    }

    /// Removes everything that was staged.
    pub fn clear(
        &self,
        server: &Server,
        machine: &str,
        cancellation: &Cancellation,
    ) -> Result<(), StagingError> {
        let (commands, volumes) = (&*server.commands, &*server.volumes);
        match self {
            Self::Volume(mount) => {
                let volume = staging::given_volume(volumes, mount, &server.windows)?;
                staging::clear(commands, &target(mount, &volume.id), mount, machine, cancellation)
            }
            Self::Disk(disk) => {
                // It is removed with all it holds: `wbadmin` should only hear of it, and may fail.
                if let Ok(Some(volume)) = staging::volume_at(volumes, &disk.mount)
                    && let Err(error) = staging::trim(commands, &volume.id, machine, cancellation)
                {
                    tracing::debug!(%error, "versions of a disk that is removed");
                }
                disk.remove(commands, volumes, cancellation)?;
                match std::fs::remove_dir(&disk.mount) {
                    Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => {
                        Err(StagingError::Unusable { path: disk.mount.clone(), cause })
                    }
                    _ => Ok(()),
                }
            }
        }
    }
}

/// A drive by its letter, any other mount by the volume's id.
fn target(mount: &Path, id: &str) -> String {
    let text = mount.to_string_lossy();
    let drive = text.trim_end_matches('\\');
    let is_drive = drive.len() == 2 && drive.ends_with(':');
    if is_drive { drive.to_owned() } else { id.to_owned() }
}

/// Where files of a mounted volume are reached: its id leads to its root, whatever it is mounted at.
fn root(id: &str, mount: &Path) -> PathBuf {
    if cfg!(windows) { PathBuf::from(id) } else { mount.to_owned() }
}
