//! Where recovery points live, as the engine sees it. `client` implements it over HTTP and (reading only) over a
//! vault's folder; tests implement it in memory, with faults.
//!
//! All calls block, may be made from several threads, and retry what is worth retrying by themselves. All concern the
//! one server that the implementation was made for.

use crate::buffers::Buffer;
use stateward_format::point::PackReference;
use stateward_model::{Hash, ItemId, JobKind, OnDemand, PackId, PointHash, Sequence, SessionId, SlotHash};
use std::ops::Range;

/// Why the vault did not do it. Each says what a person can do about it, by the words of `agent` and `cli`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// It cannot be reached, and trying again did not help.
    #[error("The vault can't be reached: {0}")]
    Unreachable(String),
    /// It answers, but can't do it now, and trying again did not help.
    #[error("{0}")]
    Unavailable(String),
    /// Its certificate is not from the authority that the vault credentials name, or names another host.
    #[error("The vault's certificate is not trusted: {0}")]
    NotTrusted(String),
    /// It answers, but it is not the vault that this server is registered with.
    #[error("This is another vault: {0}")]
    WrongVault(String),
    /// Something between this machine and the vault keeps them apart.
    #[error("{0}: {1}")]
    Blocked(Obstacle, String),
    /// It does not know this server (any more), or its key was revoked.
    #[error("The vault does not accept this server: {0}")]
    NotRegistered(String),
    /// This machine's clock and the vault's differ too much to sign in.
    #[error("This machine's clock differs from the vault's by {seconds} seconds")]
    ClockSkew {
        /// Positive: this machine is ahead.
        seconds: i64,
    },
    /// Another session of this server is open.
    #[error("Another job of this server holds the vault: {0}")]
    Busy(String),
    /// The session ended: another was opened, or its lease ran out.
    #[error("The session with the vault was ended: {0}")]
    SessionLost(String),
    /// The item's backups were stopped in the vault, or the item was deleted there.
    #[error("{0}")]
    ProtectionStopped(String),
    /// This agent is older than the oldest that may make backups there.
    #[error("{0}")]
    AgentTooOld(String),
    /// The vault can't give the redundancy that it is set to, and protects nothing new.
    #[error("{0}")]
    RedundancyNotMet(String),
    /// There is no such object.
    #[error("The vault has no {0}")]
    NotFound(String),
    /// The vault has no space.
    #[error("The vault has no space left: {0}")]
    Full(String),
    /// What an administrator allows this server to hold, or to send within a day, is used up; the vault's own words.
    #[error("{0}")]
    OverQuota(String),
    /// The commit names packs that the vault does not hold as they should be.
    #[error("The vault lacks {} of this recovery point", stateward_model::counted(.0.len() as u64, "pack"))]
    PacksMissing(Vec<PackId>),
    /// The chain moved on without this agent: the point's predecessor is not the head.
    #[error("The vault's newest recovery point is not the one that this server knows")]
    WrongHead,
    /// The vault answered with something that breaks the contract.
    #[error("The vault's answer can't be used: {0}")]
    BadAnswer(String),
    /// The vault failed.
    #[error("The vault failed: {0}")]
    Failed(String),
    /// Somebody asked the job to stop.
    #[error("Cancelled")]
    Cancelled,
}

/// What stands between this machine and the vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    /// The proxy that all calls go through does not answer.
    #[error("The proxy can't be reached")]
    ProxyAway,
    /// The proxy wants a user and a password, or others.
    #[error("The proxy does not accept the sign-in")]
    ProxyLogin,
    /// The proxy does not lead to the vault.
    #[error("The proxy does not lead to the vault")]
    ProxyRefusal,
    /// What answers is a page for people, or another thing than what was asked for.
    #[error("Something else answers in place of the vault")]
    Portal,
    /// What answers shows a certificate of its own in place of the vault's.
    #[error("The connection to the vault is intercepted")]
    Interception,
}

impl VaultError {
    /// What is wrong with the object that was asked for, if that is what the error says: it is missing, or not what it
    /// should be. Every other error says nothing of what is stored.
    pub fn damage(&self) -> Option<String> {
        match self {
            Self::NotFound(what) => Some(format!("the vault has no {what}")),
            Self::BadAnswer(why) => Some(format!("the vault's answer can't be used: {why}")),
            _ => None,
        }
    }
}

/// A recovery point as it is listed: what its object's name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PointSummary {
    /// Its place in the chain.
    pub sequence: Sequence,
    /// Its id.
    pub hash: PointHash,
}

/// What a session is opened with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRequest {
    /// What it is for.
    pub kind: JobKind,
    /// The item, for a backup.
    pub item: Option<ItemId>,
    /// [`packs_digest`] of the packs in the agent's index, so that the vault need not list them again.
    pub packs_digest: Option<Hash>,
    /// That its recovery point is made on demand, and until when it is to be kept.
    pub on_demand: Option<OnDemand>,
}

/// Which packs of this server the vault holds and has pinned for the session: committed ones, and those that a dead
/// session of this server left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PacksKnown {
    /// Just those whose digest the agent sent.
    AsDigested,
    /// These, sorted by id.
    Listed(Vec<PackReference>),
}

/// What an opened session begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedSession {
    /// Its id.
    pub id: SessionId,
    /// The newest recovery point of this server, committed or pending.
    pub head: Option<PointSummary>,
    /// The packs that may be referred to.
    pub packs: PacksKnown,
}

/// BLAKE3 of the sorted pack ids, one after another: how two sides learn that they know the same packs.
pub fn packs_digest(sorted: impl Iterator<Item = PackId>) -> Hash {
    let mut hasher = blake3::Hasher::new();
    sorted.for_each(|id| {
        hasher.update(&id.0);
    });
    *hasher.finalize().as_bytes()
}

/// Reading: all that restore, verify and `recover` need.
pub trait VaultRead: Send + Sync {
    /// All recovery points of this server that can be restored from, by sequence (a fork has two of one sequence).
    fn points(&self) -> Result<Vec<PointSummary>, VaultError>;
    /// Those and the ones that can't be restored from any more: all links of the server's chain whose objects are there.
    fn chain(&self) -> Result<Vec<PointSummary>, VaultError> {
        self.points()
    }
    /// A point's whole object. Not believed: the caller checks hash, signature and chain.
    fn point(&self, point: PointSummary) -> Result<Vec<u8>, VaultError>;
    /// A point's receipt object, if there is one.
    fn receipt(&self, point: PointSummary) -> Result<Option<Vec<u8>>, VaultError>;
    /// All key slot objects of this server.
    fn slots(&self) -> Result<Vec<Vec<u8>>, VaultError>;
    /// A range of a pack's bytes; whole packs, or borders at multiples of 1 MiB (and the pack's end), so that reading
    /// shows the vault no frame. Exactly the bytes asked for, or an error.
    fn read_pack(&self, pack: PackReference, range: Range<u32>) -> Result<Vec<u8>, VaultError>;
}

/// An open session. While it lives it keeps its lease by itself; dropping it does not end it at the vault.
pub trait VaultSession: Send + Sync {
    /// What it began with.
    fn opened(&self) -> &OpenedSession;
    /// Stores a pack, durably before it returns. Doing it twice is no error. The bytes are handed over, so that nobody
    /// needs a second copy of them.
    fn put_pack(&self, id: PackId, bytes: Buffer) -> Result<(), VaultError>;
    /// Commits a recovery point and gives its receipt object. Doing it twice is no error and gives the same receipt.
    fn commit(&self, object: &[u8]) -> Result<Vec<u8>, VaultError>;
    /// Ends the session.
    fn close(&self) -> Result<(), VaultError>;
}

/// Writing. There is no call that deletes.
pub trait VaultStore: VaultRead {
    /// Opens a session; refused with [`VaultError::Busy`] while another is alive.
    fn open_session(&self, request: &SessionRequest) -> Result<Box<dyn VaultSession>, VaultError>;
    /// Stores a key slot, durably. Doing it twice is no error.
    fn put_slot(&self, epoch: u32, object: &[u8]) -> Result<SlotHash, VaultError>;
}
