//! What is decoded takes no more memory than the room says: for each decoder, the shortest bytes that stand for the most.
//!
//! Memory is counted, not measured: what each vector and text has reserved, and 16 bytes for each of them that the
//! allocator may add.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]

use stateward_format::content::INLINE_MAX;
use stateward_format::entry::{ATTRIBUTES_MAX, DEPTH_MAX, RECORD_BYTES_MAX};
use stateward_format::manifest::{COMPONENTS_MAX, Component, Manifest, PRECHECKS_MAX, WARNINGS_MAX};
use stateward_format::pack::{Frame, FrameChunk, PackTable};
use stateward_format::point::{self, POINT_BYTES_MAX};
use stateward_format::segment::{RECORDS_BYTES_MAX, Segment};
use stateward_format::wire::Writer;
use stateward_format::{
    Attribute, ChunkReference, Content, Entry, EntryKind, Piece, Record, StreamReference,
};

/// Any value takes at most so many times its bytes …
const TIMES: usize = 4;
/// … and so much more, …
const MORE: usize = 16 << 20;
/// … but a segment all of whose records are kept so much more.
const MORE_OF_A_SEGMENT: usize = 64 << 20;

/// What the allocator may add to each block, in bytes.
const BLOCK: usize = 16;

fn block<T>(capacity: usize) -> usize {
    if capacity == 0 { 0 } else { capacity * size_of::<T>() + BLOCK }
}

fn text(text: &str) -> usize {
    // A text's capacity can't be seen; it is made of a slice, and so is just as long.
    block::<u8>(text.len())
}

fn of_stream(stream: &StreamReference) -> usize {
    block::<ChunkReference>(stream.chunks.capacity())
}

fn of_content(content: &Content) -> usize {
    match content {
        Content::Inline(pieces) => block::<Piece>(pieces.capacity()),
        Content::Listed(stream) => of_stream(stream),
    }
}

fn of_manifest(manifest: &Manifest) -> usize {
    let warnings = manifest
        .warnings
        .iter()
        .map(|warning| text(&warning.code) + block::<u8>(warning.path.capacity()) + text(&warning.message));
    let prechecks = manifest.prechecks.iter().map(|check| text(&check.code) + text(&check.message));
    let components =
        manifest.components.iter().map(|part| text(part.name.as_str()) + of_stream(&part.stream));
    let lists = block::<Component>(manifest.components.capacity())
        + block::<stateward_format::manifest::Warning>(manifest.warnings.capacity())
        + block::<stateward_format::manifest::Precheck>(manifest.prechecks.capacity());
    let texts = [&manifest.host_name, &manifest.operating_system, &manifest.made_by];
    lists
        + warnings.sum::<usize>()
        + prechecks.sum::<usize>()
        + components.sum::<usize>()
        + texts.into_iter().map(|one| text(one)).sum::<usize>()
}

fn of_table(table: &PackTable) -> usize {
    let frames = table.frames.iter().map(|frame| block::<FrameChunk>(frame.chunks.capacity()));
    block::<Frame>(table.frames.capacity()) + frames.sum::<usize>()
}

fn of_attribute(attribute: &Attribute) -> usize {
    match attribute {
        Attribute::SecurityDescriptor(bytes)
        | Attribute::ExtendedAttributeBlock(bytes)
        | Attribute::ShortName(bytes)
        | Attribute::Unknown { value: bytes, .. }
        | Attribute::ReparsePoint { data: bytes, .. } => block::<u8>(bytes.capacity()),
        Attribute::Stream(stream) => block::<u8>(stream.name.capacity()) + of_content(&stream.content),
        _ => 0,
    }
}

fn of_entry(entry: &Entry) -> usize {
    let metadata = &entry.metadata;
    let extended = metadata
        .extended_attributes
        .iter()
        .map(|one| block::<u8>(one.name.capacity()) + block::<u8>(one.value.capacity()));
    let kind = match &entry.kind {
        EntryKind::File { content, .. } => of_content(content),
        EntryKind::SymbolicLink { target } => block::<u8>(target.capacity()),
        _ => 0,
    };
    block::<u8>(entry.name.as_bytes().len())
        + kind
        + block::<stateward_format::entry::ExtendedAttribute>(metadata.extended_attributes.capacity())
        + extended.sum::<usize>()
        + block::<Attribute>(metadata.attributes.capacity())
        + metadata.attributes.iter().map(of_attribute).sum::<usize>()
}

fn of_record(record: &Record) -> usize {
    match record {
        Record::Entry(entry) => block::<Entry>(1) + of_entry(entry),
        Record::Leave => 0,
    }
}

#[track_caller]
fn assert_bounded(what: &str, encoded: usize, held: usize, more: usize) {
    assert!(held <= TIMES * encoded + more, "{what}: {encoded} bytes become {held}");
}

fn numbers(numbers: &[u64]) -> Vec<u8> {
    let mut writer = Writer::default();
    numbers.iter().for_each(|number| writer.varint(*number));
    writer.0
}

/// A manifest's bytes before its lists.
fn manifest_head() -> Vec<u8> {
    [b"SWMANIF\x01".as_slice(), &[1, b'a', 1, 0], &[0; 16], &[0, 0, 0], &[0; 16]].concat()
}

#[test]
fn manifests_of_the_shortest_lists() {
    let mut writer = Writer(manifest_head());
    writer.varint(COMPONENTS_MAX as u64);
    for number in 0..COMPONENTS_MAX {
        writer.bytes(format!("a{number}").as_bytes());
        writer.raw(&[0; 6]);
    }
    writer.varint(WARNINGS_MAX as u64);
    (0..WARNINGS_MAX).for_each(|_| writer.raw(&[1, b'a', 1, b'/', 1, b'a']));
    writer.varint(PRECHECKS_MAX as u64);
    (0..PRECHECKS_MAX).for_each(|_| writer.raw(&[1, b'a', 0, 1, b'a']));
    let manifest = Manifest::decode(&writer.0).unwrap();
    assert_eq!(manifest.warnings.len(), WARNINGS_MAX);
    assert_bounded("a manifest of short lists", writer.0.len(), of_manifest(&manifest), MORE);
}

/// Issue 4: a recovery point of 64 MiB became 1.6 GB of empty warnings.
#[test]
fn manifests_of_as_many_things_as_fit_in_a_recovery_point() {
    for (lists_before, thing) in [(0, &[1, b'a', 0, 0, 0, 0, 0, 0][..]), (1, &[0, 0, 0]), (2, &[0, 0, 0])] {
        let count = (POINT_BYTES_MAX - 1000) / thing.len();
        let lists = [vec![0; lists_before], numbers(&[count as u64]), thing.repeat(count)].concat();
        let refused = Manifest::decode(&[manifest_head(), lists].concat()).unwrap_err();
        assert!(refused.to_string().contains("longer than any may be"), "{refused}");
    }
    let chunks = [&[1][..], &[7; 32]].concat().repeat(1_000_000);
    let component = [&[1, 1, b'a', 0, 0, 0, 0, 0][..], &numbers(&[1_000_000]), &chunks, &[0, 0]].concat();
    let encoded = [manifest_head(), component].concat();
    let manifest = Manifest::decode(&encoded).unwrap();
    assert_bounded("a manifest of a long stream", encoded.len(), of_manifest(&manifest), 0);
}

#[test]
fn points_of_as_many_slots_and_packs_as_fit() {
    // Up to the agent's time, of the first point of a chain.
    let head =
        [b"SWPOINT\x01".as_slice(), &[1; 48], &[1], &1u64.to_le_bytes(), &[0; 32], &[0; 4], &[0; 8]].concat();
    let id = |number: u64| [&number.to_be_bytes()[..], &[0; 24]].concat();
    let count = 900_000;
    let slots: Vec<u8> = (0..count).flat_map(id).collect();
    let packs: Vec<u8> = (0..count).flat_map(|number| [id(number), vec![1, 0, 0, 0]].concat()).collect();
    let counted = numbers(&[count]);
    let object = [&head[..], &counted, &slots, &counted, &packs, &[1, 9], &[0; 64]].concat();
    let (point, _) = point::decode(&object).unwrap();
    let header = &point.header;
    let held = block::<[u8; 32]>(header.slots.capacity())
        + block::<stateward_format::point::PackReference>(header.packs.capacity())
        + point.sealed_manifest.capacity();
    assert_bounded("a recovery point", object.len(), held, 0);
}

#[test]
fn pack_tables_of_many_frames_and_of_one() {
    for (frames, chunks) in [(1 << 16, 1), (1, 1 << 20), (300, 3000)] {
        let chunk = [&[1][..], &[7; 32]].concat();
        let frame = [numbers(&[17, 0, chunks]), chunk.repeat(chunks as usize)].concat();
        let encoded = [numbers(&[frames]), frame.repeat(frames as usize)].concat();
        let table = PackTable::decode(&encoded, 17 * frames as usize).unwrap();
        assert_eq!(table.frames.len() as u64, frames);
        assert_bounded("a pack's table", encoded.len(), of_table(&table), 0);
    }
}

/// An entry's body up to its own attributes: mode, owner, group and time.
fn head(kind: u8, name: &[u8]) -> Vec<u8> {
    let mut writer = Writer(vec![kind]);
    writer.bytes(name);
    writer.raw(&[3, 1, 0, 4, 1, 0, 6, 1, 0, 8, 8]);
    writer.raw(&[0; 8]);
    writer.0
}

/// A file's size and content after it.
fn file(name: &[u8], size: u64, content: &[u8]) -> Writer {
    let mut writer = Writer(head(1, name));
    writer.varint(17);
    writer.bytes(&numbers(&[size]));
    writer.varint(19);
    writer.bytes(content);
    writer
}

/// 64 that ascend, and may stand in a name of Windows.
const LETTERS: &[u8; 64] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz{}";

/// The bodies of entries that are short for what they stand for; each is at most as long as a record may be.
fn records() -> Vec<(&'static str, Vec<u8>)> {
    let most = ATTRIBUTES_MAX as u64;
    let extended = (0..most).fold(Writer(head(2, b"a")), |mut writer, number| {
        let name = &number.to_be_bytes()[5..];
        writer.varint(14);
        writer.bytes(&[&[3][..], name].concat());
        writer
    });
    let unknown = (0..most).fold(Writer(head(2, b"a")), |mut writer, number| {
        writer.varint(1000 + 2 * number);
        writer.bytes(&[]);
        writer
    });
    let streams = (0..most).fold(Writer(head(2, b"a")), |mut writer, number| {
        let name: Vec<u8> =
            (0..3).rev().map(|digit| LETTERS[(number >> (6 * digit) & 63) as usize]).collect();
        writer.varint(46);
        writer.bytes(&[&[3][..], &name, &[1, 0, 1, 0, 1]].concat());
        writer
    });
    let pieces = [&[0, 1, 1][..], &[7; 32]].concat().repeat(INLINE_MAX / 2);
    let content = [&[0][..], &numbers(&[INLINE_MAX as u64]), &pieces].concat();
    vec![
        ("extended attributes", extended.0),
        ("unknown attributes", unknown.0),
        ("alternate streams", streams.0),
        ("pieces and holes", file(b"a", INLINE_MAX as u64, &content).0),
    ]
}

#[test]
fn records_of_the_shortest_attributes() {
    for (what, body) in records() {
        assert!(body.len() <= RECORD_BYTES_MAX, "{what}: {} bytes", body.len());
        let record = Record::decode(&body).unwrap_or_else(|why| panic!("{what}: {why}"));
        assert_bounded(what, body.len(), of_record(&record), MORE);
    }
}

/// What is held of a segment all of whose records are kept, and how many these are.
fn of_segment(bytes: &[u8]) -> (usize, usize) {
    let mut segment = Segment::decode(bytes).unwrap();
    let folders = segment.open_folders.iter().map(|name| block::<u8>(name.as_bytes().len()));
    let (mut held, mut count) =
        (block::<Vec<u8>>(segment.open_folders.capacity()) + folders.sum::<usize>(), 0);
    while let Ok(Some(record)) = segment.next_record() {
        count += 1;
        // Whoever keeps them does so in a vector that doubles.
        held += 2 * size_of::<Record>()
            + match &record {
                Ok(record) => of_record(record),
                Err(refused) => size_of_val(refused) + block::<u8>(refused.name.as_bytes().len()),
            };
    }
    (held, count)
}

#[test]
fn segments_of_the_shortest_records() {
    let number = |number: usize| number.to_be_bytes()[5..].iter().map(|byte| byte | 0x80).collect::<Vec<_>>();
    let fifo = |count: usize| head(6, &number(count));
    let refused = |count: usize| [&[9, 3][..], &number(count)].concat();
    let many = |_| {
        let attributes = (0..8000).flat_map(|kind| [numbers(&[1000 + 2 * kind]), vec![0]].concat());
        [head(6, b"a"), attributes.collect()].concat()
    };
    type Body<'a> = &'a dyn Fn(usize) -> Vec<u8>;
    let of = [("FIFOs", &fifo as Body<'_>), ("refused entries", &refused), ("unknown attributes", &many)];
    for (what, body) in of {
        for (last, long) in [("none", vec![0])].into_iter().chain(records()) {
            let mut writer = Writer(vec![0]);
            let mut count = 0;
            while writer.0.len() <= RECORDS_BYTES_MAX {
                writer.bytes(&body(count));
                count += 1;
            }
            // Nothing may begin behind the end: the long one takes the place of the one that went beyond it.
            let whole = writer.0.len() - 1;
            assert!(whole > RECORDS_BYTES_MAX);
            let beyond = [&writer.0[..], &long].concat();
            assert_eq!(of_segment(&beyond).1, count, "{what}");
            let mut shorter = Writer(vec![0]);
            (0..count - 1).for_each(|number| shorter.bytes(&body(number)));
            shorter.bytes(&long);
            let (held, _) = of_segment(&shorter.0);
            let what = format!("a segment of {what}, and at its end {last}");
            assert_bounded(&what, shorter.0.len(), held, MORE_OF_A_SEGMENT);
        }
    }
    let deep = [numbers(&[DEPTH_MAX as u64, 0]), [1, b'd'].repeat(DEPTH_MAX - 1), vec![1, 0]].concat();
    assert_bounded("a segment of open folders", deep.len(), of_segment(&deep).0, MORE);
}
