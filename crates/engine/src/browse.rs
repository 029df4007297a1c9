//! Looking into recovery points: what a folder holds, and where a name is. Only metadata streams are read, never content.

mod search;

pub use search::{SearchOutcome, SearchRequest, Version, letter, search};

use crate::cache::CacheFolder;
use crate::fetch::{Catalogue, ChunkFetcher};
use crate::points::TrustedPoint;
use crate::records::{Item, RecordStream};
use crate::restore::position::Position;
use crate::vault_store::VaultRead;
use crate::{EngineError, Tools};
use stateward_crypto::EpochKeys;
use stateward_format::{Entry, EntryKind};
use std::collections::BTreeMap;

/// A folder with more entries than this is not listed whole.
pub const ENTRIES_MAX: usize = 1 << 20;

/// Which folder of which recovery point.
pub struct FolderRequest<'a> {
    /// The recovery point.
    pub point: &'a TrustedPoint,
    /// Where its packs are.
    pub vault: &'a dyn VaultRead,
    /// The keys of the point's epoch.
    pub keys: &'a EpochKeys,
    /// Where the pack index may be found.
    pub cache: Option<&'a CacheFolder>,
    /// The folder's path from the topmost folder, names separated by `/`; empty for that itself.
    pub path: &'a [u8],
}

/// What a folder holds.
#[derive(Debug, Default)]
pub struct FolderOutcome {
    /// What was found at the path itself; `None` if there is no such thing. The topmost folder stands for itself.
    pub itself: Option<Box<Entry>>,
    /// What it holds, by name.
    pub entries: BTreeMap<Vec<u8>, Box<Entry>>,
    /// Whether there are more than [`ENTRIES_MAX`].
    pub is_cut: bool,
    /// Why entries may be missing: parts of the metadata can't be read.
    pub gaps: Vec<String>,
}

/// So many reasons for gaps are kept.
const GAPS_KEPT: usize = 16;

/// Lists a folder of a recovery point.
pub fn list_folder(request: &FolderRequest<'_>, tools: &Tools<'_>) -> Result<FolderOutcome, EngineError> {
    let packs = &request.point.header.packs;
    let catalogue = Catalogue::load(request.vault, request.keys, packs, request.cache, tools)?;
    let mut fetcher = ChunkFetcher::new(request.vault, request.keys, &catalogue.index);
    let mut outcome = FolderOutcome::default();
    for component in &request.point.manifest.components {
        let mut listing =
            Listing { path: request.path, position: Position::default(), outcome: &mut outcome };
        let mut records = RecordStream::open(&component.stream);
        while let Some(item) = records.next(&mut fetcher)? {
            if tools.cancellation.is_cancelled() {
                return Err(EngineError::Cancelled);
            }
            if listing.take(item) {
                break;
            }
        }
    }
    Ok(outcome)
}

/// A pass over one component.
struct Listing<'a> {
    path: &'a [u8],
    position: Position,
    outcome: &'a mut FolderOutcome,
}

impl Listing<'_> {
    /// Takes one step; whether nothing more can come of this component.
    fn take(&mut self, item: Item) -> bool {
        match item {
            Item::Leave => {
                let is_end = !self.position.names.is_empty() && self.position.path() == self.path;
                self.position.leave();
                return is_end;
            }
            Item::Gap(why) => {
                if self.outcome.gaps.len() < GAPS_KEPT {
                    self.outcome.gaps.push(why);
                }
            }
            Item::Refused(..) => {}
            Item::LostFolder(name) => self.position.enter(&name),
            Item::Entry(entry) if entry.kind == EntryKind::Folder => {
                self.position.enter(&entry.name);
                self.keep(entry);
            }
            Item::Entry(entry) => {
                self.position.enter(&entry.name);
                self.keep(entry);
                self.position.leave();
            }
        }
        false
    }

    /// Keeps an entry, whose names are the position, if it is the folder or in it.
    fn keep(&mut self, entry: Box<Entry>) {
        let path = self.position.path();
        if path == self.path {
            self.outcome.itself.get_or_insert(entry);
            return;
        }
        let above = path.iter().rposition(|byte| *byte == b'/').map_or(&b""[..], |slash| &path[..slash]);
        if above != self.path {
            return;
        }
        match self.outcome.entries.len() < ENTRIES_MAX {
            // Folders on the way are in several components.
            true => _ = self.outcome.entries.entry(entry.name.as_bytes().to_vec()).or_insert(entry),
            false => self.outcome.is_cut = true,
        }
    }
}
