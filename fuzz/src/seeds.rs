//! Where a corpus begins: what the product itself encodes, for each target.

use crate::cache::JOURNALED;
use crate::sealed::{KNOWN_CONTENT, chunk, point_object, seal, trusted};
use crate::secrets::{CODE, KEYS, SERVER, VAULT};
use stateward_crypto::{
    DataKey, DomainOwner, KdfCosts, Passphrase, Secret, SigningKey, SlotOwner, create_slot, seal_domain_key,
};
use stateward_format::attribute::{AlternateStream, Attribute, DiskImage};
use stateward_format::entry::{ExtendedAttribute, Identity};
use stateward_format::manifest::{Precheck, Warning};
use stateward_format::pack::{Codec, Frame, FrameChunk, PackFoot, PackTable};
use stateward_format::point::PackReference;
use stateward_format::receipt::{self, Receipt};
use stateward_format::segment::encode_open_folders;
use stateward_format::tombstone::{self, Act, PointState, Tombstone};
use stateward_format::wire::Writer;
use stateward_format::{
    ChunkReference, Content, Entry, EntryKind, FileName, Metadata, Piece, Record, StreamReference, layout,
    wtf8,
};
use stateward_model::{PackId, PointHash, SlotHash, Timestamp};
use stateward_testing::SeededRandom;
use stateward_testing::virtual_disk::{vhd, vhdx};

/// The beginnings for the target of that name.
///
/// # Panics
/// If there is no such target.
pub fn of(target: &str) -> Vec<Vec<u8>> {
    match target {
        "point" | "open-point" => points(),
        "receipt" => vec![receipt()],
        "tombstone" => tombstones(),
        "slot" | "open-slot" => slots(),
        "domain-key" | "open-domain-key" => vec![domain_key()],
        "pack-foot" => vec![foot().encode().to_vec()],
        "pack-table" => vec![[&60u32.to_le_bytes()[..], &table().encode(200)].concat(), table().encode(0)],
        "object-name" => vec![object_name()],
        "manifest" => vec![manifest()],
        "segment" => vec![segment()],
        "record" => records().iter().map(body).collect(),
        "content" => contents(),
        "file-name" => vec![b"hosts".to_vec(), wtf8::encode(&[0x61, 0xd800, 0x62]), b"..".to_vec()],
        "numbers" => vec![vec![0xac, 0x02, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]],
        "secrets" => {
            vec![CODE.printable().as_bytes().to_vec(), "correct horse battery stäple".into(), release_keys()]
        }
        "open-manifest" => vec![sealed_manifest()],
        "signature" => vec![signature()],
        "pack" => vec![seal(&[(Codec::Stored, vec![chunk(&segment())], segment())])],
        "sealed-pack" => frames(),
        "sealed-stream" => vec![[&[0][..], &segment()].concat(), [&[1][..], &list()].concat()],
        "cache-journal" => {
            vec![journal(), spelled(|writer| writer.bytes(&[&JOURNALED.id.0[..], b"no table"].concat()))]
        }
        "cache-parent" => parents(),
        "json" => bodies(),
        "console" => console(),
        "staged-document" => vec![
            b"<?xml version=\"1.0\"?><a b='>'><!-- c --><d/><![CDATA[<]]></a>".to_vec(),
            [&b"\xff\xfe"[..], &little_endian("<Backup><Item/></Backup>")].concat(),
        ],
        "staged-image" => images(),
        other => panic!("there is no target `{other}`"),
    }
}

fn spelled(encode: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut writer = Writer::default();
    encode(&mut writer);
    writer.0
}

fn points() -> Vec<Vec<u8>> {
    let pack = PackReference { id: PackId([1; 32]), length: 16 << 20 };
    let first = trusted(pack, StreamReference::default());
    let mut second = first.clone();
    (second.header.sequence, second.header.previous) = (2, Some(PointHash([9; 32])));
    second.header.slots = vec![SlotHash([3; 32])];
    vec![point_object(&first), point_object(&second)]
}

fn receipt() -> Vec<u8> {
    let said = Receipt {
        vault: VAULT,
        server: SERVER,
        sequence: 3,
        point: PointHash([4; 32]),
        received_at: Timestamp(1_795_000_000_000_000_000),
    };
    receipt::finish(receipt::encode_unsigned(&said), [6; 64])
}

fn tombstones() -> Vec<Vec<u8>> {
    let until = Timestamp(1_796_000_000_000_000_000);
    let acts = [
        (Act::Expire { recoverable_until: until }, PointState::Live),
        (Act::SoftDelete { recoverable_until: until }, PointState::Expired),
        (Act::Undelete, PointState::SoftDeleted),
        (Act::Collect, PointState::Expired),
    ];
    let tombstone = |(act, before)| {
        let said = Tombstone {
            vault: VAULT,
            server: SERVER,
            sequence: 3,
            point: PointHash([4; 32]),
            number: 1,
            act,
            before,
            at: Timestamp(5),
        };
        tombstone::finish(tombstone::encode_unsigned(&said), [6; 64])
    };
    acts.map(tombstone).to_vec()
}

fn slots() -> Vec<Vec<u8>> {
    let owner = || SlotOwner {
        vault: VAULT,
        server: SERVER,
        domain: SERVER,
        server_label: "web-01".parse().unwrap(),
        epoch: 1,
    };
    let phrase = Passphrase::new("correct horse battery staple".to_owned()).unwrap();
    let secrets = [Secret::RecoveryCode(&CODE), Secret::Passphrase(&phrase)];
    let (data_key, signing_key) = (DataKey::from_bytes([3; 32]), SigningKey::from_seed([5; 32]));
    let random = SeededRandom::new(20);
    secrets
        .map(|secret| {
            create_slot(secret, KdfCosts::FLOOR, owner(), &data_key, &signing_key, &random).encode()
        })
        .to_vec()
}

/// A file as an administrator has it who trusts one key.
fn release_keys() -> Vec<u8> {
    format!("# Whom we trust\n{} us\n", "0f".repeat(32)).into_bytes()
}

fn domain_key() -> Vec<u8> {
    let phrase = Passphrase::new("correct horse battery staple".to_owned()).unwrap();
    let owner = DomainOwner { vault: VAULT, domain: SERVER, epoch: 1 };
    let random = SeededRandom::new(21);
    seal_domain_key(&phrase, KdfCosts::FLOOR, owner, &DataKey::from_bytes([3; 32]), &random).encode()
}

fn foot() -> PackFoot {
    PackFoot { vault: VAULT, domain: SERVER, epoch: 1, salt: [4; 32], commitment: [5; 32] }
}

fn table() -> PackTable {
    let chunks = vec![FrameChunk { length: 9, ..chunk(KNOWN_CONTENT) }; 2];
    let frame = |codec| Frame { sealed_length: 30, codec, chunks: chunks.clone() };
    PackTable { frames: vec![frame(Codec::Stored), frame(Codec::Zstd)] }
}

fn object_name() -> Vec<u8> {
    let name = layout::point(SERVER, 7, PointHash([0xa4; 32]));
    name.rsplit('/').next().unwrap().as_bytes().to_vec()
}

fn manifest() -> Vec<u8> {
    let pack = PackReference { id: PackId([1; 32]), length: 16 << 20 };
    let chunks = vec![ChunkReference { id: chunk(KNOWN_CONTENT).id, length: 21 }];
    let mut manifest = trusted(pack, StreamReference { depth: 1, chunks }).manifest;
    let text = || "text".to_owned();
    manifest.warnings = vec![Warning { code: text(), path: b"/\xff".to_vec(), message: text() }];
    manifest.prechecks = vec![Precheck { code: text(), outcome: 1, message: text() }];
    manifest.encode()
}

fn sealed_manifest() -> Vec<u8> {
    let header = b"the header";
    let sealed = KEYS.seal_manifest(&SeededRandom::new(22), header, &manifest());
    [&[header.len() as u8][..], header, &sealed].concat()
}

fn signature() -> Vec<u8> {
    let key = SigningKey::from_seed([5; 32]);
    let message = b"what is signed";
    [&key.public_key()[..], &key.sign(message), message].concat()
}

fn metadata() -> Metadata {
    Metadata {
        mode: 0o4755,
        user: 1000,
        group: 1000,
        modified_at: Timestamp(-1),
        identity: Some(Identity { file_system: 1, file_id: 1 << 70, changed_at: Timestamp(2) }),
        is_hard_linked: false,
        extended_attributes: vec![ExtendedAttribute { name: b"user.a".to_vec(), value: b"b".to_vec() }],
        attributes: Vec::new(),
    }
}

fn known() -> ChunkReference {
    let FrameChunk { id, length } = chunk(KNOWN_CONTENT);
    ChunkReference { id, length }
}

/// One of each kind and of each attribute.
fn records() -> Vec<Record> {
    let content = Content::Inline(vec![Piece::Data(known()), Piece::Hole(4096)]);
    let stream =
        AlternateStream { name: b"s".to_vec(), size: 4, content: Content::Inline(vec![Piece::Hole(4)]) };
    let attributes = vec![
        Attribute::FileAttributes(0x20),
        Attribute::CreatedAt(Timestamp(1)),
        Attribute::AccessedAt(Timestamp(1)),
        Attribute::SecurityDescriptor(b"\x01\x00\x04\x80".to_vec()),
        Attribute::ExtendedAttributeBlock(b"ea".to_vec()),
        Attribute::ShortName(b"A~1".to_vec()),
        Attribute::ObjectId([7; 64]),
        Attribute::InodeFlags(0x10),
        Attribute::ProjectId(1000),
        Attribute::DiskImage(DiskImage { block: 65_536, first: 2048, stride: 65_536 }),
        Attribute::Stream(stream),
        Attribute::ReparsePoint { tag: 0xa000_0003, data: b"data".to_vec() },
        Attribute::EfsRaw { size: 5 },
        Attribute::Unknown { kind: 1000, value: b"kept".to_vec() },
    ];
    let kinds = [
        (EntryKind::File { size: 21 + 4096, content }, Vec::new()),
        (EntryKind::File { size: 0, content: Content::EMPTY }, attributes),
        (EntryKind::SymbolicLink { target: b"../../etc".to_vec() }, Vec::new()),
        (EntryKind::BlockDevice { major: 8, minor: 1 }, Vec::new()),
        (EntryKind::CharacterDevice { major: 1, minor: 3 }, Vec::new()),
        (EntryKind::Fifo, Vec::new()),
        (EntryKind::Socket, Vec::new()),
        (EntryKind::Folder, vec![Attribute::CaseSensitive]),
    ];
    let named = kinds.into_iter().enumerate().map(|(number, (kind, attributes))| {
        let name = FileName::new(format!("{number}").as_bytes()).unwrap();
        Record::Entry(Box::new(Entry { name, kind, metadata: Metadata { attributes, ..metadata() } }))
    });
    let listed = StreamReference { depth: 0, chunks: vec![known()] };
    let hard_linked = |name: &[u8]| {
        let kind = EntryKind::File { size: 9, content: Content::Listed(listed.clone()) };
        let metadata = Metadata { is_hard_linked: true, ..metadata() };
        Record::Entry(Box::new(Entry { name: FileName::new(name).unwrap(), kind, metadata }))
    };
    named.chain([hard_linked(b"8"), hard_linked(b"9"), Record::Leave]).collect()
}

fn body(record: &Record) -> Vec<u8> {
    let encoded = spelled(|writer| record.encode(writer).unwrap());
    stateward_format::wire::Reader::new("record", &encoded).bytes().unwrap().to_vec()
}

/// All records beneath a topmost folder.
fn segment() -> Vec<u8> {
    spelled(|writer| {
        encode_open_folders(&[FileName::root(), FileName::new(b"etc").unwrap()], writer);
        records().iter().for_each(|record| record.encode(writer).unwrap());
    })
}

fn list() -> Vec<u8> {
    spelled(|writer| {
        for piece in [Piece::Data(known()), Piece::Data(known())] {
            piece.encode(writer);
        }
    })
}

fn contents() -> Vec<Vec<u8>> {
    let inline = Content::Inline(vec![Piece::Data(known()), Piece::Hole(7)]);
    let listed = Content::Listed(StreamReference { depth: 2, chunks: vec![known(), known()] });
    let encoded = [inline, listed, Content::EMPTY].map(|content| spelled(|writer| content.encode(writer)));
    encoded.into_iter().chain([list()]).collect()
}

/// Frames as [`crate::sealed::sealed_pack`] reads them: one that is right, one that is zstd's by its word only, one that
/// claims too much.
fn frames() -> Vec<Vec<u8>> {
    let segment = segment();
    let frame = |codec: u8, claims: &[u64], bytes: &[u8]| {
        spelled(|writer| {
            writer.u8(codec);
            writer.u8(claims.len() as u8);
            claims.iter().for_each(|claim| writer.varint(*claim));
            writer.bytes(bytes);
        })
    };
    // RFC 8878: magic, a header that says 1 MiB, one block that repeats a byte.
    let repeated = [0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0x10, 0, 3, 0, 8, b'a'];
    vec![
        frame(0, &[0], &segment),
        [frame(0, &[0], &segment), frame(1, &[1 << 20], &repeated)].concat(),
        frame(0, &[100, 200], b"short"),
    ]
}

fn journal() -> Vec<u8> {
    let payload = spelled(|writer| {
        writer.raw(&JOURNALED.id.0);
        writer.u32(JOURNALED.length);
        writer.raw(&foot().encode());
        writer.u64(60);
        writer.raw(&table().encode(0));
    });
    spelled(|writer| {
        writer.bytes(&payload);
        writer.bytes(&JOURNALED.id.0);
        writer.bytes(&payload);
    })
}

/// A head without its checksum, and records with the list of the one that is listed.
fn parents() -> Vec<Vec<u8>> {
    let head = spelled(|writer| {
        writer.u8(0);
        writer.u8(1);
        writer.u64(1);
        writer.raw(&[8; 32]);
        writer.time(Timestamp(1_795_392_000_000_000_000));
        writer.u64(2);
        writer.u64(11);
        writer.varint(1);
        writer.bytes(b"files");
        writer.raw(&[0; 32]);
    });
    let records = spelled(|writer| {
        writer.u8(1);
        let folder = EntryKind::Folder;
        let top = Entry { name: FileName::root(), kind: folder, metadata: metadata() };
        Record::Entry(Box::new(top)).encode(writer).unwrap();
        for record in records() {
            record.encode(writer).unwrap();
            if let Record::Entry(entry) = &record
                && matches!(entry.kind, EntryKind::File { content: Content::Listed(_), .. })
            {
                writer.bytes(&list());
            }
        }
        Record::Leave.encode(writer).unwrap();
    });
    vec![head, records]
}

/// Bodies as the two sides send them.
fn bodies() -> Vec<Vec<u8>> {
    let id = "01010101-0101-0101-0101-010101010101";
    let hash = "ab".repeat(32);
    let time = "2026-11-23T00:00:00Z";
    [
        format!(r#"{{"error":{{"code":"PacksMissing","message":"m","packs":["{hash}"]}}}}"#),
        format!(r#"{{"session":"{id}","lease":{{"leaseSeconds":60,"heartbeatSeconds":20,"time":"{time}"}},"head":{{"sequence":3,"hash":"{hash}","item":"{id}","receivedAt":"{time}"}},"packs":[{{"id":"{hash}","length":400}}]}}"#),
        format!(r#"{{"session":"{id}","secret":"s","kind":"Backup","item":"{id}","packsDigest":"{hash}","replaces":{{"session":"{id}","secret":"s"}}}}"#),
        format!(r#"{{"credential":"{id}","secret":"s","label":"web-01","loginPublicKey":"AA","signingPublicKey":"AA","operatingSystem":"Debian","agentVersion":"0.1.0"}}"#),
        format!(r#"{{"job":"{id}","kind":"Backup","item":null,"state":"InProgress","phase":"Preparing","startedAt":"{time}","endedAt":null,"files":1,"bytes":2,"movedBytes":3,"warnings":0,"errorCode":null,"point":null}}"#),
        format!(r#"{{"version":1,"credential":"{id}","purpose":"Register","vault":"{id}","vaultName":"main","tenant":"t","url":"https://127.0.0.1:1","caPem":"","signingPublicKey":"AA","secret":"s","expiresAt":"{time}","signature":"AA"}}"#),
        r#"{"grant_type":"client_credentials","client_id":"c","client_secret":"s"}"#.to_owned(),
        r#"{"token_type":"Bearer","expires_in":3600,"access_token":"t"}"#.to_owned(),
        r#"{"iss":"a","sub":"a","aud":"u","iat":1,"exp":2,"jti":"j"}"#.to_owned(),
        r#"{"slots":["AA"]}"#.to_owned(),
    ]
    .map(String::into_bytes)
    .to_vec()
}

fn little_endian(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn console() -> Vec<Vec<u8>> {
    let listed =
        "Version identifier: 06/30/2026-19:26\r\nSnapshot ID: {fae1a66c-0917-4ec1-8940-a82c22959cde}\r\n";
    let writer = "Writer name: 'WMI Writer'\r\n Writer Id: {a6ad56c2-b509-4e6c-bb19-49d8f43532f0}\r\n State: [8] Failed\r\n";
    let failed =
        "Overall progress: 57%.\r\nERROR (0x800423f2) [SR] Cannot repair member file [l:5]'a.dll' of\r\n";
    let whole = "hat keine Integritätsverletzungen gefunden";
    vec![
        listed.into(),
        writer.into(),
        failed.into(),
        little_endian(whole),
        b"Integrit\x84tsverletzungen".to_vec(),
    ]
}

/// A small VHD, and the five structures of a VHDX: header, regions, table of blocks, metadata's table and items.
fn images() -> Vec<Vec<u8>> {
    let disk = vhdx(4 << 20, 1 << 20, &[(1, vec![7; 1 << 20])]);
    let mut structures = b"vhdxfile".to_vec();
    for at in [64 << 10, 192 << 10, 2 << 20, 3 << 20, (3 << 20) + (64 << 10)] {
        structures.extend_from_slice(&disk[at..at + 192]);
    }
    vec![vhd(1 << 20, 2 << 20, &[]), structures]
}
