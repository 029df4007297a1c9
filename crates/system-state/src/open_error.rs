//! Why a source cannot be opened.

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
}
