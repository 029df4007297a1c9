//! Safe wrappers of Win32: files by their handles, access lists, processes, the console, registry, services, volumes.
//!
//! All `unsafe` of this house stands here, each block with the reason why it is sound. Nothing here decides anything: who
//! calls knows what is wanted, and gets the operating system's answer as it is. Where a call can answer with a success that
//! is none (as Wine does for access lists, streams and links), the caller reads back what it set.
//!
//! Begin with [`handle::Handle`]. What needs no Windows ([`descriptor`], [`raw_content`], [`time`]) is built, and
//! tested, everywhere.

pub mod descriptor;
pub mod raw_content;
pub mod records;
pub mod time;

#[cfg(windows)]
pub mod access;
#[cfg(windows)]
pub mod authorities;
#[cfg(windows)]
pub mod console;
#[cfg(windows)]
pub mod encrypted;
#[cfg(windows)]
pub mod event_log;
#[cfg(windows)]
pub mod handle;
#[cfg(windows)]
pub mod installer;
#[cfg(windows)]
pub mod job;
#[cfg(windows)]
pub mod libraries;
#[cfg(windows)]
pub mod metadata;
#[cfg(windows)]
pub mod pipe;
#[cfg(windows)]
pub mod privileges;
#[cfg(windows)]
pub mod process;
#[cfg(windows)]
pub mod registry;
#[cfg(windows)]
pub mod sealing;
#[cfg(windows)]
pub mod service;
#[cfg(windows)]
pub mod services;
#[cfg(windows)]
pub mod volume;
#[cfg(windows)]
pub mod volume_snapshots;
#[cfg(windows)]
pub mod volumes;
