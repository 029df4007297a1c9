//! A key slot: one wrapping of an epoch's data key by one secret. An object beside the packs, created once, named by
//! its hash.
//!
//! Whoever opens a slot has the data key; the signing key is wrapped by the data key in the same object, so any one
//! secret yields both.

use crate::wire::FormatError;
use stateward_model::{Label, ServerId, SlotHash, VaultId};

/// The longest slot object that a reader takes, in bytes.
pub const SLOT_BYTES_MAX: usize = 4096;

/// How a secret becomes the key that wraps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotSecret {
    /// A passphrase through Argon2id with these costs. They come from the vault, so the reader holds them between a
    /// floor and a cap (`crypto`).
    Passphrase {
        /// Memory in KiB.
        memory_kib: u32,
        /// Passes.
        passes: u32,
        /// Lanes.
        lanes: u32,
    },
    /// The printed recovery code: 256 random bits, so it needs no slow function.
    RecoveryCode,
}

/// A decoded slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySlot {
    /// The vault it was made for.
    pub vault: VaultId,
    /// The server whose key it wraps.
    pub server: ServerId,
    /// The server's label when the slot was made: how `recover` finds a server by name without a database.
    pub server_label: Label,
    /// The generation of data keys.
    pub epoch: u32,
    /// How the secret becomes a key.
    pub secret: SlotSecret,
    /// Random, fresh for each slot.
    pub salt: [u8; 32],
    /// Commits to the wrapping key; compared before anything is opened.
    pub commitment: [u8; 32],
    /// The sealed data key.
    pub wrapped_data_key: Vec<u8>,
    /// The sealed signing key (its 32-byte seed), under the data key.
    pub wrapped_signing_key: Vec<u8>,
    /// The signing key's public half.
    pub signing_public_key: [u8; 32],
}

impl KeySlot {
    /// The bytes that bind the wrapped keys: everything but the commitment and the wrapped keys themselves.
    pub fn associated_data(&self) -> Vec<u8> {
        unimplemented!()
    }

    /// The whole object.
    pub fn encode(&self) -> Vec<u8> {
        unimplemented!()
    }

    /// Reads a whole object.
    pub fn decode(object: &[u8]) -> Result<Self, FormatError> {
        let _ = object;
        unimplemented!()
    }
}

/// The name of a slot object.
pub fn hash(object: &[u8]) -> SlotHash {
    SlotHash(*blake3::hash(object).as_bytes())
}
