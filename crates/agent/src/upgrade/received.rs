//! A package on its way into a file: under a name of its own until it was proved to be what it is said to be.

use super::UpgradeError;
use crate::{AgentError, platform};
use stateward_crypto::FileHash;
use stateward_model::PackageStatement;
use std::fs::File;
use std::io::{self, Read as _, Seek as _};
use std::path::{Path, PathBuf};

/// How much is read at once.
const PIECE_BYTES: usize = 256 << 10;

/// A file that is being received. When this is dropped before it was proved, nothing is left of it.
#[derive(Debug)]
pub struct Received {
    path: PathBuf,
    staged: PathBuf,
    file: File,
}

impl Received {
    /// Into a file that will be at `path`; what an interrupted run left beside it goes. A link that somebody put there is not
    /// followed.
    pub fn begin(path: PathBuf) -> io::Result<Self> {
        let mut staged = path.clone().into_os_string();
        staged.push(".part");
        let staged = PathBuf::from(staged);
        match std::fs::remove_file(&staged) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(cause),
            _ => {}
        }
        let file = platform::make_private_options().read(true).create_new(true).open(&staged)?;
        Ok(Self { path, staged, file })
    }

    /// The file to write to.
    pub fn file(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    /// Proves size and hash, and gives the file its name; gives that. Nothing is overwritten.
    pub fn prove(mut self, expected: &PackageStatement) -> Result<PathBuf, AgentError> {
        let unwritable = |path: &Path, cause| AgentError::OutputUnwritable { path: path.to_owned(), cause };
        let damaged = |why: String| UpgradeError::Damaged { file: expected.file.clone(), why };
        let (size_bytes, hash) = self.measured().map_err(|cause| unwritable(&self.path, cause))?;
        if size_bytes != expected.size_bytes {
            let expected = expected.size_bytes;
            return Err(damaged(format!("it has {size_bytes} bytes, and should have {expected}")).into());
        }
        if hash != expected.sha256 {
            return Err(damaged("its checksum (SHA-256) is another".to_owned()).into());
        }
        if self.path.exists() {
            return Err(AgentError::OutputExists { path: self.path.clone() });
        }
        std::fs::rename(&self.staged, &self.path).map_err(|cause| unwritable(&self.path, cause))?;
        Ok(self.path.clone())
    }

    /// The size and the hash of what came, once it is durable.
    fn measured(&mut self) -> io::Result<(u64, String)> {
        self.file.sync_all()?;
        self.file.rewind()?;
        let (mut hash, mut size_bytes) = (FileHash::default(), 0u64);
        let mut piece = vec![0; PIECE_BYTES];
        loop {
            match self.file.read(&mut piece)? {
                0 => return Ok((size_bytes, hash.finish())),
                length => {
                    hash.update(&piece[..length]);
                    size_bytes += length as u64;
                }
            }
        }
    }
}

impl Drop for Received {
    fn drop(&mut self) {
        match std::fs::remove_file(&self.staged) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(%cause, "what was left of a download can't be removed");
            }
            _ => {}
        }
    }
}
