//! A pack: one stored object of many sealed frames and a sealed table of what they hold.
//!
//! ```text
//! frame | frame | … | sealed table | sealed trailer, 20 bytes | foot, 128 bytes
//! ```
//! * A frame is some chunks, one after another, compressed together and sealed with their ordinal as nonce.
//! * The table names frames and chunks, so that a pack alone tells everything about itself. It is padded before it is
//!   sealed, which gives the pack its size: a full one [`PACK_BYTES`], a run's last one Padmé's next size.
//! * The trailer is the sealed length of the table: what a reader opens first.
//! * The foot is clear: magic `SWPACK`, version, vault, domain, epoch, 32 random bytes (the salt that the pack's keys
//!   come from) and a commitment to those keys. It is the associated data of all that is sealed in the pack. It stands
//!   last so that one read of a pack's end tells all about it.
//!
//! Whoever lacks the key learns the number of packs and nothing of frames or chunks.

use crate::content::{CHUNK_BYTES_MAX, ChunkId};
use crate::wire::{FormatError, Reader, Writer};
use stateward_model::{ServerId, VaultId};

/// A full pack's length in bytes.
pub const PACK_BYTES: usize = 16 << 20;

/// The longest pack that a reader takes, in bytes.
pub const PACK_BYTES_MAX: usize = 64 << 20;

/// The foot's length in bytes.
pub const FOOT_BYTES: usize = 128;

/// The tag that sealing adds, in bytes (AES-256-GCM).
pub const TAG_BYTES: usize = 16;

/// The trailer's length in bytes: a sealed `u32`.
pub const TRAILER_BYTES: usize = 4 + TAG_BYTES;

/// The most plaintext that a frame holds, in bytes; bounds what opening one takes.
pub const FRAME_BYTES_MAX: u32 = CHUNK_BYTES_MAX;

/// The most frames that a pack holds: an ordinal is a nonce, given once.
pub const FRAMES_MAX: usize = 1 << 16;

/// What a chunk takes in the table at least: a length and an id.
const CHUNK_LEAST_BYTES: usize = 33;

/// What a frame takes in the table at least: its length, its codec, a count, and one chunk.
const FRAME_LEAST_BYTES: usize = 3 + CHUNK_LEAST_BYTES;

const MAGIC: &[u8; 6] = b"SWPACK";
const VERSION: u8 = 1;

/// The clear end of a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackFoot {
    /// The vault it was made for.
    pub vault: VaultId,
    /// Its deduplication domain: the server, or the one that founded the domain it is in.
    pub domain: ServerId,
    /// The generation of data keys.
    pub epoch: u32,
    /// What the pack's keys come from: random, fresh for each pack.
    pub salt: [u8; 32],
    /// Commits to the pack's keys.
    pub commitment: [u8; 32],
}

impl PackFoot {
    /// Its bytes.
    pub fn encode(&self) -> [u8; FOOT_BYTES] {
        let mut writer = Writer::default();
        writer.raw(MAGIC);
        writer.u8(VERSION);
        writer.u8(0);
        writer.raw(&self.vault.0);
        writer.raw(&self.domain.0);
        writer.u32(self.epoch);
        writer.raw(&self.salt);
        writer.raw(&self.commitment);
        let mut out = [0; FOOT_BYTES];
        out[..writer.0.len()].copy_from_slice(&writer.0);
        out
    }

    /// Reads the last [`FOOT_BYTES`] of a pack.
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        let mut reader = Reader::new("pack's foot", bytes);
        if reader.array::<6>()? != *MAGIC {
            return Err(reader.malformed("it is not a pack's"));
        }
        let version = reader.u8()?;
        if version != VERSION {
            return Err(FormatError::Unsupported { what: "pack", found: u64::from(version) });
        }
        if reader.u8()? != 0 {
            return Err(reader.malformed("a reserved byte is not zero"));
        }
        let foot = Self {
            vault: VaultId(reader.array()?),
            domain: ServerId(reader.array()?),
            epoch: reader.u32()?,
            salt: reader.array()?,
            commitment: reader.array()?,
        };
        let rest = FOOT_BYTES - (bytes.len() - reader.left());
        if reader.raw(rest)?.iter().any(|byte| *byte != 0) {
            return Err(reader.malformed("reserved bytes are not zero"));
        }
        reader.finish().map(|()| foot)
    }
}

/// How a frame's bytes were made from its chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Codec {
    /// As they are.
    Stored = 0,
    /// zstd (RFC 8878).
    Zstd = 1,
}

impl Codec {
    fn decode(byte: u8) -> Result<Self, FormatError> {
        match byte {
            0 => Ok(Self::Stored),
            1 => Ok(Self::Zstd),
            found => Err(FormatError::Unsupported { what: "frame's codec", found: u64::from(found) }),
        }
    }
}

/// A chunk's place in its frame: it follows the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameChunk {
    /// Which chunk.
    pub id: ChunkId,
    /// Its plaintext's length in bytes, at least 1.
    pub length: u32,
}

/// One frame, as the table tells it. Frames follow one another from the pack's beginning; the n-th has ordinal n.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Its length in the pack, in bytes, tag included.
    pub sealed_length: u32,
    /// How its bytes were made.
    pub codec: Codec,
    /// What it holds, in order.
    pub chunks: Vec<FrameChunk>,
}

impl Frame {
    /// The length of all of its chunks together, in bytes.
    pub fn plain_length(&self) -> u32 {
        self.chunks.iter().map(|chunk| chunk.length).sum()
    }

    /// What its sealing binds besides the pack's foot: codec and plaintext's length.
    pub fn associated_data(foot: &[u8; FOOT_BYTES], codec: Codec, plain_length: u32) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.raw(foot);
        writer.raw(b"frame");
        writer.u8(codec as u8);
        writer.u32(plain_length);
        writer.0
    }
}

/// What the sealing of the table binds.
pub fn table_associated_data(foot: &[u8; FOOT_BYTES]) -> Vec<u8> {
    [foot, &b"table"[..]].concat()
}

/// What the sealing of the trailer binds.
pub fn trailer_associated_data(foot: &[u8; FOOT_BYTES]) -> Vec<u8> {
    [foot, &b"trailer"[..]].concat()
}

/// Everything that a pack holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PackTable {
    /// In the order of their ordinals.
    pub frames: Vec<Frame>,
}

impl PackTable {
    /// How many bytes a frame adds to the encoding, at most: what a writer reserves before it adds one.
    pub const fn frame_bytes_max(chunks: usize) -> usize {
        // Sealed length and codec (at most 5 + 1), the count (at most 3), then for each chunk its id and length (at most 4).
        9 + chunks * 36
    }

    /// The encoding, with zeros at its end up to `padded_length` bytes (if it is shorter than that).
    pub fn encode(&self, padded_length: usize) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.varint(self.frames.len() as u64);
        for frame in &self.frames {
            writer.varint(u64::from(frame.sealed_length));
            writer.u8(frame.codec as u8);
            writer.varint(frame.chunks.len() as u64);
            for chunk in &frame.chunks {
                writer.varint(u64::from(chunk.length));
                writer.raw(&chunk.id.0);
            }
        }
        if writer.0.len() < padded_length {
            writer.0.resize(padded_length, 0);
        }
        writer.0
    }

    /// Reads a table; `frame_bytes` is the length of all frames in the pack, which they must fill exactly.
    pub fn decode(bytes: &[u8], frame_bytes: usize) -> Result<Self, FormatError> {
        let mut reader = Reader::new("pack's table", bytes);
        let count = reader.count(FRAME_LEAST_BYTES)?;
        if count > FRAMES_MAX {
            return Err(reader.malformed("it has more frames than a pack may have"));
        }
        let mut frames = Vec::with_capacity(count);
        for _ in 0..count {
            frames.push(decode_frame(&mut reader)?);
        }
        let sealed: u64 = frames.iter().map(|frame| u64::from(frame.sealed_length)).sum();
        if sealed != frame_bytes as u64 {
            return Err(reader.malformed("its frames do not fill the pack"));
        }
        if reader.raw(reader.left())?.iter().any(|byte| *byte != 0) {
            return Err(reader.malformed("its padding is not zero"));
        }
        Ok(Self { frames })
    }
}

fn decode_frame(reader: &mut Reader<'_>) -> Result<Frame, FormatError> {
    let sealed_length = reader.bounded(PACK_BYTES_MAX as u64, "a frame is longer than a pack")? as u32;
    let codec = Codec::decode(reader.u8()?)?;
    let count = reader.count(CHUNK_LEAST_BYTES)?;
    let mut chunks = Vec::with_capacity(count);
    let mut plain = 0u64;
    for _ in 0..count {
        let length = reader.bounded(u64::from(CHUNK_BYTES_MAX), "a chunk is longer than any may be")? as u32;
        plain += u64::from(length);
        if length == 0 || plain > u64::from(FRAME_BYTES_MAX) {
            return Err(reader.malformed("a chunk is empty, or a frame holds more than it may"));
        }
        chunks.push(FrameChunk { id: ChunkId(reader.array()?), length });
    }
    if chunks.is_empty() {
        return Err(reader.malformed("a frame is empty"));
    }
    Ok(Frame { sealed_length, codec, chunks })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::assert_one_spelling;
    use proptest::prelude::*;

    fn frame() -> impl Strategy<Value = Frame> {
        (1..=1u32 << 20, any::<bool>(), proptest::collection::vec((any::<[u8; 32]>(), 1..=1u32 << 17), 1..9))
            .prop_map(|(sealed_length, is_zstd, chunks)| Frame {
                sealed_length,
                codec: if is_zstd { Codec::Zstd } else { Codec::Stored },
                chunks: chunks
                    .into_iter()
                    .map(|(id, length)| FrameChunk { id: ChunkId(id), length })
                    .collect(),
            })
    }

    proptest! {
        #[test]
        fn a_table_survives_with_and_without_padding(frames in proptest::collection::vec(frame(), 0..9), padding in 0..5000usize) {
            let table = PackTable { frames };
            let sealed = table.frames.iter().map(|frame| frame.sealed_length as usize).sum();
            let reserved: usize = 3 + table.frames.iter().map(|f| PackTable::frame_bytes_max(f.chunks.len())).sum::<usize>();
            prop_assert!(table.encode(0).len() <= reserved);
            prop_assert_eq!(PackTable::decode(&table.encode(padding), sealed).unwrap(), table.clone());
            prop_assert!(PackTable::decode(&table.encode(padding), sealed + 1).is_err());
        }

        /// But for how many zeros follow: a table is padded to what its pack lacks, and the trailer says to which length.
        #[test]
        fn a_table_that_is_read_has_just_this_encoding(frames in proptest::collection::vec(frame(), 0..4), padding in 0..99usize) {
            let sealed = frames.iter().map(|frame| frame.sealed_length as usize).sum();
            let encoded = PackTable { frames }.encode(padding);
            assert_one_spelling(&encoded, |bytes| {
                PackTable::decode(bytes, sealed).ok().map(|table| table.encode(bytes.len()))
            });
        }

        #[test]
        fn a_foot_that_is_read_has_just_this_encoding(
            vault: [u8; 16], domain: [u8; 16], epoch: u32, salt: [u8; 32], commitment: [u8; 32],
        ) {
            let foot = PackFoot { vault: VaultId(vault), domain: ServerId(domain), epoch, salt, commitment };
            prop_assert_eq!(PackFoot::decode(&foot.encode()).unwrap(), foot);
            assert_one_spelling(&foot.encode(), |bytes| PackFoot::decode(bytes).ok().map(|read| read.encode().to_vec()));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>, frame_bytes in 0..1usize << 20) {
            let _ = PackTable::decode(&bytes, frame_bytes);
            let _ = PackFoot::decode(&bytes);
        }
    }

    #[test]
    fn a_foot_survives_and_an_altered_reserved_byte_is_refused() {
        let foot = PackFoot {
            vault: VaultId([1; 16]),
            domain: ServerId([2; 16]),
            epoch: 3,
            salt: [4; 32],
            commitment: [5; 32],
        };
        let bytes = foot.encode();
        assert_eq!(PackFoot::decode(&bytes).unwrap(), foot);
        for at in (0..8).chain(108..FOOT_BYTES) {
            let mut altered = bytes;
            altered[at] ^= 1;
            assert!(PackFoot::decode(&altered).is_err(), "byte {at}");
        }
    }
}
