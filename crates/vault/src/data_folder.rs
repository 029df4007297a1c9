//! The vault's data folder: which files there are, and the lock that lets one process serve it.
//!
//! ```text
//! vault.json      settings; where it is, there is a vault. The URL of a database may be in it, with a password
//! vault.db        what the vault knows (and its -wal, -shm), unless that is in PostgreSQL
//! signing.key     the vault's signing key
//! tls/ca.pem      the private certificate authority: what clients trust
//! tls/ca.key      its key
//! tls/server.pem  the server's certificate and key
//! store/          what the vault keeps
//! packages/       packages of the agent that it offers ([`crate::packages`])
//! reserve/        space that is kept back for a full disk ([`crate::reserve`])
//! lock            held while the vault is served
//! making          there while `init` makes the vault, and after it was stopped: then nothing in the folder is of use
//! ```

use crate::config::Config;
use crate::platform;
use crate::reserve::Reserve;
use std::fs::{File, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The mark of a folder in which a vault is being made.
const MAKING: &str = "making";

/// Why a data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataFolderError {
    /// There is no vault in it.
    #[error("There is no vault in the folder `{0}`; make one with `stateward-vault init --data {0}`")]
    NoVault(String),
    /// There is a vault in it already.
    #[error("There is a vault in the folder `{0}` already; serve it with `stateward-vault serve --data {0}`")]
    VaultExists(String),
    /// It holds something else.
    #[error("The folder `{0}` is not empty and holds no whole vault; choose another one, or empty it")]
    NotEmpty(String),
    /// Another process has it.
    #[error("Another process uses the vault in the folder `{0}`; stop it first")]
    Locked(String),
    /// A file cannot be read or written.
    #[error("Can't use `{path}`: {source}")]
    Io {
        /// Which.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// A file holds what it should not.
    #[error("The file `{path}` can't be used: {why}")]
    Unreadable {
        /// Which.
        path: String,
        /// What is wrong with it.
        why: String,
    },
}

/// A data folder that this process has for itself, or looks into beside the one that serves it.
#[derive(Debug)]
pub(crate) struct DataFolder {
    root: PathBuf,
    reserve: Arc<Reserve>,
    /// Held until this is dropped; `None` beside another process.
    lock: Option<File>,
}

impl DataFolder {
    /// Makes the folder for a new vault and takes it, or one in which making a vault was not finished.
    /// [`Self::made`] ends it.
    pub(crate) fn create(root: &Path) -> Result<Self, DataFolderError> {
        let name = root.display().to_string();
        let is_half_made = is_half_made(root);
        if !is_half_made && root.join("vault.json").exists() {
            return Err(DataFolderError::VaultExists(name));
        }
        platform::create_private_folder(root).map_err(|error| at(root, error))?;
        let mut entries = std::fs::read_dir(root).map_err(|error| at(root, error))?;
        if !is_half_made && entries.next().is_some() {
            return Err(DataFolderError::NotEmpty(name));
        }
        let root = std::path::absolute(root).map_err(|error| at(root, error))?;
        // Before anything else, so that whatever stops this can be told from a vault that has lost something.
        let making = root.join(MAKING);
        File::create(&making).map_err(|error| at(&making, error))?;
        let folder = Self { lock: Some(lock(&root)?), reserve: Arc::new(Reserve::of(&root)), root };
        folder.remove_all().map_err(|error| at(&folder.root, error))?;
        for inner in ["tls", "store"] {
            let path = folder.root.join(inner);
            platform::create_private_folder(&path).map_err(|error| at(&path, error))?;
        }
        Ok(folder)
    }

    /// The vault that was being made is whole, durably.
    pub(crate) fn made(&self) -> Result<(), DataFolderError> {
        let making = self.root.join(MAKING);
        std::fs::remove_file(&making)
            .and_then(|()| platform::sync_folder(&self.root))
            .map_err(|error| at(&making, error))
    }

    /// Leaves nothing of a vault that could not be made, so that it can be made again. What can't be removed now is
    /// known by its mark then.
    pub(crate) fn unmake(&self) {
        let removed = self.remove_all().and_then(|()| {
            std::fs::remove_file(self.root.join("lock"))?;
            std::fs::remove_file(self.root.join(MAKING))
        });
        if let Err(error) = removed {
            tracing::warn!(folder = %self.root.display(), %error, "what was half made can't be removed");
        }
    }

    fn remove_all(&self) -> io::Result<()> {
        for entry in std::fs::read_dir(&self.root)? {
            let entry = entry?;
            match entry.file_name().to_str() {
                Some("lock" | MAKING) => {}
                _ if entry.file_type()?.is_dir() => std::fs::remove_dir_all(entry.path())?,
                _ => std::fs::remove_file(entry.path())?,
            }
        }
        Ok(())
    }

    /// Takes the folder of a vault that is there.
    pub(crate) fn open(root: &Path) -> Result<Self, DataFolderError> {
        let root = find(root)?;
        let folder = Self { lock: Some(lock(&root)?), reserve: Arc::new(Reserve::of(&root)), root };
        // Some of what follows writes: the database cannot be opened without.
        folder.reserve.make_room();
        Ok(folder)
    }

    /// Opens the folder of a vault that is there, whether another process serves it or not.
    pub(crate) fn beside(root: &Path) -> Result<Self, DataFolderError> {
        let root = find(root)?;
        Ok(Self { lock: None, reserve: Arc::new(Reserve::of(&root)), root })
    }

    /// Whether this process has the folder for itself.
    pub(crate) fn is_taken(&self) -> bool {
        self.lock.is_some()
    }

    /// The folder.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The space that is kept back in it.
    pub(crate) fn reserve(&self) -> Arc<Reserve> {
        Arc::clone(&self.reserve)
    }

    /// The database.
    pub(crate) fn database(&self) -> PathBuf {
        self.root.join("vault.db")
    }

    /// The folder of the byte store.
    pub(crate) fn store(&self) -> PathBuf {
        self.root.join("store")
    }

    /// The settings.
    pub(crate) fn config(&self) -> Result<Config, DataFolderError> {
        let text = self.read_text("vault.json")?;
        Config::parse(&text).map_err(|why| self.unreadable("vault.json", why))
    }

    /// A file's bytes; `name` is relative to the folder.
    pub(crate) fn read(&self, name: &str) -> Result<Vec<u8>, DataFolderError> {
        let path = self.root.join(name);
        std::fs::read(&path).map_err(|error| at(&path, error))
    }

    /// A file's text.
    pub(crate) fn read_text(&self, name: &str) -> Result<String, DataFolderError> {
        String::from_utf8(self.read(name)?).map_err(|_| self.unreadable(name, "it is not UTF-8".to_owned()))
    }

    /// Puts a file that only its owner may read into its place, whole and durable.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), DataFolderError> {
        let path = self.root.join(name);
        let staged = self.root.join(format!("{name}.new"));
        let write = || {
            match std::fs::remove_file(&staged) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let mut file = platform::create_private_file(&staged)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            std::fs::rename(&staged, &path)?;
            platform::sync_folder(path.parent().unwrap_or(&self.root))
        };
        write().map_err(|error| at(&path, error))
    }

    /// A file is not what it should be.
    pub(crate) fn unreadable(&self, name: &str, why: String) -> DataFolderError {
        DataFolderError::Unreadable { path: self.root.join(name).display().to_string(), why }
    }
}

/// The absolute path of a folder that a vault is in.
fn find(root: &Path) -> Result<PathBuf, DataFolderError> {
    let root = std::path::absolute(root).map_err(|error| at(root, error))?;
    match root.join("vault.json").exists() && !is_half_made(&root) {
        true => Ok(root),
        false => Err(DataFolderError::NoVault(root.display().to_string())),
    }
}

/// Whether making a vault was begun here and not finished. Where a vault keeps something, it was.
fn is_half_made(root: &Path) -> bool {
    root.join(MAKING).exists() && !root.join("store/vaults").exists()
}

fn at(path: &Path, source: io::Error) -> DataFolderError {
    DataFolderError::Io { path: path.display().to_string(), source }
}

fn lock(root: &Path) -> Result<File, DataFolderError> {
    let path = root.join("lock");
    let file = match platform::create_private_file(&path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => File::options().write(true).open(&path),
        other => other,
    };
    let file = file.map_err(|error| at(&path, error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(DataFolderError::Locked(root.display().to_string())),
        Err(TryLockError::Error(error)) => Err(at(&path, error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_taken_by_one_process_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("vault");
        let first = DataFolder::create(&root).unwrap();
        first.write("vault.json", b"{}").unwrap();
        first.made().unwrap();
        assert!(matches!(DataFolder::open(&root), Err(DataFolderError::Locked(_))));
        assert!(!DataFolder::beside(&root).unwrap().is_taken());
        drop(first);
        assert!(DataFolder::open(&root).is_ok());
        assert!(matches!(DataFolder::create(&root), Err(DataFolderError::VaultExists(_))));
    }

    #[test]
    fn a_folder_with_other_things_in_it_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("letter"), b"dear").unwrap();
        assert!(matches!(DataFolder::create(folder.path()), Err(DataFolderError::NotEmpty(_))));
        assert!(matches!(DataFolder::open(folder.path()), Err(DataFolderError::NoVault(_))));
    }

    #[test]
    fn a_vault_whose_making_was_stopped_can_be_made_again_and_one_that_keeps_something_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("vault");
        let first = DataFolder::create(&root).unwrap();
        first.write("vault.json", b"{}").unwrap();
        drop(first);
        assert!(matches!(DataFolder::open(&root), Err(DataFolderError::NoVault(_))));
        let second = DataFolder::create(&root).unwrap();
        assert!(!root.join("vault.json").exists());
        second.write("vault.json", b"{}").unwrap();
        second.made().unwrap();
        drop(second);
        assert!(DataFolder::open(&root).is_ok());
        assert!(matches!(DataFolder::create(&root), Err(DataFolderError::VaultExists(_))));
        // However the mark came there.
        std::fs::create_dir(root.join("store/vaults")).unwrap();
        std::fs::write(root.join(MAKING), "").unwrap();
        assert!(DataFolder::open(&root).is_ok());
        assert!(matches!(DataFolder::create(&root), Err(DataFolderError::VaultExists(_))));
        std::fs::remove_file(root.join("vault.json")).unwrap();
        assert!(matches!(DataFolder::create(&root), Err(DataFolderError::NotEmpty(_))));
    }

    #[test]
    fn what_could_not_be_made_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::create(folder.path()).unwrap();
        data.write("signing.key", b"key").unwrap();
        data.unmake();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_file_is_replaced_whole_even_after_a_crash() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::create(&folder.path().join("vault")).unwrap();
        data.write("a", b"one").unwrap();
        std::fs::write(data.root().join("a.new"), b"half").unwrap();
        data.write("a", b"two").unwrap();
        assert_eq!(data.read("a").unwrap(), b"two");
        assert!(!data.root().join("a.new").exists());
    }
}
