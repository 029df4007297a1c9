//! Packs: read whole, hashed, opened, every chunk proved.

use super::VerifyRequest;
use super::chain::problem;
use crate::cache::CacheError;
use crate::crew::share_out;
use crate::fetch::fetchers;
use crate::index::{ChunkIndex, IndexedPack};
use crate::pack_reader::{FrameReader, PackContents, check_length, open_whole};
use crate::progress::Advance;
use crate::{EngineError, Tools};
use stateward_format::ChunkReference;
use stateward_format::manifest::Warning;
use stateward_format::point::PackReference;
use stateward_model::PackId;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// What reading packs proved.
#[derive(Default)]
pub(super) struct Proof {
    /// Packs all of whose chunks are what they should be.
    pub(super) sound: BTreeSet<PackId>,
    /// Packs whose tables could be read, sound or not.
    pub(super) read: BTreeSet<PackId>,
    /// What they hold.
    pub(super) index: ChunkIndex,
    /// Frames that cannot be opened: (pack, ordinal).
    pub(super) bad_frames: BTreeSet<(PackId, u32)>,
    /// Packs of which nothing can be had.
    pub(super) lost: BTreeSet<PackId>,
    /// The same for a person.
    pub(super) problems: Vec<Warning>,
}

impl Proof {
    /// Whether a chunk is in a frame that could be opened, or that was not looked at.
    pub(super) fn holds(&self, chunk: ChunkReference, index: &ChunkIndex) -> Result<bool, CacheError> {
        let Some(place) = index.place(chunk.id)? else { return Ok(false) };
        let id = index.table(place.pack)?.reference.id;
        Ok(place.length == chunk.length && !self.bad_frames.contains(&(id, place.frame)))
    }
}

/// Reads all of `chosen`.
pub(super) fn prove(
    request: &VerifyRequest<'_>,
    chosen: &[PackReference],
    tools: &Tools<'_>,
) -> Result<Proof, EngineError> {
    let (proof, index) = (Mutex::new(Proof::default()), ChunkIndex::default());
    share_out(chosen.iter(), fetchers(request.threads), tools, || {
        let mut reader = FrameReader::new();
        let (proof, index) = (&proof, &index);
        move |pack: &PackReference| prove_one(request, *pack, &mut reader, proof, index, tools)
    })?;
    let proof = proof.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(Proof { index, ..proof })
}

fn prove_one(
    request: &VerifyRequest<'_>,
    reference: PackReference,
    reader: &mut FrameReader,
    proof: &Mutex<Proof>,
    index: &ChunkIndex,
    tools: &Tools<'_>,
) -> Result<(), EngineError> {
    let id = reference.id;
    let lose = |code: &str, message: String| {
        let mut proof = proof.lock().unwrap_or_else(PoisonError::into_inner);
        proof.lost.insert(id);
        proof.problems.push(problem(code, message));
    };
    if let Err(error) = check_length(reference) {
        lose("pack-damaged", error.to_string());
        return Ok(());
    }
    let mut bytes = match request.vault.read_pack(reference, 0..reference.length) {
        Ok(bytes) => bytes,
        Err(error) => {
            let why = error.damage().ok_or(error)?;
            lose("pack-missing", format!("Pack {id} can't be had: {why}"));
            return Ok(());
        }
    };
    let moved_bytes = bytes.len() as u64;
    tools.progress.advanced(Advance { files: 0, bytes: moved_bytes, moved_bytes });
    let is_as_named = blake3::hash(&bytes).as_bytes() == &id.0;
    let contents = match open_whole(request.keys, id, &bytes) {
        Ok(contents) => contents,
        Err(error) => {
            lose("pack-damaged", error.to_string());
            return Ok(());
        }
    };
    let bad = bad_frames(request, &contents, &mut bytes, reader);
    let frames = contents.table.frames.len();
    index.add_pack(IndexedPack { reference, contents });
    let mut proof = proof.lock().unwrap_or_else(PoisonError::into_inner);
    match is_as_named && bad.is_empty() {
        true => {
            proof.sound.insert(id);
        }
        false => {
            let message =
                format!("Pack {id} is damaged: {} of its {frames} frames can't be opened", bad.len());
            proof.problems.push(problem("pack-damaged", message));
        }
    }
    proof.bad_frames.extend(bad.into_iter().map(|ordinal| (id, ordinal)));
    proof.read.insert(id);
    Ok(())
}

/// The frames that can't be opened; `bytes` are of no use then.
fn bad_frames(
    request: &VerifyRequest<'_>,
    contents: &PackContents,
    mut bytes: &mut [u8],
    reader: &mut FrameReader,
) -> Vec<u32> {
    let pack_keys = request.keys.pack_keys(&contents.foot.salt);
    let mut bad = Vec::new();
    for (ordinal, frame) in contents.table.frames.iter().enumerate() {
        let (sealed, rest) = bytes.split_at_mut(frame.sealed_length as usize);
        bytes = rest;
        if reader.open_in_place(request.keys, &pack_keys, contents, ordinal, sealed).is_err() {
            bad.push(ordinal as u32);
        }
    }
    bad
}
