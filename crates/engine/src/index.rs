//! The pack index in memory: which chunks there are, and where.
//!
//! It is filled from the cache folder and from the packs' own tables, asked by every thread that cuts, and told of each
//! new chunk the moment one thread takes it on, so that no chunk is stored twice by one run. It only ever says "known"
//! of chunks in packs that the vault has pinned for this session, and of chunks that this run will store.
//!
//! Memory: about 64 bytes a chunk.

use crate::pack_reader::PackContents;
use stateward_format::content::ChunkId;
use stateward_format::point::PackReference;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// A pack in the index.
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

type Map = HashMap<ChunkId, Option<Place>, BuildHasherDefault<IdHasher>>;

const SHARDS: usize = 64;

/// The index. `None` in a shard means: taken on by this run, not yet in a pack.
pub struct ChunkIndex {
    shards: Vec<Mutex<Map>>,
    packs: RwLock<Vec<(Arc<IndexedPack>, AtomicBool)>>,
}

impl Default for ChunkIndex {
    fn default() -> Self {
        Self { shards: (0..SHARDS).map(|_| Mutex::default()).collect(), packs: RwLock::default() }
    }
}

impl ChunkIndex {
    fn shard(&self, id: ChunkId) -> std::sync::MutexGuard<'_, Map> {
        // A panic of another thread ends the whole job; what it left in a map is a whole entry or none.
        self.shards[usize::from(id.0[31]) % SHARDS].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a pack and all of its chunks. A chunk that is known from another pack keeps its place.
    pub fn add_pack(&self, pack: IndexedPack) {
        let mut packs = self.packs.write().unwrap_or_else(PoisonError::into_inner);
        let number = packs.len() as u32;
        for (ordinal, frame) in pack.contents.table.frames.iter().enumerate() {
            let mut offset = 0;
            for chunk in &frame.chunks {
                let place = Place { pack: number, frame: ordinal as u32, offset, length: chunk.length };
                let mut shard = self.shard(chunk.id);
                let entry = shard.entry(chunk.id).or_default();
                if entry.is_none() {
                    *entry = Some(place);
                }
                offset += chunk.length;
            }
        }
        packs.push((Arc::new(pack), AtomicBool::new(false)));
    }

    /// Asks for a chunk that is to be part of the new recovery point; takes it on if nobody has it.
    pub fn claim(&self, id: ChunkId) -> Claim {
        let place = match self.shard(id).entry(id) {
            std::collections::hash_map::Entry::Vacant(vacant) => {
                vacant.insert(None);
                return Claim::New;
            }
            std::collections::hash_map::Entry::Occupied(entry) => *entry.get(),
        };
        if let Some(place) = place {
            self.use_pack(place.pack);
        }
        Claim::Known
    }

    /// Like [`Self::claim`], but never takes it on: whether a chunk of the parent may be referred to again.
    pub fn is_known(&self, id: ChunkId) -> bool {
        let place = self.shard(id).get(&id).copied();
        if let Some(Some(place)) = place {
            self.use_pack(place.pack);
        }
        place.is_some()
    }

    fn use_pack(&self, number: u32) {
        let packs = self.packs.read().unwrap_or_else(PoisonError::into_inner);
        packs[number as usize].1.store(true, Ordering::Relaxed);
    }

    /// Where a stored chunk is.
    pub fn place(&self, id: ChunkId) -> Option<Place> {
        self.shard(id).get(&id).copied().flatten()
    }

    /// The pack of that number.
    pub fn pack(&self, number: u32) -> Arc<IndexedPack> {
        Arc::clone(&self.packs.read().unwrap_or_else(PoisonError::into_inner)[number as usize].0)
    }

    /// The packs that the new recovery point refers to, sorted by id.
    pub fn used_packs(&self) -> Vec<PackReference> {
        let packs = self.packs.read().unwrap_or_else(PoisonError::into_inner);
        let used = packs.iter().filter(|(_, used)| used.load(Ordering::Relaxed));
        let mut references: Vec<_> = used.map(|(pack, _)| pack.reference).collect();
        references.sort_unstable();
        references.dedup();
        references
    }

    /// Adds a pack that this run has stored: the new recovery point refers to it.
    pub fn add_new_pack(&self, pack: IndexedPack) {
        let mut packs_before = 0;
        {
            let packs = self.packs.read().unwrap_or_else(PoisonError::into_inner);
            packs_before += packs.len();
        }
        self.add_pack(pack);
        let packs = self.packs.read().unwrap_or_else(PoisonError::into_inner);
        packs[packs_before..].iter().for_each(|(_, used)| used.store(true, Ordering::Relaxed));
    }

    /// All packs.
    pub fn packs(&self) -> Vec<IndexedPack> {
        let packs = self.packs.read().unwrap_or_else(PoisonError::into_inner);
        packs.iter().map(|(pack, _)| IndexedPack::clone(pack)).collect()
    }
}
