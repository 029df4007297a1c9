//! Metadata segments: whether all that their entries refer to is sound.
//!
//! A segment stands by itself, and the recovery points of a server share most of theirs. So each is gone through once,
//! whatever the number of points, and only those in doubt again for each point, to name the files ([`super::files`]).

use super::VerifyRequest;
use super::packs::Proof;
use crate::crew::share_out;
use crate::fetch::{ChunkFetcher, FetchError, fetchers};
use crate::index::ChunkIndex;
use crate::lists::{ListedChunks, Pieces};
use crate::points::TrustedPoint;
use crate::{EngineError, Tools};
use stateward_format::segment::Segment;
use stateward_format::{ChunkReference, Entry, Piece, Record};
use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

/// Fewer segments are not worth a thread.
const STRETCH_LEAST: usize = 64;

/// The segments of all points in which something is lost; `None` if a stream names a segment twice: none that was not
/// forged does, and what it holds is told by going through all of it.
pub(super) fn doubtful(
    request: &VerifyRequest<'_>,
    points: &[TrustedPoint],
    index: &ChunkIndex,
    proof: &Proof,
    tools: &Tools<'_>,
) -> Result<Option<HashSet<ChunkReference>>, EngineError> {
    let Some(segments) = segments_of(request, points, index, tools)? else { return Ok(None) };
    let doubtful = Mutex::new(HashSet::new());
    let threads = fetchers(request.threads);
    // Neighbours share frames: each thread takes one stretch.
    let stretch = segments.len().div_ceil(threads).max(STRETCH_LEAST);
    share_out(segments.chunks(stretch), threads, tools, || {
        let mut fetcher = ChunkFetcher::new(request.vault, request.keys, index);
        let doubtful = &doubtful;
        move |segments: &[ChunkReference]| {
            for segment in segments {
                if tools.cancellation.is_cancelled() {
                    return Err(EngineError::Cancelled);
                }
                let is_sound = match is_sound(*segment, &mut fetcher, index, proof) {
                    Ok(is_sound) => is_sound,
                    Err(error) => error.damage().map(|_| false)?,
                };
                if !is_sound {
                    doubtful.lock().unwrap_or_else(PoisonError::into_inner).insert(*segment);
                }
            }
            Ok(())
        }
    })?;
    Ok(Some(doubtful.into_inner().unwrap_or_else(PoisonError::into_inner)))
}

/// Each segment once, in the order of the streams. A list of segments that can't be read is found again, and named, where
/// the points are gone through.
fn segments_of(
    request: &VerifyRequest<'_>,
    points: &[TrustedPoint],
    index: &ChunkIndex,
    tools: &Tools<'_>,
) -> Result<Option<Vec<ChunkReference>>, EngineError> {
    let mut fetcher = ChunkFetcher::new(request.vault, request.keys, index);
    let (mut seen, mut segments) = (HashSet::new(), Vec::new());
    for component in points.iter().flat_map(|point| &point.manifest.components) {
        let mut chunks = ListedChunks::of(&component.stream);
        let mut seen_here = HashSet::new();
        loop {
            if tools.cancellation.is_cancelled() {
                return Err(EngineError::Cancelled);
            }
            match chunks.next(&mut fetcher) {
                Ok(Some(chunk)) if !seen_here.insert(chunk) => return Ok(None),
                Ok(Some(chunk)) => segments.extend(seen.insert(chunk).then_some(chunk)),
                Ok(None) => break,
                Err(error) => {
                    error.damage()?;
                    break;
                }
            }
        }
    }
    Ok(Some(segments))
}

fn is_sound(
    segment: ChunkReference,
    fetcher: &mut ChunkFetcher<'_>,
    index: &ChunkIndex,
    proof: &Proof,
) -> Result<bool, FetchError> {
    let bytes = fetcher.chunk(segment)?.to_vec();
    let Ok(mut segment) = Segment::decode(&bytes) else { return Ok(false) };
    loop {
        match segment.next_record() {
            Ok(None) => return Ok(true),
            Ok(Some(Ok(Record::Leave))) => {}
            Ok(Some(Ok(Record::Entry(entry)))) => {
                if !is_whole(&entry, fetcher, index, proof)? {
                    return Ok(false);
                }
            }
            Ok(Some(Err(_))) | Err(_) => return Ok(false),
        }
    }
}

fn is_whole(
    entry: &Entry,
    fetcher: &mut ChunkFetcher<'_>,
    index: &ChunkIndex,
    proof: &Proof,
) -> Result<bool, FetchError> {
    for (size, content) in entry.contents() {
        let mut pieces = Pieces::of(content, size);
        while let Some(piece) = pieces.next(fetcher)? {
            if let Piece::Data(chunk) = piece
                && !proof.holds(chunk, index)?
            {
                return Ok(false);
            }
        }
    }
    Ok(true)
}
