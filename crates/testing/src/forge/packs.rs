//! Packs that are sealed right and say what they like.

use stateward_crypto::EpochKeys;
use stateward_format::pack::{self, Codec, Frame, FrameChunk, PackFoot, PackTable, TAG_BYTES, TRAILER_BYTES};
use stateward_format::point::PackReference;
use stateward_model::PackId;

/// A frame and what the table says of it.
pub struct LyingFrame {
    /// How its bytes are said to have been made.
    pub codec: Codec,
    /// What it is said to hold.
    pub chunks: Vec<FrameChunk>,
    /// What is sealed.
    pub bytes: Vec<u8>,
    /// How much longer than it is it is said to be, in bytes.
    pub longer: i64,
}

/// A pack that is being made up.
#[derive(Default)]
pub struct ForgedPack {
    /// In their order.
    pub frames: Vec<LyingFrame>,
}

impl ForgedPack {
    /// Adds a chunk in a frame of its own, as an agent would.
    ///
    /// # Panics
    /// If zstd has no memory left.
    #[must_use]
    pub fn with(mut self, keys: &EpochKeys, chunk: &[u8]) -> Self {
        let bytes = zstd::bulk::Compressor::new(3).and_then(|mut zstd| zstd.compress(chunk));
        self.frames.push(LyingFrame {
            codec: Codec::Zstd,
            chunks: vec![FrameChunk { id: keys.chunk_id(chunk), length: chunk.len() as u32 }],
            bytes: bytes.expect("a compressor needs only memory"),
            longer: 0,
        });
        self
    }

    /// Adds a frame as it is.
    #[must_use]
    pub fn with_frame(mut self, frame: LyingFrame) -> Self {
        self.frames.push(frame);
        self
    }

    /// Its name and its bytes.
    pub(super) fn seal(&self, keys: &EpochKeys, salt: [u8; 32]) -> (PackReference, Vec<u8>) {
        let pack_keys = keys.pack_keys(&salt);
        let foot = PackFoot {
            vault: keys.vault(),
            domain: keys.domain(),
            epoch: keys.epoch(),
            salt,
            commitment: *pack_keys.commitment(),
        };
        let foot = foot.encode();
        let (mut bytes, mut table) = (Vec::new(), PackTable::default());
        for (ordinal, frame) in self.frames.iter().enumerate() {
            let from = bytes.len();
            bytes.extend_from_slice(&frame.bytes);
            let plain_length = frame.chunks.iter().map(|chunk| chunk.length).sum();
            let associated = Frame::associated_data(&foot, frame.codec, plain_length);
            pack_keys.seal_frame(ordinal as u32, &associated, &mut bytes, from);
            let sealed_length = ((bytes.len() - from) as i64 + frame.longer) as u32;
            table.frames.push(Frame { sealed_length, codec: frame.codec, chunks: frame.chunks.clone() });
        }
        let from = bytes.len();
        bytes.extend_from_slice(&table.encode(0));
        pack_keys.seal_table(&pack::table_associated_data(&foot), &mut bytes, from);
        let table_bytes = (bytes.len() - from) as u32;
        debug_assert!(table_bytes as usize >= TAG_BYTES);
        let from = bytes.len();
        bytes.extend_from_slice(&table_bytes.to_le_bytes());
        pack_keys.seal_trailer(&pack::trailer_associated_data(&foot), &mut bytes, from);
        debug_assert_eq!(bytes.len() - from, TRAILER_BYTES);
        bytes.extend_from_slice(&foot);
        let id = PackId(*blake3::hash(&bytes).as_bytes());
        (PackReference { id, length: bytes.len() as u32 }, bytes)
    }
}
