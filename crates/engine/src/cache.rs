//! The cache folder: what makes the next run fast and may be lost at any time.
//!
//! | file | holds |
//! |---|---|
//! | `packs` | the tables of all packs that the vault has acknowledged: [`packs`] |
//! | `items/<item>/<point>/…` | the newest recovery point's records, for the unchanged rule: [`parent`] |
//!
//! All of it can be rebuilt from the vault, and is, when it is missing or damaged. It is for its owner only, because
//! names stand in it unsealed. Secrets and anything that must not be lost never lie here.

pub(crate) mod packs;
pub(crate) mod parent;
mod platform;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The cache folder cannot be used. What is merely damaged in it is thrown away and made again, without an error.
#[derive(Debug, thiserror::Error)]
#[error("The cache folder can't be used: `{path}`: {cause}")]
pub struct CacheError {
    /// Where.
    pub path: String,
    /// The operating system's reason.
    pub cause: io::Error,
}

impl CacheError {
    pub(crate) fn at(path: &Path) -> impl Fn(io::Error) -> Self + use<> {
        let path = path.display().to_string();
        move |cause| Self { path: path.clone(), cause }
    }

    /// Whether a file can be read and is not what it should be: then it is made again, and nothing ends.
    pub(crate) fn is_damage(&self) -> bool {
        self.cause.kind() == io::ErrorKind::InvalidData
    }
}

/// An open cache folder. One process at a time uses it; the agent's lock on its home sees to that.
#[derive(Debug, Clone)]
pub struct CacheFolder {
    path: PathBuf,
    is_read_only: bool,
}

impl CacheFolder {
    /// What lies in a cache folder: nothing else in it is ours.
    pub const ENTRIES: [&str; 2] = ["packs", "items"];

    /// Opens the folder, making it (for its owner only) if it is not there.
    pub fn open(path: &Path) -> Result<Self, CacheError> {
        make_private_folder(path).map_err(CacheError::at(path))?;
        Ok(Self { path: path.to_owned(), is_read_only: false })
    }

    /// The folder as who only reads it sees it, while another process may use it.
    pub fn to_read(path: &Path) -> Self {
        Self { path: path.to_owned(), is_read_only: true }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Makes a folder and what leads to it; the last part for its owner only.
pub(crate) fn make_private_folder(path: &Path) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let mut builder = fs::DirBuilder::new();
    platform::owner_only_folder(&mut builder);
    match builder.create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        done => done,
    }
}
