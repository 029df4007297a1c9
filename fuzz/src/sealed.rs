//! What a vault gives, read as restore and verify read it: as it comes, and as somebody sealed it who has the key.

use crate::secrets::{KEYS, SERVER, VAULT};
use stateward_crypto::{EpochKeys, SigningKey};
use stateward_engine::points::{open_header, open_point as engine_open_point};
use stateward_engine::progress::Silent;
use stateward_engine::{
    CacheFolder, Cancellation, PointSummary, RestoreRequest, ServerTrust, Target, TargetError, TargetFile,
    Tools, TrustedPoint, VaultError, VaultRead, VerifyRequest, VerifyShare,
};
use stateward_format::manifest::{Component, ComponentResult, Manifest, Warning};
use stateward_format::pack::{self, Codec, Frame, FrameChunk, PackFoot, PackTable};
use stateward_format::point::{self, PackReference, PointHeader};
use stateward_format::wire::Reader;
use stateward_format::{ChunkReference, Entry, FileName, Metadata, NameKind, StreamReference};
use stateward_model::{ItemId, ItemKind, PackId, PointHash, Timestamp};
use stateward_testing::{FakeClock, SeededRandom};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::{LazyLock, Mutex, PoisonError};

/// A chunk that every sealed stream may refer to as a file's content.
pub const KNOWN_CONTENT: &[u8] = b"the content of a file";

static SIGNING: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::from_seed([5; 32]));

pub fn trust() -> ServerTrust {
    ServerTrust {
        vault: VAULT,
        server: SERVER,
        signing_public_keys: vec![SIGNING.public_key()],
        vault_public_key: Some(SIGNING.public_key()),
    }
}

/// Gives one object as whatever is asked for.
struct One<'a> {
    pack: &'a [u8],
    point: &'a [u8],
}

impl VaultRead for One<'_> {
    fn points(&self) -> Result<Vec<PointSummary>, VaultError> {
        Ok(vec![PointSummary { sequence: 1, hash: point::hash(self.point) }])
    }

    fn point(&self, _: PointSummary) -> Result<Vec<u8>, VaultError> {
        Ok(self.point.to_vec())
    }

    fn receipt(&self, _: PointSummary) -> Result<Option<Vec<u8>>, VaultError> {
        Ok(Some(self.point.to_vec()))
    }

    fn slots(&self) -> Result<Vec<Vec<u8>>, VaultError> {
        Ok(vec![self.point.to_vec()])
    }

    fn read_pack(&self, _: PackReference, range: Range<u32>) -> Result<Vec<u8>, VaultError> {
        let found = self.pack.get(range.start as usize..range.end as usize);
        found.map(<[u8]>::to_vec).ok_or_else(|| VaultError::BadAnswer("the pack is too short".into()))
    }
}

/// A folder that makes nothing and holds a reader to its promises: every path lies beneath it, in a folder that was made.
#[derive(Default)]
struct Guarded {
    folders: Mutex<BTreeSet<Vec<u8>>>,
    others: Mutex<BTreeSet<Vec<u8>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Guarded {
    fn make(&self, path: &[u8], is_folder: bool) -> Result<(), TargetError> {
        let names: Vec<_> = path.split(|byte| *byte == b'/').collect();
        assert!(names.iter().all(|name| FileName::new(name).is_ok()), "a path leads out: {path:?}");
        let text = || String::from_utf8_lossy(path).into_owned();
        let (mut folders, mut others) = (lock(&self.folders), lock(&self.others));
        let parent = &names[..names.len() - 1];
        if !parent.is_empty() && !folders.contains(&parent.join(&b'/')) {
            return Err(TargetError::Failed { path: text(), cause: std::io::ErrorKind::NotFound.into() });
        }
        if others.contains(path) || !is_folder && folders.contains(path) {
            return Err(TargetError::InTheWay { path: text() });
        }
        if is_folder { &mut *folders } else { &mut *others }.insert(path.to_vec());
        Ok(())
    }
}

/// A file that is not kept.
struct Forgotten;

impl TargetFile for Forgotten {
    fn write_at(&self, _: u64, _: &[u8]) -> Result<(), TargetError> {
        Ok(())
    }

    fn finish(&self, _: u64, _: &Metadata) -> Result<Vec<Warning>, TargetError> {
        Ok(Vec::new())
    }
}

impl Target for Guarded {
    fn make_folder(&self, path: &[u8]) -> Result<(), TargetError> {
        self.make(path, true)
    }

    fn make_file(&self, path: &[u8]) -> Result<Box<dyn TargetFile>, TargetError> {
        self.make(path, false).map(|()| Box::new(Forgotten) as _)
    }

    fn make_hard_link(&self, existing: &[u8], path: &[u8]) -> Result<(), TargetError> {
        assert!(lock(&self.others).contains(existing), "a link to what was not made here: {existing:?}");
        self.make(path, false)
    }

    fn remove_file(&self, path: &[u8]) -> Result<(), TargetError> {
        lock(&self.others).remove(path);
        Ok(())
    }

    fn make_special(&self, path: &[u8], _: &Entry) -> Result<Vec<Warning>, TargetError> {
        self.make(path, false).map(|()| Vec::new())
    }

    fn finish_folder(&self, path: &[u8], _: &Metadata) -> Result<Vec<Warning>, TargetError> {
        match lock(&self.folders).contains(path) {
            true => Ok(Vec::new()),
            false => Err(TargetError::InTheWay { path: String::from_utf8_lossy(path).into_owned() }),
        }
    }

    fn sync(&self) -> Result<(), TargetError> {
        Ok(())
    }
}

fn with_tools<T>(work: impl FnOnce(&Tools<'_>) -> T) -> T {
    let (clock, random) = (FakeClock::default(), SeededRandom::new(6));
    let tools =
        Tools { clock: &clock, random: &random, progress: &Silent, cancellation: &Cancellation::default() };
    work(&tools)
}

/// A point that was believed and refers to one pack and one stream.
pub fn trusted(pack: PackReference, stream: StreamReference) -> TrustedPoint {
    let header = PointHeader {
        vault: VAULT,
        server: SERVER,
        item: ItemId([7; 16]),
        kind: ItemKind::Files,
        sequence: 1,
        previous: None,
        epoch: 1,
        agent_time: Timestamp(0),
        slots: Vec::new(),
        packs: vec![pack],
    };
    let component = Component {
        name: "files".parse().unwrap(),
        result: ComponentResult::Completed,
        files: 1,
        others: 1,
        bytes: 1,
        stream,
    };
    let manifest = Manifest {
        item_label: "item".parse().unwrap(),
        kind: ItemKind::Files,
        names: NameKind::Bytes,
        domain: KEYS.domain(),
        host_name: String::new(),
        operating_system: String::new(),
        made_by: String::new(),
        started_at: Timestamp(0),
        finished_at: Timestamp(0),
        components: vec![component],
        warnings: Vec::new(),
        prechecks: Vec::new(),
    };
    let summary = PointSummary { sequence: 1, hash: PointHash([8; 32]) };
    TrustedPoint { summary, header, manifest, received_at: None }
}

/// The object of a believed point, as its server would have signed it.
pub fn point_object(point: &TrustedPoint) -> Vec<u8> {
    let header = point::encode_header(&point.header);
    let sealed = KEYS.seal_manifest(&SeededRandom::new(9), &header, &point.manifest.encode());
    signed(point::encode_unsigned(&point.header, &sealed))
}

fn signed(unsigned: Vec<u8>) -> Vec<u8> {
    let signature = SIGNING.sign(&point::signed_message(&unsigned));
    point::finish(unsigned, signature)
}

/// Restores and verifies a point from these bytes as its one pack. An error is an answer, a panic is not.
pub fn restore_and_verify(point: &TrustedPoint, pack: &[u8], cache: Option<&CacheFolder>) {
    let vault = One { pack, point: b"" };
    let target = Guarded::default();
    with_tools(|tools| {
        let (components, paths) = (&[], &[]);
        let keys: &EpochKeys = &KEYS;
        let request = RestoreRequest {
            point,
            vault: &vault,
            keys,
            components,
            paths,
            target: &target,
            cache,
            threads: 1,
        };
        let _ = stateward_engine::restore(request, tools);
        let (share, history) = (VerifyShare::Full, &BTreeMap::new());
        let (trust, point) = (&trust(), Some(point));
        let _ = stateward_engine::verify(
            VerifyRequest { vault: &vault, trust, keys, point, share, history, threads: 1 },
            tools,
        );
    });
}

/// Any bytes as a point, and any bytes as one that its server signed.
pub fn open_point(bytes: &[u8]) {
    let keys = std::slice::from_ref(&*KEYS);
    for object in [bytes.to_vec(), signed(bytes.to_vec())] {
        let vault = One { pack: b"", point: &object };
        let summary = PointSummary { sequence: 1, hash: point::hash(&object) };
        let header = open_header(&vault, &trust(), summary);
        if let Ok(point) = engine_open_point(&vault, &trust(), keys, summary) {
            assert_eq!(point.header, header.unwrap());
        }
    }
}

/// Any bytes as a pack.
pub fn pack(bytes: &[u8]) {
    let reference = PackReference { id: PackId(*blake3::hash(bytes).as_bytes()), length: bytes.len() as u32 };
    restore_and_verify(&trusted(reference, StreamReference::default()), bytes, None);
}

/// A pack of these frames under the real keys: each has its codec, the chunks that it claims to hold, and its bytes.
pub fn seal(frames: &[(Codec, Vec<FrameChunk>, Vec<u8>)]) -> Vec<u8> {
    let salt = [10; 32];
    let keys = KEYS.pack_keys(&salt);
    let commitment = *keys.commitment();
    let foot = PackFoot { vault: VAULT, domain: KEYS.domain(), epoch: 1, salt, commitment }.encode();
    let (mut object, mut table) = (Vec::new(), PackTable::default());
    for (ordinal, (codec, chunks, bytes)) in frames.iter().enumerate() {
        let (from, length) = (object.len(), chunks.iter().map(|chunk| chunk.length).sum());
        object.extend_from_slice(bytes);
        keys.seal_frame(ordinal as u32, &Frame::associated_data(&foot, *codec, length), &mut object, from);
        let sealed_length = (object.len() - from) as u32;
        table.frames.push(Frame { sealed_length, codec: *codec, chunks: chunks.clone() });
    }
    let from = object.len();
    object.extend_from_slice(&table.encode(0));
    keys.seal_table(&pack::table_associated_data(&foot), &mut object, from);
    let table_bytes = ((object.len() - from) as u32).to_le_bytes();
    let from = object.len();
    object.extend_from_slice(&table_bytes);
    keys.seal_trailer(&pack::trailer_associated_data(&foot), &mut object, from);
    object.extend_from_slice(&foot);
    object
}

fn reference_of(pack: &[u8]) -> PackReference {
    PackReference { id: PackId(*blake3::hash(pack).as_bytes()), length: pack.len() as u32 }
}

/// One chunk by its right id.
pub fn chunk(bytes: &[u8]) -> FrameChunk {
    FrameChunk { id: KEYS.chunk_id(bytes), length: bytes.len() as u32 }
}

/// Frames as the bytes tell them: codec, number of chunks, the length that each claims, then the frame's bytes with their
/// length. A claim of no length at all means the right one.
pub fn sealed_pack(bytes: &[u8]) {
    let mut reader = Reader::new("frames", bytes);
    let mut frames = Vec::new();
    while let Some(frame) = read_frame(&mut reader) {
        frames.push(frame);
    }
    let object = seal(&frames);
    let first = frames.first().and_then(|(_, chunks, _)| chunks.first()).filter(|chunk| chunk.length > 0);
    let chunks = first.map(|chunk| ChunkReference { id: chunk.id, length: chunk.length });
    let stream = StreamReference { depth: 0, chunks: chunks.into_iter().collect() };
    restore_and_verify(&trusted(reference_of(&object), stream), &object, None);
}

fn read_frame(reader: &mut Reader<'_>) -> Option<(Codec, Vec<FrameChunk>, Vec<u8>)> {
    let codec = if reader.u8().ok()? & 1 == 0 { Codec::Stored } else { Codec::Zstd };
    let claims = usize::from(reader.u8().ok()? % 4);
    let mut lengths = Vec::new();
    for _ in 0..claims {
        lengths.push(reader.bounded(8 << 20, "").ok()? as u32);
    }
    let content = reader.bytes().ok()?.to_vec();
    let right = chunk(&content);
    let claimed = |length: u32| if length == 0 { right } else { FrameChunk { length, ..right } };
    // More than 32 bits of claims cannot be added up, and no table that is decoded says so.
    let total: u64 = lengths.iter().map(|length| u64::from(*length)).sum();
    (total <= 8 << 20).then(|| (codec, lengths.into_iter().map(claimed).collect(), content))
}

/// The bytes behind the first as one chunk of a metadata stream, whose depth the first byte tells; beside it lies a chunk
/// that its files may refer to.
pub fn sealed_stream(bytes: &[u8]) {
    let Some((depth, segment)) = bytes.split_first().filter(|(_, segment)| !segment.is_empty()) else {
        return;
    };
    let chunks = [chunk(segment), chunk(KNOWN_CONTENT)];
    let object = seal(&[
        (Codec::Stored, vec![chunks[0]], segment.to_vec()),
        (Codec::Stored, vec![chunks[1]], KNOWN_CONTENT.to_vec()),
    ]);
    let chunks = vec![ChunkReference { id: chunks[0].id, length: chunks[0].length }];
    let stream = StreamReference { depth: depth & 1, chunks };
    restore_and_verify(&trusted(reference_of(&object), stream), &object, None);
}
