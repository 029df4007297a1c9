//! A metadata stream back into its entries, around what is lost of it.
//!
//! Who holds the keys can write any stream. What is read of one is bounded by what was stored for it: names ascend, depth
//! has an end, and each segment holds something.

use crate::EngineError;
use crate::fetch::ChunkFetcher;
use crate::lists::ListedChunks;
use stateward_format::entry::{DEPTH_MAX, Refused};
use stateward_format::segment::Segment;
use stateward_format::{ChunkReference, Entry, EntryKind, FileName, FormatError, Record, StreamReference};
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

/// So many segments of a stream may be lost or malformed before the rest of it is given up: no damage is as large, and a
/// forged list names more segments than can ever be read.
const SEGMENTS_LOST_MAX: u32 = 1 << 16;

/// Steps through a stream.
pub(crate) struct RecordStream<'a> {
    segments: ListedChunks,
    /// If it is not all of them: those that are wanted.
    only: Option<&'a HashSet<ChunkReference>>,
    segments_lost: u32,
    open_folders: Vec<FileName>,
    /// The name that came last in each open folder, and at the front among the topmost: names only ascend, so that no
    /// segment counts twice.
    last_names: Vec<Option<FileName>>,
    items: VecDeque<Item>,
}

impl<'a> RecordStream<'a> {
    /// Begins; nothing is read yet.
    pub(crate) fn open(stream: &StreamReference) -> Self {
        Self {
            segments: ListedChunks::of(stream),
            only: None,
            segments_lost: 0,
            open_folders: Vec::new(),
            last_names: vec![None],
            items: VecDeque::new(),
        }
    }

    /// The same stream with all segments but these left out, if any are given; for one that has not begun.
    pub(crate) fn only(mut self, segments: Option<&'a HashSet<ChunkReference>>) -> Self {
        self.only = segments;
        self
    }

    /// The next step, or `None` at the end.
    pub(crate) fn next(&mut self, fetcher: &mut ChunkFetcher<'_>) -> Result<Option<Item>, EngineError> {
        while self.items.is_empty() {
            match self.segments.next(fetcher) {
                Ok(Some(segment)) if self.only.is_some_and(|only| !only.contains(&segment)) => {}
                Ok(Some(segment)) => self.read_segment(fetcher, segment)?,
                // A lost end leaves folders open.
                Ok(None) => match self.open_folders.pop() {
                    Some(_) => return Ok(Some(Item::Leave)),
                    None => return Ok(None),
                },
                // What comes after in the list can't be told from what is lost of it.
                Err(error) => {
                    self.segments.end();
                    self.items.push_back(Item::Gap(error.damage()?));
                }
            }
        }
        Ok(self.items.pop_front())
    }

    fn read_segment(
        &mut self,
        fetcher: &mut ChunkFetcher<'_>,
        chunk: ChunkReference,
    ) -> Result<(), EngineError> {
        let why = match fetcher.chunk(chunk) {
            Ok(bytes) => match self.decode_segment(bytes) {
                Ok(()) => return Ok(()),
                Err(error) => error.to_string(),
            },
            Err(error) => error.damage()?,
        };
        self.items.push_back(Item::Gap(why));
        self.segments_lost += 1;
        if self.segments_lost == SEGMENTS_LOST_MAX {
            self.segments.end();
        }
        Ok(())
    }

    fn decode_segment(&mut self, bytes: &[u8]) -> Result<(), FormatError> {
        let mut segment = Segment::decode(bytes)?;
        self.move_to(&segment.open_folders)?;
        let mut is_empty = true;
        while let Some(record) = segment.next_record()? {
            is_empty = false;
            match record {
                Ok(Record::Leave) => {
                    self.open_folders
                        .pop()
                        .ok_or_else(|| malformed("it leaves a folder that is not open"))?;
                    self.last_names.pop();
                    self.items.push_back(Item::Leave);
                }
                Ok(Record::Entry(entry)) => {
                    self.pass(&entry.name, entry.kind == EntryKind::Folder)?;
                    if entry.kind == EntryKind::Folder {
                        self.enter(entry.name.clone())?;
                    }
                    self.items.push_back(Item::Entry(entry));
                }
                Err(Refused { name, is_folder, why }) => {
                    self.pass(&name, is_folder)?;
                    self.items.push_back(Item::Refused(name.clone(), why.to_string()));
                    if is_folder {
                        self.enter(name.clone())?;
                        self.items.push_back(Item::LostFolder(name));
                    }
                }
            }
        }
        if is_empty { Err(malformed("it holds nothing")) } else { Ok(()) }
    }

    /// Takes the next name in the folder that is open.
    fn pass(&mut self, name: &FileName, is_folder: bool) -> Result<(), FormatError> {
        let is_topmost = self.open_folders.is_empty();
        if name.as_bytes().is_empty() != is_topmost || is_topmost && !is_folder {
            return Err(malformed("just the topmost folder has no name"));
        }
        let last = self.last_names.last_mut().expect("there is one more than folders are open");
        if last.as_ref().is_some_and(|last| name <= last) {
            return Err(malformed("its names are not in order, each once"));
        }
        *last = Some(name.clone());
        Ok(())
    }

    fn enter(&mut self, name: FileName) -> Result<(), FormatError> {
        if self.open_folders.len() >= DEPTH_MAX {
            return Err(malformed("folders are nested too deep"));
        }
        self.open_folders.push(name);
        self.last_names.push(None);
        Ok(())
    }

    /// After a gap: leaves what was open before it and enters what is open after it.
    fn move_to(&mut self, open: &[FileName]) -> Result<(), FormatError> {
        let common = self.open_folders.iter().zip(open).take_while(|(before, after)| before == after).count();
        for _ in common..self.open_folders.len() {
            self.items.push_back(Item::Leave);
        }
        self.open_folders.truncate(common);
        self.last_names.truncate(common + 1);
        for name in &open[common..] {
            self.pass(name, true)?;
            self.enter(name.clone())?;
            self.items.push_back(Item::LostFolder(name.clone()));
        }
        Ok(())
    }
}

fn malformed(why: &'static str) -> FormatError {
    FormatError::Malformed { what: "segment", why }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stateward_format::segment::encode_open_folders;
    use stateward_format::wire::Writer;

    #[test]
    fn a_nameless_entry_below_the_topmost_folder_is_a_gap_and_no_path() {
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
            let mut stream = RecordStream::open(&StreamReference::default());
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
        let mut stream = RecordStream::open(&StreamReference::default());
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

    /// A segment of FIFOs with these names, in these open folders.
    fn segment(open: &[&str], names: &[&str]) -> Vec<u8> {
        let folder = |name: &&str| match *name {
            "" => FileName::root(),
            name => FileName::new(name.as_bytes()).unwrap(),
        };
        let mut writer = Writer::default();
        encode_open_folders(&open.iter().map(folder).collect::<Vec<_>>(), &mut writer);
        for name in names {
            let head = [&[6, name.len() as u8], name.as_bytes()].concat();
            writer.bytes(&[&head[..], &[3, 1, 0, 4, 1, 0, 6, 1, 0, 8, 8], &[0; 8]].concat());
        }
        writer.0
    }

    /// What is wrong with the last of these segments; those before it are right.
    fn refusal(segments: &[Vec<u8>]) -> Option<String> {
        let mut stream = RecordStream::open(&StreamReference::default());
        let (last, before) = segments.split_last().unwrap();
        before.iter().for_each(|segment| stream.decode_segment(segment).unwrap());
        stream.decode_segment(last).err().map(|error| error.to_string())
    }

    /// Issue 4: a list that named one segment again and again was an endless stream of entries.
    #[test]
    fn names_that_do_not_ascend_are_refused_across_segments_too() {
        assert_eq!(refusal(&[segment(&[""], &["a", "b"]), segment(&[""], &["c"])]), None);
        assert_eq!(refusal(&[segment(&[""], &["b"]), segment(&["", "c"], &["a"])]), None);
        let wrong = [
            vec![segment(&[""], &["b", "a"])],
            vec![segment(&[""], &["a", "a"])],
            vec![segment(&[""], &["a"]), segment(&[""], &["a"])],
            vec![segment(&[""], &["b"]), segment(&["", "b"], &["x"])],
            vec![segment(&["", "b"], &["x"]), segment(&[""], &["c"]), segment(&["", "b"], &["y"])],
        ];
        for segments in wrong {
            let why = refusal(&segments).unwrap();
            assert_eq!(why, "The segment is malformed: its names are not in order, each once");
        }
    }

    #[test]
    fn a_segment_without_an_end_or_a_beginning_is_refused() {
        let nothing = "The segment is malformed: it holds nothing";
        assert_eq!(refusal(&[segment(&[""], &[])]).as_deref(), Some(nothing));
        let nameless = "The segment is malformed: just the topmost folder has no name";
        assert_eq!(refusal(&[segment(&[""], &[""])]).as_deref(), Some(nameless));
        assert_eq!(refusal(&[segment(&[], &["a"])]).as_deref(), Some(nameless));
        let mut leaves = Writer(segment(&[""], &["a"]));
        Record::Leave.encode(&mut leaves).unwrap();
        Record::Leave.encode(&mut leaves).unwrap();
        let left = "The segment is malformed: it leaves a folder that is not open";
        assert_eq!(refusal(&[leaves.0]).as_deref(), Some(left));
    }

    /// Issue 4: a hundred thousand folders in one another took hours.
    #[test]
    fn folders_end_where_a_writer_ends_them() {
        let mut deep = Writer::default();
        encode_open_folders(&[FileName::root()], &mut deep);
        let folder = [&[2, 1, b'd', 3, 1, 0, 4, 1, 0, 6, 1, 0, 8, 8][..], &[0; 8]].concat();
        (1..DEPTH_MAX).for_each(|_| deep.bytes(&folder));
        assert_eq!(refusal(&[deep.0.clone()]), None);
        deep.bytes(&folder);
        let why = "The segment is malformed: folders are nested too deep";
        assert_eq!(refusal(&[deep.0]).as_deref(), Some(why));
    }
}
