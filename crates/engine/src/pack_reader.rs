//! Packs back into chunks: read the end, open the table, open frames, prove every chunk by its id.

use crate::vault_store::{VaultError, VaultRead};
use stateward_crypto::{EpochKeys, PackKeys};
use stateward_format::FormatError;
use stateward_format::pack::{
    self, Codec, FOOT_BYTES, Frame, PACK_BYTES_MAX, PackFoot, PackTable, TAG_BYTES, TRAILER_BYTES,
};
use stateward_format::point::PackReference;
use stateward_model::PackId;

/// Reads begin and end at multiples of this, in bytes, so that they show the vault no frame.
pub const READ_ALIGNMENT: u32 = 1 << 20;

/// What is wrong with a pack.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PackError {
    /// It could not be had.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// It is not what it should be.
    #[error("Pack {id} is damaged: {why}")]
    Damaged {
        /// Which.
        id: PackId,
        /// What is wrong.
        why: &'static str,
    },
    /// It was sealed with keys of another epoch, vault or domain.
    #[error("Pack {0} was sealed with other keys")]
    OtherKey(PackId),
}

/// A pack's table together with what is needed to open its frames.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackContents {
    /// The pack's clear end.
    pub foot: PackFoot,
    /// What it holds.
    pub table: PackTable,
}

impl PackContents {
    /// Whether these keys sealed it: those of its vault, domain and epoch.
    pub fn is_of(&self, keys: &EpochKeys) -> bool {
        (self.foot.vault, self.foot.domain, self.foot.epoch) == (keys.vault(), keys.domain(), keys.epoch())
    }
}

/// Reads a pack's table from its end.
pub fn read_contents(
    vault: &dyn VaultRead,
    keys: &EpochKeys,
    reference: PackReference,
) -> Result<PackContents, PackError> {
    check_length(reference)?;
    // Most tables are shorter than a quarter of this; the rest is asked for when the trailer has told the length.
    let start = align_down(reference.length.saturating_sub(READ_ALIGNMENT / 2));
    let end = vault.read_pack(reference, start..reference.length)?;
    let needed = end_bytes(keys, reference.id, &end)?;
    if needed <= end.len() {
        return open_end(keys, reference.id, &end, reference.length as usize);
    }
    let start = align_down((reference.length as usize).saturating_sub(needed) as u32);
    let end = vault.read_pack(reference, start..reference.length)?;
    open_end(keys, reference.id, &end, reference.length as usize)
}

/// A recovery point, or a vault, may say any length of a pack; none can be asked for that has another than packs have.
pub(crate) fn check_length(reference: PackReference) -> Result<(), PackError> {
    match reference.length as usize {
        length if length < FOOT_BYTES => Err(damaged(reference.id)("it is too short")),
        length if length > PACK_BYTES_MAX => Err(damaged(reference.id)("it is longer than any may be")),
        _ => Ok(()),
    }
}

/// The greatest multiple of [`READ_ALIGNMENT`] that is at most `offset`.
pub fn align_down(offset: u32) -> u32 {
    offset / READ_ALIGNMENT * READ_ALIGNMENT
}

pub(crate) fn damaged(id: PackId) -> impl Fn(&'static str) -> PackError {
    move |why| PackError::Damaged { id, why }
}

fn foot_and_keys(
    keys: &EpochKeys,
    id: PackId,
    end: &[u8],
) -> Result<([u8; FOOT_BYTES], PackFoot, PackKeys), PackError> {
    let foot_bytes: &[u8; FOOT_BYTES] = end.last_chunk().ok_or_else(|| damaged(id)("it is too short"))?;
    let foot = PackFoot::decode(foot_bytes).map_err(|error| match error {
        FormatError::Unsupported { .. } => damaged(id)("a newer version made it"),
        _ => damaged(id)("its foot is malformed"),
    })?;
    if (foot.vault, foot.domain, foot.epoch) != (keys.vault(), keys.domain(), keys.epoch()) {
        return Err(PackError::OtherKey(id));
    }
    let pack_keys = keys.pack_keys(&foot.salt);
    pack_keys.check_commitment(&foot.commitment).map_err(|_| PackError::OtherKey(id))?;
    Ok((*foot_bytes, foot, pack_keys))
}

/// How many of the pack's last bytes hold table, trailer and foot.
fn end_bytes(keys: &EpochKeys, id: PackId, end: &[u8]) -> Result<usize, PackError> {
    let (foot_bytes, _, pack_keys) = foot_and_keys(keys, id, end)?;
    let before_foot = &end[..end.len() - FOOT_BYTES];
    let mut trailer: [u8; TRAILER_BYTES] =
        *before_foot.last_chunk().ok_or_else(|| damaged(id)("it is too short"))?;
    let opened = pack_keys
        .open_trailer(&pack::trailer_associated_data(&foot_bytes), &mut trailer)
        .map_err(|_| damaged(id)("its trailer was altered"))?;
    let table_bytes =
        u32::from_le_bytes((&*opened).try_into().map_err(|_| damaged(id)("its trailer is malformed"))?);
    match table_bytes as usize {
        length @ TAG_BYTES..=PACK_BYTES_MAX => Ok(length + TRAILER_BYTES + FOOT_BYTES),
        _ => Err(damaged(id)("its table's length can't be")),
    }
}

/// Opens a pack's table; `end` holds at least the table and all after it, `length` is the whole pack's.
fn open_end(keys: &EpochKeys, id: PackId, end: &[u8], length: usize) -> Result<PackContents, PackError> {
    let needed = end_bytes(keys, id, end)?;
    if needed > end.len() || needed > length {
        return Err(damaged(id)("it is shorter than its table"));
    }
    let (foot_bytes, foot, pack_keys) = foot_and_keys(keys, id, end)?;
    let mut table = end[end.len() - needed..end.len() - FOOT_BYTES - TRAILER_BYTES].to_vec();
    let table = pack_keys
        .open_table(&pack::table_associated_data(&foot_bytes), &mut table)
        .map_err(|_| damaged(id)("its table was altered"))?;
    let table =
        PackTable::decode(table, length - needed).map_err(|_| damaged(id)("its table is malformed"))?;
    Ok(PackContents { foot, table })
}

/// Opens the table of a pack that was read whole.
pub fn open_whole(keys: &EpochKeys, id: PackId, bytes: &[u8]) -> Result<PackContents, PackError> {
    open_end(keys, id, bytes, bytes.len())
}

/// Opens frames; keeps its buffers and its decompressor from one to the next.
pub struct FrameReader {
    decompressor: zstd::bulk::Decompressor<'static>,
    sealed: Vec<u8>,
    plain: Vec<u8>,
}

impl Default for FrameReader {
    fn default() -> Self {
        Self::new()
    }
}

impl FrameReader {
    /// A reader with empty buffers.
    pub fn new() -> Self {
        let decompressor = zstd::bulk::Decompressor::new().expect("a decompressor needs only memory");
        Self { decompressor, sealed: Vec::new(), plain: Vec::new() }
    }

    /// Opens one frame from its sealed bytes and proves each of its chunks; the plaintexts stand one after another.
    /// Says what is wrong otherwise.
    pub fn open(
        &mut self,
        keys: &EpochKeys,
        pack_keys: &PackKeys,
        contents: &PackContents,
        ordinal: usize,
        sealed: &[u8],
    ) -> Result<&[u8], &'static str> {
        let mut copy = std::mem::take(&mut self.sealed);
        copy.clear();
        copy.extend_from_slice(sealed);
        let opened = self.open_in_place(keys, pack_keys, contents, ordinal, &mut copy).map(|_| ());
        self.sealed = copy;
        opened.map(|()| self.plain.as_slice())
    }

    /// The same, where nobody needs the sealed bytes any more: nothing of use is left in them.
    pub fn open_in_place(
        &mut self,
        keys: &EpochKeys,
        pack_keys: &PackKeys,
        contents: &PackContents,
        ordinal: usize,
        sealed: &mut [u8],
    ) -> Result<&[u8], &'static str> {
        let frame = &contents.table.frames[ordinal];
        self.decode(pack_keys, &contents.foot, frame, ordinal, sealed)?;
        let mut rest = self.plain.as_slice();
        for chunk in &frame.chunks {
            let (plaintext, after) = rest.split_at(chunk.length as usize);
            if keys.chunk_id(plaintext) != chunk.id {
                return Err("a chunk is not what its id says");
            }
            rest = after;
        }
        Ok(&self.plain)
    }

    /// Opens and decompresses into `plain`, to exactly the length that the table tells.
    fn decode(
        &mut self,
        pack_keys: &PackKeys,
        foot: &PackFoot,
        frame: &Frame,
        ordinal: usize,
        sealed: &mut [u8],
    ) -> Result<(), &'static str> {
        let length = frame.plain_length();
        let associated = Frame::associated_data(&foot.encode(), frame.codec, length);
        let opened =
            pack_keys.open_frame(ordinal as u32, &associated, sealed).map_err(|_| "a frame was altered")?;
        self.plain.clear();
        match frame.codec {
            Codec::Stored => self.plain.extend_from_slice(opened),
            Codec::Zstd => {
                // The decompressor fills what is reserved and no more: the longest frame so far.
                self.plain.reserve_exact(length as usize);
                self.decompressor
                    .decompress_to_buffer(opened, &mut self.plain)
                    .map_err(|_| "a frame does not decompress")?;
            }
        }
        match self.plain.len() == length as usize {
            true => Ok(()),
            false => Err("a frame has another length than its table says"),
        }
    }
}
