//! The walk: takes over what is unchanged, and hands out the rest in batches.
//!
//! Batches are numbered: they are read by several threads and put together again in their order.

use super::Shared;
use crate::cache::parent::{ParentCursor, ParentEntry};
use crate::sink::list_chunks;
use crate::source::{Found, FoundKind, Stat, Visitor};
use crossbeam_channel::{Receiver, Sender};
use stateward_format::manifest::Warning;
use stateward_format::wire::Reader;
use stateward_format::{Content, EntryKind, FormatError, Piece};
use stateward_model::{ComponentName, Timestamp};
use std::ops::ControlFlow;

/// A file whose inode changed later than this before the parent's run may have been written again within the clock's
/// tick, unseen by that run: it is not taken for unchanged. Two seconds is the coarsest tick of any file system (FAT).
const TICK_SECONDS: i64 = 2;

/// A batch ends after so many entries to be read …
const BATCH_ENTRIES: usize = 64;
/// … or so many in all …
const BATCH_ITEMS: usize = 1024;
/// … or so many bytes to be read.
const BATCH_BYTES: u64 = 2 << 20;

/// One step of the walk.
pub(super) enum Step {
    /// An entry that is as in the parent.
    Unchanged(Box<ParentEntry>),
    /// An entry that must be read.
    Read(Box<Found>),
    /// The end of the folder entered last.
    Leave,
    /// A component begins.
    Begin(ComponentName),
    /// It ends; `false`: there is no such thing on this machine.
    End(bool),
    /// Something is left out.
    Warning(Warning),
}

/// Some steps, and their place among all.
pub(super) struct Batch {
    pub(super) number: u64,
    pub(super) steps: Vec<Step>,
}

/// What the unchanged rule needs to know of the parent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unchanged {
    /// When the parent's run began.
    pub(super) parent_started_at: Timestamp,
    /// This run's place in the chain: chooses the share that is read again.
    pub(super) sequence: u64,
    /// The size of that share: one in so many, or 0.
    pub(super) reread_every: u64,
}

impl Unchanged {
    /// Whether an entry is as its parent was, to the nanosecond, by all that the file system tells.
    fn holds(&self, stat: &Stat, parent: &ParentEntry) -> bool {
        let (Some(identity), Some(before)) = (stat.identity, parent.entry.metadata.identity) else {
            return false;
        };
        let same_kind = match (stat.kind, &parent.entry.kind) {
            (FoundKind::File { size }, EntryKind::File { size: before, .. }) => {
                size == *before && !self.is_reread(identity.file_id as u64)
            }
            (FoundKind::Folder, EntryKind::Folder)
            | (FoundKind::SymbolicLink, EntryKind::SymbolicLink { .. })
            | (FoundKind::Fifo, EntryKind::Fifo)
            | (FoundKind::Socket, EntryKind::Socket) => true,
            _ => false,
        };
        same_kind
            && identity == before
            && stat.modified_at == parent.entry.metadata.modified_at
            && identity.changed_at.plus_seconds(TICK_SECONDS) <= self.parent_started_at
    }

    /// Each file once in `reread_every` runs, a like share each time.
    fn is_reread(&self, file_id: u64) -> bool {
        // Neighbouring ids are spread over the runs (Fibonacci hashing).
        let spread = file_id.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        self.reread_every > 0 && spread.wrapping_add(self.sequence).is_multiple_of(self.reread_every)
    }
}

/// Sends steps on in batches.
pub(super) struct Walker<'a> {
    pub(super) shared: &'a Shared<'a>,
    pub(super) batches: Sender<Batch>,
    /// Gives a token for each batch that may be under way: bounds what is held.
    pub(super) tokens: Receiver<()>,
    pub(super) unchanged: Option<Unchanged>,
    pub(super) cursor: Option<ParentCursor>,
    pub(super) batch: Batch,
    pub(super) to_read: (usize, u64),
}

impl Walker<'_> {
    /// Adds a step; `Break` when the job is ending.
    pub(super) fn step(&mut self, step: Step) -> ControlFlow<()> {
        if let Step::Read(found) = &step {
            self.to_read.0 += 1;
            if let FoundKind::File { size } = found.stat.kind {
                self.to_read.1 += size;
            }
        }
        self.batch.steps.push(step);
        let is_full = self.to_read.0 >= BATCH_ENTRIES
            || self.to_read.1 >= BATCH_BYTES
            || self.batch.steps.len() >= BATCH_ITEMS;
        if is_full { self.send() } else { ControlFlow::Continue(()) }
    }

    /// Sends the batch.
    pub(super) fn send(&mut self) -> ControlFlow<()> {
        let next = Batch { number: self.batch.number + 1, steps: Vec::new() };
        let batch = std::mem::replace(&mut self.batch, next);
        self.to_read = (0, 0);
        // Both ends are gone only when the job is ending.
        let sent = self.tokens.recv().is_ok() && self.batches.send(batch).is_ok();
        match sent && !self.shared.is_ending() {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        }
    }

    fn take_unchanged(&self, found: &Found, parent: Option<ParentEntry>) -> Option<Box<ParentEntry>> {
        let parent = parent?;
        let holds = self.unchanged.as_ref()?.holds(&found.stat, &parent) && self.has_all_chunks(&parent);
        holds.then(|| Box::new(parent))
    }

    /// Whether the vault holds every chunk that the parent's entry refers to.
    fn has_all_chunks(&self, parent: &ParentEntry) -> bool {
        let is_known = |piece: &Piece| match piece {
            Piece::Data(chunk) => self.shared.index.is_known(chunk.id),
            Piece::Hole(_) => true,
        };
        let own = matches!(parent.entry.kind, EntryKind::File { .. });
        parent.entry.contents().enumerate().all(|(number, (_, content))| match content {
            Content::Inline(pieces) => pieces.iter().all(is_known),
            // The parent keeps the list of a file's own pieces only.
            Content::Listed(_) if !own || number > 0 => false,
            Content::Listed(_) => parent.list.as_deref().is_some_and(|list| {
                let mut reader = Reader::new("list of pieces", list);
                let mut has_pieces = || -> Result<bool, FormatError> {
                    while !reader.is_at_end() {
                        if !is_known(&Piece::decode(&mut reader)?) {
                            return Ok(false);
                        }
                    }
                    Ok(true)
                };
                has_pieces().unwrap_or(false)
                    && list_chunks(self.shared.keys, list)
                        .iter()
                        .all(|chunk| self.shared.index.is_known(chunk.id))
            }),
        })
    }
}

impl Visitor for Walker<'_> {
    fn entry(&mut self, found: Found) -> ControlFlow<()> {
        let is_folder = found.stat.kind == FoundKind::Folder;
        let parent = self.cursor.as_mut().and_then(|cursor| cursor.find(&found.name, is_folder));
        match self.take_unchanged(&found, parent) {
            Some(parent) => self.step(Step::Unchanged(parent)),
            None => self.step(Step::Read(Box::new(found))),
        }
    }

    fn leave(&mut self) -> ControlFlow<()> {
        if let Some(cursor) = &mut self.cursor {
            cursor.leave();
        }
        self.step(Step::Leave)
    }

    fn warning(&mut self, warning: Warning) {
        // An ending job says so at the next entry.
        let _ = self.step(Step::Warning(warning));
    }
}
