//! Verify: the agent proves, with its keys, that what the vault holds is what went in.

use crate::points::{ServerTrust, TrustedPoint};
use crate::vault_store::VaultRead;
use crate::{EngineError, Tools};
use stateward_crypto::EpochKeys;
use stateward_format::manifest::Warning;
use stateward_model::{PackId, Timestamp};
use std::collections::BTreeMap;

/// How much is read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum VerifyShare {
    /// This share of the bytes of all live packs (0 to 1), those verified longest ago first, at random among equals.
    Share(f64),
    /// All of it.
    Full,
}

/// What is verified.
pub struct VerifyRequest<'a> {
    /// Where it is.
    pub vault: &'a dyn VaultRead,
    /// Whose.
    pub trust: &'a ServerTrust,
    /// The keys.
    pub keys: &'a EpochKeys,
    /// Only what this recovery point needs; otherwise everything of this server.
    pub point: Option<&'a TrustedPoint>,
    /// How much.
    pub share: VerifyShare,
    /// When each pack was last verified, as an earlier outcome told.
    pub history: &'a BTreeMap<PackId, Timestamp>,
    /// Threads that decode; 0 means as many as the machine has processors.
    pub threads: usize,
}

/// What verify found.
#[derive(Debug, Clone, PartialEq)]
pub struct VerifyOutcome {
    /// Recovery points whose hash, signature, chain, manifest and metadata streams were read.
    pub points: u64,
    /// Packs that were read whole, and found right or wrong.
    pub packs: u64,
    /// All packs that are needed.
    pub packs_in_all: u64,
    /// Bytes of packs read.
    pub bytes: u64,
    /// Bytes of all packs needed.
    pub bytes_in_all: u64,
    /// What was found wrong: code `pack-damaged`, `pack-missing`, `point-damaged`, `file-lost` … with the path of each
    /// file of each recovery point that is affected.
    pub problems: Vec<Warning>,
    /// The new history.
    pub history: BTreeMap<PackId, Timestamp>,
}

/// Proves contents.
pub fn verify(request: VerifyRequest<'_>, tools: &Tools<'_>) -> Result<VerifyOutcome, EngineError> {
    let _ = (request, tools);
    unimplemented!()
}
