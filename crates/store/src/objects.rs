//! The byte store over `object_store`: a folder now, Azure Blob and S3 by the same code later.

use crate::leftovers::{self, Presence};
use crate::{ByteStore, Created, StoreError, StoredObject};
use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt};
use futures::stream::TryStreamExt;
use object_store::local::LocalFileSystem;
use object_store::path::Path as ObjectPath;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutPayload};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

/// What a store does beyond the least that is needed of it, found by trying.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guarantees {
    /// Creating an object that is there is refused and leaves it as it was. Some S3 servers overwrite instead;
    /// correctness must not rest on this (names are hashes, and the database decides).
    pub create_keeps_existing: bool,
    /// What was written survives a power cut: the folder's files and folders are synced.
    pub is_durable: bool,
}

/// The object that [`Objects::probe`] leaves in the store.
const PROBE: &str = "probe";

/// A byte store over `object_store`.
#[derive(Debug, Clone)]
pub struct Objects {
    below: Arc<dyn ObjectStore>,
    is_durable: bool,
    _presence: Option<Arc<Presence>>,
}

impl Objects {
    /// A folder that exists. Other processes may write to it too, by this same function. What a crash left half written is
    /// removed when nobody does; gives how many such files there were.
    ///
    /// # Errors
    /// [`StoreError::Failed`] if the folder cannot be opened or walked.
    pub fn open_folder(root: &Path) -> Result<(Self, u64), StoreError> {
        let failed = |why: Box<dyn std::error::Error + Send + Sync>| {
            StoreError::failed(&root.display().to_string(), why)
        };
        let (presence, removed) = leftovers::enter(root).map_err(|why| failed(why.into()))?;
        let below = LocalFileSystem::new_with_prefix(root).map_err(|why| failed(why.into()))?;
        // Off by default: without it an acknowledged pack may be gone after a power cut.
        let below = below.with_fsync(true);
        let presence = Some(Arc::new(presence));
        Ok((Self { below: Arc::new(below), is_durable: true, _presence: presence }, removed))
    }

    /// The test suite's store in memory.
    #[cfg(feature = "testing")]
    pub fn in_memory() -> Self {
        let below = Arc::new(object_store::memory::InMemory::new());
        Self { below, is_durable: false, _presence: None }
    }

    /// Finds out what the store guarantees. Leaves one small object.
    ///
    /// # Errors
    /// Whatever makes the store unusable, such as a folder that cannot be written to.
    pub async fn probe(&self) -> Result<Guarantees, StoreError> {
        let path = ObjectPath::from(PROBE);
        let (first, second) = (Bytes::from_static(b"first\n"), Bytes::from_static(b"second\n"));
        match self.below.put_opts(&path, first.clone().into(), PutMode::Create.into()).await {
            Ok(_) | Err(object_store::Error::AlreadyExists { .. }) => {}
            Err(error) => return Err(StoreError::from_below(PROBE, error)),
        }
        let refused = self.below.put_opts(&path, second.into(), PutMode::Create.into()).await;
        let found = self.read(PROBE, 64).await?;
        let is_refused = matches!(refused, Err(object_store::Error::AlreadyExists { .. }));
        Ok(Guarantees { create_keeps_existing: is_refused && found == first, is_durable: self.is_durable })
    }

    async fn put(&self, name: &str, payload: PutPayload, mode: PutMode) -> Result<(), StoreError> {
        let result = self.below.put_opts(&path(name)?, payload, mode.into()).await;
        result.map(drop).map_err(|error| StoreError::from_below(name, error))
    }

    async fn holds(&self, name: &str, parts: &[Bytes]) -> Result<bool, StoreError> {
        let length = parts.iter().map(Bytes::len).sum::<usize>() as u64;
        if self.length(name).await? != length {
            return Ok(false);
        }
        let found = self.read(name, length).await?;
        let mut rest = &found[..];
        Ok(parts.iter().all(|part| rest.strip_prefix(&part[..]).inspect(|left| rest = left).is_some()))
    }

    async fn create_object(&self, name: &str, parts: Vec<Bytes>) -> Result<Created, StoreError> {
        let payload = || PutPayload::from_iter(parts.iter().cloned());
        match self.put(name, payload(), PutMode::Create).await {
            Ok(()) => return Ok(Created::New),
            Err(StoreError::AlreadyExists(_)) => {}
            Err(error) => return Err(error),
        }
        if !self.holds(name, &parts).await? {
            return Err(StoreError::AlreadyExists(name.to_owned()));
        }
        // The process that made it may have died before the folder's entry was on the disk, and nothing tells. So the
        // same bytes are written again in one step: only then it is sure that they are durable. This is rare.
        self.put(name, payload(), PutMode::Overwrite).await?;
        Ok(Created::AlreadyThere)
    }

    async fn read_object(&self, name: &str, most: u64) -> Result<Bytes, StoreError> {
        let found =
            self.below.get(&path(name)?).await.map_err(|error| StoreError::from_below(name, error))?;
        if found.meta.size > most {
            return Err(StoreError::failed(name, "it is longer than any such object may be"));
        }
        found.bytes().await.map_err(|error| StoreError::from_below(name, error))
    }

    async fn read_part(&self, name: &str, range: Range<u64>) -> Result<Bytes, StoreError> {
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        match self.below.get_range(&path(name)?, range.clone()).await {
            Ok(bytes) if bytes.len() as u64 == range.end - range.start => Ok(bytes),
            Ok(_) => Err(StoreError::Short(name.to_owned())),
            // Stores differ in how they say that a range is not there: the length tells.
            Err(error) => match self.length(name).await? < range.end {
                true => Err(StoreError::Short(name.to_owned())),
                false => Err(StoreError::from_below(name, error)),
            },
        }
    }

    async fn list_objects(&self, prefix: &str) -> Result<Vec<StoredObject>, StoreError> {
        let folder = (!prefix.is_empty()).then(|| path(prefix.trim_end_matches('/'))).transpose()?;
        let listed: Vec<_> = self
            .below
            .list(folder.as_ref())
            .map_ok(|meta| StoredObject { name: meta.location.to_string(), length: meta.size })
            .try_collect()
            .await
            .map_err(|error| StoreError::from_below(prefix, error))?;
        let mut objects = listed;
        objects.sort();
        Ok(objects)
    }
}

fn path(name: &str) -> Result<ObjectPath, StoreError> {
    ObjectPath::parse(name).map_err(|why| StoreError::failed(name, why))
}

impl ByteStore for Objects {
    fn create<'a>(&'a self, name: &'a str, parts: Vec<Bytes>) -> BoxFuture<'a, Result<Created, StoreError>> {
        self.create_object(name, parts).boxed()
    }

    fn heal<'a>(&'a self, name: &'a str, parts: Vec<Bytes>) -> BoxFuture<'a, Result<(), StoreError>> {
        self.put(name, parts.into_iter().collect(), PutMode::Overwrite).boxed()
    }

    fn read<'a>(&'a self, name: &'a str, most: u64) -> BoxFuture<'a, Result<Bytes, StoreError>> {
        self.read_object(name, most).boxed()
    }

    fn read_range<'a>(
        &'a self,
        name: &'a str,
        range: Range<u64>,
    ) -> BoxFuture<'a, Result<Bytes, StoreError>> {
        self.read_part(name, range).boxed()
    }

    fn length<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<u64, StoreError>> {
        async move {
            let head = self.below.head(&path(name)?).await;
            head.map(|meta| meta.size).map_err(|error| StoreError::from_below(name, error))
        }
        .boxed()
    }

    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<StoredObject>, StoreError>> {
        self.list_objects(prefix).boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_folder_keeps_the_contract() {
        let folder = tempfile::tempdir().unwrap();
        let (store, _) = Objects::open_folder(folder.path()).unwrap();
        crate::contract::check(&store).await;
    }

    #[tokio::test]
    async fn a_store_in_memory_keeps_the_contract() {
        crate::contract::check(&Objects::in_memory()).await;
    }

    #[tokio::test]
    async fn the_probe_says_the_same_each_time() {
        let folder = tempfile::tempdir().unwrap();
        let (store, _) = Objects::open_folder(folder.path()).unwrap();
        let good = Guarantees { create_keeps_existing: true, is_durable: true };
        assert_eq!(store.probe().await.unwrap(), good);
        assert_eq!(store.probe().await.unwrap(), good);
    }

    #[tokio::test]
    async fn opening_removes_what_a_crash_left_and_keeps_objects() {
        let folder = tempfile::tempdir().unwrap();
        let (store, _) = Objects::open_folder(folder.path()).unwrap();
        store.create("packs/aa/aa", vec![Bytes::from_static(b"whole")]).await.unwrap();
        drop(store);
        std::fs::write(folder.path().join("packs/aa/bb#1"), b"hal").unwrap();
        let (store, removed) = Objects::open_folder(folder.path()).unwrap();
        assert_eq!(removed, 1);
        assert_eq!(store.list("").await.unwrap().len(), 1);
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Objects::open_folder(&folder.path().join("none")).is_err());
    }
}
