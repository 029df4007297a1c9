//! What differs between operating systems: who may read a file, what a disk can take, what the machine is called, how a
//! program is told to stop.

#[cfg(not(unix))]
mod other;
#[cfg(unix)]
mod unix;

#[cfg(not(unix))]
use other as here;
#[cfg(unix)]
use unix as here;

pub(crate) use here::{
    create_private_file, create_private_folder, machine_name, set_space_aside, space, sync_folder,
};

/// What a file system can take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Space {
    /// Its size in bytes.
    pub(crate) total_bytes: u64,
    /// Bytes that this user may still write.
    pub(crate) bytes: u64,
    /// Files that can still be made, where the file system has a limit.
    pub(crate) files: Option<u64>,
}

/// Listens from now on for being asked to stop: SIGTERM or SIGINT, Ctrl-C elsewhere. The future waits for it.
///
/// # Errors
/// When the operating system does not let the program listen for it.
pub fn stop_requested() -> std::io::Result<impl Future<Output = ()>> {
    here::stop_requested()
}
