//! Linux: walking trees by descriptor, what files do not say, and laying a recovery point into a folder.

mod command;
mod counting;
mod device;
mod extended_attributes;
mod file_systems;
pub mod files;
mod folder;
mod generated;
mod listing;
mod moments;
mod mounts;
mod node;
pub mod own_access;
mod packages;
pub mod prechecks;
mod processes;
#[cfg(test)]
mod recording;
mod rpm;
mod scratch;
pub mod server;
pub mod snapshots;
mod stat;
pub mod system_state;
pub mod target;
mod tree;
mod vault_store;
mod walk;
