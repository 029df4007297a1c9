//! Packs: read whole, hashed, opened, every chunk proved.

use super::VerifyRequest;
use super::chain::problem;
use crate::fetch::fetchers;
use crate::index::IndexedPack;
use crate::pack_reader::{FrameReader, PackContents, open_whole};
use crate::progress::Advance;
use crate::{EngineError, Tools};
use stateward_format::manifest::Warning;
use stateward_format::point::PackReference;
use stateward_model::PackId;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// What reading packs proved.
#[derive(Default)]
pub(super) struct Proof {
    /// Packs all of whose chunks are what they should be.
    pub(super) sound: BTreeSet<PackId>,
    /// Packs whose tables could be read, sound or not.
    pub(super) read: BTreeMap<PackId, IndexedPack>,
    /// Frames that cannot be opened: (pack, ordinal).
    pub(super) bad_frames: BTreeSet<(PackId, u32)>,
    /// Packs of which nothing can be had.
    pub(super) lost: BTreeSet<PackId>,
    /// The same for a person.
    pub(super) problems: Vec<Warning>,
}

/// Reads all of `chosen`.
pub(super) fn prove(
    request: &VerifyRequest<'_>,
    chosen: &[PackReference],
    tools: &Tools<'_>,
) -> Result<Proof, EngineError> {
    let queue = Mutex::new(chosen.to_vec());
    let proof = Mutex::new(Proof::default());
    let failure = Mutex::new(None);
    let work = || {
        let mut reader = FrameReader::new();
        loop {
            let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some(pack) = next else { return };
            let done = match tools.cancellation.is_cancelled() {
                true => Err(EngineError::Cancelled),
                false => prove_one(request, pack, &mut reader, &proof, tools),
            };
            if let Err(error) = done {
                failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                queue.lock().unwrap_or_else(PoisonError::into_inner).clear();
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..fetchers(request.threads) {
            scope.spawn(work);
        }
    });
    match failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(error) => Err(error),
        None => Ok(proof.into_inner().unwrap_or_else(PoisonError::into_inner)),
    }
}

fn prove_one(
    request: &VerifyRequest<'_>,
    reference: PackReference,
    reader: &mut FrameReader,
    proof: &Mutex<Proof>,
    tools: &Tools<'_>,
) -> Result<(), EngineError> {
    let id = reference.id;
    let lose = |code: &str, message: String| {
        let mut proof = proof.lock().unwrap_or_else(PoisonError::into_inner);
        proof.lost.insert(id);
        proof.problems.push(problem(code, message));
    };
    let bytes = match request.vault.read_pack(reference, 0..reference.length) {
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
    let bad = bad_frames(request, &contents, &bytes, reader);
    let mut proof = proof.lock().unwrap_or_else(PoisonError::into_inner);
    match is_as_named && bad.is_empty() {
        true => {
            proof.sound.insert(id);
        }
        false => {
            let frames = contents.table.frames.len();
            let message =
                format!("Pack {id} is damaged: {} of its {frames} frames can't be opened", bad.len());
            proof.problems.push(problem("pack-damaged", message));
        }
    }
    proof.bad_frames.extend(bad.into_iter().map(|ordinal| (id, ordinal)));
    proof.read.insert(id, IndexedPack { reference, contents });
    Ok(())
}

fn bad_frames(
    request: &VerifyRequest<'_>,
    contents: &PackContents,
    mut bytes: &[u8],
    reader: &mut FrameReader,
) -> Vec<u32> {
    let pack_keys = request.keys.pack_keys(&contents.foot.salt);
    let mut bad = Vec::new();
    for (ordinal, frame) in contents.table.frames.iter().enumerate() {
        let (sealed, rest) = bytes.split_at(frame.sealed_length as usize);
        bytes = rest;
        if reader.open(request.keys, &pack_keys, contents, ordinal, sealed).is_err() {
            bad.push(ordinal as u32);
        }
    }
    bad
}
