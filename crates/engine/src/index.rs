//! The pack index: which chunks there are, and where.
//!
//! In memory stand only a fingerprint of each chunk and its pack ([`fingerprints`]); what a pack holds in full is read
//! from the journal in the cache folder when it is asked for ([`tables`]). It is asked by every thread that cuts, and
//! told of each new chunk the moment one thread takes it on, so that no chunk is stored twice by one run. It only ever
//! says "known" of chunks in packs that the vault has pinned for this session, and of chunks that this run will store.
//!
//! Memory: at most 15 bytes a chunk, 40 more for chunks on their way, and at most 32 MiB of tables.

mod fingerprints;
mod tables;

pub use tables::OpenTable;

use crate::cache::CacheError;
use crate::cache::packs::{Journaled, PackJournal};
use crate::pack_reader::PackContents;
use fingerprints::{Fingerprints, PACK_MAX};
use stateward_format::content::ChunkId;
use stateward_format::point::PackReference;
use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use tables::{Stored, Tables};

/// A pack and its table.
#[derive(Debug, Clone)]
pub struct IndexedPack {
    /// Its id and length.
    pub reference: PackReference,
    /// What it holds.
    pub contents: PackContents,
}

/// Where a chunk is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The pack's number in this index.
    pub pack: u32,
    /// The frame's ordinal in the pack.
    pub frame: u32,
    /// Where its plaintext begins in the frame's.
    pub offset: u32,
    /// Its length in bytes.
    pub length: u32,
}

/// The answer to who would store a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// It is stored, or another thread of this run has taken it on.
    Known,
    /// The caller has taken it on and must store it.
    New,
}

/// Chunk ids are uniform: eight of their bytes are a hash already.
#[derive(Default)]
struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        // The key is an array of 32 bytes: its length comes first as a number (which `write_usize` drops).
        if let Some(head) = bytes.first_chunk() {
            self.0 = u64::from_le_bytes(*head);
        }
    }

    fn write_usize(&mut self, _: usize) {}
}

/// What stands for a chunk in memory.
fn fingerprint(id: ChunkId) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = id.0;
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

const SHARDS: usize = 64;

struct Shard {
    stored: Fingerprints,
    /// Taken on by this run, not yet in a pack.
    taken_on: HashSet<ChunkId, BuildHasherDefault<IdHasher>>,
}

struct KnownPack {
    stored: Stored,
    is_used: AtomicBool,
}

/// The index.
pub struct ChunkIndex {
    shards: Vec<Mutex<Shard>>,
    packs: RwLock<Vec<KnownPack>>,
    tables: Tables,
}

impl Default for ChunkIndex {
    /// An index whose tables are all held in memory.
    fn default() -> Self {
        Self::with(Tables::default(), 0)
    }
}

impl ChunkIndex {
    /// An index whose tables may be in that journal, with room for about so many chunks.
    pub(crate) fn over(journal: Arc<PackJournal>, chunks: u64) -> Self {
        Self::with(Tables::over(journal), chunks)
    }

    fn with(tables: Tables, chunks: u64) -> Self {
        // Ids are spread evenly, but not quite.
        let of_shard = (chunks as usize).div_ceil(SHARDS) * 101 / 100;
        let shard = |_| {
            let stored = Fingerprints::for_about(of_shard);
            Mutex::new(Shard { stored, taken_on: HashSet::default() })
        };
        Self { shards: (0..SHARDS).map(shard).collect(), packs: RwLock::default(), tables }
    }

    fn shard(&self, id: ChunkId) -> MutexGuard<'_, Shard> {
        // A panic of another thread ends the whole job; what it left in a shard is a whole entry or none.
        self.shards[usize::from(id.0[31]) % SHARDS].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a pack whose table stays in memory.
    pub fn add_pack(&self, pack: IndexedPack) {
        let table = Arc::new(OpenTable::new(pack));
        self.add(&table.contents, Stored::Held(Arc::clone(&table)), false);
    }

    /// Adds a pack whose table stands in the journal.
    pub(crate) fn add_journaled(&self, contents: &PackContents, journaled: Journaled) {
        self.add(contents, Stored::Journaled(journaled), false);
    }

    /// Adds a pack that this run has stored and whose table stands in the journal: the new recovery point refers to it.
    pub(crate) fn add_new_pack(&self, contents: &PackContents, journaled: Journaled) {
        self.add(contents, Stored::Journaled(journaled), true);
    }

    fn add(&self, contents: &PackContents, stored: Stored, is_used: bool) {
        let number = {
            let mut packs = self.packs.write().unwrap_or_else(PoisonError::into_inner);
            packs.push(KnownPack { stored, is_used: AtomicBool::new(is_used) });
            packs.len() as u32 - 1
        };
        // Packs beyond what the table can number are not found again: what they hold is stored once more.
        let is_numbered = number <= PACK_MAX;
        for chunk in contents.table.frames.iter().flat_map(|frame| &frame.chunks) {
            let mut shard = self.shard(chunk.id);
            shard.taken_on.remove(&chunk.id);
            if is_numbered {
                shard.stored.add(fingerprint(chunk.id), number);
            }
        }
    }

    /// Asks for a chunk that is to be part of the new recovery point; takes it on if nobody has it.
    pub fn claim(&self, id: ChunkId) -> Claim {
        let mut shard = self.shard(id);
        if shard.taken_on.contains(&id) {
            return Claim::Known;
        }
        let found = shard.stored.packs_of(fingerprint(id)).find(|number| match self.table(*number) {
            Ok(table) => table.place(id, *number).is_some(),
            // The chunk is stored once more: that costs its bytes, and no harm is done.
            Err(error) => {
                tracing::warn!(%error, "A pack's table can't be read again");
                false
            }
        });
        match found {
            Some(number) => {
                self.use_pack(number);
                Claim::Known
            }
            None => {
                shard.taken_on.insert(id);
                Claim::New
            }
        }
    }

    /// Like [`Self::claim`], but never takes it on: whether a chunk of the parent may be referred to again.
    ///
    /// A fingerprint that stands for one pack only is believed: that a chunk is gone *and* another of the same 64 bits is
    /// there does not happen.
    pub fn is_known(&self, id: ChunkId) -> bool {
        let shard = self.shard(id);
        let number = {
            let mut packs = shard.stored.packs_of(fingerprint(id));
            match (packs.next(), packs.next()) {
                (Some(only), None) => Some(only),
                (None, _) => return shard.taken_on.contains(&id),
                (Some(_), Some(_)) => None,
            }
        };
        let number = number.or_else(|| {
            let holds =
                |number: &u32| self.table(*number).is_ok_and(|table| table.place(id, *number).is_some());
            shard.stored.packs_of(fingerprint(id)).find(holds)
        });
        if let Some(number) = number {
            self.use_pack(number);
        }
        number.is_some()
    }

    /// All packs whose tables stand in the journal.
    pub(crate) fn journaled(&self) -> Vec<Journaled> {
        let packs = self.packs.read().unwrap_or_else(PoisonError::into_inner);
        let journaled = packs.iter().filter_map(|pack| match &pack.stored {
            Stored::Journaled(journaled) => Some(*journaled),
            Stored::Held(_) => None,
        });
        journaled.collect()
    }

    fn use_pack(&self, number: u32) {
        let packs = self.packs.read().unwrap_or_else(PoisonError::into_inner);
        packs[number as usize].is_used.store(true, Ordering::Relaxed);
    }

    /// Where a stored chunk is.
    ///
    /// # Errors
    /// If a table in the journal can't be read again: then nothing is known of the chunk.
    pub fn place(&self, id: ChunkId) -> Result<Option<Place>, CacheError> {
        let numbers: Vec<_> = self.shard(id).stored.packs_of(fingerprint(id)).collect();
        for number in numbers {
            if let Some(place) = self.table(number)?.place(id, number) {
                return Ok(Some(place));
            }
        }
        Ok(None)
    }

    /// The table of the pack of that number.
    ///
    /// # Errors
    /// If it stands in the journal and can't be read again.
    pub fn table(&self, number: u32) -> Result<Arc<OpenTable>, CacheError> {
        let stored = {
            let packs = self.packs.read().unwrap_or_else(PoisonError::into_inner);
            packs[number as usize].stored.clone()
        };
        self.tables.open(number, &stored)
    }

    /// The packs that the new recovery point refers to, sorted by id.
    pub fn used_packs(&self) -> Vec<PackReference> {
        let packs = self.packs.read().unwrap_or_else(PoisonError::into_inner);
        let used = packs.iter().filter(|pack| pack.is_used.load(Ordering::Relaxed));
        let mut references: Vec<_> = used.map(|pack| pack.stored.reference()).collect();
        references.sort_unstable();
        references.dedup();
        references
    }
}

#[cfg(test)]
mod tests;
