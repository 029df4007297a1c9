//! One found entry into its record: details, content cut into chunks, and a second look afterwards.

use crate::EngineError;
use crate::cut::{CHUNK_BYTES_MAX, CutRule, Cutter};
use crate::image;
use crate::progress::Cancellation;
use crate::sink::ChunkSink;
use crate::source::{Extent, Found, FoundKind, NamedStream, OpenFile, SIZE_UNKNOWN, Stat};
use stateward_format::content::INLINE_MAX;
use stateward_format::entry::ExtendedAttribute;
use stateward_format::manifest::Warning;
use stateward_format::wire::Writer;
use stateward_format::{
    AlternateStream, Attribute, Content, DiskImage, Entry, EntryKind, Metadata, Piece, Record,
};
use std::io;

/// How often a file that changes while it is read is read again.
const ATTEMPTS: u32 = 3;
const BUFFER_BYTES: usize = 1 << 20;

/// An entry's record, ready for the metadata stream.
pub(super) struct ReadEntry {
    /// The record with its length.
    pub(super) record: Vec<u8>,
    /// The encoded list of its pieces, if they are listed.
    pub(super) list: Option<Vec<u8>>,
    /// The size of a file, in bytes.
    pub(super) size: Option<u64>,
    /// What is not as it should be.
    pub(super) warning: Option<Warning>,
}

/// Why an entry has no record.
pub(super) enum Unread {
    /// It vanished between the walk and now: no longer part of the item.
    Vanished,
    /// It is left out, and this says why.
    LeftOut(Warning),
    /// The job ends.
    Ended(EngineError),
}

impl From<EngineError> for Unread {
    fn from(error: EngineError) -> Self {
        Self::Ended(error)
    }
}

/// Reads entries on one thread.
pub(super) struct EntryReader<'a> {
    cutter: &'a Cutter,
    sink: ChunkSink<'a>,
    cancellation: &'a Cancellation,
    buffer: Vec<u8>,
}

/// A file's content as it was read.
struct ReadContent {
    content: Content,
    list: Option<Vec<u8>>,
    size: u64,
    /// How it was cut, if it is a disk image.
    image: Option<DiskImage>,
}

impl<'a> EntryReader<'a> {
    pub(super) fn new(cutter: &'a Cutter, sink: ChunkSink<'a>, cancellation: &'a Cancellation) -> Self {
        Self { cutter, sink, cancellation, buffer: vec![0; BUFFER_BYTES + CHUNK_BYTES_MAX] }
    }

    /// Sends what waits in the frame.
    pub(super) fn flush(&mut self) -> Result<(), EngineError> {
        self.sink.flush()
    }

    /// Reads one entry.
    pub(super) fn read(&mut self, found: &Found) -> Result<ReadEntry, Unread> {
        match found.stat.kind {
            FoundKind::File { .. } => self.read_file(found),
            _ => self.read_special(found),
        }
    }

    fn read_file(&mut self, found: &Found) -> Result<ReadEntry, Unread> {
        let failed = |error| unread(found, error);
        let mut attempt = 1;
        loop {
            let (file, before) = found.node.open().map_err(failed)?;
            let FoundKind::File { size } = before.kind else { return Err(Unread::Vanished) };
            let extended_attributes = file.extended_attributes().map_err(failed)?;
            let mut attributes = file.attributes().map_err(failed)?;
            let read = self.read_content(&*file, size).map_err(|error| error.of(found))?;
            let streams = file.streams().map_err(failed)?;
            attributes.extend(self.read_streams(streams).map_err(|error| error.of(found))?);
            let is_whole = read.size == size || size == SIZE_UNKNOWN;
            let is_steady = file.stat().is_ok_and(|after| after == before) && is_whole;
            if !is_steady && attempt < ATTEMPTS {
                attempt += 1;
                continue;
            }
            let warning = (!is_steady).then(|| Warning {
                code: "file-changed-while-read".to_owned(),
                path: found.node.path(),
                message: format!("The file changed each of {ATTEMPTS} times while it was read; it holds a mixture of moments"),
            });
            // A file that was not steady must be read again by the next run, whatever its times say then.
            let identity = before.identity.filter(|_| is_steady);
            let size = read.size;
            let kind = EntryKind::File { size, content: read.content };
            attributes.extend(read.image.map(Attribute::DiskImage));
            let metadata = Metadata { identity, ..metadata(&before, extended_attributes, attributes) };
            let record = encode(found, kind, metadata)?;
            return Ok(ReadEntry { record, list: read.list, size: Some(size), warning });
        }
    }

    fn read_streams(&mut self, mut streams: Vec<NamedStream>) -> Result<Vec<Attribute>, ReadError> {
        streams.sort_by(|a, b| a.name.cmp(&b.name));
        let mut read = Vec::with_capacity(streams.len());
        for NamedStream { name, size, content } in streams {
            let ReadContent { content, size, .. } = self.read_content(&*content, size)?;
            read.push(Attribute::Stream(AlternateStream { name, size, content }));
        }
        Ok(read)
    }

    fn read_special(&mut self, found: &Found) -> Result<ReadEntry, Unread> {
        let details = found.node.details().map_err(|error| unread(found, error))?;
        let streams = found.node.streams().map_err(|error| unread(found, error))?;
        let mut attributes = details.attributes;
        attributes.extend(self.read_streams(streams).map_err(|error| error.of(found))?);
        let kind = match found.stat.kind {
            FoundKind::SymbolicLink => EntryKind::SymbolicLink { target: details.link_target },
            FoundKind::BlockDevice { major, minor } => EntryKind::BlockDevice { major, minor },
            FoundKind::CharacterDevice { major, minor } => EntryKind::CharacterDevice { major, minor },
            FoundKind::Fifo => EntryKind::Fifo,
            FoundKind::Socket => EntryKind::Socket,
            FoundKind::Folder | FoundKind::File { .. } => EntryKind::Folder,
        };
        let metadata = metadata(&found.stat, details.extended_attributes, attributes);
        let record = encode(found, kind, metadata)?;
        Ok(ReadEntry { record, list: None, size: None, warning: None })
    }

    fn read_content(&mut self, file: &dyn OpenFile, size: u64) -> Result<ReadContent, ReadError> {
        let mut pieces = PieceList::default();
        let mut rule = None;
        let mut offset = 0;
        while offset < size {
            let extent = match file.next_extent(offset)? {
                Some(extent) if extent.start < size => extent,
                _ => break,
            };
            pieces.push_hole(extent.start.saturating_sub(offset));
            let start = extent.start.max(offset);
            let extent = Extent { start, end: extent.end.min(size) };
            let end = self.read_extent(file, size, extent, &mut rule, &mut pieces)?;
            offset = end;
            if end < extent.end {
                // The file became shorter meanwhile: what is there is all there is.
                return Ok(pieces.finish(offset, rule, &mut self.sink)?);
            }
        }
        pieces.push_hole(size.saturating_sub(offset));
        Ok(pieces.finish(size, rule, &mut self.sink)?)
    }

    /// Reads and cuts one extent; tells where reading ended.
    fn read_extent(
        &mut self,
        file: &dyn OpenFile,
        size: u64,
        extent: Extent,
        rule: &mut Option<CutRule>,
        pieces: &mut PieceList,
    ) -> Result<u64, ReadError> {
        // `buffer[..held]` is what was read and not yet cut; it lies at `offset` of the file.
        let (mut offset, mut held) = (extent.start, 0);
        loop {
            if self.cancellation.is_cancelled() {
                return Err(ReadError::Ended(EngineError::Cancelled));
            }
            let wanted = (extent.end - offset - held as u64).min((self.buffer.len() - held) as u64) as usize;
            let read = read_full(file, offset + held as u64, &mut self.buffer[held..held + wanted])?;
            held += read;
            let is_end = read < wanted || offset + held as u64 == extent.end;
            let rule = *rule.get_or_insert_with(|| {
                let head = if offset == 0 { &self.buffer[..held.min(image::HEAD_BYTES)] } else { &[] };
                image::rule(size, head)
            });
            self.sink.expect(rule);
            let mut cut = 0;
            while cut < held && (is_end || held - cut >= CHUNK_BYTES_MAX) {
                let length = self.cutter.cut(rule, offset + cut as u64, &self.buffer[cut..held]);
                pieces.push(Piece::Data(self.sink.put(&self.buffer[cut..cut + length])?));
                cut += length;
            }
            offset += cut as u64;
            self.buffer.copy_within(cut..held, 0);
            held -= cut;
            if is_end {
                return Ok(offset);
            }
        }
    }
}

enum ReadError {
    File(io::Error),
    Ended(EngineError),
}

impl ReadError {
    fn of(self, found: &Found) -> Unread {
        match self {
            Self::File(error) => unread(found, error),
            Self::Ended(error) => Unread::Ended(error),
        }
    }
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        Self::File(error)
    }
}

impl From<EngineError> for ReadError {
    fn from(error: EngineError) -> Self {
        Self::Ended(error)
    }
}

fn read_full(file: &dyn OpenFile, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read_at(offset + filled as u64, &mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// The pieces of a file while it is read: inline while they are few, encoded as a list from then on.
#[derive(Default)]
struct PieceList {
    inline: Vec<Piece>,
    list: Option<Writer>,
}

impl PieceList {
    fn push_hole(&mut self, length: u64) {
        if length > 0 {
            self.push(Piece::Hole(length));
        }
    }

    fn push(&mut self, piece: Piece) {
        match &mut self.list {
            Some(list) => piece.encode(list),
            None => {
                self.inline.push(piece);
                if self.inline.len() > INLINE_MAX {
                    let mut list = Writer::default();
                    self.inline.drain(..).for_each(|piece| piece.encode(&mut list));
                    self.list = Some(list);
                }
            }
        }
    }

    fn finish(
        self,
        size: u64,
        rule: Option<CutRule>,
        sink: &mut ChunkSink<'_>,
    ) -> Result<ReadContent, EngineError> {
        let image = match rule {
            Some(CutRule::Image(image)) => Some(image),
            Some(CutRule::Content) | None => None,
        };
        let Some(list) = self.list else {
            return Ok(ReadContent { content: Content::Inline(self.inline), list: None, size, image });
        };
        let stream = sink.put_list(&list.0)?;
        Ok(ReadContent { content: Content::Listed(stream), list: Some(list.0), size, image })
    }
}

fn metadata(
    stat: &Stat,
    extended_attributes: Vec<ExtendedAttribute>,
    mut attributes: Vec<Attribute>,
) -> Metadata {
    attributes.sort_by_key(Attribute::kind);
    Metadata {
        mode: stat.mode,
        user: stat.user,
        group: stat.group,
        modified_at: stat.modified_at,
        identity: stat.identity,
        is_hard_linked: stat.is_hard_linked,
        extended_attributes,
        attributes,
    }
}

fn encode(found: &Found, kind: EntryKind, metadata: Metadata) -> Result<Vec<u8>, Unread> {
    let mut writer = Writer::default();
    let entry = Entry { name: found.name.clone(), kind, metadata };
    match Record::Entry(Box::new(entry)).encode(&mut writer) {
        Ok(()) => Ok(writer.0),
        Err(_) => Err(Unread::LeftOut(Warning {
            code: "entry-too-large".to_owned(),
            path: found.node.path(),
            message: "Its extended attributes are larger than a recovery point can hold".to_owned(),
        })),
    }
}

/// What an operating system's error means for an entry.
fn unread(found: &Found, error: io::Error) -> Unread {
    if error.kind() == io::ErrorKind::NotFound {
        return Unread::Vanished;
    }
    Unread::LeftOut(Warning {
        code: "unreadable".to_owned(),
        path: found.node.path(),
        message: format!("It can't be read: {error}"),
    })
}
