//! The words of Stateward as types: ids, hashes, names, times, states.
//!
//! Every other room may use this one; it uses none. It does no I/O except through the two doors that
//! every program injects at its start: [`Clock`] and [`Random`].
//!
//! Begin with [`id`] (who is who), then [`vault`], [`item`] (what is protected), [`job`] (one run) and [`policy`] (when and
//! for how long).

pub mod clock;
pub mod hash;
pub mod id;
pub mod item;
pub mod job;
pub mod name;
pub mod package;
pub mod policy;
pub mod random;
pub mod vault;
pub mod words;

pub use clock::{Clock, SystemClock, Timestamp};
pub use hash::{Hash, PackId, PointHash, SlotHash};
pub use id::{
    AlertId, ApprovalId, CommandId, CredentialId, ItemId, JobId, OperationId, PolicyId, ServerId, SessionId,
    VaultId,
};
pub use item::{ItemKind, OnDemand, Sequence, StopKeeps};
pub use job::{JobKind, JobState, Phase};
pub use name::{ComponentName, InvalidName, Label};
pub use package::{AgentVersion, PackageFile, PackageKind, PackageSignature, PackageStatement};
pub use policy::{InvalidPolicy, Policy, Retention, Schedule};
pub use random::{Random, SystemRandom};
pub use vault::{GroupName, Immutability, PolicyName, Redundancy, VaultName};
pub use words::counted;

/// A text that is not what it should be: an id, a hash, a time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no {what}")]
pub struct ParseError {
    /// What was expected, with no article: `vault id`.
    pub what: &'static str,
    /// What was given.
    pub text: String,
}
