//! What differs between operating systems: private files and folders, processes, signals.
//!
//! Every function has the same name and meaning in each platform's file; the rest of the room knows no difference.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(windows)]
mod windows;

#[cfg(target_os = "linux")]
use linux as here;
#[cfg(windows)]
use windows as here;

pub use here::{
    Group, Listener, ManagedProcess, absolute_in_point, ask, begin_own_group, begin_own_session,
    close_to_others, default_home, default_hooks, default_release_keys, file_system, free_space, host_name,
    install_package, install_service, installed_package, is_being_written, is_disk_failure,
    is_open_to_others, is_readable_by_others, keep_to_system_libraries, known_names, lower_priority,
    make_bare, make_private_folder, make_private_options, move_output_to, nowhere, operating_system,
    operating_system_release, original_root, path_bytes, path_from_bytes, point_path, process,
    restrict_folder, seal, service_state, set_space_aside, signals, start_service, stop_service, sync_folder,
    this_process, trusted_authorities, uninstall_service, unseal, why_not_to_run, why_not_to_trust,
    write_system_log,
};

use serde::{Deserialize, Serialize};
use stateward_model::{AgentVersion, PackageKind};

/// A process, told apart from a later one that was given the same number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessIdentity {
    /// Its number.
    pub pid: u32,
    /// When it started, as the operating system counts it.
    pub started: u64,
    /// Which start of the machine that counts from.
    pub boot: String,
}

/// What kind of file system something lies on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileSystem {
    /// What it is called.
    pub name: &'static str,
    /// Whether its bytes travel to another machine.
    pub is_network: bool,
}

/// What a file system can still take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FreeSpace {
    /// Bytes that this user may write.
    pub bytes: u64,
    /// Files that can be made, where the file system has a limit.
    pub files: Option<u64>,
}

/// The package that the agent was installed from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstalledPackage {
    /// What installed it.
    pub kind: PackageKind,
    /// Its version.
    pub version: AgentVersion,
    /// For which processors, in the words of its kind.
    pub architecture: String,
}

/// What is known of a text that the system's log took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogAnswer {
    /// Nothing speaks against it.
    Told,
    /// The log doesn't show it so far; it may later.
    NotShownYet,
}

/// What a person or the system may tell a running program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Stop what you do (Ctrl-C, SIGTERM).
    Stop,
    /// The terminal is gone.
    TerminalClosed,
}
