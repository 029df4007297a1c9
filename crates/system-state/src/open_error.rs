//! Why a source or a target cannot be opened.

use stateward_model::ComponentName;
use std::io;
use std::path::PathBuf;

/// What was asked for cannot be protected.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Paths must be absolute.
    #[error("`{0}` isn't absolute: give the whole path from `/`")]
    NotAbsolute(PathBuf),
    /// Nothing was named.
    #[error("There is nothing to protect: no path was given")]
    NothingGiven,
    /// What was to be left out isn't part of what was chosen.
    #[error("`{0}` lies in nothing that is protected: leave out what lies below one of the chosen paths")]
    LeavesNothingOut(PathBuf),
    /// It is not there, or may not be read.
    #[error("`{path}` can't be read: {cause}")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// The operating system's reason.
        cause: io::Error,
    },
    /// System State has no such part.
    #[error("System State has no component `{0}`")]
    NoSuchComponent(ComponentName),
    /// No part of this program does it on this operating system.
    #[error("{0} isn't built for this operating system yet")]
    NotBuilt(&'static str),
}

/// Why a folder cannot be restored into.
#[derive(Debug, thiserror::Error)]
pub enum TargetOpenError {
    /// Something is in it, so it is left alone.
    #[error("`{path}` isn't empty: a restore goes into a new or an empty folder")]
    NotEmpty {
        /// The target.
        path: PathBuf,
    },
    /// The restore of another recovery point was begun in it and not finished.
    #[error(
        "`{path}` holds an unfinished restore of another recovery point: choose a new or an empty folder"
    )]
    OtherPoint {
        /// The target.
        path: PathBuf,
    },
    /// Another process restores into it now.
    #[error("Another restore into `{path}` is running")]
    InUse {
        /// The target.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("`{path}` can't be restored into: {cause}")]
    Unusable {
        /// The target.
        path: PathBuf,
        /// The reason.
        cause: io::Error,
    },
}
