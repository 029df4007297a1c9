//! Puts read batches together in the walk's order: metadata streams, totals, warnings, and the next run's parent.

use super::walk::Batch;
use crate::EngineError;
use crate::cache::parent::ParentWriter;
use crate::cut::Cutter;
use crate::sink::ChunkSink;
use stateward_format::manifest::{Component, ComponentResult, Warning};
use stateward_format::segment::encode_open_folders;
use stateward_format::wire::Writer;
use stateward_format::{ChunkReference, FileName, Record, StreamReference};
use stateward_model::ComponentName;
use std::collections::BTreeMap;

/// One record of the stream.
pub(super) struct Line {
    /// The record with its length.
    pub(super) record: Vec<u8>,
    /// The encoded list of pieces, if they are listed.
    pub(super) list: Option<Vec<u8>>,
    /// The folder that it enters.
    pub(super) entered: Option<FileName>,
    /// A file's size, in bytes.
    pub(super) file_bytes: Option<u64>,
    /// Whether it was taken over from the parent.
    pub(super) is_unchanged: bool,
}

/// One step after reading.
pub(super) enum Read {
    Entry(Line),
    /// A folder that could not be read: what the walk gave below it is dropped up to its `Leave`.
    LostFolder,
    Leave,
    Begin(ComponentName),
    End(bool),
    Warning(Warning),
}

/// A batch after reading.
pub(super) struct ReadBatch {
    pub(super) number: u64,
    pub(super) steps: Vec<Read>,
}

impl ReadBatch {
    pub(super) fn of(batch: &Batch) -> Self {
        Self { number: batch.number, steps: Vec::with_capacity(batch.steps.len()) }
    }
}

/// What the whole walk gave.
#[derive(Debug, Default)]
pub(super) struct Assembled {
    pub(super) components: Vec<Component>,
    pub(super) warnings: Vec<Warning>,
    pub(super) unchanged_files: u64,
}

/// Assembles on one thread.
pub(super) struct Assembler<'a> {
    cutter: &'a Cutter,
    sink: ChunkSink<'a>,
    parent: ParentWriter,
    early: BTreeMap<u64, ReadBatch>,
    next: u64,
    open: Option<OpenComponent>,
    done: Assembled,
}

struct OpenComponent {
    component: Component,
    warnings_before: usize,
    open_folders: Vec<FileName>,
    /// How many folders are open below one that was lost.
    lost_depth: usize,
    segment: Writer,
    segments: Vec<ChunkReference>,
}

impl<'a> Assembler<'a> {
    pub(super) fn new(cutter: &'a Cutter, sink: ChunkSink<'a>, parent: ParentWriter) -> Self {
        let early = BTreeMap::new();
        Self { cutter, sink, parent, early, next: 0, open: None, done: Assembled::default() }
    }

    /// Takes a batch in any order; tells how many are now put in their place.
    pub(super) fn take(&mut self, batch: ReadBatch) -> Result<u64, EngineError> {
        self.early.insert(batch.number, batch);
        let before = self.next;
        while let Some(batch) = self.early.remove(&self.next) {
            self.next += 1;
            batch.steps.into_iter().try_for_each(|step| self.step(step))?;
        }
        Ok(self.next - before)
    }

    /// After the last batch.
    pub(super) fn finish(mut self) -> Result<(Assembled, ParentWriter), EngineError> {
        self.sink.flush()?;
        Ok((self.done, self.parent))
    }

    fn step(&mut self, step: Read) -> Result<(), EngineError> {
        match step {
            Read::Begin(name) => self.begin(name),
            Read::End(is_present) => self.end(is_present),
            Read::Warning(warning) => {
                self.done.warnings.push(warning);
                Ok(())
            }
            Read::Entry(line) => self.entry(line),
            Read::LostFolder => {
                if let Some(open) = &mut self.open {
                    open.lost_depth += 1;
                }
                Ok(())
            }
            Read::Leave => self.leave(),
        }
    }

    fn begin(&mut self, name: ComponentName) -> Result<(), EngineError> {
        self.parent.begin_component(&name)?;
        let component = Component {
            name,
            result: ComponentResult::Completed,
            files: 0,
            others: 0,
            bytes: 0,
            stream: StreamReference::default(),
        };
        self.open = Some(OpenComponent {
            component,
            warnings_before: self.done.warnings.len(),
            open_folders: Vec::new(),
            lost_depth: 0,
            segment: Writer::default(),
            segments: Vec::new(),
        });
        Ok(())
    }

    fn entry(&mut self, line: Line) -> Result<(), EngineError> {
        let Some(open) = &mut self.open else { return Ok(()) };
        if open.lost_depth > 0 {
            open.lost_depth += usize::from(line.entered.is_some());
            return Ok(());
        }
        match line.file_bytes {
            Some(bytes) => {
                open.component.files += 1;
                open.component.bytes += bytes;
                self.done.unchanged_files += u64::from(line.is_unchanged);
            }
            None => open.component.others += 1,
        }
        self.parent.add(&line.record, line.list.as_deref())?;
        open.add(&line.record, line.entered.as_ref(), false);
        if self.cutter.ends_segment(open.segment.0.len(), &line.record) {
            open.cut(&mut self.sink)?;
        }
        Ok(())
    }

    fn leave(&mut self) -> Result<(), EngineError> {
        let Some(open) = &mut self.open else { return Ok(()) };
        if open.lost_depth > 0 {
            open.lost_depth -= 1;
            return Ok(());
        }
        let mut record = Writer::default();
        Record::Leave.encode(&mut record).expect("the end of a folder takes two bytes");
        self.parent.add(&record.0, None)?;
        open.add(&record.0, None, true);
        Ok(())
    }

    fn end(&mut self, is_present: bool) -> Result<(), EngineError> {
        let Some(mut open) = self.open.take() else { return Ok(()) };
        open.cut(&mut self.sink)?;
        open.component.stream = self.sink.shorten(StreamReference { depth: 0, chunks: open.segments })?;
        open.component.result = match (is_present, self.done.warnings.len() > open.warnings_before) {
            (false, _) => ComponentResult::NotPresent,
            (true, true) => ComponentResult::CompletedWithWarnings,
            (true, false) => ComponentResult::Completed,
        };
        self.done.components.push(open.component);
        Ok(self.parent.end_component()?)
    }
}

impl OpenComponent {
    fn add(&mut self, record: &[u8], entered: Option<&FileName>, leaves: bool) {
        if self.segment.0.is_empty() {
            encode_open_folders(&self.open_folders, &mut self.segment);
        }
        self.segment.raw(record);
        self.open_folders.extend(entered.cloned());
        if leaves {
            self.open_folders.pop();
        }
    }

    fn cut(&mut self, sink: &mut ChunkSink<'_>) -> Result<(), EngineError> {
        if !self.segment.0.is_empty() {
            self.segments.push(sink.put(&self.segment.0)?);
            self.segment.0.clear();
        }
        Ok(())
    }
}
