//! The cache folder: what makes the next run fast and may be lost at any time.
//!
//! It holds the pack index and a copy of each item's newest metadata streams, all rebuildable from the vault. It is for
//! its owner only, because names stand in it unsealed. Secrets and anything that must not be lost never lie here.

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

/// An open cache folder. One process at a time uses it; the agent's lock on its home sees to that.
#[derive(Debug, Clone)]
pub struct CacheFolder {
    path: PathBuf,
}

impl CacheFolder {
    /// Opens the folder, making it (for its owner only) if it is not there.
    pub fn open(path: &Path) -> Result<Self, CacheError> {
        let _ = &path;
        unimplemented!()
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}
