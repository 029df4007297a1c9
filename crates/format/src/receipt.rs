//! The vault's word that it holds a recovery point, and since when: signed, and kept as an object beside the point.
//!
//! Retention uses the receipt's time, never the agent's. The vault's signing key is a file outside of its database;
//! its public half travels in the vault-credentials file.

use crate::wire::FormatError;
use stateward_model::{PointHash, Sequence, ServerId, Timestamp, VaultId};

/// What the vault says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// Which vault speaks.
    pub vault: VaultId,
    /// Whose point.
    pub server: ServerId,
    /// Its place in the chain.
    pub sequence: Sequence,
    /// Which point.
    pub point: PointHash,
    /// When the vault committed it, by the vault's clock.
    pub received_at: Timestamp,
}

/// The bytes to sign (they begin with a fixed prefix that no other signed thing has).
pub fn encode_unsigned(receipt: &Receipt) -> Vec<u8> {
    let _ = receipt;
    unimplemented!()
}

/// Reads a whole object (unsigned bytes, then 64 bytes of Ed25519); gives the receipt, the signed bytes and the
/// signature, which the caller must check.
pub fn decode(object: &[u8]) -> Result<(Receipt, &[u8], [u8; 64]), FormatError> {
    let _ = object;
    unimplemented!()
}
