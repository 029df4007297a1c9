//! What a file holds: a list of pieces, each a chunk or a hole; and streams, which are lists of chunks.
//!
//! A list that would grow long is itself written as a stream of chunks, and so on: a file of any size has an entry
//! of bounded size, and an unchanged list costs nothing in the next recovery point.

use crate::wire::{FormatError, Reader, Writer};
use std::fmt;

/// The longest chunk, in bytes of plaintext.
pub const CHUNK_BYTES_MAX: u32 = 8 << 20;

/// A list of more pieces or chunks than this is written as a stream of its own.
pub const INLINE_MAX: usize = 256;

/// How often a stream's list may itself be a stream: 3 levels reach beyond 2^63 bytes.
pub const DEPTH_MAX: u8 = 4;

/// A chunk's name: BLAKE3 of its plaintext, keyed by a secret of the deduplication domain.
///
/// It tells nothing to who lacks the key, but it still never leaves the agent unsealed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChunkId(pub [u8; 32]);

impl fmt::Debug for ChunkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChunkId(")?;
        self.0[..6].iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str("…)")
    }
}

/// A chunk and the length of its plaintext in bytes, 1 to [`CHUNK_BYTES_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ChunkReference {
    /// Which chunk.
    pub id: ChunkId,
    /// Its plaintext's length in bytes.
    pub length: u32,
}

impl ChunkReference {
    fn encode(self, writer: &mut Writer) {
        writer.varint(u64::from(self.length));
        writer.raw(&self.id.0);
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, FormatError> {
        let length = reader.bounded(u64::from(CHUNK_BYTES_MAX), "a chunk is longer than any may be")? as u32;
        if length == 0 {
            return Err(reader.malformed("a chunk is empty"));
        }
        Ok(Self { id: ChunkId(reader.array()?), length })
    }
}

/// A run of bytes in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece {
    /// Bytes that are stored.
    Data(ChunkReference),
    /// So many bytes (at least 1) that the file system does not store and reads as zeros.
    Hole(u64),
}

impl Piece {
    /// How many bytes of the file it covers.
    pub fn length(&self) -> u64 {
        match self {
            Self::Data(chunk) => u64::from(chunk.length),
            Self::Hole(length) => *length,
        }
    }

    /// Appends its encoding: a chunk's length (never 0) and id, or 0 and the hole's length.
    pub fn encode(&self, writer: &mut Writer) {
        match self {
            Self::Data(chunk) => chunk.encode(writer),
            Self::Hole(length) => {
                writer.u8(0);
                writer.varint(*length);
            }
        }
    }

    /// Reads one piece.
    pub fn decode(reader: &mut Reader<'_>) -> Result<Self, FormatError> {
        let mut peek = reader.clone();
        if peek.u8()? != 0 {
            return ChunkReference::decode(reader).map(Self::Data);
        }
        *reader = peek;
        match reader.varint()? {
            0 => Err(reader.malformed("a hole is empty")),
            length => Ok(Self::Hole(length)),
        }
    }
}

/// A sequence of bytes kept as chunks. At depth 0 the chunks are the bytes; at depth n the chunks are the encoded
/// list (pieces of kind data) of the stream of depth n - 1.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StreamReference {
    /// How many lists lie between these chunks and the bytes; at most [`DEPTH_MAX`].
    pub depth: u8,
    /// The chunks of the topmost level, in order.
    pub chunks: Vec<ChunkReference>,
}

impl StreamReference {
    /// Appends its encoding.
    pub fn encode(&self, writer: &mut Writer) {
        writer.u8(self.depth);
        writer.varint(self.chunks.len() as u64);
        self.chunks.iter().for_each(|chunk| chunk.encode(writer));
    }

    /// Reads one.
    pub fn decode(reader: &mut Reader<'_>) -> Result<Self, FormatError> {
        let depth = reader.u8()?;
        if depth > DEPTH_MAX {
            return Err(reader.malformed("a stream is nested too deep"));
        }
        let count = reader.count(33)?;
        let mut chunks = Vec::with_capacity(count);
        for _ in 0..count {
            chunks.push(ChunkReference::decode(reader)?);
        }
        Ok(Self { depth, chunks })
    }
}

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// At most [`INLINE_MAX`] pieces, in order; no hole follows a hole.
    Inline(Vec<Piece>),
    /// The encoded list of pieces, as a stream.
    Listed(StreamReference),
}

impl Content {
    /// The content of an empty file.
    pub const EMPTY: Self = Self::Inline(Vec::new());

    /// Refuses inline pieces that do not add up to `size`. (Listed ones are checked by who reads the list.)
    pub(crate) fn check_size(&self, size: u64) -> Result<(), FormatError> {
        let Self::Inline(pieces) = self else { return Ok(()) };
        let sum = pieces.iter().try_fold(0u64, |sum, piece| sum.checked_add(piece.length()));
        match sum == Some(size) {
            true => Ok(()),
            false => {
                Err(FormatError::Malformed { what: "content", why: "its pieces do not add up to its size" })
            }
        }
    }

    /// Appends its encoding.
    pub fn encode(&self, writer: &mut Writer) {
        match self {
            Self::Inline(pieces) => {
                writer.u8(0);
                writer.varint(pieces.len() as u64);
                pieces.iter().for_each(|piece| piece.encode(writer));
            }
            Self::Listed(stream) => {
                writer.u8(1);
                stream.encode(writer);
            }
        }
    }

    /// Reads one.
    pub fn decode(reader: &mut Reader<'_>) -> Result<Self, FormatError> {
        match reader.u8()? {
            0 => {
                let count = reader.count(2)?;
                if count > INLINE_MAX {
                    return Err(reader.malformed("a file lists more pieces than an entry may hold"));
                }
                decode_inline(count, reader).map(Self::Inline)
            }
            1 => StreamReference::decode(reader).map(Self::Listed),
            kind => Err(FormatError::Unsupported { what: "content", found: u64::from(kind) }),
        }
    }
}

fn decode_inline(count: usize, reader: &mut Reader<'_>) -> Result<Vec<Piece>, FormatError> {
    let mut pieces: Vec<Piece> = Vec::with_capacity(count);
    for _ in 0..count {
        let piece = Piece::decode(reader)?;
        if let (Some(Piece::Hole(_)), Piece::Hole(_)) = (pieces.last(), piece) {
            return Err(reader.malformed("a hole follows a hole"));
        }
        pieces.push(piece);
    }
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(content: &Content) -> Result<Content, FormatError> {
        let mut writer = Writer::default();
        content.encode(&mut writer);
        Content::decode(&mut Reader::new("content", &writer.0))
    }

    #[test]
    fn a_hole_that_follows_a_hole_is_refused() {
        let data = Piece::Data(ChunkReference { id: ChunkId([1; 32]), length: 5 });
        let content = Content::Inline(vec![Piece::Hole(1), data, Piece::Hole(2), data, data]);
        assert_eq!(decode(&content), Ok(content));
        let double = Content::Inline(vec![data, Piece::Hole(1), Piece::Hole(2)]);
        assert!(matches!(decode(&double), Err(FormatError::Malformed { .. })));
    }

    #[test]
    fn more_pieces_than_an_entry_holds_are_refused() {
        let pieces = |count: usize| {
            let data = Piece::Data(ChunkReference { id: ChunkId([1; 32]), length: 5 });
            Content::Inline(vec![data; count])
        };
        assert!(decode(&pieces(INLINE_MAX)).is_ok());
        assert!(decode(&pieces(INLINE_MAX + 1)).is_err());
    }
}
