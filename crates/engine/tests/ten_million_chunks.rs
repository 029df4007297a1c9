//! A backup over an index of ten million chunks (600 GB at the usual length) stays within its bound of memory. The chunks
//! are made up: the cache folder's journal tells of packs that nobody has, and the vault says that it has them.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]
#![cfg(target_os = "linux")]

use stateward_crypto::{DataKey, EpochKeys, SigningKey};
use stateward_engine::progress::Silent;
use stateward_engine::{
    BackupOptions, BackupRequest, Buffer, CacheFolder, Cancellation, OpenedSession, PacksKnown, PointSummary,
    ServerTrust, SessionRequest, Tools, VaultError, VaultRead, VaultSession, VaultStore,
};
use stateward_format::ChunkId;
use stateward_format::pack::{Codec, Frame, FrameChunk, PackFoot, PackTable};
use stateward_format::point::{self, PackReference};
use stateward_format::receipt::{self, Receipt};
use stateward_format::wire::Writer;
use stateward_model::{ItemId, ItemKind, PackId, ServerId, SessionId, SlotHash, Timestamp, VaultId};
use stateward_testing::{FakeClock, MemoryTree, SeededRandom};
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

const PACKS: u64 = 10_000;
const CHUNKS_PER_PACK: u64 = 1000;

/// The most anonymous memory of this process beyond what it held before, in KiB.
const MOST_KIB: u64 = 256 << 10;

const VAULT: VaultId = VaultId([1; 16]);
const SERVER: ServerId = ServerId([2; 16]);

fn made_up_id(number: u64) -> [u8; 32] {
    *blake3::hash(&number.to_le_bytes()).as_bytes()
}

fn reference(pack: u64) -> PackReference {
    PackReference { id: PackId(made_up_id(u64::MAX - pack)), length: 16 << 20 }
}

/// Writes what an agent's journal would hold (`cache::packs` says how).
fn write_journal(path: &Path) {
    let mut file = BufWriter::new(File::create(path).unwrap());
    for pack in 0..PACKS {
        let chunk = |number: u64| FrameChunk { id: ChunkId(made_up_id(number)), length: 65_536 };
        let first = pack * CHUNKS_PER_PACK;
        let numbers: Vec<u64> = (first..first + CHUNKS_PER_PACK).collect();
        let frame = |numbers: &[u64]| Frame {
            sealed_length: 200_000,
            codec: Codec::Zstd,
            chunks: numbers.iter().map(|number| chunk(*number)).collect(),
        };
        let table = PackTable { frames: numbers.chunks(64).map(frame).collect() };
        let foot = PackFoot { vault: VAULT, domain: SERVER, epoch: 1, salt: [3; 32], commitment: [4; 32] };
        let mut payload = Writer::default();
        payload.raw(&reference(pack).id.0);
        payload.u32(reference(pack).length);
        payload.raw(&foot.encode());
        payload.u64(table.frames.iter().map(|frame| u64::from(frame.sealed_length)).sum());
        payload.raw(&table.encode(0));
        file.write_all(&(payload.0.len() as u32).to_le_bytes()).unwrap();
        file.write_all(&payload.0).unwrap();
        file.write_all(&blake3::hash(&payload.0).as_bytes()[..8]).unwrap();
    }
    file.flush().unwrap();
}

/// Has whatever the agent's journal tells of, and keeps nothing.
struct Agreeing {
    key: Arc<SigningKey>,
    put: Arc<AtomicU64>,
}

impl VaultRead for Agreeing {
    fn points(&self) -> Result<Vec<PointSummary>, VaultError> {
        Ok(Vec::new())
    }
    fn point(&self, _: PointSummary) -> Result<Vec<u8>, VaultError> {
        Err(VaultError::NotFound("recovery point".into()))
    }
    fn receipt(&self, _: PointSummary) -> Result<Option<Vec<u8>>, VaultError> {
        Ok(None)
    }
    fn slots(&self) -> Result<Vec<Vec<u8>>, VaultError> {
        Ok(Vec::new())
    }
    fn read_pack(&self, _: PackReference, _: Range<u32>) -> Result<Vec<u8>, VaultError> {
        Err(VaultError::NotFound("pack".into()))
    }
}

impl VaultStore for Agreeing {
    fn open_session(&self, request: &SessionRequest) -> Result<Box<dyn VaultSession>, VaultError> {
        assert!(request.packs_digest.is_some());
        let opened = OpenedSession { id: SessionId([5; 16]), head: None, packs: PacksKnown::AsDigested };
        Ok(Box::new(Session { opened, key: Arc::clone(&self.key), put: Arc::clone(&self.put) }))
    }
    fn put_slot(&self, _: u32, object: &[u8]) -> Result<SlotHash, VaultError> {
        Ok(stateward_format::slot::hash(object))
    }
}

struct Session {
    opened: OpenedSession,
    key: Arc<SigningKey>,
    put: Arc<AtomicU64>,
}

impl VaultSession for Session {
    fn opened(&self) -> &OpenedSession {
        &self.opened
    }
    fn put_pack(&self, _: PackId, bytes: Buffer) -> Result<(), VaultError> {
        self.put.fetch_add(bytes.len() as u64, Ordering::SeqCst);
        Ok(())
    }
    fn commit(&self, object: &[u8]) -> Result<Vec<u8>, VaultError> {
        let said = Receipt {
            vault: VAULT,
            server: SERVER,
            sequence: 1,
            point: point::hash(object),
            received_at: Timestamp(0),
        };
        let unsigned = receipt::encode_unsigned(&said);
        let signature = self.key.sign(&unsigned);
        Ok(receipt::finish(unsigned, signature))
    }
    fn close(&self) -> Result<(), VaultError> {
        Ok(())
    }
}

fn anonymous_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

/// Runs `work` and tells the most memory that was seen meanwhile.
fn peak_kib(work: impl FnOnce()) -> u64 {
    let (is_done, peak) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_done.load(Ordering::SeqCst) {
                peak.fetch_max(anonymous_kib(), Ordering::SeqCst);
                std::thread::sleep(std::time::Duration::from_millis(2));
            }
        });
        work();
        is_done.store(true, Ordering::SeqCst);
    });
    peak.into_inner()
}

#[test]
fn a_backup_over_ten_million_chunks_stays_within_its_bound() {
    let folder = tempfile::tempdir().unwrap();
    let cache = CacheFolder::open(&folder.path().join("cache")).unwrap();
    write_journal(&cache.path().join("packs"));
    let (clock, random) = (Arc::new(FakeClock::default()), SeededRandom::new(91));
    let tree = MemoryTree::new(clock.clone());
    // Enough that every thread has a pack of its own open, and a second on its way.
    tree.component("files").random_file("large", 96 << 20, 92);
    clock.advance_seconds(3600);
    let signing_key = Arc::new(SigningKey::generate(&random));
    let vault = Agreeing { key: Arc::clone(&signing_key), put: Arc::default() };
    let trust = ServerTrust {
        vault: VAULT,
        server: SERVER,
        signing_public_keys: vec![signing_key.public_key()],
        vault_public_key: Some(signing_key.public_key()),
    };
    let keys = EpochKeys::derive(&DataKey::generate(&random), VAULT, SERVER, 1);
    let before = anonymous_kib();
    let peak = peak_kib(|| {
        let request = BackupRequest {
            item: ItemId([6; 16]),
            item_label: &"item".parse().unwrap(),
            kind: ItemKind::Files,
            source: &tree,
            vault: &vault,
            trust: &trust,
            keys: &keys,
            signing_key: &signing_key,
            slots: &[],
            cache: &cache,
            pinned_head: None,
            on_demand: None,
            prechecks: Vec::new(),
            made_by: "test",
            options: BackupOptions::default(),
        };
        let cancellation = Cancellation::default();
        let tools = Tools { clock: &*clock, random: &random, progress: &Silent, cancellation: &cancellation };
        stateward_engine::backup(request, &tools).unwrap();
    });
    assert!(vault.put.load(Ordering::SeqCst) > 96 << 20);
    let used = peak.saturating_sub(before);
    println!("{} MiB over an index of {} chunks", used >> 10, PACKS * CHUNKS_PER_PACK);
    assert!(used > 100 << 10, "nothing was measured: {used} KiB");
    assert!(used <= MOST_KIB, "{used} KiB");
}
