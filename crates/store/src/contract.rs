//! What every byte store must do, as one suite that is run for each.

use crate::{ByteStore, Created, StoreError};
use bytes::Bytes;

/// Checks an empty store.
///
/// # Panics
/// When the store breaks the contract.
#[expect(clippy::unwrap_used, reason = "a test suite: a failure is a panic")]
pub async fn check(store: &dyn ByteStore) {
    creates_once(store).await;
    reads_exactly(store).await;
    heals(store).await;
    let names: Vec<_> = store.list("packs/").await.unwrap().into_iter().map(|o| (o.name, o.length)).collect();
    let expected = [("packs/00/one", 6), ("packs/00/two", 3), ("packs/ff/bad", 4)];
    assert_eq!(names, expected.map(|(name, length)| (name.to_owned(), length)));
    assert!(store.list("none/").await.unwrap().is_empty());
}

fn parts(texts: &[&'static str]) -> Vec<Bytes> {
    texts.iter().map(|text| Bytes::from_static(text.as_bytes())).collect()
}

#[expect(clippy::unwrap_used, reason = "a test suite: a failure is a panic")]
async fn creates_once(store: &dyn ByteStore) {
    assert!(matches!(store.length("packs/00/one").await, Err(StoreError::NotFound(_))));
    assert_eq!(store.create("packs/00/one", parts(&["abc", "", "def"])).await.unwrap(), Created::New);
    assert_eq!(store.create("packs/00/one", parts(&["ab", "cdef"])).await.unwrap(), Created::AlreadyThere);
    for other in ["abcdeX", "abcde", "abcdefg", ""] {
        let refused = store.create("packs/00/one", parts(&[other])).await;
        assert!(matches!(refused, Err(StoreError::AlreadyExists(_))), "{other}");
    }
    assert_eq!(store.read("packs/00/one", 6).await.unwrap(), "abcdef");
}

#[expect(clippy::unwrap_used, reason = "a test suite: a failure is a panic")]
async fn reads_exactly(store: &dyn ByteStore) {
    store.create("packs/00/two", parts(&["xyz"])).await.unwrap();
    assert_eq!(store.length("packs/00/two").await.unwrap(), 3);
    assert_eq!(store.read_range("packs/00/two", 1..3).await.unwrap(), "yz");
    assert_eq!(store.read_range("packs/00/two", 1..1).await.unwrap(), "");
    for range in [1..4, 3..4, 9..12] {
        let short = store.read_range("packs/00/two", range).await;
        assert!(matches!(short, Err(StoreError::Short(_))), "{short:?}");
    }
    assert!(matches!(store.read("packs/00/two", 2).await, Err(StoreError::Failed { .. })));
    assert!(matches!(store.read("packs/00/no", 2).await, Err(StoreError::NotFound(_))));
    assert!(matches!(store.read_range("packs/00/no", 0..1).await, Err(StoreError::NotFound(_))));
}

#[expect(clippy::unwrap_used, reason = "a test suite: a failure is a panic")]
async fn heals(store: &dyn ByteStore) {
    store.create("packs/ff/bad", parts(&["bad!"])).await.unwrap();
    store.heal("packs/ff/bad", parts(&["go", "od"])).await.unwrap();
    assert_eq!(store.read("packs/ff/bad", 9).await.unwrap(), "good");
}
