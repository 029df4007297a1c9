//! A metadata stream back into its entries, around what is lost of it.

use crate::EngineError;
use crate::fetch::{ChunkFetcher, FetchError};
use stateward_format::entry::Refused;
use stateward_format::segment::Segment;
use stateward_format::wire::Reader;
use stateward_format::{
    ChunkReference, Content, Entry, EntryKind, FileName, FormatError, Piece, Record, StreamReference,
};
use std::collections::{HashSet, VecDeque};

/// One step through a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Item {
    /// An entry; if it is a folder, what it holds follows, then [`Item::Leave`].
    Entry(Box<Entry>),
    /// An entry that is refused, and why; if it is a folder, [`Item::LostFolder`] follows.
    Refused(FileName, String),
    /// A folder whose own entry is lost; what is left of what it holds follows.
    LostFolder(FileName),
    /// The end of the folder entered last.
    Leave,
    /// Entries are lost here, and why.
    Gap(String),
}

/// Steps through a stream.
pub(crate) struct RecordStream {
    segments: VecDeque<ChunkReference>,
    open_folders: Vec<FileName>,
    items: VecDeque<Item>,
}

impl RecordStream {
    /// Begins; a list of segments that cannot be read makes the whole stream one gap.
    pub(crate) fn open(
        fetcher: &mut ChunkFetcher<'_>,
        stream: &StreamReference,
    ) -> Result<Self, EngineError> {
        let mut items = VecDeque::new();
        let segments = match chunks_of(fetcher, stream) {
            Ok(segments) => segments.into(),
            Err(error) => {
                items.push_back(Item::Gap(error.damage()?));
                VecDeque::new()
            }
        };
        Ok(Self { segments, open_folders: Vec::new(), items })
    }

    /// The same stream with all segments but these left out, for one that has not begun.
    pub(crate) fn only(mut self, segments: &HashSet<ChunkReference>) -> Self {
        self.segments.retain(|segment| segments.contains(segment));
        self
    }

    /// The next step, or `None` at the end.
    pub(crate) fn next(&mut self, fetcher: &mut ChunkFetcher<'_>) -> Result<Option<Item>, EngineError> {
        while self.items.is_empty() {
            match self.segments.pop_front() {
                Some(segment) => self.read_segment(fetcher, segment)?,
                // A lost end leaves folders open.
                None => match self.open_folders.pop() {
                    Some(_) => return Ok(Some(Item::Leave)),
                    None => return Ok(None),
                },
            }
        }
        Ok(self.items.pop_front())
    }

    fn read_segment(
        &mut self,
        fetcher: &mut ChunkFetcher<'_>,
        chunk: ChunkReference,
    ) -> Result<(), EngineError> {
        let bytes = match fetcher.chunk(chunk) {
            Ok(bytes) => bytes,
            Err(error) => {
                self.items.push_back(Item::Gap(error.damage()?));
                return Ok(());
            }
        };
        if let Err(error) = self.decode_segment(bytes) {
            self.items.push_back(Item::Gap(error.to_string()));
        }
        Ok(())
    }

    fn decode_segment(&mut self, bytes: &[u8]) -> Result<(), FormatError> {
        let mut segment = Segment::decode(bytes)?;
        self.move_to(&segment.open_folders);
        while let Some(record) = segment.next_record()? {
            match record {
                Ok(Record::Leave) => {
                    self.open_folders.pop();
                    self.items.push_back(Item::Leave);
                }
                Ok(Record::Entry(entry)) => {
                    self.check_place(&entry.name, entry.kind == EntryKind::Folder)?;
                    if entry.kind == EntryKind::Folder {
                        self.open_folders.push(entry.name.clone());
                    }
                    self.items.push_back(Item::Entry(entry));
                }
                Err(Refused { name, is_folder, why }) => {
                    self.check_place(&name, is_folder)?;
                    self.items.push_back(Item::Refused(name.clone(), why.to_string()));
                    if is_folder {
                        self.open_folders.push(name.clone());
                        self.items.push_back(Item::LostFolder(name));
                    }
                }
            }
        }
        Ok(())
    }

    /// The topmost folder, and nothing else, has no name and lies in no other.
    fn check_place(&self, name: &FileName, is_folder: bool) -> Result<(), FormatError> {
        let is_topmost = name.as_bytes().is_empty();
        match is_topmost == self.open_folders.is_empty() && (is_folder || !is_topmost) {
            true => Ok(()),
            false => Err(FormatError::Malformed { what: "segment", why: "an entry is not in its place" }),
        }
    }

    /// After a gap: leaves what was open before it and enters what is open after it.
    fn move_to(&mut self, open: &[FileName]) {
        let common = self.open_folders.iter().zip(open).take_while(|(before, after)| before == after).count();
        for _ in common..self.open_folders.len() {
            self.items.push_back(Item::Leave);
        }
        for name in &open[common..] {
            self.items.push_back(Item::LostFolder(name.clone()));
        }
        self.open_folders = open.to_vec();
    }
}

/// The chunks of a stream's lowest level.
pub(crate) fn chunks_of(
    fetcher: &mut ChunkFetcher<'_>,
    stream: &StreamReference,
) -> Result<Vec<ChunkReference>, FetchError> {
    let mut chunks = stream.chunks.clone();
    for _ in 0..stream.depth {
        let pieces = decode_pieces(&read_all(fetcher, &chunks)?)?;
        let is_data = |piece| match piece {
            Piece::Data(chunk) => Ok(chunk),
            Piece::Hole(_) => Err(FetchError::Malformed),
        };
        chunks = pieces.into_iter().map(is_data).collect::<Result<_, _>>()?;
    }
    Ok(chunks)
}

/// The encoded list of a file's pieces, if they are listed.
pub(crate) fn list_of(
    fetcher: &mut ChunkFetcher<'_>,
    content: &Content,
) -> Result<Option<Vec<u8>>, FetchError> {
    match content {
        Content::Inline(_) => Ok(None),
        Content::Listed(stream) => {
            let chunks = chunks_of(fetcher, stream)?;
            read_all(fetcher, &chunks).map(Some)
        }
    }
}

/// All pieces of a file of `size` bytes; they must cover it.
pub(crate) fn pieces_of(
    fetcher: &mut ChunkFetcher<'_>,
    content: &Content,
    size: u64,
) -> Result<Vec<Piece>, FetchError> {
    let pieces = match (content, list_of(fetcher, content)?) {
        (Content::Inline(pieces), _) => pieces.clone(),
        (Content::Listed(_), list) => decode_pieces(&list.unwrap_or_default())?,
    };
    let covered = pieces.iter().try_fold(0u64, |sum, piece| sum.checked_add(piece.length()));
    if covered == Some(size) { Ok(pieces) } else { Err(FetchError::Malformed) }
}

fn read_all(fetcher: &mut ChunkFetcher<'_>, chunks: &[ChunkReference]) -> Result<Vec<u8>, FetchError> {
    let mut bytes = Vec::new();
    for chunk in chunks {
        bytes.extend_from_slice(fetcher.chunk(*chunk)?);
    }
    Ok(bytes)
}

fn decode_pieces(list: &[u8]) -> Result<Vec<Piece>, FetchError> {
    let mut reader = Reader::new("list of pieces", list);
    let mut pieces = Vec::new();
    while !reader.is_at_end() {
        pieces.push(Piece::decode(&mut reader).map_err(|_| FetchError::Malformed)?);
    }
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;
    use stateward_format::segment::encode_open_folders;
    use stateward_format::wire::Writer;

    #[test]
    fn a_nameless_entry_below_the_topmost_folder_is_a_gap_and_no_path() {
        let mut stream =
            RecordStream { segments: VecDeque::new(), open_folders: Vec::new(), items: VecDeque::new() };
        // FIFOs with mode, owner, group and time: one named, one without a name.
        let mut fifo = vec![6, 1, b'c', 3, 1, 0, 4, 1, 0, 6, 1, 0, 8, 8];
        fifo.extend_from_slice(&[0; 8]);
        let nameless = [&[6, 0][..], &fifo[3..]].concat();
        for (open, record, is_right) in [
            (vec![FileName::root()], &fifo, true),
            (vec![FileName::root()], &nameless, false),
            (Vec::new(), &fifo, false),
            (Vec::new(), &nameless, false),
        ] {
            let mut segment = Writer::default();
            encode_open_folders(&open, &mut segment);
            segment.bytes(record);
            assert_eq!(stream.decode_segment(&segment.0).is_ok(), is_right, "{open:?}");
        }
    }

    #[test]
    fn an_entry_that_is_refused_is_named_and_the_rest_is_given() {
        let name = |text: &str| FileName::new(text.as_bytes()).unwrap();
        let mut segment = Writer::default();
        encode_open_folders(&[FileName::root()], &mut segment);
        // A socket and a folder with the attribute of type 1001, which is critical and which nobody knows.
        segment.bytes(&[7, 1, b'a', 0xe9, 0x07, 0]);
        segment.bytes(&[2, 1, b'b', 0xe9, 0x07, 0]);
        // A FIFO with mode, owner, group and time within the folder.
        let mut inside = vec![6, 1, b'c', 3, 1, 0, 4, 1, 0, 6, 1, 0, 8, 8];
        inside.extend_from_slice(&[0; 8]);
        segment.bytes(&inside);
        Record::Leave.encode(&mut segment).unwrap();
        let mut stream =
            RecordStream { segments: VecDeque::new(), open_folders: Vec::new(), items: VecDeque::new() };
        stream.decode_segment(&segment.0).unwrap();
        let told: Vec<_> = stream
            .items
            .iter()
            .map(|item| match item {
                Item::Entry(entry) => format!("entry {:?}", entry.name),
                Item::Refused(name, why) => format!("refused {name:?}: {why}"),
                other => format!("{other:?}"),
            })
            .collect();
        let why = "The entry's attribute has version or kind 1001, which this build does not know; a newer build may";
        let expected = [
            format!("LostFolder({:?})", FileName::root()),
            format!("refused {:?}: {why}", name("a")),
            format!("refused {:?}: {why}", name("b")),
            format!("LostFolder({:?})", name("b")),
            format!("entry {:?}", name("c")),
            "Leave".to_owned(),
        ];
        assert_eq!(told, expected);
        assert_eq!(stream.open_folders, [FileName::root()]);
    }
}
