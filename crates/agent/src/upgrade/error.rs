//! Why the agent was not upgraded.

use crate::codes::Code;
use crate::disk;
use stateward_model::{AgentVersion, PackageFile, PackageKind};
use std::io;
use std::path::{Path, PathBuf};

/// Why the agent was not upgraded.
#[derive(Debug, thiserror::Error)]
pub enum UpgradeError {
    /// Nobody is trusted.
    #[error("No release key is trusted on this server, so that no package can be believed")]
    NoReleaseKey,
    /// A file of release keys.
    #[error("The release keys in `{}` can't be used: {why}", path.display())]
    KeysUnusable {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// What is installed can't be told.
    #[error("It can't be told which package of the agent is installed: {0}")]
    PackagesUnknown(io::Error),
    /// The agent came in no package.
    #[error("The agent was not installed from a package, and so can't be upgraded by one")]
    NotPackaged,
    /// The version that was asked for is not offered.
    #[error("The vault offers no {kind} package of version {version} for {architecture}")]
    NotOffered {
        /// Which.
        version: AgentVersion,
        /// What installs packages here.
        kind: PackageKind,
        /// For which processors.
        architecture: String,
    },
    /// What is offered is older.
    #[error("Version {asked} is older than {installed}, which is installed")]
    Downgrade {
        /// What is installed.
        installed: AgentVersion,
        /// What was asked for.
        asked: AgentVersion,
    },
    /// Nobody who is trusted signed it.
    #[error("The package `{file}` is not installed: {why}")]
    NotTrusted {
        /// Which.
        file: PackageFile,
        /// What is wrong with its signature.
        why: String,
    },
    /// What came is not what was signed.
    #[error("What came as the package `{file}` is not it: {why}")]
    Damaged {
        /// Which.
        file: PackageFile,
        /// What differs.
        why: String,
    },
    /// A folder or file of the home.
    #[error("`{}` can't be written: {cause}", path.display())]
    Unwritable {
        /// Which.
        path: PathBuf,
        /// The operating system's reason.
        cause: io::Error,
    },
    /// It can't be installed.
    #[error("The package `{file}` was not installed: {why}")]
    InstallFailed {
        /// Which.
        file: PackageFile,
        /// What the program that installs packages said.
        why: String,
    },
}

impl UpgradeError {
    pub(super) fn folder(path: &Path, cause: io::Error) -> Self {
        Self::Unwritable { path: path.to_owned(), cause }
    }

    /// Which failure it is.
    pub fn code(&self) -> Code {
        match self {
            Self::NoReleaseKey | Self::KeysUnusable { .. } => Code::NoReleaseKey,
            Self::PackagesUnknown(cause) if cause.kind() == io::ErrorKind::Unsupported => Code::Unsupported,
            Self::PackagesUnknown(_) | Self::NotPackaged => Code::NotPackaged,
            Self::NotOffered { .. } => Code::PackageNotOffered,
            Self::Downgrade { .. } => Code::DowngradeRefused,
            Self::NotTrusted { .. } => Code::PackageNotTrusted,
            Self::Damaged { .. } => Code::PackageDamaged,
            Self::Unwritable { cause, .. } => disk::code_of(cause, Code::HomeFull, Code::HomeUnusable),
            Self::InstallFailed { .. } => Code::InstallFailed,
        }
    }
}
