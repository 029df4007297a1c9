//! From plaintext to chunks: name each, ask the index, and bundle the new ones into frames.

use crate::EngineError;
use crate::buffers::Buffers;
use crate::index::{ChunkIndex, Claim};
use crate::pack_writer::PlainFrame;
use crossbeam_channel::Sender;
use stateward_crypto::EpochKeys;
use stateward_format::content::INLINE_MAX;
use stateward_format::pack::FrameChunk;
use stateward_format::wire::Writer;
use stateward_format::{ChunkReference, Piece, StreamReference};

/// About how much plaintext is compressed together, in bytes. Longer frames are smaller in all, but take memory and make
/// a single file dearer to read: docs/decisions has the figures.
pub(crate) const FRAME_BYTES: usize = 4 << 20;

/// Lists are cut at this length, in bytes: a change mostly keeps a list's length, because a changed chunk's reference
/// takes the place of the one before it.
const LIST_CHUNK_BYTES: usize = 64 << 10;

/// Where one thread puts its chunks. Consecutive new ones share frames, so neighbours stay neighbours.
pub(crate) struct ChunkSink<'a> {
    keys: &'a EpochKeys,
    index: &'a ChunkIndex,
    frames: Sender<PlainFrame>,
    buffers: Buffers,
    frame: PlainFrame,
}

impl<'a> ChunkSink<'a> {
    /// A sink with an empty frame; finished frames, in some of the `buffers`, go to `frames`.
    pub(crate) fn new(
        keys: &'a EpochKeys,
        index: &'a ChunkIndex,
        frames: Sender<PlainFrame>,
        buffers: Buffers,
    ) -> Self {
        Self { keys, index, frames, buffers, frame: PlainFrame::default() }
    }

    /// Puts one chunk (1 byte to the most a chunk may have).
    pub(crate) fn put(&mut self, plaintext: &[u8]) -> Result<ChunkReference, EngineError> {
        let reference = ChunkReference { id: self.keys.chunk_id(plaintext), length: plaintext.len() as u32 };
        if self.index.claim(reference.id) == Claim::New {
            if self.frame.plaintext.len() + plaintext.len() > FRAME_BYTES {
                self.flush()?;
            }
            if self.frame.plaintext.is_empty() {
                self.frame.plaintext = self.buffers.take(FRAME_BYTES.max(plaintext.len()));
            }
            self.frame.chunks.push(FrameChunk { id: reference.id, length: reference.length });
            self.frame.plaintext.extend_from_slice(plaintext);
        }
        Ok(reference)
    }

    /// Sends what is in the frame.
    pub(crate) fn flush(&mut self) -> Result<(), EngineError> {
        if self.frame.chunks.is_empty() {
            return Ok(());
        }
        // Nobody receives any more only when the job has ended with another error, which is the one that is told.
        self.frames.send(std::mem::take(&mut self.frame)).map_err(|_| EngineError::Cancelled)
    }

    /// Puts bytes that list pieces or chunks as a stream: of one level while it is short, otherwise with its own list as
    /// a stream above it, and so on.
    pub(crate) fn put_list(&mut self, list: &[u8]) -> Result<StreamReference, EngineError> {
        let chunks = list.chunks(LIST_CHUNK_BYTES).map(|part| self.put(part)).collect::<Result<_, _>>()?;
        self.shorten(StreamReference { depth: 0, chunks })
    }

    /// Moves a stream's chunks into a list of their own until what is left is short.
    pub(crate) fn shorten(&mut self, mut stream: StreamReference) -> Result<StreamReference, EngineError> {
        while stream.chunks.len() > INLINE_MAX {
            let list = encode_list(&stream.chunks);
            let chunks =
                list.chunks(LIST_CHUNK_BYTES).map(|part| self.put(part)).collect::<Result<_, _>>()?;
            stream = StreamReference { depth: stream.depth + 1, chunks };
        }
        Ok(stream)
    }
}

fn encode_list(chunks: &[ChunkReference]) -> Vec<u8> {
    let mut writer = Writer::default();
    chunks.iter().for_each(|chunk| Piece::Data(*chunk).encode(&mut writer));
    writer.0
}

/// All chunks, of all levels, that [`ChunkSink::put_list`] makes of a list.
pub(crate) fn list_chunks(keys: &EpochKeys, list: &[u8]) -> Vec<ChunkReference> {
    let name = |part: &[u8]| ChunkReference { id: keys.chunk_id(part), length: part.len() as u32 };
    let mut level: Vec<_> = list.chunks(LIST_CHUNK_BYTES).map(name).collect();
    let mut all = level.clone();
    while level.len() > INLINE_MAX {
        level = encode_list(&level).chunks(LIST_CHUNK_BYTES).map(name).collect();
        all.extend_from_slice(&level);
    }
    all
}
