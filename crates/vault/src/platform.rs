//! What differs between operating systems: who may read a file, what the machine is called, how a program is told to
//! stop.

#[cfg(not(unix))]
mod other;
#[cfg(unix)]
mod unix;

#[cfg(not(unix))]
use other as here;
#[cfg(unix)]
use unix as here;

pub(crate) use here::{create_private_file, create_private_folder, machine_name, sync_folder};

/// Listens from now on for being asked to stop: SIGTERM or SIGINT, Ctrl-C elsewhere. The future waits for it.
///
/// # Errors
/// When the operating system does not let the program listen for it.
pub fn stop_requested() -> std::io::Result<impl Future<Output = ()>> {
    here::stop_requested()
}
