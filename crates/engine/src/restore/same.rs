//! Whether a file that lies at the target already holds what an entry does: told by the ids of its chunks, so that
//! nothing of it is read from the vault.

use crate::fetch::ChunkFetcher;
use crate::lists::Pieces;
use crate::progress::Cancellation;
use crate::target::ExistingFile;
use stateward_crypto::EpochKeys;
use stateward_format::Piece;

/// How much of a hole is looked at together, in bytes.
const HOLE_BYTES: u64 = 64 << 10;

/// Whether the file holds just these pieces. What can't be told (the file or the list can't be read, or somebody stops
/// the restore) counts as no.
pub(super) fn is_same(
    existing: &dyn ExistingFile,
    mut pieces: Pieces<'_>,
    keys: &EpochKeys,
    fetcher: &mut ChunkFetcher<'_>,
    cancellation: &Cancellation,
) -> bool {
    let (mut offset, mut buffer) = (0, Vec::new());
    loop {
        let piece = match pieces.next(fetcher) {
            Ok(Some(piece)) => piece,
            Ok(None) => return true,
            Err(_) => return false,
        };
        let is_same = match piece {
            Piece::Data(chunk) => {
                buffer.resize(chunk.length as usize, 0);
                is_filled(existing, offset, &mut buffer) && keys.chunk_id(&buffer) == chunk.id
            }
            Piece::Hole(length) => is_empty(existing, offset, length, &mut buffer, cancellation),
        };
        if !is_same || cancellation.is_cancelled() {
            return false;
        }
        offset += piece.length();
    }
}

fn is_filled(existing: &dyn ExistingFile, offset: u64, buffer: &mut [u8]) -> bool {
    existing.read_at(offset, buffer).is_ok_and(|read| read == buffer.len())
}

/// Whether there are only zeros.
fn is_empty(
    existing: &dyn ExistingFile,
    mut offset: u64,
    mut left: u64,
    buffer: &mut Vec<u8>,
    cancellation: &Cancellation,
) -> bool {
    while left > 0 {
        let part = left.min(HOLE_BYTES);
        buffer.resize(part as usize, 0);
        let is_zero = is_filled(existing, offset, buffer) && buffer.iter().all(|byte| *byte == 0);
        if !is_zero || cancellation.is_cancelled() {
            return false;
        }
        (offset, left) = (offset + part, left - part);
    }
    true
}
