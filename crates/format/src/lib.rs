//! Bytes at rest: packs, recovery points, receipts, tombstones, key slots and what is sealed inside them.
//!
//! Encode, decode, versions; no ciphers, no I/O. Sealed parts are opaque here: `crypto` seals and opens them. That
//! is why the vault may use this room and still cannot read what it keeps.
//!
//! Every decoder is total: for any input it gives a value or a [`FormatError`], never more memory than a small
//! multiple of its input, never a panic. Every encoder is canonical: one value has one encoding.
//! The bytes are described, with reasons, in `docs/format.md`.
//!
//! Begin with [`layout`] (which objects there are), then [`pack`] and [`point`]; inside the sealed parts
//! [`manifest`], [`segment`], [`entry`], [`attribute`] and [`content`].

pub mod attribute;
pub mod content;
pub mod domain_key;
pub mod entry;
pub mod layout;
mod magic;
pub mod manifest;
mod name;
pub mod pack;
pub mod point;
pub mod receipt;
pub mod segment;
pub mod slot;
#[cfg(test)]
mod testing;
pub mod tombstone;
pub mod wire;
pub mod wtf8;

pub use attribute::{AlternateStream, Attribute, DiskImage};
pub use content::{ChunkId, ChunkReference, Content, Piece, StreamReference};
pub use entry::{Entry, EntryKind, Identity, Metadata, Record};
pub use name::{FileName, NameKind};
pub use wire::FormatError;
