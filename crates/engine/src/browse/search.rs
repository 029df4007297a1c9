//! Searching names in many recovery points of one item.
//!
//! A segment of a metadata stream stands by itself, and recovery points share most of theirs: each is read once, whatever
//! the number of points, as long as there is room to remember what it holds. In memory are that and what was found, both bounded.

use crate::cache::CacheFolder;
use crate::fetch::{Catalogue, ChunkFetcher};
use crate::lists::ListedChunks;
use crate::points::TrustedPoint;
use crate::vault_store::VaultRead;
use crate::{EngineError, Tools};
use stateward_crypto::EpochKeys;
use stateward_format::segment::Segment;
use stateward_format::wire::Writer;
use stateward_format::{ChunkId, ChunkReference, Content, Entry, EntryKind, FileName, FormatError, Record};
use stateward_model::Timestamp;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Which names in which recovery points.
pub struct SearchRequest<'a> {
    /// The recovery points of one item, the oldest first, all of one epoch.
    pub points: &'a [TrustedPoint],
    /// Where their packs are.
    pub vault: &'a dyn VaultRead,
    /// The keys of their epoch.
    pub keys: &'a EpochKeys,
    /// Where the pack index may be found.
    pub cache: Option<&'a CacheFolder>,
    /// Whether a path (bytes, from `/`) is meant.
    pub is_meant: &'a dyn Fn(&[u8]) -> bool,
    /// So many versions are kept.
    pub versions_max: usize,
}

/// One state of one path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// The path's bytes, from `/`.
    pub path: Vec<u8>,
    /// When it was changed last.
    pub modified_at: Timestamp,
    /// The mode, with the bits of its type as `ls` shows them first.
    pub kind: char,
    /// Its mode.
    pub mode: u32,
    /// The size of a file, in bytes.
    pub size: Option<u64>,
    /// What tells its content from another.
    pub content: ChunkId,
}

/// What was found.
#[derive(Debug, Default)]
pub struct SearchOutcome {
    /// Each version, and the places of the recovery points that it is in: from … to, both included.
    pub versions: BTreeMap<Version, Vec<(usize, usize)>>,
    /// Whether there are more than were to be kept.
    pub is_cut: bool,
    /// How many parts of metadata could not be read, so that something may be missing. Where there are more segments than can be
    /// remembered, one may count several times.
    pub parts_lost: u64,
}

/// Searches.
pub fn search(request: &SearchRequest<'_>, tools: &Tools<'_>) -> Result<SearchOutcome, EngineError> {
    let mut known = HashSet::new();
    let packs = request.points.iter().flat_map(|point| &point.header.packs).copied();
    let packs: Vec<_> = packs.filter(|pack| known.insert(pack.id)).collect();
    let catalogue = Catalogue::load(request.vault, request.keys, &packs, request.cache, tools)?;
    let fetcher = ChunkFetcher::new(request.vault, request.keys, &catalogue.index);
    let mut searching = Searching {
        request,
        tools,
        fetcher,
        found: Remembered::new(REMEMBERED_MAX),
        outcome: SearchOutcome::default(),
    };
    for (place, point) in request.points.iter().enumerate() {
        searching.point(place, point)?;
    }
    Ok(searching.outcome)
}

struct Searching<'a> {
    request: &'a SearchRequest<'a>,
    tools: &'a Tools<'a>,
    fetcher: ChunkFetcher<'a>,
    found: Remembered,
    outcome: SearchOutcome,
}

/// So many segments and versions in them are remembered: some hundred megabytes. Ten million files have some ten thousand segments.
const REMEMBERED_MAX: usize = 1 << 20;

/// What each segment that was read holds of what is meant; mostly nothing. Once it is full, it begins anew: what was forgotten
/// is read again.
struct Remembered {
    segments: HashMap<ChunkReference, Vec<Version>>,
    weight: usize,
    most: usize,
}

impl Remembered {
    fn new(most: usize) -> Self {
        Self { segments: HashMap::new(), weight: 0, most }
    }

    fn has(&self, segment: ChunkReference) -> bool {
        self.segments.contains_key(&segment)
    }

    fn put(&mut self, segment: ChunkReference, versions: Vec<Version>) {
        let weight = 1 + versions.len();
        if self.weight + weight > self.most {
            *self = Self::new(self.most);
        }
        self.weight += weight;
        self.segments.insert(segment, versions);
    }

    fn of(&self, segment: ChunkReference) -> impl Iterator<Item = &Version> {
        self.segments.get(&segment).into_iter().flatten()
    }
}

impl Searching<'_> {
    fn point(&mut self, place: usize, point: &TrustedPoint) -> Result<(), EngineError> {
        for component in &point.manifest.components {
            let mut segments = ListedChunks::of(&component.stream);
            loop {
                if self.tools.cancellation.is_cancelled() {
                    return Err(EngineError::Cancelled);
                }
                match segments.next(&mut self.fetcher) {
                    Ok(Some(segment)) => self.segment(place, segment)?,
                    Ok(None) => break,
                    Err(error) => {
                        error.damage()?;
                        self.outcome.parts_lost += 1;
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    fn segment(&mut self, place: usize, segment: ChunkReference) -> Result<(), EngineError> {
        if !self.found.has(segment) {
            let found = match self.fetcher.chunk(segment) {
                Ok(bytes) => versions(bytes, self.request).ok(),
                Err(error) => error.damage().map(|_| None)?,
            };
            self.outcome.parts_lost += u64::from(found.is_none());
            self.found.put(segment, found.unwrap_or_default());
        }
        for version in self.found.of(segment) {
            let has_room = self.outcome.versions.len() < self.request.versions_max;
            match self.outcome.versions.get_mut(version) {
                Some(ranges) => extend(ranges, place),
                None if has_room => {
                    self.outcome.versions.insert(version.clone(), vec![(place, place)]);
                }
                None => self.outcome.is_cut = true,
            }
        }
        Ok(())
    }
}

fn extend(ranges: &mut Vec<(usize, usize)>, place: usize) {
    match ranges.last_mut() {
        Some((_, last)) if *last + 1 >= place => *last = place,
        _ => ranges.push((place, place)),
    }
}

/// What a segment holds of what is meant.
fn versions(bytes: &[u8], request: &SearchRequest<'_>) -> Result<Vec<Version>, FormatError> {
    let mut segment = Segment::decode(bytes)?;
    let mut open: Vec<FileName> = segment.open_folders.clone();
    let mut found = Vec::new();
    while let Some(record) = segment.next_record()? {
        match record {
            Ok(Record::Leave) => _ = open.pop(),
            Ok(Record::Entry(entry)) => {
                let is_folder = entry.kind == EntryKind::Folder;
                let path = path_of(&open, &entry.name);
                if (request.is_meant)(&path) && found.len() < request.versions_max {
                    found.push(version(path, &entry, request.keys));
                }
                if is_folder {
                    open.push(entry.name);
                }
            }
            Err(refused) if refused.is_folder => open.push(refused.name),
            Err(_) => {}
        }
    }
    Ok(found)
}

/// From `/`. The topmost folder has an empty name.
fn path_of(open: &[FileName], name: &FileName) -> Vec<u8> {
    let names: Vec<&[u8]> = open.iter().chain([name]).map(FileName::as_bytes).collect();
    match names.as_slice() {
        [_] => b"/".to_vec(),
        names => names.join(&b'/'),
    }
}

fn version(path: Vec<u8>, entry: &Entry, keys: &EpochKeys) -> Version {
    let size = match entry.kind {
        EntryKind::File { size, .. } => Some(size),
        _ => None,
    };
    let Entry { kind, metadata, .. } = entry;
    // A folder's time changes with what it holds, which is no other version of it.
    let modified_at = if *kind == EntryKind::Folder { Timestamp(0) } else { metadata.modified_at };
    let (kind, content) = (letter(kind), content_id(kind, keys));
    Version { path, modified_at, kind, mode: metadata.mode, size, content }
}

/// A kind as `ls -l` shows it.
pub fn letter(kind: &EntryKind) -> char {
    match kind {
        EntryKind::File { .. } => '-',
        EntryKind::Folder => 'd',
        EntryKind::SymbolicLink { .. } => 'l',
        EntryKind::BlockDevice { .. } => 'b',
        EntryKind::CharacterDevice { .. } => 'c',
        EntryKind::Fifo => 'p',
        EntryKind::Socket => 's',
    }
}

/// Of the pieces that a file is made of, or of what a link says.
fn content_id(kind: &EntryKind, keys: &EpochKeys) -> ChunkId {
    let mut writer = Writer::default();
    match kind {
        EntryKind::File { content: Content::Inline(pieces), .. } => {
            pieces.iter().for_each(|piece| piece.encode(&mut writer));
        }
        EntryKind::File { content: Content::Listed(stream), .. } => {
            writer.u8(stream.depth);
            stream.chunks.iter().for_each(|chunk| writer.raw(&chunk.id.0));
        }
        EntryKind::SymbolicLink { target } => writer.raw(target),
        EntryKind::BlockDevice { major, minor } | EntryKind::CharacterDevice { major, minor } => {
            writer.varint(u64::from(*major));
            writer.varint(u64::from(*minor));
        }
        EntryKind::Folder | EntryKind::Fifo | EntryKind::Socket => {}
    }
    keys.chunk_id(&writer.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_in_a_row_are_one_range() {
        let mut ranges = vec![(0, 0)];
        for place in [1, 1, 2, 5, 6, 9] {
            extend(&mut ranges, place);
        }
        assert_eq!(ranges, [(0, 2), (5, 6), (9, 9)]);
    }

    #[test]
    fn what_segments_hold_is_remembered_up_to_a_bound() {
        let segment = |number: u8| ChunkReference { id: ChunkId([number; 32]), length: 1 };
        let version = Version {
            path: b"/a".to_vec(),
            modified_at: Timestamp(0),
            kind: '-',
            mode: 0,
            size: None,
            content: ChunkId([0; 32]),
        };
        let mut remembered = Remembered::new(5);
        remembered.put(segment(1), vec![version.clone()]);
        remembered.put(segment(2), vec![version.clone(), version.clone()]);
        assert!(remembered.has(segment(1)) && remembered.of(segment(2)).count() == 2);
        remembered.put(segment(3), Vec::new());
        assert!(!remembered.has(segment(1)) && !remembered.has(segment(2)) && remembered.has(segment(3)));
        // One that is larger than the bound by itself is remembered while it is looked at.
        remembered.put(segment(4), vec![version; 9]);
        assert_eq!((remembered.of(segment(4)).count(), remembered.segments.len()), (9, 1));
    }

    #[test]
    fn paths_begin_at_the_topmost_folder() {
        let name = |text: &str| FileName::new(text.as_bytes()).unwrap();
        assert_eq!(path_of(&[], &FileName::root()), b"/");
        assert_eq!(path_of(&[FileName::root()], &name("etc")), b"/etc");
        assert_eq!(path_of(&[FileName::root(), name("etc")], &name("fstab")), b"/etc/fstab");
    }
}
