//! A server that is registered with a vault in memory.

use super::MemoryVault;
use crate::{FakeClock, SeededRandom};
use stateward_crypto::{DataKey, EpochKeys, SigningKey};
use stateward_engine::{Cancellation, Progress, ServerTrust, Tools};
use stateward_model::{Clock as _, ServerId, SystemClock, VaultId};
use std::sync::Arc;

/// A server, its keys and its vault. Its clock is an hour ahead of the kernel's, so that what did not change in a real folder is taken
/// for unchanged at once.
pub struct RegisteredServer {
    /// Its clock and the vault's.
    pub clock: Arc<FakeClock>,
    /// Its chance and the vault's.
    pub random: Arc<SeededRandom>,
    /// Its vault.
    pub vault: MemoryVault,
    /// Whom it trusts.
    pub trust: ServerTrust,
    /// What it signs with.
    pub signing_key: SigningKey,
}

impl RegisteredServer {
    /// A server that has nothing in its vault yet.
    pub fn new(seed: u64) -> Self {
        let (clock, random) = (Arc::new(FakeClock::at(SystemClock.now())), Arc::new(SeededRandom::new(seed)));
        clock.advance_seconds(3600);
        let (vault_id, server) = (VaultId::new(&*random), ServerId::new(&*random));
        let signing_key = SigningKey::generate(&*random);
        let key = signing_key.public_key();
        let vault = MemoryVault::new(vault_id, server, key, clock.clone(), random.clone());
        let trust = ServerTrust {
            vault: vault_id,
            server,
            signing_public_keys: vec![key],
            vault_public_key: Some(vault.public_key()),
        };
        Self { clock, random, vault, trust, signing_key }
    }

    /// New keys for a key epoch.
    pub fn new_keys(&self, epoch: u32) -> EpochKeys {
        let data_key = DataKey::generate(&*self.random);
        EpochKeys::derive(&data_key, self.trust.vault, self.trust.server, epoch)
    }

    /// Works with what every job needs.
    pub fn with_tools<T>(&self, progress: &dyn Progress, work: impl FnOnce(&Tools<'_>) -> T) -> T {
        let cancellation = &Cancellation::default();
        work(&Tools { clock: &*self.clock, random: &*self.random, progress, cancellation })
    }
}
