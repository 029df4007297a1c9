//! A store that notes every call: for tests that count them.

use crate::{ByteStore, Created, StoreError, StoredObject};
use bytes::Bytes;
use futures::future::BoxFuture;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// A kind of call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Call {
    /// [`ByteStore::create`].
    Create,
    /// [`ByteStore::heal`].
    Heal,
    /// [`ByteStore::read`].
    Read,
    /// [`ByteStore::read_range`].
    ReadRange,
    /// [`ByteStore::length`].
    Length,
    /// [`ByteStore::list`].
    List,
}

/// Notes every call with its name, then hands it on.
#[derive(Debug, Clone)]
pub struct Recording {
    below: Arc<dyn ByteStore>,
    calls: Arc<Mutex<Vec<(Call, String)>>>,
}

impl Recording {
    /// Around `below`.
    pub fn new(below: Arc<dyn ByteStore>) -> Self {
        Self { below, calls: Arc::default() }
    }

    /// All calls so far, in order.
    pub fn calls(&self) -> Vec<(Call, String)> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many calls of one kind there were.
    pub fn count(&self, call: Call) -> usize {
        self.calls().iter().filter(|(kind, _)| *kind == call).count()
    }

    fn note(&self, call: Call, name: &str) -> &dyn ByteStore {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).push((call, name.to_owned()));
        &*self.below
    }
}

impl ByteStore for Recording {
    fn create<'a>(&'a self, name: &'a str, parts: Vec<Bytes>) -> BoxFuture<'a, Result<Created, StoreError>> {
        self.note(Call::Create, name).create(name, parts)
    }

    fn heal<'a>(&'a self, name: &'a str, parts: Vec<Bytes>) -> BoxFuture<'a, Result<(), StoreError>> {
        self.note(Call::Heal, name).heal(name, parts)
    }

    fn read<'a>(&'a self, name: &'a str, most: u64) -> BoxFuture<'a, Result<Bytes, StoreError>> {
        self.note(Call::Read, name).read(name, most)
    }

    fn read_range<'a>(
        &'a self,
        name: &'a str,
        range: Range<u64>,
    ) -> BoxFuture<'a, Result<Bytes, StoreError>> {
        self.note(Call::ReadRange, name).read_range(name, range)
    }

    fn length<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<u64, StoreError>> {
        self.note(Call::Length, name).length(name)
    }

    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<StoredObject>, StoreError>> {
        self.note(Call::List, prefix).list(prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Objects;

    #[tokio::test]
    async fn it_keeps_the_contract_and_counts() {
        let store = Recording::new(Arc::new(Objects::in_memory()));
        crate::contract::check(&store).await;
        assert_eq!(store.count(Call::Heal), 1);
        assert_eq!(store.calls()[0], (Call::Length, "packs/00/one".to_owned()));
    }
}
