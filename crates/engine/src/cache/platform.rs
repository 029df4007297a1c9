//! What keeps the cache folder to its owner on each platform.

#[cfg(unix)]
#[path = "platform/unix.rs"]
mod present;
#[cfg(not(unix))]
#[path = "platform/other.rs"]
mod present;

pub(super) use present::{owner_only_file, owner_only_folder};
