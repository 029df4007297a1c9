//! Backup: source → recovery point.

use crate::cache::CacheFolder;
use crate::points::ServerTrust;
use crate::source::Source;
use crate::vault_store::{PointSummary, VaultStore};
use crate::{EngineError, Tools};
use stateward_crypto::{EpochKeys, SigningKey};
use stateward_format::manifest::{Component, Precheck, Warning};
use stateward_model::{ItemId, ItemKind, Label, SlotHash, Timestamp};

/// How a backup works. Nothing here weakens what it promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackupOptions {
    /// Threads that read, cut and hash; 0 means as many as the machine has processors. As many again compress.
    pub threads: usize,
    /// zstd's level.
    pub compression_level: i32,
    /// Each run reads one in so many unchanged files again, another share each time; 0 never does.
    pub reread_every: u64,
}

impl Default for BackupOptions {
    fn default() -> Self {
        Self { threads: 0, compression_level: 3, reread_every: 256 }
    }
}

/// What a backup is made of.
pub struct BackupRequest<'a> {
    /// Which item.
    pub item: ItemId,
    /// Its label.
    pub item_label: &'a Label,
    /// Its kind.
    pub kind: ItemKind,
    /// What is read.
    pub source: &'a dyn Source,
    /// Where it goes.
    pub vault: &'a dyn VaultStore,
    /// Who this server is.
    pub trust: &'a ServerTrust,
    /// The present epoch's keys.
    pub keys: &'a EpochKeys,
    /// Signs the point.
    pub signing_key: &'a SigningKey,
    /// The epoch's slots as they are known, for the point's header.
    pub slots: &'a [SlotHash],
    /// The cache folder.
    pub cache: &'a CacheFolder,
    /// The newest point that this home knows to be committed. The vault must not show an older one.
    pub pinned_head: Option<PointSummary>,
    /// What was checked before.
    pub prechecks: Vec<Precheck>,
    /// The program and its version.
    pub made_by: &'a str,
    /// How it works.
    pub options: BackupOptions,
}

/// What a backup made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupOutcome {
    /// The recovery point. The caller pins it as the new head.
    pub point: PointSummary,
    /// The vault's time of it.
    pub received_at: Timestamp,
    /// Files in it.
    pub files: u64,
    /// Bytes of its files, holes included.
    pub bytes: u64,
    /// Bytes of packs that were sent.
    pub uploaded_bytes: u64,
    /// Files that were taken over from the parent without opening them.
    pub unchanged_files: u64,
    /// Its components.
    pub components: Vec<Component>,
    /// Everything left out or not as it should be: if there is any, the job is `Completed with warnings`.
    pub warnings: Vec<Warning>,
}

/// Makes a recovery point of an item.
pub fn backup(request: BackupRequest<'_>, tools: &Tools<'_>) -> Result<BackupOutcome, EngineError> {
    let _ = (request, tools);
    unimplemented!()
}
