//! Elsewhere: what the standard library offers. Files are as private as the folder that the owner chose.

use super::Space;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

/// Makes a folder.
pub(crate) fn create_private_folder(path: &Path) -> io::Result<()> {
    std::fs::create_dir_all(path)
}

/// Makes a new file.
pub(crate) fn create_private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

/// A folder can't be synced here; the file system's journal must do.
pub(crate) fn sync_folder(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// Not told here.
pub(crate) fn space(_folder: &Path) -> io::Result<Space> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Takes so many bytes of the disk for a file.
pub(crate) fn set_space_aside(file: &File, bytes: u64) -> io::Result<()> {
    file.set_len(bytes)
}

/// What the machine calls itself.
pub(crate) fn machine_name() -> Option<String> {
    std::env::var("COMPUTERNAME").ok()
}

/// Listens for Ctrl-C. What fails while it waits ends the program too.
pub(crate) fn stop_requested() -> io::Result<impl Future<Output = ()>> {
    Ok(async { drop(tokio::signal::ctrl_c().await) })
}
