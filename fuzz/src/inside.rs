//! What is sealed inside of objects, once it was opened.

use stateward_format::manifest::Manifest;
use stateward_format::segment::{Segment, encode_open_folders};
use stateward_format::wire::{Reader, Writer};
use stateward_format::{Content, FileName, Piece, Record, StreamReference, wtf8};

fn spelled(encode: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut writer = Writer::default();
    encode(&mut writer);
    writer.0
}

pub fn manifest(bytes: &[u8]) {
    if let Ok(read) = Manifest::decode(bytes) {
        assert_eq!(read.encode(), bytes);
    }
}

pub fn segment(bytes: &[u8]) {
    let Ok(mut segment) = Segment::decode(bytes) else { return };
    let mut again = spelled(|writer| encode_open_folders(&segment.open_folders, writer));
    loop {
        match segment.next_record() {
            Ok(None) => break assert_eq!(again, bytes),
            Ok(Some(Ok(record))) => {
                let mut writer = Writer(std::mem::take(&mut again));
                record.encode(&mut writer).unwrap();
                again = writer.0;
            }
            // Of an entry that is refused only its name is kept; what follows is read all the same.
            Ok(Some(Err(_))) => return while let Ok(Some(_)) = segment.next_record() {},
            Err(_) => return,
        }
    }
}

pub fn record(bytes: &[u8]) {
    if let Ok(read) = Record::decode(bytes) {
        let encoded = spelled(|writer| read.encode(writer).unwrap());
        let mut reader = Reader::new("record", &encoded);
        assert_eq!(reader.bytes().unwrap(), bytes);
    }
}

pub fn content(bytes: &[u8]) {
    let mut reader = Reader::new("content", bytes);
    if let Ok(read) = Content::decode(&mut reader) {
        let end = bytes.len() - reader.left();
        assert_eq!(spelled(|writer| read.encode(writer)), bytes[..end]);
    }
    let mut reader = Reader::new("stream", bytes);
    if let Ok(read) = StreamReference::decode(&mut reader) {
        let end = bytes.len() - reader.left();
        assert_eq!(spelled(|writer| read.encode(writer)), bytes[..end]);
    }
    let mut reader = Reader::new("list of pieces", bytes);
    let mut at = 0;
    while let Ok(read) = Piece::decode(&mut reader) {
        let end = bytes.len() - reader.left();
        assert_eq!(spelled(|writer| read.encode(writer)), bytes[at..end]);
        at = end;
    }
}

pub fn file_name(bytes: &[u8]) {
    if let Ok(name) = FileName::new(bytes) {
        assert_eq!(name.as_bytes(), bytes);
        assert!(!bytes.contains(&b'/') && bytes != b"..");
        if let Ok(units) = name.to_utf16() {
            assert_eq!(FileName::from_utf16(&units).unwrap(), name);
        }
    }
    if let Ok(units) = wtf8::decode(bytes) {
        assert_eq!(wtf8::encode(&units), bytes);
    }
    let units: Vec<_> = bytes.as_chunks::<2>().0.iter().map(|pair| u16::from_le_bytes(*pair)).collect();
    assert_eq!(wtf8::decode(&wtf8::encode(&units)).unwrap(), units);
    if let Ok(name) = FileName::from_utf16(&units) {
        assert_eq!(name.to_utf16().unwrap(), units);
    }
}

pub fn numbers(bytes: &[u8]) {
    let mut reader = Reader::new("numbers", bytes);
    let mut at = 0;
    while let Ok(value) = reader.varint() {
        let end = bytes.len() - reader.left();
        assert_eq!(spelled(|writer| writer.varint(value)), bytes[at..end]);
        at = end;
    }
    let mut reader = Reader::new("numbers", bytes);
    if let Ok(value) = reader.wide_varint() {
        let end = bytes.len() - reader.left();
        assert_eq!(spelled(|writer| writer.wide_varint(value)), bytes[..end]);
    }
    let mut reader = Reader::new("texts", bytes);
    while !reader.is_at_end() && reader.text().is_ok() {}
}
