//! The threads of a backup and the channels between them.
//!
//! ```text
//! walk ─batches→ read (n threads) ─read batches→ assemble
//!                  └──── frames ────→ compress (n threads) ─packs→ send (a few threads) ─→ vault
//! ```
//! Every channel is bounded, so memory is: at most [`BATCHES`] batches, a frame in each reading and two in each compressing
//! thread, a pack open in each of these, and [`SENDERS`] being sent: about 60 MiB, and 40 more for each thread of a kind;
//! frames of disk images are twice as long. The first error ends all threads, and is the one told.

use super::assemble::{Assembled, Assembler, Line, Read, ReadBatch};
use super::read::{EntryReader, Unread};
use super::walk::{Batch, Step, Unchanged, Walker};
use super::{BackupRequest, Shared};
use crate::buffers::Buffers;
use crate::cache::packs::PackJournal;
use crate::cache::parent::{Parent, ParentEntry, ParentWriter};
use crate::cut::Cutter;
use crate::index::IndexedPack;
use crate::pack_writer::{FinishedPack, PackWriter, PlainFrame};
use crate::progress::Advance;
use crate::sink::ChunkSink;
use crate::vault_store::VaultSession;
use crate::{EngineError, Tools};
use crossbeam_channel::{Receiver, Sender, bounded};
use stateward_format::point::PackReference;
use stateward_format::{EntryKind, manifest::Warning};
use std::ops::ControlFlow;
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::thread;

/// How many batches may be between walk and assembly.
const BATCHES: usize = 64;
/// How many frames may wait to be compressed.
const FRAMES_WAITING: usize = 1;
/// How many finished packs may wait to be sent, besides those that a compressing thread has just closed.
const PACKS_WAITING: usize = 0;
/// How many packs are sent at the same time.
const SENDERS: usize = 2;

/// What one pass over the source needs.
pub(super) struct Pass<'a> {
    pub(super) request: &'a BackupRequest<'a>,
    pub(super) shared: &'a Shared<'a>,
    pub(super) session: &'a dyn VaultSession,
    pub(super) journal: &'a PackJournal,
    pub(super) parent: Option<&'a Parent>,
    pub(super) unchanged: Option<Unchanged>,
    pub(super) tools: &'a Tools<'a>,
    pub(super) threads: usize,
}

impl Pass<'_> {
    /// Reads the whole source; every pack is durable at the vault when it returns.
    pub(super) fn run(&self, parent_writer: ParentWriter) -> Result<(Assembled, ParentWriter), EngineError> {
        let cutter = Cutter::new(self.shared.keys);
        let (batch_sender, batches) = bounded::<Batch>(BATCHES);
        let (read_sender, read_batches) = bounded::<ReadBatch>(BATCHES);
        let (token_sender, tokens) = bounded::<()>(BATCHES);
        let (frame_sender, frames) = bounded::<PlainFrame>(FRAMES_WAITING);
        let (pack_sender, packs) = bounded::<FinishedPack>(PACKS_WAITING);
        // One in each sink, one in each compressing thread, and those between.
        let frame_buffers = Buffers::new(2 * self.threads + 1 + FRAMES_WAITING);
        let pack_buffers = Buffers::new(self.threads + PACKS_WAITING + SENDERS);
        let closing = &Mutex::new(());
        (0..BATCHES).for_each(|_| token_sender.send(()).expect("the channel holds so many"));
        let result = thread::scope(|scope| {
            for _ in 0..SENDERS {
                let packs = packs.clone();
                scope.spawn(move || self.guard(|| self.send_packs(&packs)));
            }
            drop(packs);
            for _ in 0..self.threads {
                let (frames, pack_sender) = (frames.clone(), pack_sender.clone());
                let buffers = pack_buffers.clone();
                scope.spawn(move || self.guard(|| self.compress(&frames, &pack_sender, buffers, closing)));
            }
            drop((frames, pack_sender));
            for _ in 0..self.threads {
                let (frames, buffers) = (frame_sender.clone(), frame_buffers.clone());
                let sink = ChunkSink::new(self.shared.keys, self.shared.index, frames, buffers);
                let reader = EntryReader::new(&cutter, sink, self.tools.cancellation);
                let (batches, read_sender) = (batches.clone(), read_sender.clone());
                scope.spawn(move || self.guard(|| self.read(reader, &batches, &read_sender)));
            }
            drop((batches, read_sender));
            let sink = ChunkSink::new(self.shared.keys, self.shared.index, frame_sender, frame_buffers);
            let assembler = Assembler::new(&cutter, sink, parent_writer);
            let assembly =
                scope.spawn(move || self.guard(|| assemble(assembler, &read_batches, &token_sender)));
            self.guard(|| self.walk(batch_sender, tokens));
            assembly.join().expect("a thread's panic is passed on")
        });
        match self.shared.take_failure() {
            Some(failure) => Err(failure),
            None => result.ok_or(EngineError::Cancelled),
        }
    }

    /// Runs a thread's work; its error ends the job.
    fn guard<T>(&self, work: impl FnOnce() -> Result<T, EngineError>) -> Option<T> {
        work().map_err(|error| self.shared.fail(error)).ok()
    }

    fn walk(&self, batches: Sender<Batch>, tokens: Receiver<()>) -> Result<(), EngineError> {
        let batch = Batch { number: 0, steps: Vec::new() };
        let mut walker = Walker {
            shared: self.shared,
            batches,
            tokens,
            unchanged: self.unchanged,
            cursor: None,
            batch,
            to_read: (0, 0),
        };
        for component in self.request.source.components() {
            walker.cursor = self.parent.map(|parent| parent.cursor(&component));
            if walker.step(Step::Begin(component.clone())).is_break() {
                return Ok(());
            }
            let is_present = self.request.source.walk(&component, &mut walker)?;
            if walker.step(Step::End(is_present)) == ControlFlow::Break(()) {
                return Ok(());
            }
        }
        let _ = walker.send();
        Ok(())
    }

    fn read(
        &self,
        mut reader: EntryReader<'_>,
        batches: &Receiver<Batch>,
        done: &Sender<ReadBatch>,
    ) -> Result<(), EngineError> {
        for batch in batches {
            if self.shared.is_ending() {
                return Ok(());
            }
            let mut read = ReadBatch::of(&batch);
            for step in batch.steps {
                self.read_step(&mut reader, step, &mut read.steps)?;
            }
            if done.send(read).is_err() {
                return Ok(());
            }
        }
        reader.flush()
    }

    fn read_step(
        &self,
        reader: &mut EntryReader<'_>,
        step: Step,
        out: &mut Vec<Read>,
    ) -> Result<(), EngineError> {
        if self.tools.cancellation.is_cancelled() {
            return Err(EngineError::Cancelled);
        }
        match step {
            Step::Unchanged(parent) => out.push(Read::Entry(self.take_over(*parent))),
            Step::Leave => out.push(Read::Leave),
            Step::Begin(name) => out.push(Read::Begin(name)),
            Step::End(is_present) => out.push(Read::End(is_present)),
            Step::Warning(warning) => self.warn(warning, out),
            Step::Read(found) => {
                let is_folder = found.stat.kind == crate::source::FoundKind::Folder;
                match reader.read(&found) {
                    Ok(read) => {
                        self.advance(read.size);
                        out.push(Read::Entry(Line {
                            record: read.record,
                            list: read.list,
                            entered: is_folder.then(|| found.name.clone()),
                            file_bytes: read.size,
                            is_unchanged: false,
                        }));
                        if let Some(warning) = read.warning {
                            self.warn(warning, out);
                        }
                    }
                    Err(Unread::Ended(error)) => return Err(error),
                    Err(unread) => {
                        if let Unread::LeftOut(warning) = unread {
                            self.warn(warning, out);
                        }
                        if is_folder {
                            out.push(Read::LostFolder);
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn take_over(&self, parent: ParentEntry) -> Line {
        let file_bytes = match parent.entry.kind {
            EntryKind::File { size, .. } => Some(size),
            _ => None,
        };
        self.advance(file_bytes);
        let entered = (parent.entry.kind == EntryKind::Folder).then(|| parent.entry.name.clone());
        Line { record: parent.record, list: parent.list, entered, file_bytes, is_unchanged: true }
    }

    fn advance(&self, file_bytes: Option<u64>) {
        let files = u64::from(file_bytes.is_some());
        self.tools.progress.advanced(Advance { files, bytes: file_bytes.unwrap_or(0), moved_bytes: 0 });
    }

    fn warn(&self, warning: Warning, out: &mut Vec<Read>) {
        self.tools.progress.warning(&warning);
        out.push(Read::Warning(warning));
    }

    fn compress(
        &self,
        frames: &Receiver<PlainFrame>,
        packs: &Sender<FinishedPack>,
        buffers: Buffers,
        closing: &Mutex<()>,
    ) -> Result<(), EngineError> {
        let compression = self.request.options.compression;
        let mut writer = PackWriter::new(self.shared.keys, self.tools.random, compression, buffers, closing);
        for frame in frames {
            for pack in writer.add(&frame)? {
                if packs.send(pack).is_err() {
                    return Ok(());
                }
            }
        }
        // An ending job has no use for a last pack.
        if let Some(pack) = if self.shared.is_ending() { None } else { writer.finish()? } {
            let _ = packs.send(pack);
        }
        Ok(())
    }

    fn send_packs(&self, packs: &Receiver<FinishedPack>) -> Result<(), EngineError> {
        for FinishedPack { id, bytes, contents } in packs {
            if self.shared.is_ending() {
                return Ok(());
            }
            let length = bytes.len() as u64;
            self.session.put_pack(id, bytes)?;
            let pack = IndexedPack { reference: PackReference { id, length: length as u32 }, contents };
            let journaled = self.journal.append(&pack)?;
            self.shared.index.add_new_pack(&pack.contents, journaled);
            self.shared.uploaded_bytes.fetch_add(length, Ordering::Relaxed);
            self.tools.progress.advanced(Advance { files: 0, bytes: 0, moved_bytes: length });
        }
        Ok(())
    }
}

fn assemble(
    mut assembler: Assembler<'_>,
    batches: &Receiver<ReadBatch>,
    tokens: &Sender<()>,
) -> Result<(Assembled, ParentWriter), EngineError> {
    for batch in batches {
        for _ in 0..assembler.take(batch)? {
            // The walk may have ended already.
            let _ = tokens.try_send(());
        }
    }
    assembler.finish()
}
