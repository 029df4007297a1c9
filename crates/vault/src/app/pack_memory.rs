//! The memory for objects that are being received: bounded over all servers, and for each of them.
//!
//! Whoever is slow holds what he reserved for as long as his line takes. So nobody may hold more than his share, however
//! many calls he makes: no server alone, and no three of them, can keep the others waiting.
//!
//! Invariant: an object's whole memory is reserved before its first byte is received, and always in the same order, so
//! that those who wait never wait for each other.

use super::Error;
use stateward_model::ServerId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How much of all objects that are being received is in memory at once, in MiB: eight full packs. Others wait.
const MEMORY_MIB: u32 = 128;

/// How much of it packs that come in parts may hold, in MiB: they wait for their senders, whole packs get by.
const PARTS_MIB: u32 = 96;

/// How much of it one server may hold, in MiB: two full packs, as many as an agent sends at the same time. An object
/// that is longer takes all of the share.
const SHARE_MIB: u32 = 32;

/// Bounds the objects that are in memory while they are received and stored.
pub(crate) struct PackMemory {
    all: Arc<Semaphore>,
    parts: Arc<Semaphore>,
    /// The shares of servers that hold or wait for something.
    shares: Mutex<HashMap<ServerId, Arc<Semaphore>>>,
}

/// The memory of an object; free again when it is dropped.
pub(crate) struct HeldMemory {
    _of_all: OwnedSemaphorePermit,
    _of_share: OwnedSemaphorePermit,
}

/// The memory of a pack that comes in parts; free again when it is dropped.
pub(crate) struct PartsMemory {
    held: HeldMemory,
    _of_parts: OwnedSemaphorePermit,
}

impl PartsMemory {
    /// As that of a pack that has come in.
    pub(super) fn into_whole(self) -> HeldMemory {
        self.held
    }
}

impl Default for PackMemory {
    fn default() -> Self {
        let semaphore = |mib| Arc::new(Semaphore::new(mib as usize));
        Self { all: semaphore(MEMORY_MIB), parts: semaphore(PARTS_MIB), shares: Mutex::default() }
    }
}

impl PackMemory {
    /// Waits until a server's body of so many bytes may be received.
    pub(crate) async fn reserve(&self, server: ServerId, bytes: u64) -> Result<HeldMemory, Error> {
        let of_share = acquire(&self.share(server), bytes, SHARE_MIB).await?;
        Ok(HeldMemory { _of_all: acquire(&self.all, bytes, MEMORY_MIB).await?, _of_share: of_share })
    }

    /// The same for a pack that comes in parts, of so many bytes.
    pub(super) async fn reserve_for_parts(&self, server: ServerId, bytes: u64) -> Result<PartsMemory, Error> {
        let of_share = acquire(&self.share(server), bytes, SHARE_MIB).await?;
        let of_parts = acquire(&self.parts, bytes, PARTS_MIB).await?;
        let held = HeldMemory { _of_all: acquire(&self.all, bytes, MEMORY_MIB).await?, _of_share: of_share };
        Ok(PartsMemory { held, _of_parts: of_parts })
    }

    /// A server's share. Those that nobody uses are forgotten.
    fn share(&self, server: ServerId) -> Arc<Semaphore> {
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        shares.retain(|_, share| Arc::strong_count(share) > 1);
        let new = || Arc::new(Semaphore::new(SHARE_MIB as usize));
        Arc::clone(shares.entry(server).or_insert_with(new))
    }

    /// How much nobody holds, in MiB.
    #[cfg(test)]
    pub(super) fn free_mib(&self) -> usize {
        self.all.available_permits()
    }
}

async fn acquire(memory: &Arc<Semaphore>, bytes: u64, most_mib: u32) -> Result<OwnedSemaphorePermit, Error> {
    let mib = bytes.div_ceil(1 << 20).clamp(1, u64::from(most_mib));
    let permits = u32::try_from(mib).unwrap_or(most_mib);
    let waiting = Arc::clone(memory).acquire_many_owned(permits);
    waiting.await.map_err(|_| Error::Unavailable("it is stopping"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt as _;

    const PACK: u64 = 16 << 20;

    fn server(number: u8) -> ServerId {
        ServerId([number; 16])
    }

    #[tokio::test]
    async fn a_server_that_is_slow_keeps_none_but_itself_waiting() {
        let memory = PackMemory::default();
        let first = memory.reserve(server(1), PACK).await.unwrap();
        let second = memory.reserve_for_parts(server(1), PACK).await.unwrap();
        let mut third = Box::pin(memory.reserve(server(1), 1));
        assert!(third.as_mut().now_or_never().is_none(), "it holds its share");
        let others: Vec<_> =
            (2..=7).map(|number| memory.reserve(server(number), PACK).now_or_never()).collect();
        assert!(others.iter().all(Option::is_some), "the others get by");
        drop(first);
        third.await.unwrap();
        drop((second, others));
        assert_eq!(memory.free_mib(), MEMORY_MIB as usize);
    }

    #[tokio::test]
    async fn three_servers_with_packs_in_parts_leave_a_fourth_and_a_fifth_room() {
        let memory = PackMemory::default();
        let mut held = Vec::new();
        for number in 1..=3 {
            held.push(memory.reserve_for_parts(server(number), 2 * PACK).await.unwrap());
        }
        assert!(memory.reserve_for_parts(server(4), PACK).now_or_never().is_none());
        let whole = [4, 5].map(|number| memory.reserve(server(number), PACK).now_or_never());
        assert!(whole.iter().all(Option::is_some));
    }

    #[tokio::test]
    async fn the_longest_object_passes_and_shares_are_forgotten() {
        let memory = PackMemory::default();
        for number in 1..=100 {
            drop(memory.reserve(server(number), 64 << 20).await.unwrap());
        }
        assert_eq!(memory.free_mib(), MEMORY_MIB as usize);
        drop(memory.reserve(server(1), 1).await.unwrap());
        assert_eq!(memory.shares.lock().unwrap().len(), 1);
    }
}
