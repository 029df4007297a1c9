//! What System State is, and how it is read and put back; files and folders as a plain source beside it.
//!
//! Neither bytes at rest nor keys are known here: this room gives the engine's [`Source`](stateward_engine::Source)
//! something to read and its [`Target`](stateward_engine::Target) somewhere to write.
//!
//! Invariants: no link is followed on the way to anything but what a person named; each path belongs to one component
//! or to none; nothing outside of a target's folder is ever touched; what is not read or not set is told.
//!
//! Begin with [`rules`] (what belongs to which component, and what is left out), then [`SystemState`], [`Files`] and
//! [`FolderTarget`]. What is Linux' own stands in `linux/`, what is Windows' in `windows/`. [`server_backup`] drives
//! Windows Server Backup, which makes Windows' System State; it calls nothing of Windows itself, so that it stands here.

pub mod components;
pub mod conflicts;
mod exclusion;
mod glob;
mod laid_target;
mod merging;
mod open_error;
pub mod rules;
pub mod snapshots;
mod source_moment;
mod without_access;

#[cfg(target_os = "linux")]
mod linux;
#[cfg_attr(windows, allow(dead_code, reason = "rules by pattern and owned paths are for System State"))]
mod selection;
pub mod server_backup;
#[cfg(windows)]
mod windows;

pub use components::{COMPONENTS, ComponentDescription, ComponentInfo};
pub use conflicts::{ConflictCounts, ConflictRule, Laying};
pub use exclusion::{Exclusion, ExclusionError};
pub use glob::Pattern;
pub use laid_target::LaidTarget;
pub use open_error::{OpenError, TargetOpenError};
pub use rules::{EVERYTHING_ELSE, LeftOut};
pub use without_access::WithoutAccess;

#[cfg(target_os = "linux")]
use linux::own_access::own_access;
#[cfg(windows)]
use windows::own_access;

#[cfg(target_os = "linux")]
pub use linux::{
    files::{FILES_COMPONENT, Files},
    prechecks::{prechecks, verify_packages},
    server::{staged_files, this_server},
    snapshots::remove_snapshot,
    system_state::SystemState,
    target::{FolderTarget, merge::MergeTarget},
};
#[cfg(windows)]
pub use windows::{
    FILES_COMPONENT, Files, FolderTarget, MergeTarget, SystemState, operating_system, point_path, prechecks,
    remove_snapshot, staged_files, this_server, verify_packages,
};

/// What System State leaves out by its rules, and why. [`EVERYTHING_ELSE`] holds beside them.
pub fn left_out() -> &'static [LeftOut] {
    rules::LEFT_OUT
}
