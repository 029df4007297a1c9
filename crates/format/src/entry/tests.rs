use super::*;
use crate::attribute::tests::{attributes, fits};
use crate::content::{ChunkId, ChunkReference, Piece, StreamReference};
use crate::testing::{assert_one_spelling, without_double_holes};
use proptest::prelude::*;

fn metadata() -> impl Strategy<Value = Metadata> {
    (
        (0u32..0o10000, any::<u32>(), any::<u32>(), any::<i64>(), any::<bool>()),
        proptest::option::of((any::<u64>(), any::<u128>(), any::<i64>())),
        proptest::collection::btree_map(
            proptest::collection::vec(1u8.., 1..20),
            proptest::collection::vec(any::<u8>(), 0..40),
            0..4,
        ),
        attributes(),
    )
        .prop_map(|((mode, user, group, modified, is_hard_linked), identity, extended, attributes)| {
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
                extended_attributes: extended
                    .into_iter()
                    .map(|(name, value)| ExtendedAttribute { name, value })
                    .collect(),
                attributes,
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
        proptest::collection::vec(piece, 0..9).prop_map(without_double_holes).prop_map(|pieces| {
            EntryKind::File { size: pieces.iter().map(Piece::length).sum(), content: Content::Inline(pieces) }
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

pub(crate) fn entry() -> impl Strategy<Value = Entry> {
    let name = proptest::collection::vec(any::<u8>(), 0..30).prop_map(|bytes| match FileName::new(&bytes) {
        Ok(name) => name,
        Err(_) => FileName::root(),
    });
    (name, kind(), metadata()).prop_map(|(name, kind, mut metadata)| {
        metadata.attributes.retain(|attribute| fits(attribute, &kind));
        Entry { name, kind, metadata }
    })
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
    fn what_is_read_has_just_this_encoding(entry in entry()) {
        let encoded = body(&Record::Entry(Box::new(entry)));
        assert_one_spelling(&encoded, |bytes| Record::decode(bytes).ok().map(|record| body(&record)));
    }
}

fn plain() -> Metadata {
    Metadata {
        mode: 0o644,
        user: 1,
        group: 2,
        modified_at: Timestamp(3),
        identity: None,
        is_hard_linked: false,
        extended_attributes: Vec::new(),
        attributes: Vec::new(),
    }
}

fn named(kind: EntryKind, attributes: Vec<Attribute>) -> Entry {
    Entry { name: FileName::new(b"a").unwrap(), kind, metadata: Metadata { attributes, ..plain() } }
}

fn unknown(kind: u64, value: &[u8]) -> Attribute {
    Attribute::Unknown { kind, value: value.to_vec() }
}

#[test]
fn an_unknown_critical_attribute_is_refused_and_an_optional_one_kept() {
    let entry = Box::new(named(EntryKind::Fifo, vec![unknown(1000, b"kept")]));
    let kept = body(&Record::Entry(entry.clone()));
    assert_eq!(Record::decode(&kept).unwrap(), Record::Entry(entry));
    let refused = body(&Record::Entry(Box::new(named(EntryKind::Fifo, vec![unknown(1001, b"")]))));
    assert_eq!(
        Record::decode(&refused),
        Err(FormatError::Unsupported { what: "entry's attribute", found: 1001 })
    );
}

#[test]
fn an_entry_is_refused_by_itself_when_its_name_can_be_read() {
    let why = FormatError::Unsupported { what: "entry's attribute", found: 1001 };
    for (kind, is_folder) in [(EntryKind::Folder, true), (EntryKind::Fifo, false)] {
        let bytes = body(&Record::Entry(Box::new(named(kind, vec![unknown(1001, b"")]))));
        let refused = Refused { name: FileName::new(b"a").unwrap(), is_folder, why: why.clone() };
        assert_eq!(Record::decode_or_refuse(&bytes).unwrap(), Err(refused));
    }
    let mut newer_kind = body(&Record::Entry(Box::new(named(EntryKind::Fifo, Vec::new()))));
    newer_kind[0] = 99;
    let refused = Record::decode_or_refuse(&newer_kind).unwrap().unwrap_err();
    assert!(!refused.is_folder);
    assert_eq!(refused.why, FormatError::Unsupported { what: "entry", found: 99 });
    // Without a name there is nothing to tell of.
    assert!(Record::decode_or_refuse(b"").is_err());
    assert!(Record::decode_or_refuse(b"\x01\x03a/b").is_err());
    assert!(Record::decode_or_refuse(b"\x00\x00").is_err());
}

#[test]
fn an_attribute_of_another_kind_of_entry_is_refused() {
    let image = Attribute::DiskImage(crate::DiskImage { block: 1, first: 0, stride: 1 });
    let stream =
        Attribute::Stream(crate::AlternateStream { name: b"s".to_vec(), size: 0, content: Content::EMPTY });
    let file = || EntryKind::File { size: 0, content: Content::EMPTY };
    for (attribute, file_fits, folder_fits, other_fits) in [
        (image, true, false, false),
        (Attribute::EfsRaw { size: 1 }, true, false, false),
        (stream, true, true, false),
        (Attribute::CaseSensitive, false, true, false),
        (Attribute::FileAttributes(0x20), true, true, true),
    ] {
        for (kind, fits) in
            [(file(), file_fits), (EntryKind::Folder, folder_fits), (EntryKind::Socket, other_fits)]
        {
            let bytes = body(&Record::Entry(Box::new(named(kind, vec![attribute.clone()]))));
            assert_eq!(Record::decode(&bytes).is_ok(), fits, "{attribute:?}");
        }
    }
}

#[test]
fn streams_out_of_order_or_with_doubles_are_refused() {
    let stream = |name: &[u8]| {
        Attribute::Stream(crate::AlternateStream { name: name.to_vec(), size: 0, content: Content::EMPTY })
    };
    for (one, other, is_good) in [("a", "b", true), ("b", "a", false), ("a", "a", false)] {
        let attributes = vec![stream(one.as_bytes()), stream(other.as_bytes())];
        let bytes = body(&Record::Entry(Box::new(named(EntryKind::Folder, attributes))));
        assert_eq!(Record::decode(&bytes).is_ok(), is_good, "{one} {other}");
    }
}

#[test]
fn all_content_of_an_entry_is_told() {
    let hole = |length| Content::Inline(vec![Piece::Hole(length)]);
    let stream = Attribute::Stream(crate::AlternateStream { name: b"s".to_vec(), size: 2, content: hole(2) });
    let file = named(EntryKind::File { size: 1, content: hole(1) }, vec![stream.clone()]);
    assert_eq!(file.contents().collect::<Vec<_>>(), [(1, &hole(1)), (2, &hole(2))]);
    let folder = named(EntryKind::Folder, vec![stream]);
    assert_eq!(folder.contents().collect::<Vec<_>>(), [(2, &hole(2))]);
}

/// A change of these bytes is a change of the format.
#[test]
fn the_encoding_never_moves() {
    let plain = body(&Record::Entry(Box::new(named(
        EntryKind::File { size: 5, content: Content::Inline(vec![Piece::Hole(5)]) },
        Vec::new(),
    ))));
    assert_eq!(
        crate::attribute::tests::hex(&plain),
        "0101610302a40304010106010208080300000000000000110105130400010005"
    );
    let identity = Identity { file_system: 1, file_id: u128::from(u64::MAX) + 1, changed_at: Timestamp(-1) };
    let mut full = named(EntryKind::Folder, crate::attribute::tests::samples());
    full.metadata.identity = Some(identity);
    full.metadata.is_hard_linked = true;
    full.metadata.attributes.retain(|attribute| fits(attribute, &EntryKind::Folder));
    let full = body(&Record::Entry(Box::new(full)));
    let stream = format!("0f5a6f6e652e4964656e746966696572b0020002ac02{}0004", "09".repeat(32));
    let expected = [
        "020161",
        "0302a403 040101 060102 08080300000000000000",
        "0a130180808080808080808002ffffffffffffffff 0c00",
        "1802a044 1a080100000000000000 1c08ffffffffffffffff 1e0401000480",
        "20026561 220850524f4752417e31",
        &format!("2440{}", "07".repeat(64)),
        "2600 280110 2a02e807",
        &format!("2e38{stream}"),
        "3108030000a064617461 e807046b657074",
    ];
    assert_eq!(crate::attribute::tests::hex(&full), expected.concat().replace(' ', ""));
}

fn folder_with(attributes: Vec<Attribute>, extended_attributes: Vec<ExtendedAttribute>) -> Record {
    let metadata = Metadata {
        mode: 0,
        user: 0,
        group: 0,
        modified_at: Timestamp(0),
        identity: None,
        is_hard_linked: false,
        extended_attributes,
        attributes,
    };
    let name = FileName::new(b"a").unwrap();
    Record::Entry(Box::new(Entry { name, kind: EntryKind::Folder, metadata }))
}

/// The body of a record, if it can be written.
fn tried_body(record: &Record) -> Result<Vec<u8>, FormatError> {
    let mut writer = Writer::default();
    record.encode(&mut writer)?;
    Reader::new("record", &writer.0).bytes().map(<[u8]>::to_vec)
}

#[test]
fn an_entry_with_too_many_attributes_is_neither_written_nor_read() {
    let named = |i: usize| ExtendedAttribute { name: i.to_be_bytes()[4..].to_vec(), value: Vec::new() };
    let with = |count: usize| {
        let unknown = Attribute::Unknown { kind: 1000, value: Vec::new() };
        folder_with(vec![unknown], (1..count).map(named).collect())
    };
    let most = with(ATTRIBUTES_MAX);
    assert_eq!(Record::decode(&tried_body(&most).unwrap()), Ok(most));
    let why = FormatError::Malformed { what: "entry", why: TOO_MANY_ATTRIBUTES };
    assert_eq!(tried_body(&with(ATTRIBUTES_MAX + 1)), Err(why.clone()));
    // As somebody else would write it.
    let Record::Entry(mut entry) = with(ATTRIBUTES_MAX + 1) else { panic!("it is an entry") };
    entry.metadata.attributes.clear();
    let mut written = tried_body(&Record::Entry(entry)).unwrap();
    written.extend_from_slice(&[0xe8, 7, 0, 0xea, 7, 0]);
    assert_eq!(Record::decode(&written), Err(why.clone()));
    let refused = Record::decode_or_refuse(&written).unwrap().unwrap_err();
    assert_eq!((refused.name.as_bytes(), refused.why), (b"a".as_slice(), why));
}

#[test]
fn a_record_as_long_as_any_may_be_is_read_and_a_longer_one_is_refused() {
    let with = |length: usize| {
        folder_with(vec![Attribute::Unknown { kind: 1000, value: vec![1; length] }], Vec::new())
    };
    let least = tried_body(&with(1 << 20)).unwrap().len() - (1 << 20);
    // The length of the value takes four bytes then too.
    let most = RECORD_BYTES_MAX - least - 1;
    let longest = tried_body(&with(most)).unwrap();
    assert_eq!(longest.len(), RECORD_BYTES_MAX);
    assert_eq!(Record::decode(&longest), Ok(with(most)));
    assert!(tried_body(&with(most + 1)).is_err());
    // One attribute more, as somebody else would write it.
    let longer = [&longest[..], &[0xea, 7, 0]].concat();
    assert!(matches!(Record::decode(&longer), Err(FormatError::Malformed { what: "entry", .. })));
    assert!(Record::decode_or_refuse(&longer).unwrap().is_err());
}
