//! Backup, restore and verify, as pipelines between a [`Source`] or a [`Target`] and a [`VaultStore`].
//!
//! The engine never prints, never reads the environment or a configuration, never knows HTTP, and holds no path of
//! its own but the cache folder it is given. What it has to say goes through [`Progress`]; what it must stop for is an
//! error. It is synchronous and makes its own threads.
//!
//! Begin with [`source`] (what is read), [`vault_store`] (where it goes), then [`backup`], [`restore`] and [`verify`].

pub mod backup;
pub mod browse;
mod buffers;
pub mod cache;
mod compression;
mod crew;
mod cut;
mod fetch;
mod image;
mod index;
mod lists;
mod pack_reader;
mod pack_writer;
pub mod points;
pub mod progress;
mod records;
pub mod restore;
mod sink;
pub mod source;
pub mod target;
pub mod vault_store;
pub mod verify;

pub use backup::{BackupOptions, BackupOutcome, BackupRequest, backup};
pub use buffers::Buffer;
pub use cache::{CacheError, CacheFolder};
pub use points::{PointError, ServerTrust, TrustedPoint};
pub use progress::{Advance, Cancellation, Progress};
pub use restore::{RestoreOutcome, RestoreRequest, restore};
pub use source::{
    Details, Extent, Found, FoundKind, NamedStream, Node, OpenFile, SIZE_UNKNOWN, Source, SourceDescription,
    SourceError, Stat, Visitor,
};
pub use target::{
    ContentOf, ExistingFile, GiveStream, IsSame, Judgement, TakePiece, Target, TargetError, TargetFile,
};
pub use vault_store::{
    Obstacle, OpenedSession, PacksKnown, PointSummary, SessionRequest, VaultError, VaultRead, VaultSession,
    VaultStore,
};
pub use verify::{VerifyOutcome, VerifyRequest, VerifyShare, verify};

use stateward_model::{Clock, Random};

/// What every job is handed: time, randomness, a listener, and the wish to stop.
pub struct Tools<'a> {
    /// The injected clock.
    pub clock: &'a dyn Clock,
    /// The injected random source.
    pub random: &'a dyn Random,
    /// Who listens.
    pub progress: &'a dyn Progress,
    /// Set when somebody asks the job to stop.
    pub cancellation: &'a Cancellation,
}

/// Why a job ended without its result.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Somebody asked for it.
    #[error("Cancelled")]
    Cancelled,
    /// The vault.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The source cannot be read at all.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The target cannot be written at all.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// A recovery point or the chain is not what it should be.
    #[error(transparent)]
    Point(#[from] PointError),
    /// The cache folder cannot be used.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// What was encoded could not be decoded to the same bytes: memory or a library is broken. Nothing of it was sent.
    #[error(
        "A pack that was just made does not decode to what went in: this machine's memory or processor may be faulty"
    )]
    SelfCheckFailed,
}
