//! Frames into packs: compress, seal, fit into the pack's fixed size, and prove that the finished pack decodes.
//!
//! Each compressing thread has a writer with an open pack of its own, so no pack waits for another thread and frames
//! never change hands between compressing and sealing. An ordinal is given to one sealed frame only: a frame is
//! compressed as often as fitting takes, but sealed once.
//!
//! Each frame goes into the pack's hash and is then opened and decoded again while its bytes are near the processor.
//! Bytes that change before they are hashed fail this proof; bytes that change after it make a pack that is not what its
//! id says, which the vault refuses.
//!
//! A pack of very many small chunks has a table of some ten megabytes, and closing it takes as much twice over: to encode
//! it, and to decode it for the proof. So the writers of a backup close one pack at a time.

use crate::EngineError;
use crate::buffers::{Buffer, Buffers};
use crate::compression::Compression;
use crate::pack_reader::{FrameReader, PackContents, open_whole};
use stateward_crypto::{EpochKeys, PackKeys, padme};
use stateward_format::pack::{
    self, Codec, FOOT_BYTES, FRAMES_MAX, Frame, FrameChunk, PACK_BYTES, PackFoot, PackTable, TAG_BYTES,
    TRAILER_BYTES,
};
use stateward_model::{PackId, Random};
use std::sync::{Mutex, PoisonError};

/// What every pack holds besides frames and table.
const FIXED_BYTES: usize = FOOT_BYTES + TRAILER_BYTES + TAG_BYTES;
/// A pack with less room than this is full.
const ROOM_BYTES_MIN: usize = 4 << 10;

/// Some chunks to be compressed together: their plaintexts one after another.
#[derive(Debug, Default)]
pub struct PlainFrame {
    /// The chunks, in order.
    pub chunks: Vec<FrameChunk>,
    /// Their bytes.
    pub plaintext: Buffer,
}

/// A pack that is ready to be sent, and what it holds.
#[derive(Debug)]
pub struct FinishedPack {
    /// Its id.
    pub id: PackId,
    /// Its bytes.
    pub bytes: Buffer,
    /// What it holds.
    pub contents: PackContents,
}

struct OpenPack {
    keys: PackKeys,
    foot: [u8; FOOT_BYTES],
    bytes: Buffer,
    /// Over all of `bytes` that will not change any more.
    hasher: blake3::Hasher,
    contents: PackContents,
    /// The most that the table's encoding can take so far.
    table_bytes: usize,
}

impl OpenPack {
    /// How many bytes a sealed frame of so many chunks may have.
    fn room(&self, chunks: usize) -> usize {
        let taken = self.bytes.len() + self.table_bytes + PackTable::frame_bytes_max(chunks) + FIXED_BYTES;
        PACK_BYTES.saturating_sub(taken)
    }
}

/// Makes packs.
pub struct PackWriter<'a> {
    keys: &'a EpochKeys,
    random: &'a dyn Random,
    buffers: Buffers,
    closing: &'a Mutex<()>,
    compressor: zstd::bulk::Compressor<'static>,
    check: FrameReader,
    scratch: Vec<u8>,
    open: Option<OpenPack>,
    /// What the last frame became of each of its bytes.
    ratio: f64,
}

impl<'a> PackWriter<'a> {
    /// A writer with no pack open yet; packs are made in some of the `buffers`. Of the writers that share `closing`, one
    /// closes a pack at a time.
    pub fn new(
        keys: &'a EpochKeys,
        random: &'a dyn Random,
        compression: Compression,
        buffers: Buffers,
        closing: &'a Mutex<()>,
    ) -> Self {
        let compressor = compression.compressor();
        Self {
            keys,
            random,
            buffers,
            closing,
            compressor,
            check: FrameReader::new(),
            scratch: Vec::new(),
            open: None,
            ratio: 0.0,
        }
    }

    /// Adds a frame, split where a pack ends; gives the packs that became full.
    pub fn add(&mut self, frame: &PlainFrame) -> Result<Vec<FinishedPack>, EngineError> {
        let mut finished = Vec::new();
        let mut rest: (&[FrameChunk], &[u8]) = (&frame.chunks, &frame.plaintext);
        while !rest.0.is_empty() {
            let taken = self.add_what_fits(rest.0, rest.1)?;
            let bytes: usize = rest.0[..taken].iter().map(|chunk| chunk.length as usize).sum();
            rest = (&rest.0[taken..], &rest.1[bytes..]);
            let is_full = self.open.as_ref().is_some_and(|open| {
                open.room(1) < ROOM_BYTES_MIN || open.contents.table.frames.len() == FRAMES_MAX
            });
            if is_full || taken == 0 {
                finished.extend(self.close(|_| PACK_BYTES)?);
            }
        }
        Ok(finished)
    }

    /// Closes the last pack, if one is open.
    pub fn finish(&mut self) -> Result<Option<FinishedPack>, EngineError> {
        self.close(|least| padme(least as u64) as usize)
    }

    /// Seals as many of the chunks as the open pack has room for, as one frame; tells how many.
    fn add_what_fits(&mut self, chunks: &[FrameChunk], plaintext: &[u8]) -> Result<usize, EngineError> {
        let open = self.open.get_or_insert_with(|| open_pack(self.keys, self.random, &self.buffers));
        let room = open.room(chunks.len()) as f64;
        // What will not fit, judging by the last frame, is not compressed for nothing. An empty pack takes any frame.
        let mut count = match plaintext.len() as f64 * self.ratio > room && !open.bytes.is_empty() {
            true => fitting(chunks, chunks.len(), room / self.ratio),
            false => chunks.len(),
        };
        while count > 0 {
            let bytes: usize = chunks[..count].iter().map(|chunk| chunk.length as usize).sum();
            let codec = self.compress(&plaintext[..bytes]);
            let open = self.open.get_or_insert_with(|| open_pack(self.keys, self.random, &self.buffers));
            let content = if codec == Codec::Zstd { &self.scratch } else { &plaintext[..bytes] };
            let sealed = content.len() + TAG_BYTES;
            self.ratio = sealed as f64 / bytes as f64;
            let room = open.room(count);
            if sealed <= room {
                seal_frame(open, codec, content, &chunks[..count], bytes as u32);
                self.check_frame()?;
                return Ok(count);
            }
            count = fitting(chunks, count, room as f64 / self.ratio * 0.98);
        }
        Ok(0)
    }

    /// Hashes the frame that was sealed last, and proves that it decodes to chunks that are what their ids say.
    fn check_frame(&mut self) -> Result<(), EngineError> {
        let Some(open) = &mut self.open else { return Ok(()) };
        let Some(frame) = open.contents.table.frames.last() else { return Ok(()) };
        let ordinal = open.contents.table.frames.len() - 1;
        let sealed = &open.bytes[open.bytes.len() - frame.sealed_length as usize..];
        open.hasher.update(sealed);
        let opened = self.check.open(self.keys, &open.keys, &open.contents, ordinal, sealed);
        opened.map(drop).map_err(|_| EngineError::SelfCheckFailed)
    }

    /// Compresses into `scratch`; says whether that is worth keeping.
    fn compress(&mut self, plaintext: &[u8]) -> Codec {
        self.scratch.clear();
        self.scratch.reserve(zstd::zstd_safe::compress_bound(plaintext.len()));
        match self.compressor.compress_to_buffer(plaintext, &mut self.scratch) {
            Ok(length) if length + length / 64 < plaintext.len() => Codec::Zstd,
            _ => Codec::Stored,
        }
    }

    fn close(&mut self, size: impl Fn(usize) -> usize) -> Result<Option<FinishedPack>, EngineError> {
        let Some(open) = self.open.take() else { return Ok(None) };
        let OpenPack { keys, foot, mut bytes, mut hasher, contents, .. } = open;
        // Nothing is behind the lock, so a thread that panicked with it left nothing half done.
        let _alone = self.closing.lock().unwrap_or_else(PoisonError::into_inner);
        let frames_end = bytes.len();
        let table = contents.table.encode(0);
        // Its hash stands for the table from here on: it and the one that is read back need not be there together.
        drop(contents);
        let meant = blake3::hash(&table);
        bytes.extend_from_slice(&table);
        drop(table);
        // Zeros after a table are its padding.
        let least = bytes.len() + FIXED_BYTES;
        bytes.resize(size(least).max(least) - FIXED_BYTES, 0);
        keys.seal_table(&pack::table_associated_data(&foot), &mut bytes, frames_end);
        let table_bytes = (bytes.len() - frames_end) as u32;
        let at = bytes.len();
        bytes.extend_from_slice(&table_bytes.to_le_bytes());
        keys.seal_trailer(&pack::trailer_associated_data(&foot), &mut bytes, at);
        bytes.extend_from_slice(&foot);
        hasher.update(&bytes[frames_end..]);
        let id = PackId(*hasher.finalize().as_bytes());
        match open_whole(self.keys, id, &bytes) {
            Ok(contents)
                if contents.foot.encode() == foot && blake3::hash(&contents.table.encode(0)) == meant =>
            {
                Ok(Some(FinishedPack { id, bytes, contents }))
            }
            _ => Err(EngineError::SelfCheckFailed),
        }
    }
}

fn open_pack(keys: &EpochKeys, random: &dyn Random, buffers: &Buffers) -> OpenPack {
    let mut salt = [0; 32];
    random.fill(&mut salt);
    let pack_keys = keys.pack_keys(&salt);
    let commitment = *pack_keys.commitment();
    let foot = PackFoot { vault: keys.vault(), domain: keys.domain(), epoch: keys.epoch(), salt, commitment };
    OpenPack {
        keys: pack_keys,
        foot: foot.encode(),
        bytes: buffers.take(PACK_BYTES),
        hasher: blake3::Hasher::new(),
        contents: PackContents { foot, table: PackTable::default() },
        // The number of frames takes at most three bytes.
        table_bytes: 3,
    }
}

fn seal_frame(open: &mut OpenPack, codec: Codec, content: &[u8], chunks: &[FrameChunk], plain_length: u32) {
    let ordinal = open.contents.table.frames.len() as u32;
    let at = open.bytes.len();
    open.bytes.extend_from_slice(content);
    open.keys.seal_frame(
        ordinal,
        &Frame::associated_data(&open.foot, codec, plain_length),
        &mut open.bytes,
        at,
    );
    let sealed_length = (open.bytes.len() - at) as u32;
    open.table_bytes += PackTable::frame_bytes_max(chunks.len());
    open.contents.table.frames.push(Frame { sealed_length, codec, chunks: chunks.to_vec() });
}

/// How many of the first `count` chunks have at most `bytes` bytes: fewer than `count`.
fn fitting(chunks: &[FrameChunk], count: usize, bytes: f64) -> usize {
    let mut sum = 0.0;
    let fits = chunks[..count]
        .iter()
        .take_while(|chunk| {
            sum += f64::from(chunk.length);
            sum <= bytes
        })
        .count();
    fits.min(count - 1)
}

#[cfg(test)]
mod tests;
