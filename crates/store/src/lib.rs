//! Byte stores under a vault: where its objects lie.
//!
//! A store keeps bytes under names and knows nothing of what they mean: names, hashes and order are `vault`'s.
//! Invariants: an object is whole or not there; once [`ByteStore::create`] returned, it survives a power cut; nothing
//! here deletes an object.
//!
//! Begin with [`ByteStore`]; [`Objects`] is the one implementation, over the crate `object_store`.

#[cfg(feature = "testing")]
pub mod contract;
mod error;
#[cfg(feature = "testing")]
pub mod faulty;
mod leftovers;
mod objects;
#[cfg(feature = "testing")]
pub mod recording;

pub use error::StoreError;
pub use objects::{Guarantees, Objects};

use bytes::Bytes;
use futures::future::BoxFuture;
use std::ops::Range;

/// An object as a store lists it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct StoredObject {
    /// Its name, relative to the store.
    pub name: String,
    /// Its length in bytes.
    pub length: u64,
}

/// What [`ByteStore::create`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Created {
    /// Nothing: the object is new.
    New,
    /// The very same bytes.
    AlreadyThere,
}

/// One vault's byte store. Names are relative, parts joined by `/`, ASCII letters, digits, `-`, `.` only.
///
/// All calls may be repeated after any failure. A failed call may or may not have had its effect.
pub trait ByteStore: Send + Sync + std::fmt::Debug {
    /// Makes an object, whole and durable before this returns. `parts` are its bytes, one after another (so that a
    /// body that came in pieces is not copied together).
    ///
    /// # Errors
    /// [`StoreError::AlreadyExists`] if the name holds other bytes, [`StoreError::Full`] if there is no space.
    fn create<'a>(&'a self, name: &'a str, parts: Vec<Bytes>) -> BoxFuture<'a, Result<Created, StoreError>>;

    /// Puts an object into the place of one whose bytes are damaged, durably. Only for objects that are named by their
    /// hash, with bytes that have that hash: then nothing good can be lost.
    ///
    /// # Errors
    /// As [`Self::create`], but for `AlreadyExists`.
    fn heal<'a>(&'a self, name: &'a str, parts: Vec<Bytes>) -> BoxFuture<'a, Result<(), StoreError>>;

    /// A whole object of at most `most` bytes.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Failed`] if it is longer.
    fn read<'a>(&'a self, name: &'a str, most: u64) -> BoxFuture<'a, Result<Bytes, StoreError>>;

    /// Exactly these bytes of an object.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Short`] if the object ends before the range does.
    fn read_range<'a>(&'a self, name: &'a str, range: Range<u64>)
    -> BoxFuture<'a, Result<Bytes, StoreError>>;

    /// An object's length in bytes.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    fn length<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<u64, StoreError>>;

    /// All objects whose names begin with the folder `prefix` (`points/`), sorted by name; all of them or an error.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<StoredObject>, StoreError>>;
}
