//! Recovery points as the agent sees them: fetched, checked against hash, signature and receipt, opened.

use crate::vault_store::{PointSummary, VaultError, VaultRead};
use stateward_crypto::EpochKeys;
use stateward_format::FormatError;
use stateward_format::manifest::Manifest;
use stateward_format::point::PointHeader;
use stateward_model::{PointHash, ServerId, Timestamp, VaultId};

/// Whom a server's recovery points are believed of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerTrust {
    /// The vault.
    pub vault: VaultId,
    /// The server.
    pub server: ServerId,
    /// The server's signing keys, newest last: each point must be signed by one of them.
    pub signing_public_keys: Vec<[u8; 32]>,
    /// The vault's signing key, if it is known: receipts are checked with it.
    pub vault_public_key: Option<[u8; 32]>,
}

/// A recovery point whose hash, signature and place were checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedPoint {
    /// Which.
    pub summary: PointSummary,
    /// What the vault knows of it too.
    pub header: PointHeader,
    /// What it holds.
    pub manifest: Manifest,
    /// The vault's time of it, from a receipt whose signature was checked; `None` if there is no receipt (the point is
    /// unconfirmed) or the vault's key is not known.
    pub received_at: Option<Timestamp>,
}

/// Why a recovery point is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PointError {
    /// Its bytes do not have the hash that names it, or its parts do not decode.
    #[error("Recovery point {point} is damaged: {why}")]
    Damaged {
        /// Which.
        point: PointHash,
        /// What is wrong.
        why: String,
    },
    /// Its signature is not this server's.
    #[error("Recovery point {0} was not signed by this server")]
    NotSigned(PointHash),
    /// It is another server's or another vault's.
    #[error("Recovery point {0} belongs to another server or vault")]
    Foreign(PointHash),
    /// No key of this home opens it.
    #[error("Recovery point {point} was sealed with another key (epoch {epoch})")]
    OtherKey {
        /// Which.
        point: PointHash,
        /// Its epoch.
        epoch: u32,
    },
    /// There is no such point.
    #[error("There is no recovery point {0}")]
    Unknown(String),
    /// It lacks something that it needs.
    #[error("Recovery point {point} is incomplete: {why}")]
    Incomplete {
        /// Which.
        point: PointHash,
        /// What is missing.
        why: String,
    },
}

/// Fetches one point and checks it; opens its manifest with the first of `keys` that has its epoch.
pub fn open_point(
    vault: &dyn VaultRead,
    trust: &ServerTrust,
    keys: &[EpochKeys],
    summary: PointSummary,
) -> Result<TrustedPoint, crate::EngineError> {
    let _ = (vault, trust, keys, summary, FormatError::Truncated { what: "" }, VaultError::WrongHead);
    unimplemented!()
}

/// Finds the point that `text` names: `latest`, a whole id, or the beginning of one (6 digits or more) that only one
/// point has.
pub fn find_point(points: &[PointSummary], text: &str) -> Result<PointSummary, PointError> {
    let _ = (points, text);
    unimplemented!()
}
