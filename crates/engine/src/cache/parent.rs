//! The newest recovery point's records as a file for each component, read beside the walk in the same order.
//!
//! A file is a row of records as they stand in segments (a varint length, then the body); a file's entry whose pieces
//! are listed is followed by that list (a varint length, then the encoded pieces). The file `head` names the point,
//! when its run began, and the BLAKE3 of each component's file: a file that does not check out is not used.

use super::{CacheError, CacheFolder, make_private_folder};
use crate::vault_store::PointSummary;
use stateward_format::wire::{Reader, Writer};
use stateward_format::{Content, Entry, EntryKind, FileName, FormatError, Record};
use stateward_model::{ComponentName, ItemId, PointHash, Timestamp};
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::PathBuf;

const HEAD: &str = "head";
const HEAD_VERSION: u8 = 1;

/// What the cached parent is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ParentHead {
    /// Which point.
    pub(crate) point: PointSummary,
    /// When its run began to read.
    pub(crate) started_at: Timestamp,
    /// Files in it.
    pub(crate) files: u64,
    /// Bytes in it.
    pub(crate) bytes: u64,
    /// The components, each with the BLAKE3 of its file.
    pub(crate) components: Vec<(ComponentName, [u8; 32])>,
}

impl ParentHead {
    fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.u8(HEAD_VERSION);
        writer.u64(self.point.sequence);
        writer.raw(&self.point.hash.0);
        writer.time(self.started_at);
        writer.u64(self.files);
        writer.u64(self.bytes);
        writer.varint(self.components.len() as u64);
        for (name, hash) in &self.components {
            writer.bytes(name.as_str().as_bytes());
            writer.raw(hash);
        }
        let check = *blake3::hash(&writer.0).as_bytes();
        writer.raw(&check);
        writer.0
    }

    fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        let mut reader = Reader::new("cached parent's head", bytes);
        if reader.u8()? != HEAD_VERSION {
            return Err(reader.malformed("another version made it"));
        }
        let point = PointSummary { sequence: reader.u64()?, hash: PointHash(reader.array()?) };
        let (started_at, files, total) = (reader.time()?, reader.u64()?, reader.u64()?);
        let count = reader.count(33)?;
        let mut components = Vec::with_capacity(count);
        for _ in 0..count {
            let name = reader.text()?.to_owned();
            let name = name.try_into().map_err(|_| reader.malformed("a component's name breaks its rule"))?;
            components.push((name, reader.array()?));
        }
        let signed = bytes.len() - reader.left();
        if reader.array::<32>()? != *blake3::hash(&bytes[..signed]).as_bytes() {
            return Err(reader.malformed("it does not check out"));
        }
        reader.finish()?;
        Ok(Self { point, started_at, files, bytes: total, components })
    }
}

/// The cached parent of an item.
#[derive(Debug, Clone)]
pub(crate) struct Parent {
    /// What it is.
    pub(crate) head: ParentHead,
    folder: PathBuf,
}

fn item_folder(cache: &CacheFolder, item: ItemId) -> PathBuf {
    cache.path().join("items").join(item.to_string())
}

impl Parent {
    /// The cached parent, if there is a whole one.
    pub(crate) fn open(cache: &CacheFolder, item: ItemId) -> Option<Self> {
        let folders = fs::read_dir(item_folder(cache, item)).ok()?;
        folders.flatten().find_map(|folder| {
            let folder = folder.path();
            let head = ParentHead::decode(&fs::read(folder.join(HEAD)).ok()?).ok()?;
            Some(Self { head, folder })
        })
    }

    /// A cursor over one component's records; over nothing if its file is missing or does not check out.
    pub(crate) fn cursor(&self, component: &ComponentName) -> ParentCursor {
        let checked =
            self.head.components.iter().find(|(name, _)| name == component).and_then(|(_, hash)| {
                let path = self.folder.join(component.as_str());
                let mut hasher = blake3::Hasher::new();
                io::copy(&mut File::open(&path).ok()?, &mut hasher).ok()?;
                (hasher.finalize() == *hash).then_some(())?;
                File::open(path).ok()
            });
        ParentCursor {
            reader: checked.map(|file| BufReader::with_capacity(1 << 18, file)),
            peeked: None,
            absent: 0,
        }
    }
}

/// An entry of the parent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ParentEntry {
    /// The entry.
    pub(crate) entry: Entry,
    /// Its record with its length, as it stands in a segment.
    pub(crate) record: Vec<u8>,
    /// The encoded list of its pieces, if they are listed.
    pub(crate) list: Option<Vec<u8>>,
}

enum ParentRecord {
    Entry(Box<ParentEntry>),
    Leave,
}

/// Goes along the parent's records beside a walk that gives names in the same order.
pub(crate) struct ParentCursor {
    reader: Option<BufReader<File>>,
    peeked: Option<ParentRecord>,
    /// How many folders of the walk are open that the parent does not have.
    absent: usize,
}

impl ParentCursor {
    /// The parent's entry for what the walk found. For a folder, what the walk finds next is looked for inside.
    pub(crate) fn find(&mut self, name: &FileName, is_folder: bool) -> Option<ParentEntry> {
        let found = if self.absent > 0 { None } else { self.seek(name) };
        let was_folder = found.as_ref().is_some_and(|found| found.entry.kind == EntryKind::Folder);
        if was_folder && !is_folder {
            self.skip_folder();
        }
        if is_folder && !was_folder {
            self.absent += 1;
        }
        found.filter(|_| was_folder == is_folder)
    }

    /// The walk leaves the folder that it entered last.
    pub(crate) fn leave(&mut self) {
        match self.absent {
            0 => self.skip_folder(),
            _ => self.absent -= 1,
        }
    }

    fn seek(&mut self, name: &FileName) -> Option<ParentEntry> {
        loop {
            match self.next()? {
                ParentRecord::Entry(found) if found.entry.name < *name => {
                    if found.entry.kind == EntryKind::Folder {
                        self.skip_folder();
                    }
                }
                ParentRecord::Entry(found) if found.entry.name == *name => return Some(*found),
                other => {
                    self.peeked = Some(other);
                    return None;
                }
            }
        }
    }

    /// Goes on to after the end of the folder that is open in the parent.
    fn skip_folder(&mut self) {
        let mut depth = 1;
        while depth > 0 {
            match self.next() {
                Some(ParentRecord::Entry(found)) if found.entry.kind == EntryKind::Folder => depth += 1,
                Some(ParentRecord::Leave) => depth -= 1,
                Some(_) => {}
                None => return,
            }
        }
    }

    /// The next record; a file that cannot be read on ends here: what is left counts as changed.
    fn next(&mut self) -> Option<ParentRecord> {
        if let Some(peeked) = self.peeked.take() {
            return Some(peeked);
        }
        let reader = self.reader.as_mut()?;
        let record = read_record(reader).ok().flatten();
        if record.is_none() {
            self.reader = None;
        }
        record
    }
}

fn read_record(reader: &mut impl Read) -> io::Result<Option<ParentRecord>> {
    let Some(body) = read_bytes(reader)? else { return Ok(None) };
    let invalid = |error: FormatError| io::Error::new(io::ErrorKind::InvalidData, error);
    let entry = match Record::decode(&body).map_err(invalid)? {
        Record::Leave => return Ok(Some(ParentRecord::Leave)),
        Record::Entry(entry) => *entry,
    };
    let list = match &entry.kind {
        EntryKind::File { content: Content::Listed(_), .. } => {
            Some(read_bytes(reader)?.ok_or(io::ErrorKind::UnexpectedEof)?)
        }
        _ => None,
    };
    let mut record = Writer::default();
    record.bytes(&body);
    Ok(Some(ParentRecord::Entry(Box::new(ParentEntry { entry, record: record.0, list }))))
}

/// A varint length and as many bytes; `None` at the end.
fn read_bytes(reader: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut length = Vec::new();
    loop {
        let mut byte = [0];
        if reader.read(&mut byte)? == 0 {
            return if length.is_empty() { Ok(None) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
        }
        length.push(byte[0]);
        if byte[0] & 0x80 == 0 {
            break;
        }
    }
    let length = Reader::new("length", &length).varint().map_err(|_| io::ErrorKind::InvalidData)?;
    let mut bytes = Vec::new();
    reader.take(length).read_to_end(&mut bytes)?;
    if bytes.len() as u64 != length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Some(bytes))
}

/// Writes the next parent while a run goes on; becomes the parent when its point is committed.
pub(crate) struct ParentWriter {
    folder: PathBuf,
    item_folder: PathBuf,
    components: Vec<(ComponentName, [u8; 32])>,
    open: Option<(ComponentName, BufWriter<File>, blake3::Hasher)>,
}

impl ParentWriter {
    /// Begins anew; what an earlier run left unfinished is thrown away.
    pub(crate) fn begin(cache: &CacheFolder, item: ItemId) -> Result<Self, CacheError> {
        let item_folder = item_folder(cache, item);
        let folder = item_folder.join("unfinished");
        let at = CacheError::at(&folder);
        make_private_folder(&item_folder).map_err(&at)?;
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(at(error)),
            _ => {}
        }
        make_private_folder(&folder).map_err(&at)?;
        Ok(Self { folder, item_folder, components: Vec::new(), open: None })
    }

    /// Begins a component's file.
    pub(crate) fn begin_component(&mut self, name: &ComponentName) -> Result<(), CacheError> {
        let path = self.folder.join(name.as_str());
        let file = File::create(&path).map_err(CacheError::at(&path))?;
        self.open = Some((name.clone(), BufWriter::with_capacity(1 << 18, file), blake3::Hasher::new()));
        Ok(())
    }

    /// Adds a record as it stands in a segment, and the list of its pieces, if they are listed.
    pub(crate) fn add(&mut self, record: &[u8], list: Option<&[u8]>) -> Result<(), CacheError> {
        let at = CacheError::at(&self.folder);
        let Some((_, file, hasher)) = &mut self.open else { return Ok(()) };
        file.write_all(record).map_err(&at)?;
        hasher.update(record);
        if let Some(list) = list {
            let mut writer = Writer::default();
            writer.bytes(list);
            file.write_all(&writer.0).map_err(&at)?;
            hasher.update(&writer.0);
        }
        Ok(())
    }

    /// Ends a component's file.
    pub(crate) fn end_component(&mut self) -> Result<(), CacheError> {
        if let Some((name, mut file, hasher)) = self.open.take() {
            file.flush().map_err(CacheError::at(&self.folder))?;
            self.components.push((name, *hasher.finalize().as_bytes()));
        }
        Ok(())
    }

    /// Makes it the parent; those before it are taken away.
    pub(crate) fn finish(
        self,
        point: PointSummary,
        started_at: Timestamp,
        files: u64,
        bytes: u64,
    ) -> Result<(), CacheError> {
        let head = ParentHead { point, started_at, files, bytes, components: self.components };
        let at = CacheError::at(&self.folder);
        fs::write(self.folder.join(HEAD), head.encode()).map_err(&at)?;
        let name = point.hash.to_string();
        for old in fs::read_dir(&self.item_folder).map_err(&at)?.flatten() {
            if old.path() != self.folder {
                fs::remove_dir_all(old.path()).map_err(&at)?;
            }
        }
        fs::rename(&self.folder, self.item_folder.join(name)).map_err(&at)
    }
}
