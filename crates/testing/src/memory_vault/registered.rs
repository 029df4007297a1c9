//! A server that is registered with a vault in memory.

use super::MemoryVault;
use crate::{FakeClock, SeededRandom};
use stateward_crypto::{DataKey, EpochKeys, SigningKey};
use stateward_engine::{
    BackupOptions, BackupRequest, CacheFolder, Cancellation, Progress, RestoreRequest, ServerTrust, Source,
    Target, Tools, TrustedPoint,
};
use stateward_model::{Clock as _, ItemId, ItemKind, Label, ServerId, SystemClock, VaultId};
use std::sync::Arc;

/// A server, its keys and its vault.
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
    label: Label,
}

impl RegisteredServer {
    /// A server that has nothing in its vault yet. Its clock is an hour ahead of the kernel's, so that what did not change in a real
    /// folder is taken for unchanged at once.
    pub fn new(seed: u64) -> Self {
        let clock = FakeClock::at(SystemClock.now());
        clock.advance_seconds(3600);
        Self::at(clock, seed)
    }

    /// The same with a clock of the test's own.
    pub fn at(clock: FakeClock, seed: u64) -> Self {
        let (clock, random) = (Arc::new(clock), Arc::new(SeededRandom::new(seed)));
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
        let label = "item".parse().expect("a label");
        Self { clock, random, vault, trust, signing_key, label }
    }

    /// New keys for a key epoch.
    pub fn new_keys(&self, epoch: u32) -> EpochKeys {
        let data_key = DataKey::generate(&*self.random);
        EpochKeys::derive(&data_key, self.trust.vault, self.trust.server, epoch)
    }

    /// A backup as most tests want it: of an item of files, after no head that is known, on one thread.
    pub fn backup_request<'a>(
        &'a self,
        source: &'a dyn Source,
        keys: &'a EpochKeys,
        cache: &'a CacheFolder,
    ) -> BackupRequest<'a> {
        BackupRequest {
            item: ItemId([7; 16]),
            item_label: &self.label,
            kind: ItemKind::Files,
            source,
            vault: &self.vault,
            trust: &self.trust,
            keys,
            signing_key: &self.signing_key,
            slots: &[],
            cache,
            pinned_head: None,
            on_demand: None,
            prechecks: Vec::new(),
            made_by: "test",
            options: BackupOptions { threads: 1, reread_every: 0, ..BackupOptions::default() },
        }
    }

    /// A restore as most tests want it: of all of a recovery point, on one thread, with nothing but the vault.
    pub fn restore_request<'a>(
        &'a self,
        point: &'a TrustedPoint,
        keys: &'a EpochKeys,
        target: &'a dyn Target,
    ) -> RestoreRequest<'a> {
        let vault = &self.vault;
        RestoreRequest { point, vault, keys, components: &[], paths: &[], target, cache: None, threads: 1 }
    }

    /// Works with what every job needs.
    pub fn with_tools<T>(&self, progress: &dyn Progress, work: impl FnOnce(&Tools<'_>) -> T) -> T {
        let cancellation = &Cancellation::default();
        work(&Tools { clock: &*self.clock, random: &*self.random, progress, cancellation })
    }
}
