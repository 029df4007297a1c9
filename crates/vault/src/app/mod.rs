//! What the vault does, whoever asks: rules, order of steps, transactions. One file a noun.
//!
//! Knows nothing of HTTP and holds no SQL. Begin with [`points`]: the commit is what all else is for.

pub(crate) mod agents;
pub(crate) mod alerts;
pub(crate) mod approvals;
mod assertions;
pub(crate) mod audit;
pub(crate) mod certificates;
pub(crate) mod commands;
pub(crate) mod containers;
pub(crate) mod credentials;
#[cfg(test)]
mod domain_tests;
mod error;
pub(crate) mod expiry;
pub(crate) mod groups;
pub(crate) mod guards;
mod identity;
pub(crate) mod items;
pub(crate) mod jobs;
pub(crate) mod operations;
pub(crate) mod overdue;
pub(crate) mod pack_memory;
pub(crate) mod packages;
pub(crate) mod packs;
pub(crate) mod parts;
pub(crate) mod pins;
pub(crate) mod points;
pub(crate) mod policies;
pub(crate) mod previews;
pub(crate) mod principals;
#[cfg(test)]
mod process_tests;
pub(crate) mod quotas;
pub(crate) mod receipts;
pub(crate) mod recovery_points;
pub(crate) mod secret;
pub(crate) mod servers;
pub(crate) mod sessions;
pub(crate) mod slots;
mod space;
#[cfg(test)]
pub(crate) mod testing;
pub(crate) mod tokens;
mod tombstones;
pub(crate) mod vaults;

pub(crate) use error::Error;
pub use identity::IdentityError;

use crate::config::Config;
use crate::db::Database;
use crate::keys::VaultKey;
use crate::packages::Packages;
use crate::reserve::Reserve;
use pack_memory::PackMemory;
use parts::Assemblies;
use stateward_format::layout;
use stateward_model::{Clock, Random, Timestamp, VaultId};
use stateward_store::ByteStore;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// The running vault.
pub(crate) struct App {
    /// What the vault knows.
    pub(crate) database: Database,
    /// Space that is kept back for a full disk.
    pub(crate) reserve: Arc<Reserve>,
    /// What the vault keeps.
    pub(crate) store: Arc<dyn ByteStore>,
    /// The one clock.
    pub(crate) clock: Arc<dyn Clock>,
    /// The one random source.
    pub(crate) random: Arc<dyn Random>,
    /// Packages of the agent that are offered.
    pub(crate) packages: Packages,
    /// Signs receipts and credentials.
    pub(crate) key: VaultKey,
    /// Settings.
    pub(crate) config: Config,
    /// The private certificate authority, as PEM: part of vault credentials.
    pub(crate) ca_pem: String,
    /// Bounds the packs that are in memory.
    pub(crate) pack_memory: PackMemory,
    /// Packs that come in parts.
    pub(crate) assemblies: Assemblies,
    /// Whether it is to end: nobody is kept waiting then.
    pub(crate) is_stopping: AtomicBool,
}

impl App {
    /// The vault's time.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// An object's name in the whole store, from its name in its vault.
    fn object(vault: VaultId, name: &str) -> String {
        format!("{}{name}", layout::vault_root(vault))
    }
}
