//! The agent's home: a folder for its owner only, with everything that must not be lost.
//!
//! | name | holds |
//! |---|---|
//! | `lock` | held while a job runs; the number of the process that holds it |
//! | `settings.lock` | held for a moment while settings are changed |
//! | `registration.json` | which vault and which server ([`crate::registration`]); written last of a registration |
//! | `keys/` | login key, and for each epoch data key and signing key ([`crate::keys`]); the proxy ([`crate::proxy`]); the webhook ([`crate::notifications`]) |
//! | `items.json` | what is protected ([`crate::items`]) |
//! | `settings.json` | what holds for all jobs, if anything was set ([`crate::settings`]) |
//! | `head.json` | the newest recovery point that was acknowledged ([`crate::head`]) |
//! | `offered.json` | recovery points that were offered to the vault, until it is known what became of them |
//! | `session.json` | the session that is open at the vault, to end it after a crash ([`crate::session`]) |
//! | `snapshots.json` | the snapshots of the source that a backup made ([`crate::snapshots`]) |
//! | `snapshots/` | where they are read; empty between backups |
//! | `staging.json` | where a System State of Windows is staged, as long as it is ([`crate::server_backup`]) |
//! | `staging/` | the virtual disk that it is staged on, as long as it is |
//! | `verify.json` | when each pack was last verified |
//! | `proofs.json` | what was proven to come back, and when ([`crate::proofs`]) |
//! | `trial/` | what is restored on trial, while it is |
//! | `points.json` | what recovery points hold, to list them quickly; may be lost |
//! | `jobs/` | each job's record, warnings and log ([`crate::jobs`]) |
//! | `notifications/` | what the webhook is still to hear ([`crate::notifications`]) |
//! | `packages/` | a package of the agent while it is downloaded and installed ([`crate::upgrade`]) |
//! | `logs/` | the agent's log ([`crate::logs`]) |
//! | `admin.json` | an administrator's sign-in, if `stateward login` was run ([`crate::admin`]) |
//! | `cache/` | the cache folder, unless another was chosen |

use crate::document::{self, Document};
use crate::lock::{self, HeldLock};
use crate::{AgentError, disk, platform};
use std::io;
use std::path::{Path, PathBuf};

/// An agent's home. Making one of these touches nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    path: PathBuf,
}

impl Home {
    /// The home at `path`, or at the usual place of this user.
    pub fn at(path: Option<&Path>) -> Result<Self, AgentError> {
        let path = match path {
            Some(path) => path.to_owned(),
            None => platform::default_home().ok_or(AgentError::NoDefaultHome)?,
        };
        let path = std::path::absolute(&path).map_err(|cause| AgentError::HomeUnusable { path, cause })?;
        Ok(Self { path })
    }

    /// Where it is, from the root.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the folder is there.
    pub fn exists(&self) -> bool {
        self.path.is_dir()
    }

    /// Makes the folder and those in it, for the owner only; takes the rights of others away if they have any.
    pub fn prepare(&self) -> Result<(), AgentError> {
        let folders = [self.path.clone(), self.keys(), self.jobs(), self.logs()];
        folders.iter().try_for_each(|folder| {
            platform::make_private_folder(folder)
                .and_then(|()| platform::restrict_folder(folder))
                .map_err(|cause| self.unusable(folder, cause))
        })
    }

    /// Takes the lock that a job holds while it runs. [`AgentError::Busy`] tells who has it.
    pub fn lock_for_job(&self) -> Result<HeldLock, AgentError> {
        let path = self.path.join("lock");
        lock::acquire(&path)
            .map_err(|cause| self.unusable(&path, cause))?
            .map_err(|holder| AgentError::Busy { holder })
    }

    /// Takes the lock that the one process holds that serves this home.
    pub fn lock_for_service(&self) -> Result<HeldLock, AgentError> {
        let path = self.path.join("agent.lock");
        lock::acquire(&path)
            .map_err(|cause| self.unusable(&path, cause))?
            .map_err(|holder| AgentError::ServiceRuns { holder })
    }

    /// Whether a process serves this home: does what is planned and what administrators ask for.
    pub fn is_served(&self) -> bool {
        self.exists() && matches!(self.lock_for_service(), Err(AgentError::ServiceRuns { .. }))
    }

    /// Waits for the lock under which settings are changed; nobody holds it for longer than a moment.
    pub fn lock_settings(&self) -> Result<HeldLock, AgentError> {
        let path = self.path.join("settings.lock");
        lock::wait(&path).map_err(|cause| self.unusable(&path, cause))
    }

    /// Reads one of the home's files.
    pub fn read<T: Document>(&self, name: &str) -> Result<Option<T>, AgentError> {
        Ok(document::read(&self.path.join(name))?)
    }

    /// Writes one of the home's files, durably.
    pub fn write<T: Document>(&self, name: &str, content: &T) -> Result<(), AgentError> {
        Ok(document::write(&self.path.join(name), content)?)
    }

    /// Sets space aside for what will be written last to one of the home's files.
    pub fn set_aside<T: Document>(&self, name: &str, content: &T) -> Result<(), AgentError> {
        Ok(document::set_aside(&self.path.join(name), content)?)
    }

    /// Writes one of the home's files, durably; on a full disk into the space that was set aside for it.
    pub fn write_last<T: Document>(&self, name: &str, content: &T) -> Result<(), AgentError> {
        Ok(document::write_last(&self.path.join(name), content)?)
    }

    /// Removes one of the home's files, if it is there, without waiting for the disk.
    pub fn remove(&self, name: &str) -> Result<(), AgentError> {
        let path = self.path.join(name);
        match std::fs::remove_file(&path) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(self.unusable(&path, cause)),
            _ => Ok(()),
        }
    }

    /// The folder of keys.
    pub fn keys(&self) -> PathBuf {
        self.path.join("keys")
    }

    /// The folder of jobs.
    pub fn jobs(&self) -> PathBuf {
        self.path.join("jobs")
    }

    /// The folder of logs.
    pub fn logs(&self) -> PathBuf {
        self.path.join("logs")
    }

    /// The folder that packages of the agent are downloaded to; there while one is.
    pub fn packages(&self) -> PathBuf {
        self.path.join("packages")
    }

    /// The folder in which snapshots of the source are read.
    pub fn snapshots(&self) -> PathBuf {
        self.path.join("snapshots")
    }

    /// The folder of the virtual disk on which a System State of Windows is staged, unless another place was chosen.
    pub fn staging(&self) -> PathBuf {
        self.path.join("staging")
    }

    /// The folder in which trial restores make theirs, unless another was chosen.
    pub fn trials(&self) -> PathBuf {
        self.path.join("trial")
    }

    /// The cache folder, unless another was chosen at registration.
    pub fn default_cache(&self) -> PathBuf {
        self.path.join("cache")
    }

    pub(crate) fn unusable(&self, path: &Path, cause: io::Error) -> AgentError {
        AgentError::HomeUnusable { path: path.to_owned(), cause: disk::explained(path, cause) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holder_of_the_job_lock_is_told_who_has_it() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(Some(&folder.path().join("deep/home"))).unwrap();
        home.prepare().unwrap();
        let held = home.lock_for_job().unwrap();
        let refused = home.lock_for_job().unwrap_err();
        assert!(refused.to_string().contains(&std::process::id().to_string()), "{refused}");
        drop(held);
        home.lock_for_job().unwrap();
    }
}
