//! A window: some files' content, planned together so that each frame is fetched and opened once.

use super::RestoreRequest;
use super::flush::Flush;
use crate::crew::share_out;
use crate::fetch::{aligned, fetchers};
use crate::index::{ChunkIndex, OpenTable, Place};
use crate::pack_reader::{FrameReader, damaged};
use crate::progress::Advance;
use crate::target::{Target, TargetError, TargetFile};
use crate::{EngineError, Tools};
use stateward_format::manifest::Warning;
use stateward_format::{Attribute, ChunkReference, Entry, EntryKind};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Frames further apart than this are fetched by themselves, in bytes.
const GAP_BYTES: u32 = 2 << 20;
/// About how much is fetched at once, in bytes: bounds what the fetching threads hold.
const RUN_BYTES: u32 = 9 << 20;

/// A file that is being put back. It is opened when the first of its chunks is there, so that no more files are open
/// than are being written.
pub(super) struct FilePlan {
    pub(super) path: Vec<u8>,
    pub(super) entry: Entry,
    file: Mutex<Option<Arc<dyn TargetFile>>>,
    /// Chunks that are still to be written, and one more until all of them are planned.
    left: AtomicUsize,
    lost: Mutex<Option<String>>,
    was_made: AtomicBool,
}

impl FilePlan {
    pub(super) fn new(path: Vec<u8>, entry: Entry) -> Arc<Self> {
        Arc::new(Self {
            path,
            entry,
            file: Mutex::default(),
            left: AtomicUsize::new(1),
            lost: Mutex::default(),
            was_made: AtomicBool::new(false),
        })
    }

    /// Whether it can't be put back whole.
    pub(super) fn is_lost(&self) -> bool {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Whether there is something of it at the target. Asked when it is finished.
    pub(super) fn was_made(&self) -> bool {
        self.was_made.load(Ordering::Acquire)
    }

    /// Its size in bytes.
    pub(super) fn size(&self) -> u64 {
        match self.entry.kind {
            EntryKind::File { size, .. } => size,
            _ => 0,
        }
    }

    /// Makes the file, if it is not made yet.
    fn open(&self, target: &dyn Target) -> Result<Arc<dyn TargetFile>, TargetError> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = &*file {
            return Ok(Arc::clone(file));
        }
        let made: Arc<dyn TargetFile> = target.make_file(&self.path)?.into();
        self.was_made.store(true, Ordering::Release);
        *file = Some(Arc::clone(&made));
        Ok(made)
    }

    /// Writes to its own content, or to its nth alternate stream, counted from 1.
    fn write(&self, target: &dyn Target, want: &Want, bytes: &[u8]) -> Result<(), TargetError> {
        let file = self.open(target)?;
        match want.stream.checked_sub(1) {
            None => file.write_at(want.offset, bytes),
            Some(number) => file.write_stream_at(self.stream_name(number), want.offset, bytes),
        }
    }

    fn stream_name(&self, number: u32) -> &[u8] {
        let mut names = self.entry.metadata.attributes.iter().filter_map(|attribute| match attribute {
            Attribute::Stream(stream) => Some(stream.name.as_slice()),
            _ => None,
        });
        names.nth(number as usize).unwrap_or_default()
    }

    pub(super) fn lose(&self, why: &str) {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| why.to_owned());
    }

    /// Sets metadata when everything was written, and closes the file; tells why it is lost otherwise.
    fn finish(&self, target: &dyn Target) -> Result<Finished, TargetError> {
        if let Some(why) = self.lost.lock().unwrap_or_else(PoisonError::into_inner).take() {
            self.close();
            return Ok(Err(why));
        }
        let finished = self.open(target).and_then(|file| file.finish(self.size(), &self.entry.metadata));
        self.close();
        match finished {
            Ok(warnings) => Ok(Ok(warnings)),
            Err(error) if error.ends_restore() => Err(error),
            Err(error) => Ok(Err(error.to_string())),
        }
    }

    fn close(&self) {
        self.file.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

/// A finished file's warnings, or why it is lost.
pub(super) type Finished = Result<Vec<Warning>, String>;

/// A chunk that a file wants.
struct Want {
    place: Place,
    file: Arc<FilePlan>,
    /// 0 for the file's own content, n for its nth alternate stream.
    stream: u32,
    offset: u64,
}

impl Want {
    /// Frame by frame, and within a frame file by file, so that what lies together is written together.
    fn order(&self) -> (u32, u32, *const FilePlan, u32, u64) {
        (self.place.pack, self.place.frame, Arc::as_ptr(&self.file), self.stream, self.offset)
    }

    /// Whether `next` follows this chunk both in its frame and in its file.
    fn adjoins(&self, next: &Self) -> bool {
        let length = self.place.length;
        Arc::ptr_eq(&self.file, &next.file)
            && self.stream == next.stream
            && self.offset + u64::from(length) == next.offset
            && self.place.offset + length == next.place.offset
    }
}

/// What is planned.
#[derive(Default)]
pub(super) struct Window {
    wants: Vec<Want>,
    /// Files all of whose chunks are planned.
    planned: Vec<Arc<FilePlan>>,
    /// The content that is planned, in bytes.
    pub(super) bytes: u64,
    /// The metadata of the files that are planned, in bytes.
    pub(super) metadata_bytes: usize,
}

type Done = Vec<(Arc<FilePlan>, Finished)>;

impl Window {
    /// Plans a chunk at `offset` of a file's own content (stream 0) or of its nth stream.
    pub(super) fn want(
        &mut self,
        file: &Arc<FilePlan>,
        (stream, offset): (u32, u64),
        chunk: ChunkReference,
        index: &ChunkIndex,
    ) -> Result<(), EngineError> {
        match index.place(chunk.id)?.filter(|place| place.length == chunk.length) {
            Some(place) => {
                file.left.fetch_add(1, Ordering::Relaxed);
                self.wants.push(Want { place, file: Arc::clone(file), stream, offset });
                self.bytes += u64::from(chunk.length);
            }
            None => file.lose("a part of it is in none of the packs that can be read"),
        }
        Ok(())
    }

    /// Says that all chunks of a file are planned.
    pub(super) fn planned(&mut self, file: Arc<FilePlan>) {
        file.left.fetch_sub(1, Ordering::Relaxed);
        self.planned.push(file);
    }

    pub(super) fn files(&self) -> usize {
        self.planned.len()
    }

    /// How many chunks are planned.
    pub(super) fn pieces(&self) -> usize {
        self.wants.len()
    }

    /// Fetches and writes everything; gives the bytes that were read, the files that are done, and a window of those
    /// that are not.
    pub(super) fn fetch(
        mut self,
        request: &RestoreRequest<'_>,
        index: &ChunkIndex,
        flush: &Flush,
        tools: &Tools<'_>,
    ) -> Result<(u64, Done, Self), EngineError> {
        self.wants.sort_unstable_by_key(Want::order);
        let mut packs: BTreeMap<u32, Vec<Want>> = BTreeMap::new();
        for want in self.wants {
            packs.entry(want.place.pack).or_default().push(want);
        }
        let fetching = Fetching {
            request,
            index,
            flush,
            tools,
            moved_bytes: AtomicU64::new(0),
            done: Mutex::new(Vec::new()),
        };
        share_out(packs.into_iter(), fetchers(request.threads), tools, || {
            let mut reader = FrameReader::new();
            let fetching = &fetching;
            move |(number, wants): (u32, Vec<Want>)| fetching.fetch_pack(number, &wants, &mut reader)
        })?;
        let mut done = fetching.done.into_inner().unwrap_or_else(PoisonError::into_inner);
        // Files of which nothing was fetched in this window: empty, only holes, or lost before.
        for file in self.planned {
            if file.left.swap(usize::MAX, Ordering::AcqRel) == 0 {
                let finished = file.finish(request.target)?;
                done.push((file, finished));
            }
        }
        Ok((fetching.moved_bytes.into_inner(), done, Self::default()))
    }
}

/// What the fetching threads share.
struct Fetching<'a> {
    request: &'a RestoreRequest<'a>,
    index: &'a ChunkIndex,
    flush: &'a Flush,
    tools: &'a Tools<'a>,
    moved_bytes: AtomicU64,
    done: Mutex<Done>,
}

impl Fetching<'_> {
    /// Fetches the frames that are wanted, in runs of neighbours.
    fn fetch_pack(&self, number: u32, wants: &[Want], reader: &mut FrameReader) -> Result<(), EngineError> {
        let pack = &*self.index.table(number)?;
        for run in runs(pack, wants) {
            let first = pack.frame_range(run[0].place.frame);
            let last = pack.frame_range(run[run.len() - 1].place.frame);
            let range = aligned(first.start..last.end, pack.reference.length);
            match self.request.vault.read_pack(pack.reference, range.clone()) {
                Ok(mut bytes) => {
                    let moved_bytes = bytes.len() as u64;
                    self.moved_bytes.fetch_add(moved_bytes, Ordering::Relaxed);
                    self.tools.progress.advanced(Advance { files: 0, bytes: 0, moved_bytes });
                    self.write_run(pack, run, &mut bytes, &range, reader)?;
                }
                Err(error) => match error.damage() {
                    Some(why) => self.lose_all(run, &why)?,
                    None => return Err(error.into()),
                },
            }
        }
        Ok(())
    }

    fn write_run(
        &self,
        pack: &OpenTable,
        run: &[Want],
        bytes: &mut [u8],
        read: &Range<u32>,
        reader: &mut FrameReader,
    ) -> Result<(), EngineError> {
        let keys = self.request.keys;
        let pack_keys = keys.pack_keys(&pack.contents.foot.salt);
        for frame in run.chunk_by(|a, b| a.place.frame == b.place.frame) {
            let ordinal = frame[0].place.frame as usize;
            let range = pack.frame_range(frame[0].place.frame);
            let sealed = &mut bytes[(range.start - read.start) as usize..(range.end - read.start) as usize];
            match reader.open_in_place(keys, &pack_keys, &pack.contents, ordinal, sealed) {
                Ok(plaintext) => {
                    frame.chunk_by(Want::adjoins).try_for_each(|wants| self.write(wants, plaintext))?;
                }
                Err(why) => self.lose_all(frame, &damaged(pack.reference.id)(why).to_string())?,
            }
        }
        Ok(())
    }

    /// Writes chunks that adjoin each other by one call: many small writes into one large file wait for each other.
    fn write(&self, wants: &[Want], plaintext: &[u8]) -> Result<(), EngineError> {
        let (first, last) = (&wants[0], &wants[wants.len() - 1]);
        let end = last.place.offset + last.place.length;
        let bytes = &plaintext[first.place.offset as usize..end as usize];
        match first.file.write(self.request.target, first, bytes) {
            Ok(()) => self.flush.wrote(bytes.len() as u64),
            Err(error) if error.ends_restore() => return Err(error.into()),
            Err(error) => first.file.lose(&error.to_string()),
        }
        wants.iter().try_for_each(|want| self.written(want))
    }

    fn lose_all(&self, wants: &[Want], why: &str) -> Result<(), EngineError> {
        wants.iter().try_for_each(|want| {
            want.file.lose(why);
            self.written(want)
        })
    }

    /// One chunk less is missing; the last one finishes the file.
    fn written(&self, want: &Want) -> Result<(), EngineError> {
        if want.file.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            // Marked as finished, for the planner's last look.
            want.file.left.store(usize::MAX, Ordering::Release);
            let finished = want.file.finish(self.request.target)?;
            let done = (Arc::clone(&want.file), finished);
            self.done.lock().unwrap_or_else(PoisonError::into_inner).push(done);
        }
        Ok(())
    }
}

/// Wants of one pack, in the order of its frames, split where much lies between that nobody wants, and where much has
/// been taken together.
fn runs<'a>(pack: &OpenTable, wants: &'a [Want]) -> Vec<&'a [Want]> {
    let mut begin = wants.first().map_or(0, |want| pack.frame_range(want.place.frame).start);
    let belongs = |a: &Want, b: &Want| {
        let end = pack.frame_range(a.place.frame).end;
        let next = pack.frame_range(b.place.frame);
        let is_near = next.start.saturating_sub(end) <= GAP_BYTES;
        let fits = a.place.frame == b.place.frame || next.end - begin <= RUN_BYTES;
        if !(is_near && fits) {
            begin = next.start;
        }
        is_near && fits
    };
    wants.chunk_by(belongs).collect()
}
