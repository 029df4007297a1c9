use super::*;
use crate::content::{ChunkId, ChunkReference, Piece, StreamReference};
use proptest::prelude::*;

fn metadata() -> impl Strategy<Value = Metadata> {
    (
        (0u32..0o10000, any::<u32>(), any::<u32>(), any::<i64>(), any::<bool>()),
        proptest::option::of((any::<u64>(), any::<u64>(), any::<i64>())),
        proptest::collection::btree_map(
            proptest::collection::vec(1u8.., 1..20),
            proptest::collection::vec(any::<u8>(), 0..40),
            0..4,
        ),
        proptest::collection::btree_map(100u64..200, proptest::collection::vec(any::<u8>(), 0..9), 0..3),
    )
        .prop_map(|((mode, user, group, modified, is_hard_linked), identity, attributes, unknown)| {
            Metadata {
                mode,
                user,
                group,
                modified_at: Timestamp(modified),
                identity: identity.map(|(file_system, file_id, changed)| Identity {
                    file_system,
                    file_id,
                    changed_at: Timestamp(changed),
                }),
                is_hard_linked,
                extended_attributes: attributes
                    .into_iter()
                    .map(|(name, value)| ExtendedAttribute { name, value })
                    .collect(),
                unknown: unknown.into_iter().map(|(kind, value)| (kind * 2, value)).collect(),
            }
        })
}

fn chunk() -> impl Strategy<Value = ChunkReference> {
    (any::<[u8; 32]>(), 1..=crate::content::CHUNK_BYTES_MAX)
        .prop_map(|(id, length)| ChunkReference { id: ChunkId(id), length })
}

fn kind() -> impl Strategy<Value = EntryKind> {
    let piece = prop_oneof![chunk().prop_map(Piece::Data), (1u64..1 << 40).prop_map(Piece::Hole)];
    prop_oneof![
        proptest::collection::vec(piece, 0..9).prop_map(|pieces| EntryKind::File {
            size: pieces.iter().map(Piece::length).sum(),
            content: Content::Inline(pieces),
        }),
        (any::<u64>(), 0..=crate::content::DEPTH_MAX, proptest::collection::vec(chunk(), 0..5)).prop_map(
            |(size, depth, chunks)| EntryKind::File {
                size,
                content: Content::Listed(StreamReference { depth, chunks })
            }
        ),
        Just(EntryKind::Folder),
        proptest::collection::vec(any::<u8>(), 0..50).prop_map(|target| EntryKind::SymbolicLink { target }),
        any::<(u32, u32)>().prop_map(|(major, minor)| EntryKind::BlockDevice { major, minor }),
        any::<(u32, u32)>().prop_map(|(major, minor)| EntryKind::CharacterDevice { major, minor }),
        Just(EntryKind::Fifo),
        Just(EntryKind::Socket),
    ]
}

fn entry() -> impl Strategy<Value = Entry> {
    let name = proptest::collection::vec(any::<u8>(), 0..30).prop_map(|bytes| match FileName::new(&bytes) {
        Ok(name) => name,
        Err(_) => FileName::root(),
    });
    (name, kind(), metadata()).prop_map(|(name, kind, metadata)| Entry { name, kind, metadata })
}

fn body(record: &Record) -> Vec<u8> {
    let mut writer = Writer::default();
    record.encode(&mut writer).unwrap();
    let mut reader = Reader::new("record", &writer.0);
    let body = reader.bytes().unwrap().to_vec();
    reader.finish().unwrap();
    body
}

proptest! {
    #[test]
    fn an_entry_survives(entry in entry()) {
        let record = Record::Entry(Box::new(entry));
        prop_assert_eq!(Record::decode(&body(&record)).unwrap(), record);
    }

    #[test]
    fn a_cut_entry_is_refused_or_another_one(entry in entry(), keep in 0.0..1.0f64) {
        let record = Record::Entry(Box::new(entry));
        let body = body(&record);
        let keep = (body.len() as f64 * keep) as usize;
        prop_assert_ne!(Record::decode(&body[..keep]), Ok(record));
    }

    #[test]
    fn what_is_read_from_any_bytes_has_that_one_encoding(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(record) = Record::decode(&bytes) {
            prop_assert_eq!(body(&record), bytes);
        }
    }

    #[test]
    fn an_altered_entry_is_refused_or_has_one_encoding(entry in entry(), at in any::<prop::sample::Index>(), bit in 0..8u8) {
        let mut bytes = body(&Record::Entry(Box::new(entry)));
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        if let Ok(record) = Record::decode(&bytes) {
            prop_assert_eq!(body(&record), bytes);
        }
    }
}

#[test]
fn names_that_could_lead_out_of_a_folder_are_refused() {
    for name in [&b""[..], b".", b"..", b"a/b", b"/", b"a\0", &[b'a'; 1025]] {
        assert!(FileName::new(name).is_err(), "{name:?}");
    }
    for name in [&b"..."[..], b".a", b"\xff\xfe", b" ", &[b'a'; 255]] {
        assert!(FileName::new(name).is_ok(), "{name:?}");
    }
}

#[test]
fn an_unknown_critical_attribute_is_refused_and_an_optional_one_kept() {
    let metadata = Metadata {
        mode: 0o644,
        user: 1,
        group: 2,
        modified_at: Timestamp(3),
        identity: None,
        is_hard_linked: false,
        extended_attributes: Vec::new(),
        unknown: vec![(1000, b"kept".to_vec())],
    };
    let mut entry = Entry { name: FileName::new(b"a").unwrap(), kind: EntryKind::Fifo, metadata };
    let kept = body(&Record::Entry(Box::new(entry.clone())));
    assert_eq!(Record::decode(&kept).unwrap(), Record::Entry(Box::new(entry.clone())));
    entry.metadata.unknown = vec![(1001, Vec::new())];
    let refused = body(&Record::Entry(Box::new(entry)));
    assert_eq!(
        Record::decode(&refused),
        Err(FormatError::Unsupported { what: "entry's attribute", found: 1001 })
    );
}
