//! Restore: recovery point → target.

use crate::cache::CacheFolder;
use crate::points::TrustedPoint;
use crate::target::Target;
use crate::vault_store::VaultRead;
use crate::{EngineError, Tools};
use stateward_crypto::EpochKeys;
use stateward_format::manifest::Warning;
use stateward_model::ComponentName;

/// What is restored, and where to.
pub struct RestoreRequest<'a> {
    /// The recovery point.
    pub point: &'a TrustedPoint,
    /// Where its packs are.
    pub vault: &'a dyn VaultRead,
    /// The keys of the point's epoch.
    pub keys: &'a EpochKeys,
    /// Only these components; empty means all.
    pub components: &'a [ComponentName],
    /// Only what lies at or below these paths (bytes, absolute, from `/`); empty means everything.
    pub paths: &'a [Vec<u8>],
    /// Where it is laid: at the target plus its absolute path.
    pub target: &'a dyn Target,
    /// Where the pack index may be found, to spare reading the packs' tables; never needed.
    pub cache: Option<&'a CacheFolder>,
    /// Threads that decode; 0 means as many as the machine has processors.
    pub threads: usize,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestoreOutcome {
    /// Files put back, whole.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Bytes read from the vault.
    pub moved_bytes: u64,
    /// What could not be put back as it was (an owner, an attribute).
    pub warnings: Vec<Warning>,
    /// What is lost: files that could not be put back whole, each with the reason. Nothing of them is left at the target.
    /// If there is any, the job has failed, though the rest is there.
    pub lost: Vec<Warning>,
}

/// Lays a recovery point, or a part of it, into a target.
pub fn restore(request: RestoreRequest<'_>, tools: &Tools<'_>) -> Result<RestoreOutcome, EngineError> {
    let _ = (request, tools);
    unimplemented!()
}
