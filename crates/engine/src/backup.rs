//! Backup: source → recovery point.
//!
//! 1. *Prepare*: open a session, learn which packs may be referred to, check the chain, find the parent ([`prepare`]).
//! 2. *Transfer*: walk, take over what is unchanged, read and send the rest ([`walk`], [`read`], [`assemble`],
//!    [`pipeline`]).
//! 3. *Finish*: every pack is durable; make the point, sign it, commit it, check the receipt ([`commit`]).
//!
//! If the vault finds at the commit that it lacks packs, they are forgotten and the transfer is done again: only what
//! stood in them is sent again.

mod assemble;
mod commit;
mod pipeline;
mod prepare;
mod read;
mod rebuild;
mod walk;

use crate::cache::CacheFolder;
use crate::cache::parent::ParentWriter;
use crate::index::ChunkIndex;
use crate::points::ServerTrust;
use crate::source::Source;
use crate::vault_store::{PointSummary, VaultError, VaultStore};
use crate::{EngineError, Tools};
use stateward_crypto::{EpochKeys, SigningKey};
use stateward_format::manifest::{Component, Precheck, Warning};
use stateward_model::{ItemId, ItemKind, Label, OnDemand, Phase, SlotHash, Timestamp};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// How often the transfer is done again because the vault lacks packs.
const ATTEMPTS: u32 = 3;

pub use crate::compression::Compression;

/// How a backup works. Nothing here weakens what it promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackupOptions {
    /// Threads that read, cut and hash; 0 means as many as the machine has processors. As many again compress.
    pub threads: usize,
    /// How frames are compressed.
    pub compression: Compression,
    /// Each run reads one in so many unchanged files again, another share each time; 0 never does.
    pub reread_every: u64,
}

impl Default for BackupOptions {
    fn default() -> Self {
        Self { threads: 0, compression: Compression::Default, reread_every: 256 }
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
    /// The newest point that this home made and the vault took ([`Progress::offering`](crate::Progress::offering) tells
    /// of those that it may have taken). The new one follows it; if the vault's newest is another, that is told.
    pub pinned_head: Option<PointSummary>,
    /// That somebody asked for it now, and until when the recovery point is to be kept.
    pub on_demand: Option<OnDemand>,
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

/// What all threads of a pass share.
struct Shared<'a> {
    keys: &'a EpochKeys,
    index: &'a ChunkIndex,
    uploaded_bytes: AtomicU64,
    is_ending: AtomicBool,
    failure: Mutex<Option<EngineError>>,
}

impl Shared<'_> {
    /// Whether some thread has failed.
    fn is_ending(&self) -> bool {
        self.is_ending.load(Ordering::Relaxed)
    }

    /// Ends the job. The first error is kept: those after it are its consequences.
    fn fail(&self, error: EngineError) {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.get_or_insert(error);
        self.is_ending.store(true, Ordering::Relaxed);
    }

    fn take_failure(&self) -> Option<EngineError> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Makes a recovery point of an item.
pub fn backup(request: BackupRequest<'_>, tools: &Tools<'_>) -> Result<BackupOutcome, EngineError> {
    tools.progress.phase(Phase::Preparing);
    let mut prepared = prepare::prepare(&request, tools)?;
    let made = transfer_and_commit(&request, tools, &mut prepared);
    // The session's end is told in any case; that it could not be told changes nothing: its lease runs out.
    let closed = prepared.session.close();
    if let Err(error) = closed {
        tracing::debug!(%error, "The session could not be closed");
    }
    made
}

fn transfer_and_commit(
    request: &BackupRequest<'_>,
    tools: &Tools<'_>,
    prepared: &mut prepare::Prepared,
) -> Result<BackupOutcome, EngineError> {
    let mut uploaded_bytes = 0;
    for attempt in 1.. {
        let started_at = started_at(request.source, tools);
        let shared = Shared {
            keys: request.keys,
            index: &prepared.index,
            uploaded_bytes: AtomicU64::new(0),
            is_ending: AtomicBool::new(false),
            failure: Mutex::new(None),
        };
        tools.progress.phase(Phase::Transferring);
        let pass = pipeline::Pass {
            request,
            shared: &shared,
            session: &*prepared.session,
            journal: &prepared.journal,
            parent: prepared.parent.as_ref(),
            unchanged: prepared.unchanged(request),
            tools,
            threads: threads(request.options.threads),
        };
        let (assembled, parent_writer) = pass.run(ParentWriter::begin(request.cache, request.item)?)?;
        uploaded_bytes += shared.uploaded_bytes.load(Ordering::Relaxed);
        if tools.cancellation.is_cancelled() {
            return Err(EngineError::Cancelled);
        }
        tools.progress.phase(Phase::Finishing);
        let made = commit::Made { assembled, parent_writer, started_at, uploaded_bytes };
        match commit::commit(request, tools, prepared, made) {
            Err(EngineError::Vault(VaultError::PacksMissing(packs))) if attempt < ATTEMPTS => {
                prepared.forget(&packs, request.keys)?;
            }
            done => return done,
        }
    }
    unreachable!("the last attempt returns")
}

/// When the run began to read. What was written since may be missing, and the next run's unchanged rule goes by it: so a
/// frozen source counts from its own moment, however long ago that was.
fn started_at(source: &dyn Source, tools: &Tools<'_>) -> Timestamp {
    let now = tools.clock.now();
    source.moment().map_or(now, |moment| moment.min(now))
}

/// As many threads as were asked for, or as the machine has processors.
pub(crate) fn threads(asked: usize) -> usize {
    match asked {
        0 => std::thread::available_parallelism().map_or(2, usize::from),
        asked => asked,
    }
}
