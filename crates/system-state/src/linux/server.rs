//! Windows Server Backup, of which a machine with Linux has none: what it staged can be read here all the same.

use crate::linux::files::Files;
use crate::open_error::OpenError;
use crate::server_backup::Server;
use crate::server_backup::source::StagingFiles;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path};

/// The server that Windows Server Backup runs on: not this one.
///
/// # Errors
/// None here.
pub fn this_server() -> io::Result<Option<Server>> {
    Ok(None)
}

/// The files of a staging volume, and the names on the way from the source's top to its root.
pub fn staged_files(root: &Path) -> Result<StagingFiles, OpenError> {
    let unreadable = |cause| OpenError::Unreadable { path: root.to_owned(), cause };
    let root = root.canonicalize().map_err(unreadable)?;
    let names = root.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.as_bytes().to_vec()),
        _ => None,
    });
    let names = names.collect();
    Ok((Box::new(Files::open(vec![root], Vec::new())?), names))
}
