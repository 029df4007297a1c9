//! A Windows server's recovery point, as the format says that one is: no writer makes it yet, so it is put together from
//! entries here. What newer builds may add is in it too: attributes and a kind that nobody knows.

use stateward_format::entry::ExtendedAttribute;
use stateward_format::segment::encode_open_folders;
use stateward_format::wire::Writer;
use stateward_format::{
    AlternateStream, Attribute, ChunkReference, Content, Entry, EntryKind, FileName, Identity, Metadata,
    Piece, Record, StreamReference, wtf8,
};
use stateward_model::Timestamp;
use std::collections::BTreeMap;

/// Names a chunk, and keeps its bytes.
type Put<'a> = &'a mut dyn FnMut(&[u8]) -> ChunkReference;

/// What is told as refused: paths from `/`.
pub const REFUSED: [&str; 2] = ["/unknown-critical", "/unknown-kind"];

const SECURITY_DESCRIPTOR: &[u8] =
    b"\x01\x00\x04\x80\x14\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x01\x00\x00\x00\x00\x00\x05\x12\x00\x00\x00";
const JUNCTION: u32 = 0xa000_0003;
const LINK: u32 = 0xa000_000c;
const APP_LINK: u32 = 0x8000_001b;

fn time(seconds: i64) -> Timestamp {
    Timestamp(1_700_000_000_123_456_700 + seconds * 1_000_000_000)
}

fn metadata_of(is_folder: bool, attributes: Vec<Attribute>) -> Metadata {
    Metadata {
        mode: if is_folder { 0o700 } else { 0o600 },
        user: 0,
        group: 0,
        modified_at: time(0),
        identity: None,
        is_hard_linked: false,
        extended_attributes: Vec::new(),
        attributes,
    }
}

/// What one file of NTFS may have at once.
fn rich(stream: Content, listed: Content) -> Vec<Attribute> {
    let named = |name: &str, size, content| {
        Attribute::Stream(AlternateStream {
            name: wtf8::encode(&name.encode_utf16().collect::<Vec<_>>()),
            size,
            content,
        })
    };
    vec![
        Attribute::FileAttributes(0x2022),
        Attribute::CreatedAt(time(-100)),
        Attribute::AccessedAt(time(100)),
        Attribute::SecurityDescriptor(SECURITY_DESCRIPTOR.to_vec()),
        Attribute::ExtendedAttributeBlock(b"\0\0\0\0\0\x02\x04\0EA\0data".to_vec()),
        Attribute::ShortName(b"ALTERN~1.TXT".to_vec()),
        Attribute::ObjectId(std::array::from_fn(|at| at as u8)),
        named("Zone.Identifier", 26, stream),
        named("list\u{e9}", 12, listed),
    ]
}

/// Every path's metadata, for what is not refused.
pub fn metadata() -> BTreeMap<Vec<u8>, Metadata> {
    let mut put = |bytes: &[u8]| ChunkReference {
        id: stateward_format::ChunkId(*blake3::hash(bytes).as_bytes()),
        length: bytes.len() as u32,
    };
    let all = entries(&mut put).into_iter().map(|(path, entry)| (path, entry.metadata));
    // Chunks of streams are named by the vault's key.
    all.filter(|(path, _)| path != b"alternate.txt").collect()
}

fn data(put: Put<'_>, bytes: &[u8]) -> (u64, Content) {
    (bytes.len() as u64, Content::Inline(vec![Piece::Data(put(bytes))]))
}

/// A list of lists: three runs with a hole between them.
fn listed(put: Put<'_>) -> (u64, Content) {
    let mut list = Writer::default();
    for piece in [Piece::Data(put(b"one")), Piece::Hole(5), Piece::Data(put(b"last"))] {
        piece.encode(&mut list);
    }
    let mut above = Writer::default();
    for half in [&list.0[..20], &list.0[20..]] {
        Piece::Data(put(half)).encode(&mut above);
    }
    let chunks = vec![put(&above.0)];
    (12, Content::Listed(StreamReference { depth: 1, chunks }))
}

/// Everything but the topmost folder, in the order of its path.
fn entries(put: Put<'_>) -> Vec<(Vec<u8>, Entry)> {
    let mut all: BTreeMap<Vec<u8>, (EntryKind, Metadata)> = BTreeMap::new();
    let mut add = |path: &[u8], kind: EntryKind, attributes: Vec<Attribute>| {
        let metadata = metadata_of(kind == EntryKind::Folder, attributes);
        all.insert(path.to_vec(), (kind, metadata));
    };
    let file = |(size, content): (u64, Content)| EntryKind::File { size, content };
    let (_, stream) = data(put, b"[ZoneTransfer]\r\nZoneId=3\r\n");
    let (_, list) = listed(put);
    add(b"alternate.txt", file(data(put, b"with streams")), rich(stream, list));
    add(b"case", EntryKind::Folder, vec![Attribute::FileAttributes(0x10), Attribute::CaseSensitive]);
    add(b"case/A.txt", file(data(put, b"large")), Vec::new());
    add(b"case/a.txt", file(data(put, b"small")), Vec::new());
    add(b"efs.doc", file(data(put, b"raw bytes of EFS")), vec![Attribute::EfsRaw { size: 7 }]);
    let point = |tag, data: &[u8]| Attribute::ReparsePoint { tag, data: data.to_vec() };
    add(
        b"junction",
        EntryKind::Folder,
        vec![Attribute::FileAttributes(0x410), point(JUNCTION, b"\x12\0\x10\0C\0")],
    );
    add(b"app.exe", file((0, Content::EMPTY)), vec![point(APP_LINK, b"\x03\0\0\0app")]);
    let target = b"case\\a.txt".to_vec();
    add(b"link", EntryKind::SymbolicLink { target }, vec![point(LINK, b"\x14\0\x14\0\0\0")]);
    let lone: Vec<u16> = [&[0x6c, 0xd800][..], &[0x78, 0xdfff, 0x1f600]]
        .concat()
        .into_iter()
        .map(|unit: u32| unit as u16)
        .collect();
    add(&wtf8::encode(&lone), file(data(put, b"lone surrogates")), Vec::new());
    let more = vec![
        Attribute::InodeFlags(0x10),
        Attribute::ProjectId(77),
        Attribute::Unknown { kind: 1000, value: b"later".to_vec() },
    ];
    add(b"of-linux", file(data(put, b"flags and a project")), more);
    add(b"sparse.dat", file(listed(put)), vec![Attribute::FileAttributes(0x220)]);
    let same = |name: &[u8], all: &mut BTreeMap<Vec<u8>, (EntryKind, Metadata)>, put: Put<'_>| {
        let (size, content) = data(put, b"one file of ReFS with two names");
        let identity = Identity { file_system: u64::MAX, file_id: u128::MAX - 5, changed_at: time(3) };
        let extended = ExtendedAttribute { name: b"user.of-wsl".to_vec(), value: b"value".to_vec() };
        let metadata = Metadata {
            identity: Some(identity),
            is_hard_linked: true,
            extended_attributes: vec![extended],
            ..metadata_of(false, Vec::new())
        };
        all.insert(name.to_vec(), (EntryKind::File { size, content }, metadata));
    };
    same(b"same-1", &mut all, put);
    same(b"same-2", &mut all, put);
    let named = |(path, (kind, metadata)): (Vec<u8>, (EntryKind, Metadata))| {
        let name = path.rsplit(|byte| *byte == b'/').next().unwrap();
        let entry = Entry { name: FileName::new(name).unwrap(), kind, metadata };
        (path, entry)
    };
    all.into_iter().map(named).collect()
}

/// The segments of its stream: the second one begins within a folder.
pub fn segments(put: Put<'_>) -> [Vec<u8>; 2] {
    let (mut first, mut second) = (Writer::default(), Writer::default());
    let encode = |record: Record, segment: &mut Writer| record.encode(segment).unwrap();
    encode_open_folders(&[], &mut first);
    encode_open_folders(&[FileName::root(), FileName::new(b"case").unwrap()], &mut second);
    let root =
        Entry { name: FileName::root(), kind: EntryKind::Folder, metadata: metadata_of(true, Vec::new()) };
    encode(Record::Entry(Box::new(root)), &mut first);
    for (path, entry) in entries(put) {
        let leaves = matches!(path.as_slice(), b"case/a.txt" | b"junction");
        let segment = if path.as_slice() <= b"case/A.txt".as_slice() { &mut first } else { &mut second };
        encode(Record::Entry(Box::new(entry)), segment);
        if leaves {
            encode(Record::Leave, segment);
        }
    }
    // A socket with an attribute that is critical and that nobody knows, and a thing of a kind that nobody knows.
    second.bytes(&[&[7, 16][..], b"unknown-critical", &[0xe9, 7, 0]].concat());
    second.bytes(&[&[99, 12][..], b"unknown-kind"].concat());
    encode(Record::Leave, &mut second);
    [first.0, second.0]
}
