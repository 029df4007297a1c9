//! The journal of pack tables: one record for each pack that the vault has acknowledged, appended at that moment, so
//! that a run that is killed does not upload again what it has sent. Tables are read from it when a look-up needs them.
//!
//! A record is its length (`u32`), its payload, and the first 8 bytes of the payload's BLAKE3. A payload is a pack's table,
//! or the 32 bytes of the id of a pack that is no longer counted. What follows the first record that does not check out
//! is cut off. Nothing is synced: what a power cut takes away is read again from the packs themselves.

use super::{CacheError, CacheFolder};
use crate::index::IndexedPack;
use crate::pack_reader::PackContents;
use stateward_format::FormatError;
use stateward_format::pack::{FOOT_BYTES, PackFoot, PackTable};
use stateward_format::point::PackReference;
use stateward_format::wire::{Reader, Writer};
use stateward_model::PackId;
use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

const NAME: &str = "packs";
const CHECK_BYTES: usize = 8;
const LENGTH_BYTES: usize = 4;
/// What a record has besides the table: id, length, foot, the frames' bytes, and the check.
const FIXED_BYTES: usize = 32 + 4 + FOOT_BYTES + 8 + CHECK_BYTES;
/// The payload that says that a pack is no longer counted: its id.
const FORGOTTEN_BYTES: usize = 32;
/// A journal with more bytes of forgotten packs than this, and than of others, is written anew.
const WASTE_BYTES_MAX: u64 = 1 << 20;
/// How much is read at once when the whole journal is gone through.
const READ_BYTES: usize = 1 << 20;

/// Where the table of a pack stands in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Journaled {
    /// Which pack.
    pub(crate) reference: PackReference,
    /// Where its record's payload begins.
    at: u64,
    /// The payload's length.
    length: u32,
}

impl Journaled {
    /// About how many chunks the table tells of: each takes 32 bytes of id and mostly three of length.
    pub(crate) fn about_chunks(&self) -> u64 {
        u64::from(self.length) / 35
    }
}

/// The open journal.
pub(crate) struct PackJournal {
    path: PathBuf,
    writing: Mutex<Writing>,
    reading: Mutex<File>,
}

struct Writing {
    file: File,
    end: u64,
}

impl PackJournal {
    /// Opens the journal; tells where the table of each pack stands that is counted.
    pub(crate) fn open(cache: &CacheFolder) -> Result<(Self, Vec<Journaled>), CacheError> {
        let path = cache.path().join(NAME);
        let at = CacheError::at(&path);
        if cache.is_read_only {
            return Self::open_to_read(&path).map_err(&at);
        }
        let mut writing = private_file(&path).map_err(&at)?;
        let mut found = scan(&path).map_err(&at)?;
        if found.waste > WASTE_BYTES_MAX && found.waste > found.end / 2 {
            match compact(&path, &found) {
                Ok(()) => {
                    writing = private_file(&path).map_err(&at)?;
                    found = scan(&path).map_err(&at)?;
                }
                // On a full disk: the old one is as good, only longer.
                Err(error) => tracing::warn!(%error, "The journal of packs can't be written anew"),
            }
        }
        writing.set_len(found.end).map_err(&at)?;
        let reading = Mutex::new(File::open(&path).map_err(&at)?);
        let writing = Mutex::new(Writing { file: writing, end: found.end });
        Ok((Self { path, writing, reading }, found.packs.into_values().collect()))
    }

    /// Opens it beside a process that appends to it: nothing is cut off, and what is half written does not check out. Were it
    /// written anew meanwhile, what is read would not check out either.
    fn open_to_read(path: &Path) -> io::Result<(Self, Vec<Journaled>)> {
        let (file, found) = (File::open(path)?, scan(path)?);
        let reading = Mutex::new(file.try_clone()?);
        // Nothing can be written to what is open for reading.
        let writing = Mutex::new(Writing { file, end: found.end });
        Ok((Self { path: path.to_owned(), writing, reading }, found.packs.into_values().collect()))
    }

    /// Adds a pack.
    pub(crate) fn append(&self, pack: &IndexedPack) -> Result<Journaled, CacheError> {
        let record = encode(pack);
        let length = (record.len() - LENGTH_BYTES - CHECK_BYTES) as u32;
        let at = self.write(&record)? + LENGTH_BYTES as u64;
        Ok(Journaled { reference: pack.reference, at, length })
    }

    /// No longer counts all packs but `kept`; gives those that are.
    pub(crate) fn retain(
        &self,
        packs: Vec<Journaled>,
        kept: &HashSet<PackId>,
    ) -> Result<Vec<Journaled>, CacheError> {
        let (kept, dropped): (Vec<_>, Vec<_>) =
            packs.into_iter().partition(|pack| kept.contains(&pack.reference.id));
        for pack in dropped {
            self.write(&record(|payload| payload.raw(&pack.reference.id.0)))?;
        }
        Ok(kept)
    }

    /// Reads a table again.
    pub(crate) fn read(&self, journaled: &Journaled) -> Result<IndexedPack, CacheError> {
        let read = || -> io::Result<IndexedPack> {
            let mut file = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
            file.seek(SeekFrom::Start(journaled.at))?;
            let mut bytes = vec![0; journaled.length as usize + CHECK_BYTES];
            file.read_exact(&mut bytes)?;
            drop(file);
            decode_checked(&bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
        };
        read().map_err(CacheError::at(&self.path))
    }

    /// Appends a record; tells where it begins.
    fn write(&self, record: &[u8]) -> Result<u64, CacheError> {
        let mut writing: MutexGuard<'_, Writing> =
            self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let begin = writing.end;
        writing.file.write_all(record).map_err(CacheError::at(&self.path))?;
        writing.end += record.len() as u64;
        Ok(begin)
    }
}

fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    super::platform::owner_only_file(&mut options);
    options.open(path)
}

fn check(payload: &[u8]) -> [u8; CHECK_BYTES] {
    let mut check = [0; CHECK_BYTES];
    check.copy_from_slice(&blake3::hash(payload).as_bytes()[..CHECK_BYTES]);
    check
}

/// What a journal holds.
#[derive(Default)]
struct Found {
    packs: BTreeMap<PackId, Journaled>,
    /// Where the first record that does not check out begins, or the journal's end.
    end: u64,
    /// Bytes of records that are of no use any more.
    waste: u64,
}

fn scan(path: &Path) -> io::Result<Found> {
    let mut file = BufReader::with_capacity(READ_BYTES, File::open(path)?);
    let mut left = file.get_ref().metadata()?.len();
    let mut found = Found::default();
    let mut bytes = Vec::new();
    while left >= LENGTH_BYTES as u64 {
        let mut length = [0; LENGTH_BYTES];
        file.read_exact(&mut length)?;
        let length = u32::from_le_bytes(length);
        let rest = u64::from(length) + CHECK_BYTES as u64;
        left -= LENGTH_BYTES as u64;
        if rest > left {
            break;
        }
        bytes.resize(rest as usize, 0);
        file.read_exact(&mut bytes)?;
        left -= rest;
        if !found.record(&bytes, length) {
            break;
        }
    }
    Ok(found)
}

impl Found {
    /// Takes a record that begins at `end`; tells whether it checks out.
    fn record(&mut self, bytes: &[u8], length: u32) -> bool {
        let (payload, sum) = bytes.split_at(length as usize);
        if sum != check(payload) {
            return false;
        }
        let record_bytes = (LENGTH_BYTES + bytes.len()) as u64;
        let superseded = match <[u8; FORGOTTEN_BYTES]>::try_from(payload) {
            Ok(id) => {
                self.waste += record_bytes;
                self.packs.remove(&PackId(id))
            }
            Err(_) => {
                let mut reader = Reader::new("journal of packs", payload);
                let Ok(reference) = decode_reference(&mut reader) else { return false };
                let at = self.end + LENGTH_BYTES as u64;
                self.packs.insert(reference.id, Journaled { reference, at, length })
            }
        };
        self.waste += superseded.map_or(0, |old| u64::from(old.length));
        self.end += record_bytes;
        true
    }
}

/// Writes a journal anew with only what is counted, in one step.
fn compact(path: &Path, found: &Found) -> io::Result<()> {
    let renewed = path.with_extension("renewed");
    match fs::remove_file(&renewed) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let written = copy_counted(path, &renewed, found).and_then(|()| fs::rename(&renewed, path));
    written.inspect_err(|_| _ = fs::remove_file(&renewed))
}

fn copy_counted(path: &Path, renewed: &Path, found: &Found) -> io::Result<()> {
    let (mut old, mut new) = (File::open(path)?, private_file(renewed)?);
    let mut packs: Vec<_> = found.packs.values().collect();
    packs.sort_unstable_by_key(|pack| pack.at);
    for pack in packs {
        old.seek(SeekFrom::Start(pack.at - LENGTH_BYTES as u64))?;
        let length = LENGTH_BYTES as u64 + u64::from(pack.length) + CHECK_BYTES as u64;
        io::copy(&mut (&old).take(length), &mut new)?;
    }
    Ok(())
}

/// A record around what `put` writes. It is put together in place: tables of small files have 10 MiB and more, and each copy
/// of one would count.
fn record(put: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut record = Writer::default();
    record.u32(0);
    put(&mut record);
    let payload = LENGTH_BYTES..record.0.len();
    record.0[..LENGTH_BYTES].copy_from_slice(&(payload.len() as u32).to_le_bytes());
    let check = check(&record.0[payload]);
    record.raw(&check);
    record.0
}

fn encode(pack: &IndexedPack) -> Vec<u8> {
    let table = pack.contents.table.encode(0);
    record(|payload| {
        payload.0.reserve_exact(table.len() + FIXED_BYTES);
        payload.raw(&pack.reference.id.0);
        payload.u32(pack.reference.length);
        payload.raw(&pack.contents.foot.encode());
        let frames = &pack.contents.table.frames;
        payload.u64(frames.iter().map(|frame| u64::from(frame.sealed_length)).sum());
        payload.raw(&table);
    })
}

fn decode_checked(bytes: &[u8]) -> Result<IndexedPack, FormatError> {
    let (payload, sum) = bytes.split_at(bytes.len() - CHECK_BYTES);
    let mut reader = Reader::new("journal of packs", payload);
    if sum != check(payload) {
        return Err(reader.malformed("a record does not check out"));
    }
    let reference = decode_reference(&mut reader)?;
    let foot = PackFoot::decode(reader.raw(FOOT_BYTES)?)?;
    let frame_bytes = reader.u64()? as usize;
    let table = PackTable::decode(reader.raw(reader.left())?, frame_bytes)?;
    Ok(IndexedPack { reference, contents: PackContents { foot, table } })
}

fn decode_reference(reader: &mut Reader<'_>) -> Result<PackReference, FormatError> {
    Ok(PackReference { id: PackId(reader.array()?), length: reader.u32()? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use stateward_format::ChunkId;
    use stateward_format::pack::{Codec, Frame, FrameChunk};
    use stateward_model::{ServerId, VaultId};

    fn pack_of(number: u8, chunks: usize) -> IndexedPack {
        let foot = PackFoot {
            vault: VaultId([1; 16]),
            domain: ServerId([2; 16]),
            epoch: 1,
            salt: [number; 32],
            commitment: [4; 32],
        };
        let chunks = vec![FrameChunk { id: ChunkId([number; 32]), length: 9 }; chunks];
        let table = PackTable { frames: vec![Frame { sealed_length: 30, codec: Codec::Stored, chunks }] };
        let reference = PackReference { id: PackId([number; 32]), length: 400 };
        IndexedPack { reference, contents: PackContents { foot, table } }
    }

    fn pack(number: u8) -> IndexedPack {
        pack_of(number, 1)
    }

    fn ids(packs: &[Journaled]) -> Vec<u8> {
        packs.iter().map(|pack| pack.reference.id.0[0]).collect()
    }

    fn cache(folder: &tempfile::TempDir) -> CacheFolder {
        CacheFolder::open(&folder.path().join("cache")).unwrap()
    }

    #[test]
    fn a_torn_end_is_cut_off_and_what_was_before_it_stays() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(&folder);
        let (journal, before) = PackJournal::open(&cache).unwrap();
        assert!(before.is_empty());
        journal.append(&pack(1)).unwrap();
        journal.append(&pack(2)).unwrap();
        let path = cache.path().join(NAME);
        let whole = fs::read(&path).unwrap();
        fs::write(&path, &whole[..whole.len() - 3]).unwrap();
        let (journal, packs) = PackJournal::open(&cache).unwrap();
        assert_eq!(ids(&packs), [1]);
        let third = journal.append(&pack(3)).unwrap();
        assert_eq!(journal.read(&third).unwrap().contents, pack(3).contents);
        let (journal, packs) = PackJournal::open(&cache).unwrap();
        assert_eq!(ids(&packs), [1, 3]);
        assert_eq!(journal.read(&packs[1]).unwrap().contents, pack(3).contents);
        let kept = journal.retain(packs, &HashSet::from([PackId([3; 32])])).unwrap();
        assert_eq!(ids(&kept), [3]);
        journal.append(&pack(4)).unwrap();
        assert_eq!(ids(&PackJournal::open(&cache).unwrap().1), [3, 4]);
    }

    #[test]
    fn who_only_reads_changes_nothing_and_sees_what_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(&folder);
        let to_read = CacheFolder::to_read(cache.path());
        assert!(PackJournal::open(&to_read).is_err(), "there is none yet, and none is made");
        let (journal, _) = PackJournal::open(&cache).unwrap();
        journal.append(&pack(1)).unwrap();
        let path = cache.path().join(NAME);
        let torn = [fs::read(&path).unwrap(), vec![9, 0, 0]].concat();
        fs::write(&path, &torn).unwrap();
        let (journal, packs) = PackJournal::open(&to_read).unwrap();
        assert_eq!((ids(&packs), fs::read(&path).unwrap()), (vec![1], torn));
        assert_eq!(journal.read(&packs[0]).unwrap().contents, pack(1).contents);
        assert!(journal.append(&pack(2)).is_err());
    }

    #[test]
    fn a_record_that_changes_after_it_was_found_is_not_believed() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(&folder);
        let (journal, _) = PackJournal::open(&cache).unwrap();
        let first = journal.append(&pack(1)).unwrap();
        let path = cache.path().join(NAME);
        let mut bytes = fs::read(&path).unwrap();
        bytes[60] ^= 1;
        fs::write(&path, bytes).unwrap();
        assert!(journal.read(&first).is_err());
    }

    #[test]
    fn a_journal_of_mostly_forgotten_packs_is_written_anew() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(&folder);
        let (journal, _) = PackJournal::open(&cache).unwrap();
        let packs: Vec<_> = (0..10).map(|number| journal.append(&pack_of(number, 10_000)).unwrap()).collect();
        let kept = HashSet::from([PackId([4; 32]), PackId([9; 32])]);
        journal.retain(packs, &kept).unwrap();
        drop(journal);
        let length = || fs::metadata(cache.path().join(NAME)).unwrap().len();
        let before = length();
        let (journal, packs) = PackJournal::open(&cache).unwrap();
        assert!(length() < before / 4);
        assert_eq!(ids(&packs), [4, 9]);
        assert_eq!(journal.read(&packs[1]).unwrap().contents, pack_of(9, 10_000).contents);
    }
}
