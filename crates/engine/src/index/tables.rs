//! Packs' tables, opened for look-ups: held in memory where they must be, otherwise read from the journal when asked
//! for and kept while they are in use.
//!
//! Chunks that are needed together were mostly stored together, so few tables serve many look-ups (Zhu et al., "Avoiding
//! the disk bottleneck in the Data Domain deduplication file system", FAST 2008, section 4.3).

use super::{IndexedPack, Place, fingerprint};
use crate::cache::CacheError;
use crate::cache::packs::{Journaled, PackJournal};
use stateward_format::content::ChunkId;
use stateward_format::point::PackReference;
use std::collections::HashMap;
use std::ops::{Deref, Range};
use std::sync::{Arc, Mutex, PoisonError};

/// How many chunks the tables that are kept may have in all; about 60 bytes each. A pack of small files holds 10⁵, and a
/// run that stored with several threads filled several packs at once: those must fit together.
const CHUNKS_KEPT: usize = 1 << 19;

/// A pack's table, ready for look-ups.
#[derive(Debug)]
pub struct OpenTable {
    pack: IndexedPack,
    /// Where each frame begins in the pack.
    frame_starts: Vec<u32>,
    /// For each chunk, by fingerprint: its frame's ordinal, its place in the frame's list, and where it begins there.
    chunks: Vec<(u64, u32, u32, u32)>,
}

impl Deref for OpenTable {
    type Target = IndexedPack;

    fn deref(&self) -> &IndexedPack {
        &self.pack
    }
}

impl OpenTable {
    /// Opens a table.
    pub fn new(pack: IndexedPack) -> Self {
        let mut frame_starts = Vec::with_capacity(pack.contents.table.frames.len());
        let mut chunks = Vec::new();
        let mut start = 0;
        for (ordinal, frame) in pack.contents.table.frames.iter().enumerate() {
            frame_starts.push(start);
            start += frame.sealed_length;
            let mut offset = 0;
            for (at, chunk) in frame.chunks.iter().enumerate() {
                chunks.push((fingerprint(chunk.id), ordinal as u32, at as u32, offset));
                offset += chunk.length;
            }
        }
        chunks.sort_unstable();
        Self { pack, frame_starts, chunks }
    }

    /// Where a frame lies in the pack.
    pub fn frame_range(&self, ordinal: u32) -> Range<u32> {
        let start = self.frame_starts[ordinal as usize];
        start..start + self.pack.contents.table.frames[ordinal as usize].sealed_length
    }

    /// Where the chunk is, if this pack holds it; `number` is the pack's in the index.
    pub(super) fn place(&self, id: ChunkId, number: u32) -> Option<Place> {
        let wanted = fingerprint(id);
        let first = self.chunks.partition_point(|(found, ..)| *found < wanted);
        let alike = self.chunks[first..].iter().take_while(|(found, ..)| *found == wanted);
        let frames = &self.pack.contents.table.frames;
        alike
            .map(|(_, frame, at, offset)| (frame, &frames[*frame as usize].chunks[*at as usize], offset))
            .find(|(_, chunk, _)| chunk.id == id)
            .map(|(frame, chunk, offset)| Place {
                pack: number,
                frame: *frame,
                offset: *offset,
                length: chunk.length,
            })
    }
}

/// Where a pack's table is.
#[derive(Debug, Clone)]
pub(super) enum Stored {
    Held(Arc<OpenTable>),
    Journaled(Journaled),
}

impl Stored {
    pub(super) fn reference(&self) -> PackReference {
        match self {
            Self::Held(table) => table.reference,
            Self::Journaled(journaled) => journaled.reference,
        }
    }
}

/// Opens tables, and keeps those last used.
#[derive(Default)]
pub(super) struct Tables {
    journal: Option<Arc<PackJournal>>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    tables: HashMap<u32, (Arc<OpenTable>, u64)>,
    chunks: usize,
    clock: u64,
}

impl Tables {
    pub(super) fn over(journal: Arc<PackJournal>) -> Self {
        Self { journal: Some(journal), kept: Mutex::default() }
    }

    /// The table of the pack of that number.
    pub(super) fn open(&self, number: u32, stored: &Stored) -> Result<Arc<OpenTable>, CacheError> {
        let journaled = match stored {
            Stored::Held(table) => return Ok(Arc::clone(table)),
            Stored::Journaled(journaled) => journaled,
        };
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(table) = kept.get(number) {
            return Ok(table);
        }
        // Under the lock: other threads mostly want the same table.
        let journal = self.journal.as_ref().expect("what is journaled came from the journal");
        let table = Arc::new(OpenTable::new(journal.read(journaled)?));
        kept.keep(number, &table);
        Ok(table)
    }
}

impl Kept {
    fn get(&mut self, number: u32) -> Option<Arc<OpenTable>> {
        self.clock += 1;
        let (table, used) = self.tables.get_mut(&number)?;
        *used = self.clock;
        Some(Arc::clone(table))
    }

    fn keep(&mut self, number: u32, table: &Arc<OpenTable>) {
        self.chunks += table.chunks.len();
        self.tables.insert(number, (Arc::clone(table), self.clock));
        while self.chunks > CHUNKS_KEPT && self.tables.len() > 1 {
            let oldest = self.tables.iter().min_by_key(|(_, (_, used))| *used).map(|(number, _)| *number);
            let Some((gone, _)) = oldest.and_then(|oldest| self.tables.remove(&oldest)) else { return };
            self.chunks -= gone.chunks.len();
        }
    }
}
