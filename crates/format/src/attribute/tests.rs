use super::*;
use crate::content::{CHUNK_BYTES_MAX, ChunkId, ChunkReference, DEPTH_MAX, Piece, StreamReference};
use crate::entry::EntryKind;
use crate::testing::{assert_one_spelling, without_double_holes};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether the document allows it at an entry of this kind.
pub(crate) fn fits(attribute: &Attribute, kind: &EntryKind) -> bool {
    match attribute {
        Attribute::DiskImage(_) | Attribute::EfsRaw { .. } => matches!(kind, EntryKind::File { .. }),
        Attribute::Stream(_) => matches!(kind, EntryKind::File { .. } | EntryKind::Folder),
        Attribute::CaseSensitive => *kind == EntryKind::Folder,
        _ => true,
    }
}

/// One of each, in the order of their types.
pub(crate) fn samples() -> Vec<Attribute> {
    let chunk = ChunkReference { id: ChunkId([9; 32]), length: 300 };
    let zone = Content::Inline(vec![Piece::Data(chunk), Piece::Hole(4)]);
    vec![
        Attribute::FileAttributes(0x0000_2220),
        Attribute::CreatedAt(Timestamp(1)),
        Attribute::AccessedAt(Timestamp(-1)),
        Attribute::SecurityDescriptor(b"\x01\x00\x04\x80".to_vec()),
        Attribute::ExtendedAttributeBlock(b"ea".to_vec()),
        Attribute::ShortName(b"PROGRA~1".to_vec()),
        Attribute::ObjectId([7; 64]),
        Attribute::CaseSensitive,
        Attribute::InodeFlags(0x10),
        Attribute::ProjectId(1000),
        Attribute::DiskImage(DiskImage { block: 65_536, first: 2048, stride: 2_097_664 }),
        Attribute::Stream(AlternateStream { name: b"Zone.Identifier".to_vec(), size: 304, content: zone }),
        Attribute::ReparsePoint { tag: 0xa000_0003, data: b"data".to_vec() },
        Attribute::EfsRaw { size: 1 << 40 },
        Attribute::Unknown { kind: 1000, value: b"kept".to_vec() },
    ]
}

fn content() -> impl Strategy<Value = (u64, Content)> {
    let chunk = (any::<[u8; 32]>(), 1..=CHUNK_BYTES_MAX)
        .prop_map(|(id, length)| ChunkReference { id: ChunkId(id), length });
    let piece = prop_oneof![chunk.clone().prop_map(Piece::Data), (1u64..1 << 40).prop_map(Piece::Hole)];
    let listed = (any::<u64>(), 0..=DEPTH_MAX, vec(chunk, 0..3))
        .prop_map(|(size, depth, chunks)| (size, Content::Listed(StreamReference { depth, chunks })));
    let inline = vec(piece, 0..4)
        .prop_map(without_double_holes)
        .prop_map(|pieces| (pieces.iter().map(Piece::length).sum(), Content::Inline(pieces)));
    prop_oneof![inline, listed]
}

fn windows_names() -> impl Strategy<Value = Vec<u8>> {
    vec(prop_oneof![0x61..0x7bu16, 0xd7f0..0xe010u16], 1..12).prop_map(|units| wtf8::encode(&units))
}

fn images() -> impl Strategy<Value = DiskImage> {
    (1..=CHUNK_BYTES_MAX, any::<u64>(), any::<u64>()).prop_map(|(block, first, stride)| DiskImage {
        block,
        first,
        stride: stride.max(u64::from(block)),
    })
}

/// Attributes as an entry holds them: sorted by type, streams by name.
pub(crate) fn attributes() -> impl Strategy<Value = Vec<Attribute>> {
    let one = prop_oneof![
        any::<u32>().prop_map(Attribute::FileAttributes),
        any::<i64>().prop_map(|time| Attribute::CreatedAt(Timestamp(time))),
        any::<i64>().prop_map(|time| Attribute::AccessedAt(Timestamp(time))),
        vec(any::<u8>(), 1..40).prop_map(Attribute::SecurityDescriptor),
        vec(any::<u8>(), 1..40).prop_map(Attribute::ExtendedAttributeBlock),
        windows_names().prop_map(Attribute::ShortName),
        vec(any::<u8>(), 64).prop_map(|bytes| Attribute::ObjectId(bytes.try_into().unwrap())),
        Just(Attribute::CaseSensitive),
        any::<u32>().prop_map(Attribute::InodeFlags),
        any::<u32>().prop_map(Attribute::ProjectId),
        images().prop_map(Attribute::DiskImage),
        (any::<u32>(), vec(any::<u8>(), 0..40)).prop_map(|(tag, data)| Attribute::ReparsePoint { tag, data }),
        any::<u64>().prop_map(|size| Attribute::EfsRaw { size }),
        (100u64..200, vec(any::<u8>(), 0..9))
            .prop_map(|(kind, value)| Attribute::Unknown { kind: kind * 2, value }),
    ];
    let streams = btree_map(windows_names(), content(), 0..3);
    (vec(one, 0..6), streams).prop_map(|(mut all, streams)| {
        all.sort_by_key(Attribute::kind);
        all.dedup_by_key(|attribute| attribute.kind());
        all.extend(
            streams
                .into_iter()
                .map(|(name, (size, content))| Attribute::Stream(AlternateStream { name, size, content })),
        );
        all.sort_by_key(Attribute::kind);
        all
    })
}

fn spelled(encode: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut writer = Writer::default();
    encode(&mut writer);
    writer.0
}

fn encoded(attribute: &Attribute) -> Vec<u8> {
    spelled(|writer| attribute.encode(writer))
}

proptest! {
    #[test]
    fn attributes_survive(attributes in attributes()) {
        for attribute in attributes {
            prop_assert_eq!(Attribute::decode(attribute.kind(), &encoded(&attribute)).unwrap(), attribute);
        }
    }

    #[test]
    fn what_is_read_from_any_bytes_has_that_one_encoding(kind in 24..60u64, bytes in vec(any::<u8>(), 0..80)) {
        if let Ok(attribute) = Attribute::decode(kind, &bytes) {
            prop_assert_eq!(attribute.kind(), kind);
            prop_assert_eq!(encoded(&attribute), bytes);
        }
    }

    #[test]
    fn what_is_read_has_just_this_encoding(attributes in attributes()) {
        for attribute in attributes {
            let kind = attribute.kind();
            assert_one_spelling(&encoded(&attribute), |bytes| {
                Attribute::decode(kind, bytes).ok().map(|read| encoded(&read))
            });
        }
    }

    #[test]
    fn content_survives_and_has_just_this_encoding((_, content) in content()) {
        assert_one_spelling(&spelled(|w| content.encode(w)), |bytes| {
            let mut reader = Reader::new("content", bytes);
            let read = Content::decode(&mut reader).ok()?;
            reader.finish().ok().map(|()| spelled(|w| read.encode(w)))
        });
        let encoded = spelled(|w| content.encode(w));
        prop_assert_eq!(Content::decode(&mut Reader::new("content", &encoded)).unwrap(), content);
    }

    #[test]
    fn borders_of_an_image_lie_where_its_rule_says(image in images(), offset: u64) {
        let to_border = image.to_border(offset);
        prop_assert!((1..=u64::from(image.block)).contains(&to_border));
        if let Some(border) = offset.checked_add(to_border) {
            let is_border = border == image.first
                || (border < image.first && border.is_multiple_of(u64::from(image.block)))
                || (border > image.first && {
                    let within = (border - image.first) % image.stride;
                    within.is_multiple_of(u64::from(image.block))
                });
            prop_assert!(is_border, "{offset} + {to_border}");
        }
    }
}

/// A change of these bytes is a change of the format.
#[test]
fn the_encodings_never_move() {
    let told: Vec<_> = samples()
        .iter()
        .map(|attribute| format!("{} {}", attribute.kind(), hex(&encoded(attribute))))
        .collect();
    let chunk = format!("ac02{}0004", "09".repeat(32));
    let expected = [
        "24 a044".to_owned(),
        "26 0100000000000000".to_owned(),
        "28 ffffffffffffffff".to_owned(),
        "30 01000480".to_owned(),
        "32 6561".to_owned(),
        "34 50524f4752417e31".to_owned(),
        format!("36 {}", "07".repeat(64)),
        "38 ".to_owned(),
        "40 10".to_owned(),
        "42 e807".to_owned(),
        "44 80800480108084800".to_owned() + "1",
        format!("46 0f5a6f6e652e4964656e746966696572b0020002{chunk}"),
        "49 030000a064617461".to_owned(),
        "51 808080808020".to_owned(),
        "1000 6b657074".to_owned(),
    ];
    assert_eq!(told, expected);
}

#[test]
fn every_attribute_has_a_name_of_its_own() {
    let mut names: Vec<_> = samples().iter().map(Attribute::name).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    assert!(names.contains(&"alternate stream `Zone.Identifier`".to_owned()));
    assert!(names.contains(&"reparse point 0xa0000003".to_owned()));
}

#[test]
fn values_that_break_their_rule_are_refused() {
    let image =
        |block: u32, stride: u64| encoded(&Attribute::DiskImage(DiskImage { block, first: 0, stride }));
    let stream = |name: &[u8], size| {
        let content = Content::Inline(vec![Piece::Hole(4)]);
        encoded(&Attribute::Stream(AlternateStream { name: name.to_vec(), size, content }))
    };
    let bad: [(u64, Vec<u8>); 16] = [
        (FILE_ATTRIBUTES, vec![0xff, 0xff, 0xff, 0xff, 0x10]),
        (SECURITY_DESCRIPTOR, Vec::new()),
        (EXTENDED_ATTRIBUTE_BLOCK, Vec::new()),
        (SHORT_NAME, Vec::new()),
        (SHORT_NAME, b"A:B".to_vec()),
        (SHORT_NAME, vec![b'A'; 37]),
        (SHORT_NAME, b"\xed\xa0\xbd\xed\xb8\x80".to_vec()),
        (OBJECT_ID, vec![0; 63]),
        (CASE_SENSITIVE, vec![0]),
        (DISK_IMAGE, image(0, 1)),
        (DISK_IMAGE, image(2, 1)),
        (DISK_IMAGE, image(CHUNK_BYTES_MAX + 1, 1 << 40)),
        (STREAM, stream(b"", 4)),
        (STREAM, stream(b"a:b", 4)),
        (STREAM, stream(b"a", 5)),
        (REPARSE_POINT, vec![0; REPARSE_BYTES_MAX + 5]),
    ];
    for (kind, value) in bad {
        let refused = Attribute::decode(kind, &value).unwrap_err();
        assert!(!matches!(refused, FormatError::Unsupported { .. }), "{kind}");
    }
    assert_eq!(Attribute::decode(STREAM, &stream(b"a", 4)).unwrap().kind(), STREAM);
    assert!(Attribute::decode(REPARSE_POINT, &[0; REPARSE_BYTES_MAX + 4]).is_ok());
    assert!(Attribute::decode(REPARSE_POINT, &[0; 3]).is_err());
}

#[test]
fn an_image_with_headers_between_its_blocks_is_cut_along_both() {
    // A dynamic VHD: 2 MiB of the disk behind each 512 bytes of bitmap.
    let image = DiskImage { block: 65_536, first: 2048, stride: 2_097_664 };
    let (mut at, mut borders) = (0, Vec::new());
    while at < image.first + 2 * image.stride {
        at += image.to_border(at);
        borders.push(at);
    }
    assert_eq!(borders[..3], [2048, 2048 + 65_536, 2048 + 2 * 65_536]);
    assert!(borders.contains(&(image.first + image.stride)));
    assert!(borders.contains(&(image.first + image.stride + 65_536)));
    assert_eq!(borders.len(), 1 + 33 + 33);
}
