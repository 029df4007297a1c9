//! From plaintext to chunks: name each, ask the index, and bundle the new ones into frames.

use crate::EngineError;
use crate::buffers::Buffers;
use crate::cut::CutRule;
use crate::index::{ChunkIndex, Claim};
use crate::pack_writer::PlainFrame;
use crossbeam_channel::Sender;
use stateward_crypto::EpochKeys;
use stateward_format::pack::FrameChunk;
use stateward_format::wire::{Reader, Writer};
use stateward_format::{ChunkReference, Piece, StreamReference};

/// About how much plaintext is compressed together, in bytes. Longer frames are smaller in all, but take memory and make
/// a single file dearer to read: docs/decisions has the figures.
const FRAME_BYTES: usize = 4 << 20;

/// The same for disk images, of which single files are seldom read. They are long, so few threads read them at a time.
const IMAGE_FRAME_BYTES: usize = 8 << 20;

/// A list's chunk is hardly shorter, in bytes …
const LIST_BYTES_MIN: usize = 1 << 10;
/// … and no longer than this and one piece.
const LIST_BYTES_MAX: usize = 16 << 10;
/// A list's chunk ends after a chunk whose id ends in so many zero bits: one in 64, after about 3 KiB in all.
const LIST_BORDER_MASK: u8 = 0x3f;

/// A stream of more chunks than this is listed: what stands in a recovery point itself is stored anew with each point.
const STREAM_CHUNKS_MAX: usize = 16;

/// Where one thread puts its chunks. Consecutive new ones share frames, so neighbours stay neighbours.
pub(crate) struct ChunkSink<'a> {
    keys: &'a EpochKeys,
    index: &'a ChunkIndex,
    frames: Sender<PlainFrame>,
    buffers: Buffers,
    frame: PlainFrame,
    frame_bytes: usize,
}

impl<'a> ChunkSink<'a> {
    /// A sink with an empty frame; finished frames, in some of the `buffers`, go to `frames`.
    pub(crate) fn new(
        keys: &'a EpochKeys,
        index: &'a ChunkIndex,
        frames: Sender<PlainFrame>,
        buffers: Buffers,
    ) -> Self {
        Self { keys, index, frames, buffers, frame: PlainFrame::default(), frame_bytes: FRAME_BYTES }
    }

    /// Says how the content that comes now is cut: its frames are as long as suits it.
    pub(crate) fn expect(&mut self, rule: CutRule) {
        self.frame_bytes = match rule {
            CutRule::Content => FRAME_BYTES,
            CutRule::Image(_) => IMAGE_FRAME_BYTES,
        };
    }

    /// Puts one chunk (1 byte to the most a chunk may have).
    pub(crate) fn put(&mut self, plaintext: &[u8]) -> Result<ChunkReference, EngineError> {
        let reference = ChunkReference { id: self.keys.chunk_id(plaintext), length: plaintext.len() as u32 };
        if self.index.claim(reference.id) == Claim::New {
            if self.frame.plaintext.len() + plaintext.len() > self.frame_bytes {
                self.flush()?;
            }
            if self.frame.plaintext.is_empty() {
                self.frame.plaintext = self.buffers.take(self.frame_bytes.max(plaintext.len()));
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
        let chunks = cut_list(list).into_iter().map(|part| self.put(part)).collect::<Result<_, _>>()?;
        self.shorten(StreamReference { depth: 0, chunks })
    }

    /// Moves a stream's chunks into a list of their own until what is left is short.
    pub(crate) fn shorten(&mut self, mut stream: StreamReference) -> Result<StreamReference, EngineError> {
        while stream.chunks.len() > STREAM_CHUNKS_MAX {
            let list = encode_list(&stream.chunks);
            let chunks = cut_list(&list).into_iter().map(|part| self.put(part)).collect::<Result<_, _>>()?;
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

/// Cuts an encoded list between its pieces, by the ids that stand there: what is put in or left out moves only the
/// borders near it, so a change writes little of a long list anew. Ids are keyed hashes, so nobody else knows the borders.
fn cut_list(list: &[u8]) -> Vec<&[u8]> {
    let mut reader = Reader::new("list of pieces", list);
    let (mut parts, mut begin) = (Vec::new(), 0);
    while let Ok(piece) = Piece::decode(&mut reader) {
        let at = list.len() - reader.left();
        let is_border = match piece {
            Piece::Data(chunk) => chunk.id.0[31] & LIST_BORDER_MASK == 0 && at - begin >= LIST_BYTES_MIN,
            Piece::Hole(_) => false,
        };
        if is_border || at - begin >= LIST_BYTES_MAX {
            parts.push(&list[begin..at]);
            begin = at;
        }
    }
    if begin < list.len() {
        parts.push(&list[begin..]);
    }
    parts
}

/// All chunks, of all levels, that [`ChunkSink::put_list`] makes of a list.
pub(crate) fn list_chunks(keys: &EpochKeys, list: &[u8]) -> Vec<ChunkReference> {
    let name = |part: &[u8]| ChunkReference { id: keys.chunk_id(part), length: part.len() as u32 };
    let mut level: Vec<_> = cut_list(list).into_iter().map(name).collect();
    let mut all = level.clone();
    while level.len() > STREAM_CHUNKS_MAX {
        level = cut_list(&encode_list(&level)).into_iter().map(name).collect();
        all.extend_from_slice(&level);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use stateward_format::ChunkId;

    fn list(numbers: impl Iterator<Item = u32>) -> Vec<u8> {
        let chunk =
            |n: u32| ChunkReference { id: ChunkId(*blake3::hash(&n.to_le_bytes()).as_bytes()), length: 9 };
        encode_list(&numbers.map(chunk).collect::<Vec<_>>())
    }

    #[test]
    fn a_list_is_cut_whole_and_a_change_moves_only_the_borders_near_it() {
        let before = list(0..50_000);
        let parts = cut_list(&before);
        assert_eq!(parts.concat(), before);
        assert!(parts.iter().all(|part| part.len() <= LIST_BYTES_MAX + 64));
        assert!((2000..6000).contains(&(before.len() / parts.len())), "{} parts", parts.len());
        let after = list((0..25_000).chain(90_000..90_003).chain(25_000..50_000));
        let new = cut_list(&after).into_iter().filter(|part| !parts.contains(part)).count();
        assert!(new <= 2, "{new} parts are new");
    }

    #[test]
    fn holes_and_the_shortest_lists_are_cut_too() {
        assert!(cut_list(&[]).is_empty());
        let mut writer = Writer::default();
        (1..20_000).for_each(|length| Piece::Hole(length).encode(&mut writer));
        let parts = cut_list(&writer.0);
        assert_eq!(parts.concat(), writer.0);
        assert!(parts.len() > 1);
    }
}
