//! The journal of pack tables: one record for each pack that the vault has acknowledged, appended at that moment, so
//! that a run that is killed does not upload again what it has sent.
//!
//! A record is its length (`u32`), its payload, and the first 8 bytes of the payload's BLAKE3. What follows the first
//! record that does not check out is cut off. Nothing is synced: what a power cut takes away is read again from the
//! packs themselves.

use super::{CacheError, CacheFolder};
use crate::index::IndexedPack;
use crate::pack_reader::PackContents;
use stateward_format::FormatError;
use stateward_format::pack::{FOOT_BYTES, PackFoot, PackTable};
use stateward_format::point::PackReference;
use stateward_format::wire::{Reader, Writer};
use stateward_model::PackId;
use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

const CHECK_BYTES: usize = 8;

/// The open journal.
pub(crate) struct PackJournal {
    path: PathBuf,
    file: Mutex<File>,
}

impl PackJournal {
    /// Opens the journal and reads what it holds.
    pub(crate) fn open(cache: &CacheFolder) -> Result<(Self, Vec<IndexedPack>), CacheError> {
        let path = cache.path().join("packs");
        let at = CacheError::at(&path);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(at(error)),
        };
        let (packs, good) = decode_all(&bytes);
        let file = private_file(&path).map_err(&at)?;
        file.set_len(good as u64).map_err(&at)?;
        Ok((Self { file: Mutex::new(file), path }, packs))
    }

    /// Adds a pack.
    pub(crate) fn append(&self, pack: &IndexedPack) -> Result<(), CacheError> {
        let record = encode(pack);
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(&record).map_err(CacheError::at(&self.path))
    }

    /// Leaves out all packs but `kept`.
    pub(crate) fn retain(&self, packs: &[IndexedPack], kept: &HashSet<PackId>) -> Result<(), CacheError> {
        let at = CacheError::at(&self.path);
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.set_len(0).map_err(&at)?;
        for pack in packs.iter().filter(|pack| kept.contains(&pack.reference.id)) {
            file.write_all(&encode(pack)).map_err(&at)?;
        }
        Ok(())
    }
}

fn private_file(path: &std::path::Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    super::platform::owner_only_file(&mut options);
    options.open(path)
}

fn encode(pack: &IndexedPack) -> Vec<u8> {
    let mut payload = Writer::default();
    payload.raw(&pack.reference.id.0);
    payload.u32(pack.reference.length);
    payload.raw(&pack.contents.foot.encode());
    let frame_bytes: u64 =
        pack.contents.table.frames.iter().map(|frame| u64::from(frame.sealed_length)).sum();
    payload.u64(frame_bytes);
    payload.raw(&pack.contents.table.encode(0));
    let mut record = Writer::default();
    record.u32(payload.0.len() as u32);
    record.raw(&payload.0);
    record.raw(&blake3::hash(&payload.0).as_bytes()[..CHECK_BYTES]);
    record.0
}

/// All records up to the first that does not check out, and where that one begins.
fn decode_all(bytes: &[u8]) -> (Vec<IndexedPack>, usize) {
    let mut reader = Reader::new("journal of packs", bytes);
    let (mut packs, mut good) = (Vec::new(), 0);
    while let Ok(pack) = decode(&mut reader) {
        packs.push(pack);
        good = bytes.len() - reader.left();
    }
    (packs, good)
}

fn decode(reader: &mut Reader<'_>) -> Result<IndexedPack, FormatError> {
    let length = reader.u32()? as usize;
    let payload = reader.raw(length)?;
    if reader.raw(CHECK_BYTES)? != &blake3::hash(payload).as_bytes()[..CHECK_BYTES] {
        return Err(reader.malformed("a record does not check out"));
    }
    let mut payload = Reader::new("journal of packs", payload);
    let reference = PackReference { id: PackId(payload.array()?), length: payload.u32()? };
    let foot = PackFoot::decode(payload.raw(FOOT_BYTES)?)?;
    let frame_bytes = payload.u64()? as usize;
    let table = PackTable::decode(payload.raw(payload.left())?, frame_bytes)?;
    Ok(IndexedPack { reference, contents: PackContents { foot, table } })
}

#[cfg(test)]
mod tests {
    use super::*;
    use stateward_format::ChunkId;
    use stateward_format::pack::{Codec, Frame, FrameChunk};
    use stateward_model::{ServerId, VaultId};

    fn pack(number: u8) -> IndexedPack {
        let foot = PackFoot {
            vault: VaultId([1; 16]),
            domain: ServerId([2; 16]),
            epoch: 1,
            salt: [number; 32],
            commitment: [4; 32],
        };
        let chunks = vec![FrameChunk { id: ChunkId([number; 32]), length: 9 }];
        let table = PackTable { frames: vec![Frame { sealed_length: 30, codec: Codec::Stored, chunks }] };
        let reference = PackReference { id: PackId([number; 32]), length: 400 };
        IndexedPack { reference, contents: PackContents { foot, table } }
    }

    fn ids(packs: &[IndexedPack]) -> Vec<u8> {
        packs.iter().map(|pack| pack.reference.id.0[0]).collect()
    }

    #[test]
    fn a_torn_end_is_cut_off_and_what_was_before_it_stays() {
        let folder = tempfile::tempdir().unwrap();
        let cache = CacheFolder::open(&folder.path().join("cache")).unwrap();
        let (journal, before) = PackJournal::open(&cache).unwrap();
        assert!(before.is_empty());
        journal.append(&pack(1)).unwrap();
        journal.append(&pack(2)).unwrap();
        let path = cache.path().join("packs");
        let whole = fs::read(&path).unwrap();
        fs::write(&path, &whole[..whole.len() - 3]).unwrap();
        let (journal, packs) = PackJournal::open(&cache).unwrap();
        assert_eq!(ids(&packs), [1]);
        journal.append(&pack(3)).unwrap();
        let (journal, packs) = PackJournal::open(&cache).unwrap();
        assert_eq!(ids(&packs), [1, 3]);
        journal.retain(&packs, &HashSet::from([PackId([3; 32])])).unwrap();
        journal.append(&pack(4)).unwrap();
        assert_eq!(ids(&PackJournal::open(&cache).unwrap().1), [3, 4]);
    }
}
