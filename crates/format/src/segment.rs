//! A segment: the part of a metadata stream that one chunk holds.
//!
//! ```text
//! number of open folders (varint), the name of each (length-prefixed) | record | record | …
//! ```
//! Segments begin and end between records, and each begins with the folders that are open there. So each is read by
//! itself: when one is lost, those after it still say where their entries belong, and what is lost lies between two
//! known names.

use crate::entry::{DEPTH_MAX, FileName, Record, Refused};
use crate::wire::{FormatError, Reader, Writer};

/// No record of a segment begins behind so many bytes of records: bounds what a reader holds that decodes all of them.
/// (The last one may be as long as a record may be.) A writer cuts much earlier.
pub const RECORDS_BYTES_MAX: usize = 1 << 20;

/// Appends the beginning of a segment.
pub fn encode_open_folders(folders: &[FileName], writer: &mut Writer) {
    writer.varint(folders.len() as u64);
    folders.iter().for_each(|name| writer.bytes(name.as_bytes()));
}

/// A decoded segment whose records are read one by one.
#[derive(Debug, Clone)]
pub struct Segment<'a> {
    /// The folders that are open where it begins, from the topmost (whose name is empty) down.
    pub open_folders: Vec<FileName>,
    records: Reader<'a>,
    /// How many bytes of records there are.
    length: usize,
}

impl<'a> Segment<'a> {
    /// Reads a chunk's plaintext.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, FormatError> {
        let mut records = Reader::new("segment", bytes);
        let count = records.count(1)?;
        if count > DEPTH_MAX {
            return Err(records.malformed("folders are nested too deep"));
        }
        let mut open_folders = Vec::with_capacity(count);
        for depth in 0..count {
            open_folders.push(match (depth, records.bytes()?) {
                (0, []) => FileName::root(),
                (0, _) => return Err(records.malformed("the topmost folder has a name")),
                (_, name) => FileName::new(name)?,
            });
        }
        let length = records.left();
        Ok(Self { open_folders, records, length })
    }

    /// The next record, or `None` at the end. An entry that is refused does not end the segment.
    pub fn next_record(&mut self) -> Result<Option<Result<Record, Refused>>, FormatError> {
        match self.records.is_at_end() {
            true => Ok(None),
            false if self.length - self.records.left() > RECORDS_BYTES_MAX => {
                Err(self.records.malformed("it is longer than any may be"))
            }
            false => self.records.bytes().and_then(Record::decode_or_refuse).map(Some),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::assert_one_spelling;
    use proptest::prelude::*;

    #[test]
    fn a_segment_survives() {
        let folders = [FileName::root(), FileName::new(b"etc").unwrap()];
        let mut writer = Writer::default();
        encode_open_folders(&folders, &mut writer);
        Record::Leave.encode(&mut writer).unwrap();
        let mut segment = Segment::decode(&writer.0).unwrap();
        assert_eq!(segment.open_folders, folders);
        assert_eq!(segment.next_record().unwrap(), Some(Ok(Record::Leave)));
        assert_eq!(segment.next_record().unwrap(), None);
    }

    #[test]
    fn an_entry_that_is_refused_does_not_end_its_segment() {
        let mut writer = Writer::default();
        encode_open_folders(&[FileName::root()], &mut writer);
        // A socket `a` with the attribute of type 1001, which is critical and which nobody knows.
        writer.bytes(&[7, 1, b'a', 0xe9, 0x07, 0]);
        Record::Leave.encode(&mut writer).unwrap();
        let mut segment = Segment::decode(&writer.0).unwrap();
        let refused = segment.next_record().unwrap().unwrap().unwrap_err();
        assert_eq!((refused.name.as_bytes(), refused.is_folder), (b"a".as_slice(), false));
        assert_eq!(refused.why, FormatError::Unsupported { what: "entry's attribute", found: 1001 });
        assert_eq!(segment.next_record().unwrap(), Some(Ok(Record::Leave)));
        assert_eq!(segment.next_record().unwrap(), None);
    }

    #[test]
    fn a_named_topmost_folder_is_refused() {
        let mut writer = Writer::default();
        encode_open_folders(&[FileName::new(b"etc").unwrap()], &mut writer);
        assert!(Segment::decode(&writer.0).is_err());
    }

    #[test]
    fn only_the_last_record_goes_beyond_the_longest_segment() {
        let mut writer = Writer::default();
        encode_open_folders(&[FileName::root()], &mut writer);
        let begin = writer.0.len();
        // A socket that is refused, of as many bytes as are left.
        let mut socket = |name: u8, length: usize| {
            let mut body = vec![7, 1, name];
            body.resize(length, 0);
            writer.bytes(&body);
            writer.0.clone()
        };
        socket(b'a', RECORDS_BYTES_MAX / 2);
        let full = socket(b'b', RECORDS_BYTES_MAX / 2 - 6);
        assert_eq!(full.len() - begin, RECORDS_BYTES_MAX);
        let long = socket(b'c', 2 << 20);
        let count = |bytes: &[u8]| {
            let mut segment = Segment::decode(bytes).unwrap();
            let mut count = 0;
            loop {
                match segment.next_record() {
                    Ok(Some(_)) => count += 1,
                    Ok(None) => return Ok(count),
                    Err(why) => return Err((count, why)),
                }
            }
        };
        assert_eq!(count(&long), Ok(3));
        let why = FormatError::Malformed { what: "segment", why: "it is longer than any may be" };
        assert_eq!(count(&socket(b'd', 5)), Err((3, why)));
    }

    fn encoded(folders: &[FileName], records: &[Record]) -> Vec<u8> {
        let mut writer = Writer::default();
        encode_open_folders(folders, &mut writer);
        records.iter().for_each(|record| record.encode(&mut writer).unwrap());
        writer.0
    }

    /// `None` for what is refused, as a whole or in a record: of a refused entry nothing but its name is kept.
    fn decoded(bytes: &[u8]) -> Option<(Vec<FileName>, Vec<Record>)> {
        let mut segment = Segment::decode(bytes).ok()?;
        let mut records = Vec::new();
        while let Some(record) = segment.next_record().ok()? {
            records.push(record.ok()?);
        }
        Some((segment.open_folders, records))
    }

    fn records() -> impl Strategy<Value = Vec<Record>> {
        let entry = crate::entry::tests::entry().prop_map(|entry| Record::Entry(Box::new(entry)));
        proptest::collection::vec(prop_oneof![3 => entry, 1 => Just(Record::Leave)], 0..3)
    }

    proptest! {
        #[test]
        fn any_segment_survives_and_has_just_this_encoding(
            names in proptest::collection::vec("[a-z]{1,9}", 0..4), records in records(),
        ) {
            let named = names.iter().map(|name| FileName::new(name.as_bytes()).unwrap());
            let folders: Vec<_> = std::iter::once(FileName::root()).chain(named).collect();
            let bytes = encoded(&folders, &records);
            prop_assert_eq!(decoded(&bytes).unwrap(), (folders, records));
            assert_one_spelling(&bytes, |bytes| decoded(bytes).map(|(folders, records)| encoded(&folders, &records)));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            if let Ok(mut segment) = Segment::decode(&bytes) {
                while let Ok(Some(_)) = segment.next_record() {}
            }
        }
    }
}
