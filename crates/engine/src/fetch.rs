//! Single chunks out of packs, for what is read in order: metadata streams and lists. Bulk content has its own way
//! ([`crate::restore`]).

use crate::cache::packs::{Journaled, PackJournal};
use crate::cache::{CacheError, CacheFolder};
use crate::index::{ChunkIndex, IndexedPack, Place};
use crate::pack_reader::{self, FrameReader, PackError, READ_ALIGNMENT, damaged};
use crate::vault_store::VaultRead;
use crate::{EngineError, Tools};
use stateward_crypto::EpochKeys;
use stateward_format::ChunkReference;
use stateward_format::point::PackReference;
use std::collections::{HashMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;

/// How many packs are fetched at the same time, at least: while some threads wait for the vault, others open what came.
const FETCHERS: usize = 4;

/// How many opened frames are kept: streams go through their frames in order, and a few streams take turns.
const FRAMES_KEPT: usize = 4;
/// How much is read at once, at least, in bytes.
const READ_BYTES: u32 = 2 * READ_ALIGNMENT;

/// Why a chunk cannot be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    /// None of the point's readable packs holds it.
    #[error("A chunk is in none of the packs that can be read")]
    Missing,
    /// Its pack.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// A list is not what it should be.
    #[error("A list of chunks is malformed")]
    Malformed,
    /// What the index had written down can't be read again.
    #[error(transparent)]
    Cache(#[from] CacheError),
}

impl FetchError {
    /// Damage is reported and gone around; everything else ends the job, because it says nothing of what is stored.
    pub(crate) fn damage(self) -> Result<String, EngineError> {
        match self {
            Self::Pack(PackError::Vault(error)) => error.damage().ok_or_else(|| error.into()),
            Self::Cache(error) => Err(error.into()),
            other => Ok(other.to_string()),
        }
    }
}

/// The packs of a recovery point, as far as they can be read.
pub(crate) struct Catalogue {
    /// Where each chunk is.
    pub(crate) index: ChunkIndex,
    /// Packs whose tables could not be read, and why.
    pub(crate) unreadable: Vec<(PackReference, String)>,
}

impl Catalogue {
    /// Learns what packs hold: from the cache where it knows them, from their own tables otherwise.
    pub(crate) fn load(
        vault: &dyn VaultRead,
        keys: &EpochKeys,
        packs: &[PackReference],
        cache: Option<&CacheFolder>,
        tools: &Tools<'_>,
    ) -> Result<Self, EngineError> {
        // A cache that can't be used (its disk is full, or fails) only makes this slower.
        let opened = cache.map(PackJournal::open).and_then(|opened| {
            opened.inspect_err(|error| tracing::warn!(%error, "The cache is not used")).ok()
        });
        let (journal, cached) = match opened {
            Some((journal, cached)) => (Some(Arc::new(journal)), cached),
            None => (None, Vec::new()),
        };
        let cached: HashMap<PackReference, Journaled> =
            cached.into_iter().map(|pack| (pack.reference, pack)).collect();
        let chunks = packs.iter().filter_map(|pack| cached.get(pack)).map(Journaled::about_chunks).sum();
        let index = match &journal {
            Some(journal) => ChunkIndex::over(Arc::clone(journal), chunks),
            None => ChunkIndex::default(),
        };
        let mut catalogue = Self::of(index);
        for reference in packs {
            if tools.cancellation.is_cancelled() {
                return Err(EngineError::Cancelled);
            }
            if let (Some(journal), Some(journaled)) = (&journal, cached.get(reference)) {
                match journal.read(journaled) {
                    Ok(pack) => {
                        catalogue.index.add_journaled(&pack.contents, *journaled);
                        continue;
                    }
                    // Its own table says the same.
                    Err(error) if error.is_damage() => {}
                    Err(error) => return Err(error.into()),
                }
            }
            catalogue.learn(vault, keys, *reference)?;
        }
        Ok(catalogue)
    }

    /// What an index knows.
    pub(crate) fn of(index: ChunkIndex) -> Self {
        Self { index, unreadable: Vec::new() }
    }

    /// Learns what a pack holds from its own table.
    pub(crate) fn learn(
        &mut self,
        vault: &dyn VaultRead,
        keys: &EpochKeys,
        reference: PackReference,
    ) -> Result<(), EngineError> {
        match pack_reader::read_contents(vault, keys, reference) {
            Ok(contents) => self.index.add_pack(IndexedPack { reference, contents }),
            Err(error) => self.unreadable.push((reference, FetchError::from(error).damage()?)),
        }
        Ok(())
    }
}

/// Fetches chunks, and keeps what was last read and opened.
pub(crate) struct ChunkFetcher<'a> {
    vault: &'a dyn VaultRead,
    keys: &'a EpochKeys,
    index: &'a ChunkIndex,
    reader: FrameReader,
    frames: VecDeque<((u32, u32), Vec<u8>)>,
    raw: Option<(u32, Range<u32>, Vec<u8>)>,
    /// Bytes read from the vault so far.
    pub(crate) moved_bytes: u64,
}

impl<'a> ChunkFetcher<'a> {
    pub(crate) fn new(vault: &'a dyn VaultRead, keys: &'a EpochKeys, index: &'a ChunkIndex) -> Self {
        let reader = FrameReader::new();
        Self { vault, keys, index, reader, frames: VecDeque::new(), raw: None, moved_bytes: 0 }
    }

    /// A chunk's plaintext, proved by its id.
    pub(crate) fn chunk(&mut self, chunk: ChunkReference) -> Result<&[u8], FetchError> {
        let place = self.index.place(chunk.id)?.ok_or(FetchError::Missing)?;
        if place.length != chunk.length {
            return Err(FetchError::Malformed);
        }
        let key = (place.pack, place.frame);
        let kept = match self.frames.iter().position(|(kept, _)| *kept == key) {
            Some(kept) => kept,
            None => {
                let plaintext = self.open_frame(place)?;
                self.frames.truncate(FRAMES_KEPT - 1);
                self.frames.push_front((key, plaintext));
                0
            }
        };
        let from = place.offset as usize;
        Ok(&self.frames[kept].1[from..from + place.length as usize])
    }

    fn open_frame(&mut self, place: Place) -> Result<Vec<u8>, FetchError> {
        let pack = self.index.table(place.pack)?;
        let range = pack.frame_range(place.frame);
        let is_held = |(number, held, _): &(u32, Range<u32>, Vec<u8>)| {
            *number == place.pack && held.start <= range.start && range.end <= held.end
        };
        if !self.raw.as_ref().is_some_and(is_held) {
            let read = aligned(range.start..range.end.max(range.start + READ_BYTES), pack.reference.length);
            let bytes = self.vault.read_pack(pack.reference, read.clone()).map_err(PackError::from)?;
            self.moved_bytes += bytes.len() as u64;
            self.raw = Some((place.pack, read, bytes));
        }
        let Some((_, held, bytes)) = &self.raw else { return Err(FetchError::Missing) };
        let sealed = &bytes[(range.start - held.start) as usize..(range.end - held.start) as usize];
        let pack_keys = self.keys.pack_keys(&pack.contents.foot.salt);
        let plaintext = self
            .reader
            .open(self.keys, &pack_keys, &pack.contents, place.frame as usize, sealed)
            .map_err(damaged(pack.reference.id))?;
        Ok(plaintext.to_vec())
    }
}

/// How many threads fetch packs in bulk and open them, where so many threads were asked for (0: as many as processors).
pub(crate) fn fetchers(asked: usize) -> usize {
    crate::backup::threads(asked).max(FETCHERS)
}

/// The smallest range of whole megabytes (or up to the pack's end) that holds `range`.
pub(crate) fn aligned(range: Range<u32>, length: u32) -> Range<u32> {
    let start = pack_reader::align_down(range.start);
    let end = range.end.div_ceil(READ_ALIGNMENT).saturating_mul(READ_ALIGNMENT).min(length);
    start..end
}
