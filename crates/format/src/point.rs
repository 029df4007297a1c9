//! A recovery point's object: a header that the vault reads, a sealed manifest that it does not, and the server's
//! signature over both.
//!
//! ```text
//! magic "SWPOINT" and version 1 | header | sealed manifest (varint length, bytes) | Ed25519 signature, 64 bytes
//! ```
//! The signature covers BLAKE3 of all bytes before it, behind a fixed prefix (see [`signed_message`]). The object's
//! own BLAKE3 is the point's id; `previous` chains the points of one server, so that a vault that drops, rolls back or
//! forks shows itself.

use crate::wire::FormatError;
use stateward_model::{
    ItemId, ItemKind, PackId, PointHash, Sequence, ServerId, SlotHash, Timestamp, VaultId,
};

/// The longest point object that a reader takes, in bytes.
pub const POINT_BYTES_MAX: usize = 64 << 20;

/// A pack that a recovery point needs, and its length in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PackReference {
    /// Which pack.
    pub id: PackId,
    /// Its whole length in bytes as it is stored.
    pub length: u32,
}

/// What the vault knows of a recovery point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PointHeader {
    /// The vault that it was made for.
    pub vault: VaultId,
    /// The server that made it.
    pub server: ServerId,
    /// The protected item.
    pub item: ItemId,
    /// What kind of item.
    pub kind: ItemKind,
    /// Its place in the server's chain.
    pub sequence: Sequence,
    /// The point before it in the chain; `None` for the first.
    pub previous: Option<PointHash>,
    /// The generation of data keys that sealed the manifest.
    pub epoch: u32,
    /// When the agent began, by its own clock. Retention never uses it.
    pub agent_time: Timestamp,
    /// The key slots that open this epoch, as the agent knew them; sorted.
    pub slots: Vec<SlotHash>,
    /// Every pack that it needs; sorted by id, each once.
    pub packs: Vec<PackReference>,
}

/// A decoded point object, not yet believed: the signature is for `crypto` to check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    /// What the vault knows.
    pub header: PointHeader,
    /// The sealed manifest.
    pub sealed_manifest: Vec<u8>,
    /// Ed25519 by the server's signing key over [`signed_message`].
    pub signature: [u8; 64],
}

/// The bytes before the signature.
pub fn encode_unsigned(header: &PointHeader, sealed_manifest: &[u8]) -> Vec<u8> {
    let _ = (header, sealed_manifest);
    unimplemented!()
}

/// The header's bytes alone: what the sealed manifest's associated data bind it to.
pub fn encode_header(header: &PointHeader) -> Vec<u8> {
    let _ = header;
    unimplemented!()
}

/// What is signed: a fixed prefix and the BLAKE3 of [`encode_unsigned`]'s bytes.
pub fn signed_message(unsigned: &[u8]) -> Vec<u8> {
    let _ = unsigned;
    unimplemented!()
}

/// The whole object from its parts.
pub fn finish(mut unsigned: Vec<u8>, signature: [u8; 64]) -> Vec<u8> {
    unsigned.extend_from_slice(&signature);
    unsigned
}

/// The id of a whole object.
pub fn hash(object: &[u8]) -> PointHash {
    PointHash(*blake3::hash(object).as_bytes())
}

/// Reads a whole object; also gives the bytes before the signature.
pub fn decode(object: &[u8]) -> Result<(Point, &[u8]), FormatError> {
    let _ = object;
    unimplemented!()
}
