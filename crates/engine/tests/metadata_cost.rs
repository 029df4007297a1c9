//! What entries cost in a metadata stream, compressed as frames are: bounds that a change of the format must keep.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]

use stateward_format::wire::Writer;
use stateward_format::{
    Attribute, ChunkId, ChunkReference, Content, Entry, EntryKind, FileName, Identity, Metadata, Piece,
    Record,
};
use stateward_model::{Random, Timestamp};
use stateward_testing::SeededRandom;

const ENTRIES: u64 = 20_000;
const FRAME_BYTES: usize = 1 << 20;

/// Descriptors as a server has them: many entries, few descriptors, the owners' and groups' numbers in them random.
fn descriptors(random: &SeededRandom) -> Vec<Vec<u8>> {
    let descriptor = |n: usize| {
        let mut bytes = vec![0; 140 + 36 * (n % 4)];
        random.fill(&mut bytes);
        bytes
    };
    (0..50).map(descriptor).collect()
}

/// A file of one chunk, with what the file system tells.
fn entry(number: u64, random: &SeededRandom, attributes: Vec<Attribute>) -> Record {
    let mut id = [0; 32];
    random.fill(&mut id);
    let mut clock = [0; 4];
    random.fill(&mut clock);
    let time = Timestamp(1_795_000_000_000_000_000 + i64::from(u32::from_le_bytes(clock)));
    let chunk = ChunkReference { id: ChunkId(id), length: 1000 + number as u32 };
    let name = format!("file-{:06}.txt", number * 7);
    Record::Entry(Box::new(Entry {
        name: FileName::new(name.as_bytes()).unwrap(),
        kind: EntryKind::File {
            size: u64::from(chunk.length),
            content: Content::Inline(vec![Piece::Data(chunk)]),
        },
        metadata: Metadata {
            mode: 0o644,
            user: 0,
            group: 0,
            modified_at: time,
            identity: Some(Identity { file_system: 1, file_id: u128::from(number) + 9000, changed_at: time }),
            is_hard_linked: false,
            extended_attributes: Vec::new(),
            attributes,
        },
    }))
}

/// Bytes for each entry: as they are, and in compressed frames.
fn cost(attributes: impl Fn(usize) -> Vec<Attribute>) -> (f64, f64) {
    let (random, choice) = (SeededRandom::new(1), SeededRandom::new(2));
    let mut stream = Writer::default();
    for number in 0..ENTRIES {
        let mut pick = [0; 2];
        choice.fill(&mut pick);
        // Low numbers are frequent: most files have the few usual descriptors.
        let pick = usize::from(pick[0]) * usize::from(pick[1]) / 1301;
        entry(number, &random, attributes(pick)).encode(&mut stream).unwrap();
    }
    let frames = stream.0.chunks(FRAME_BYTES).map(|frame| zstd::bulk::compress(frame, 3).unwrap().len());
    (stream.0.len() as f64 / ENTRIES as f64, frames.sum::<usize>() as f64 / ENTRIES as f64)
}

#[test]
fn a_security_descriptor_for_each_entry_costs_little_after_compression() {
    let descriptors = descriptors(&SeededRandom::new(3));
    let plain = cost(|_| Vec::new());
    let whole = cost(|pick| vec![Attribute::SecurityDescriptor(descriptors[pick.min(49)].clone())]);
    // What a table of descriptors would leave in each entry: a number.
    let numbered = cost(|pick| vec![Attribute::ProjectId(pick as u32)]);
    eprintln!("bytes an entry, plain and compressed: {plain:?}; descriptors {whole:?}; numbers {numbered:?}");
    assert!(plain.0 < 110.0 && plain.1 < 60.0, "{plain:?}");
    assert!(whole.1 - plain.1 < 12.0, "{whole:?} instead of {plain:?}");
    assert!(whole.1 - numbered.1 < 11.0, "{whole:?} instead of {numbered:?}");
}
