//! A vault in memory: keeps the contract of `VaultStore` strictly, and breaks as planned.

use crate::fault_plan::{Call, Fault, FaultPlan, RecordedCall};
use crate::lock;
use stateward_crypto::{SigningKey, verify_signature};
use stateward_engine::vault_store::packs_digest;
use stateward_engine::{
    Buffer, OpenedSession, PacksKnown, PointSummary, SessionRequest, VaultError, VaultRead, VaultSession,
    VaultStore,
};
use stateward_format::point::{self, PackReference, Point};
use stateward_format::receipt::{self, Receipt};
use stateward_format::slot::{self, KeySlot};
use stateward_format::{FormatError, layout};
use stateward_model::{Clock, PackId, PointHash, Random, ServerId, SessionId, SlotHash, Timestamp, VaultId};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::{Arc, Mutex};

/// How long a session lives on after its agent let go of it, in seconds.
const LEASE_SECONDS: i64 = 60;

/// Where ranges of a pack may begin and end, in bytes.
const BORDER: u32 = 1 << 20;

/// One server's view of a vault. Clones share one state, as two agents of one home would.
#[derive(Clone)]
pub struct MemoryVault {
    vault: VaultId,
    server: ServerId,
    server_public_key: [u8; 32],
    signing_key: Arc<SigningKey>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// By the names of `format::layout`.
    objects: BTreeMap<String, Vec<u8>>,
    /// What a real vault has in its database: committed points by sequence.
    points: Vec<PointSummary>,
    /// Those of them that can't be restored from any more.
    expired: BTreeSet<PointSummary>,
    session: Option<OpenLease>,
    faults: FaultPlan,
    calls: Vec<RecordedCall>,
}

struct OpenLease {
    id: SessionId,
    /// `None` while its agent holds it.
    ends_at: Option<Timestamp>,
}

impl MemoryVault {
    /// An empty vault for one server, whose points must be signed by the key with this public half.
    pub fn new(
        vault: VaultId,
        server: ServerId,
        server_public_key: [u8; 32],
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Self {
        let signing_key = Arc::new(SigningKey::generate(&*random));
        let state = Arc::default();
        Self { vault, server, server_public_key, signing_key, clock, random, state }
    }

    /// The same vault as another of its servers sees it: one signing key, and nothing else in common.
    #[must_use]
    pub fn for_another(&self, server: ServerId, server_public_key: [u8; 32]) -> Self {
        Self { server, server_public_key, state: Arc::default(), ..self.clone() }
    }

    /// Signs as the vault does: what only a vault can make, such as tombstones.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.signing_key.sign(message)
    }

    /// The public half of the key that signs receipts.
    pub fn public_key(&self) -> [u8; 32] {
        self.signing_key.public_key()
    }

    /// What goes wrong from now on; counts calls from 1 again.
    pub fn set_faults(&self, plan: FaultPlan) {
        lock(&self.state).faults = plan;
    }

    /// The calls since the start or [`Self::forget_calls`], in their order.
    pub fn calls(&self) -> Vec<RecordedCall> {
        lock(&self.state).calls.clone()
    }

    /// How many calls of this kind there were.
    pub fn count(&self, call: Call) -> usize {
        lock(&self.state).calls.iter().filter(|made| made.call == call).count()
    }

    /// Bytes that calls of this kind sent or asked for.
    pub fn bytes_of(&self, call: Call) -> u64 {
        lock(&self.state).calls.iter().filter(|made| made.call == call).map(|made| made.bytes).sum()
    }

    /// Begins a new record.
    pub fn forget_calls(&self) {
        lock(&self.state).calls.clear();
    }

    /// The names of all objects that begin with `prefix`, such as `packs/`, in order.
    pub fn names(&self, prefix: &str) -> Vec<String> {
        let state = lock(&self.state);
        state.objects.keys().filter(|name| name.starts_with(prefix)).cloned().collect()
    }

    /// An object's bytes.
    pub fn object(&self, name: &str) -> Option<Vec<u8>> {
        lock(&self.state).objects.get(name).cloned()
    }

    /// The bytes of all objects together.
    pub fn stored_bytes(&self) -> u64 {
        lock(&self.state).objects.values().map(|object| object.len() as u64).sum()
    }

    /// Flips a bit of an object: the lowest one of the byte at `at`.
    ///
    /// # Panics
    /// If there is no such object or byte.
    pub fn corrupt(&self, name: &str, at: usize) {
        self.damage(name, |object| object[at] ^= 1);
    }

    /// Cuts an object.
    ///
    /// # Panics
    /// If there is no such object.
    pub fn truncate(&self, name: &str, length: usize) {
        self.damage(name, |object| object.truncate(length));
    }

    /// Takes an object away.
    ///
    /// # Panics
    /// If there is no such object.
    pub fn delete(&self, name: &str) {
        lock(&self.state).objects.remove(name).expect("the object that is to be deleted is there");
    }

    /// Puts other bytes in an object's place, or makes one, as only a hostile vault can.
    pub fn replace(&self, name: &str, bytes: Vec<u8>) {
        lock(&self.state).objects.insert(name.to_owned(), bytes);
    }

    /// Lets a recovery point expire: its object stays.
    pub fn expire(&self, point: PointSummary) {
        lock(&self.state).expired.insert(point);
    }

    /// Forgets the newest recovery point, its object and its receipt, as a vault does that was rolled back.
    ///
    /// # Panics
    /// If there is none.
    pub fn roll_back(&self) {
        let mut state = lock(&self.state);
        let point = state.points.pop().expect("there is a recovery point to forget");
        state.objects.remove(&layout::point(self.server, point.sequence, point.hash));
        state.objects.remove(&layout::receipt(self.server, point.sequence, point.hash));
    }

    /// Ends whatever session is open, as an administrator does: who held it hears `SessionLost`.
    pub fn end_session(&self) {
        lock(&self.state).session = None;
    }

    fn damage(&self, name: &str, how: impl FnOnce(&mut Vec<u8>)) {
        let mut state = lock(&self.state);
        how(state.objects.get_mut(name).expect("the object that is to be damaged is there"));
    }

    /// Records a call, and does it unless something else was planned.
    fn call<T>(
        &self,
        call: Call,
        object: String,
        bytes: u64,
        act: impl FnOnce(&mut State) -> Result<T, VaultError>,
    ) -> Result<T, VaultError> {
        let fault = {
            let mut state = lock(&self.state);
            state.calls.push(RecordedCall { call, object, bytes });
            state.faults.next(call)
        };
        match fault {
            None => act(&mut lock(&self.state)),
            Some(Fault::Fail(error)) => Err(error),
            Some(Fault::LoseReply(error)) => act(&mut lock(&self.state)).and(Err(error)),
            Some(Fault::Run(act_first)) => {
                act_first();
                act(&mut lock(&self.state))
            }
        }
    }
}

impl State {
    fn get(&self, name: &str, what: &str) -> Result<Vec<u8>, VaultError> {
        self.objects.get(name).cloned().ok_or_else(|| VaultError::NotFound(what.to_owned()))
    }

    fn packs(&self) -> Vec<PackReference> {
        let packs = self.objects.iter().filter_map(|(name, object)| {
            let id = name.strip_prefix("packs/")?.split('/').next_back()?.parse().ok()?;
            Some(PackReference { id, length: object.len() as u32 })
        });
        packs.collect()
    }

    fn check_session(&self, id: SessionId) -> Result<(), VaultError> {
        match self.session.as_ref().is_some_and(|open| open.id == id) {
            true => Ok(()),
            false => Err(VaultError::SessionLost("it was closed, or another was opened".into())),
        }
    }
}

impl VaultRead for MemoryVault {
    fn points(&self) -> Result<Vec<PointSummary>, VaultError> {
        self.call(Call::Points, String::new(), 0, |state| {
            let is_there = |point: &&PointSummary| !state.expired.contains(point);
            Ok(state.points.iter().filter(is_there).copied().collect())
        })
    }

    fn chain(&self) -> Result<Vec<PointSummary>, VaultError> {
        self.call(Call::Points, String::new(), 0, |state| Ok(state.points.clone()))
    }

    fn point(&self, point: PointSummary) -> Result<Vec<u8>, VaultError> {
        let name = layout::point(self.server, point.sequence, point.hash);
        self.call(Call::Point, name.clone(), 0, |state| state.get(&name, "such recovery point"))
    }

    fn receipt(&self, point: PointSummary) -> Result<Option<Vec<u8>>, VaultError> {
        let name = layout::receipt(self.server, point.sequence, point.hash);
        self.call(Call::Receipt, name.clone(), 0, |state| Ok(state.objects.get(&name).cloned()))
    }

    fn slots(&self) -> Result<Vec<Vec<u8>>, VaultError> {
        let folder = layout::slots(self.server);
        self.call(Call::Slots, String::new(), 0, |state| {
            let found = state.objects.iter().filter(|(name, _)| name.starts_with(&folder));
            Ok(found.map(|(_, object)| object.clone()).collect())
        })
    }

    /// # Panics
    /// If the range would show where frames lie: its borders must be the pack's or at multiples of 1 MiB.
    fn read_pack(&self, pack: PackReference, range: Range<u32>) -> Result<Vec<u8>, VaultError> {
        let is_hiding = range.start.is_multiple_of(BORDER)
            && (range.end.is_multiple_of(BORDER) || range.end == pack.length);
        assert!(is_hiding, "reading {range:?} of a pack of {} bytes shows the vault its frames", pack.length);
        let name = layout::pack(pack.id);
        let length = range.len() as u64;
        self.call(Call::ReadPack, name.clone(), length, |state| {
            let object = state.get(&name, "such pack")?;
            let found = object.get(range.start as usize..range.end as usize);
            found.map(<[u8]>::to_vec).ok_or_else(|| VaultError::BadAnswer("a pack is too short".into()))
        })
    }
}

impl VaultStore for MemoryVault {
    fn open_session(&self, request: &SessionRequest) -> Result<Box<dyn VaultSession>, VaultError> {
        let opened = self.call(Call::OpenSession, String::new(), 0, |state| {
            let now = self.clock.now();
            if state.session.as_ref().is_some_and(|open| open.ends_at.is_none_or(|end| now < end)) {
                return Err(VaultError::Busy("another session is open".into()));
            }
            let id = SessionId::new(&*self.random);
            // Its lease begins as one that nobody holds: if the reply is lost, nobody does.
            state.session = Some(OpenLease { id, ends_at: Some(now.plus_seconds(LEASE_SECONDS)) });
            let packs = state.packs();
            let digest = packs_digest(packs.iter().map(|pack| pack.id));
            let packs = match request.packs_digest == Some(digest) {
                true => PacksKnown::AsDigested,
                false => PacksKnown::Listed(packs),
            };
            Ok(OpenedSession { id, head: state.points.last().copied(), packs })
        })?;
        if let Some(open) = lock(&self.state).session.as_mut().filter(|open| open.id == opened.id) {
            open.ends_at = None;
        }
        Ok(Box::new(MemorySession { vault: self.clone(), opened }))
    }

    fn put_slot(&self, epoch: u32, object: &[u8]) -> Result<SlotHash, VaultError> {
        let hash = slot::hash(object);
        let name = layout::slot(self.server, epoch, hash);
        self.call(Call::PutSlot, name.clone(), object.len() as u64, |state| {
            let slot = KeySlot::decode(object).map_err(|error| refused("key slot", &error))?;
            if (slot.vault, slot.server, slot.epoch) != (self.vault, self.server, epoch) {
                return Err(VaultError::Failed("The key slot is another server's or epoch's".into()));
            }
            state.objects.insert(name, object.to_vec());
            Ok(hash)
        })
    }
}

fn pack_id(bytes: &[u8]) -> PackId {
    PackId(*blake3::hash(bytes).as_bytes())
}

fn refused(what: &str, error: &FormatError) -> VaultError {
    VaultError::Failed(format!("The {what} is refused: {error}"))
}

/// An open session; let go of, it lives on for its lease.
struct MemorySession {
    vault: MemoryVault,
    opened: OpenedSession,
}

impl VaultSession for MemorySession {
    fn opened(&self) -> &OpenedSession {
        &self.opened
    }

    fn put_pack(&self, id: PackId, bytes: Buffer) -> Result<(), VaultError> {
        let is_right = pack_id(&bytes) == id;
        let name = layout::pack(id);
        self.vault.call(Call::PutPack, name.clone(), bytes.len() as u64, |state| {
            state.check_session(self.opened.id)?;
            if !is_right {
                return Err(VaultError::Failed("The pack does not have the hash that names it".into()));
            }
            state.objects.insert(name, bytes.to_vec());
            Ok(())
        })
    }

    fn commit(&self, object: &[u8]) -> Result<Vec<u8>, VaultError> {
        let vault = &self.vault;
        let hash = point::hash(object);
        let name = format!("points/{}/{hash}", vault.server);
        vault.call(Call::Commit, name, object.len() as u64, |state| {
            state.check_session(self.opened.id)?;
            let (point, unsigned) =
                point::decode(object).map_err(|error| refused("recovery point", &error))?;
            vault.check_point(&point, unsigned)?;
            vault.commit(state, &point, hash, object)
        })
    }

    fn close(&self) -> Result<(), VaultError> {
        self.vault.call(Call::Close, String::new(), 0, |state| {
            state.check_session(self.opened.id)?;
            state.session = None;
            Ok(())
        })
    }
}

impl Drop for MemorySession {
    fn drop(&mut self) {
        let ends_at = self.vault.clock.now().plus_seconds(LEASE_SECONDS);
        let mut state = lock(&self.vault.state);
        if let Some(open) = state.session.as_mut().filter(|open| open.id == self.opened.id) {
            open.ends_at = Some(ends_at);
        }
    }
}

impl MemoryVault {
    fn check_point(&self, point: &Point, unsigned: &[u8]) -> Result<(), VaultError> {
        if (point.header.vault, point.header.server) != (self.vault, self.server) {
            return Err(VaultError::Failed("The recovery point is another vault's or server's".into()));
        }
        verify_signature(&self.server_public_key, &point::signed_message(unsigned), &point.signature)
            .map_err(|error| VaultError::Failed(format!("The recovery point is refused: {error}")))
    }

    fn commit(
        &self,
        state: &mut State,
        point: &Point,
        hash: PointHash,
        object: &[u8],
    ) -> Result<Vec<u8>, VaultError> {
        let header = &point.header;
        let receipt_name = layout::receipt(self.server, header.sequence, hash);
        if let Some(receipt) = state.objects.get(&receipt_name) {
            return Ok(receipt.clone());
        }
        // Any point that is there may be followed: another than the newest begins a branch.
        let follows = match header.previous {
            None => state.points.is_empty() && header.sequence == 1,
            Some(hash) => {
                state.points.iter().any(|point| (point.sequence + 1, point.hash) == (header.sequence, hash))
            }
        };
        if !follows {
            return Err(VaultError::WrongHead);
        }
        let missing: Vec<PackId> = header
            .packs
            .iter()
            .filter(|pack| {
                state.objects.get(&layout::pack(pack.id)).map(Vec::len) != Some(pack.length as usize)
            })
            .map(|pack| pack.id)
            .collect();
        if !missing.is_empty() {
            return Err(VaultError::PacksMissing(missing));
        }
        let receipt = self.receipt_for(header.sequence, hash);
        state.objects.insert(layout::point(self.server, header.sequence, hash), object.to_vec());
        state.objects.insert(receipt_name, receipt.clone());
        state.points.push(PointSummary { sequence: header.sequence, hash });
        Ok(receipt)
    }

    fn receipt_for(&self, sequence: u64, point: PointHash) -> Vec<u8> {
        let unsigned = receipt::encode_unsigned(&Receipt {
            vault: self.vault,
            server: self.server,
            sequence,
            point,
            received_at: self.clock.now(),
        });
        let signature = self.signing_key.sign(&unsigned);
        receipt::finish(unsigned, signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FakeClock, SeededRandom};
    use stateward_format::point::PointHeader;
    use stateward_model::{ItemId, ItemKind, JobKind};

    struct Bench {
        vault: MemoryVault,
        key: SigningKey,
        clock: Arc<FakeClock>,
    }

    fn bench() -> Bench {
        let (clock, random) = (Arc::new(FakeClock::default()), Arc::new(SeededRandom::new(1)));
        let key = SigningKey::generate(&*random);
        let (vault, server) = (VaultId([1; 16]), ServerId([2; 16]));
        let vault = MemoryVault::new(vault, server, key.public_key(), clock.clone(), random);
        Bench { vault, key, clock }
    }

    const REQUEST: SessionRequest =
        SessionRequest { kind: JobKind::Backup, item: None, packs_digest: None, on_demand: None };

    impl Bench {
        fn open(&self) -> Box<dyn VaultSession> {
            self.vault.open_session(&REQUEST).unwrap()
        }

        fn point(&self, previous: Option<PointSummary>, packs: &[&[u8]]) -> Vec<u8> {
            let mut packs: Vec<_> = packs
                .iter()
                .map(|bytes| PackReference { id: pack_id(bytes), length: bytes.len() as u32 })
                .collect();
            packs.sort();
            let header = PointHeader {
                vault: self.vault.vault,
                server: self.vault.server,
                item: ItemId([3; 16]),
                kind: ItemKind::Files,
                sequence: previous.map_or(1, |head| head.sequence + 1),
                previous: previous.map(|head| head.hash),
                epoch: 1,
                agent_time: Timestamp(0),
                slots: Vec::new(),
                packs,
            };
            let unsigned = point::encode_unsigned(&header, b"sealed");
            let signature = self.key.sign(&point::signed_message(&unsigned));
            point::finish(unsigned, signature)
        }
    }

    #[test]
    fn a_point_is_committed_once_and_its_receipt_is_signed() {
        let bench = bench();
        let session = bench.open();
        session.put_pack(pack_id(b"pack"), b"pack".to_vec().into()).unwrap();
        let object = bench.point(None, &[b"pack"]);
        let receipt = session.commit(&object).unwrap();
        bench.clock.advance_seconds(5);
        assert_eq!(session.commit(&object).unwrap(), receipt);
        let (read, signed, signature) = receipt::decode(&receipt).unwrap();
        verify_signature(&bench.vault.public_key(), signed, &signature).unwrap();
        let summary = PointSummary { sequence: 1, hash: point::hash(&object) };
        assert_eq!((read.sequence, read.point), (summary.sequence, summary.hash));
        assert_eq!(bench.vault.points().unwrap(), [summary]);
        assert_eq!(bench.vault.point(summary).unwrap(), object);
        assert_eq!(bench.vault.receipt(summary).unwrap(), Some(receipt));
        assert_eq!(bench.vault.count(Call::Commit), 2);
    }

    #[test]
    fn a_commit_that_the_vault_must_refuse_is_refused() {
        let bench = bench();
        let session = bench.open();
        let lacking = session.commit(&bench.point(None, &[b"pack"]));
        assert_eq!(lacking, Err(VaultError::PacksMissing(vec![pack_id(b"pack")])));
        let head = PointSummary { sequence: 1, hash: PointHash([9; 32]) };
        assert_eq!(session.commit(&bench.point(Some(head), &[])), Err(VaultError::WrongHead));
        let mut forged = bench.point(None, &[]);
        *forged.last_mut().unwrap() ^= 1;
        assert!(matches!(session.commit(&forged), Err(VaultError::Failed(_))));
        assert!(matches!(
            session.put_pack(PackId([0; 32]), b"other".to_vec().into()),
            Err(VaultError::Failed(_))
        ));
        assert_eq!(bench.vault.points().unwrap(), []);
    }

    #[test]
    fn one_session_at_a_time_and_a_dropped_one_holds_for_its_lease() {
        let bench = bench();
        let session = bench.open();
        bench.clock.advance_seconds(3600);
        assert!(matches!(bench.vault.open_session(&REQUEST).err(), Some(VaultError::Busy(_))));
        drop(session);
        bench.clock.advance_seconds(LEASE_SECONDS - 1);
        assert!(matches!(bench.vault.open_session(&REQUEST).err(), Some(VaultError::Busy(_))));
        bench.clock.advance_seconds(1);
        let second = bench.open();
        bench.vault.end_session();
        let third = bench.open();
        assert!(matches!(
            second.put_pack(pack_id(b""), b"".to_vec().into()),
            Err(VaultError::SessionLost(_))
        ));
        drop(second);
        third.close().unwrap();
        bench.open().put_pack(pack_id(b""), b"".to_vec().into()).unwrap();
    }

    #[test]
    fn packs_are_listed_unless_the_agent_knows_them() {
        let bench = bench();
        let session = bench.open();
        session.put_pack(pack_id(b"pack"), b"pack".to_vec().into()).unwrap();
        session.close().unwrap();
        let listed = vec![PackReference { id: pack_id(b"pack"), length: 4 }];
        let session = bench.open();
        assert_eq!(session.opened().packs, PacksKnown::Listed(listed));
        session.close().unwrap();
        let packs_digest = Some(packs_digest([pack_id(b"pack")].into_iter()));
        let session = bench.vault.open_session(&SessionRequest { packs_digest, ..REQUEST }).unwrap();
        assert_eq!(session.opened().packs, PacksKnown::AsDigested);
    }

    #[test]
    fn planned_faults_happen_and_a_lost_reply_is_done_all_the_same() {
        let bench = bench();
        let session = bench.open();
        let lost = VaultError::Unreachable("the reply was lost".into());
        bench.vault.set_faults(
            FaultPlan::none().at(Call::PutPack, 1, Fault::Fail(VaultError::Full("planned".into()))).at(
                Call::PutPack,
                2,
                Fault::LoseReply(lost.clone()),
            ),
        );
        let put = || session.put_pack(pack_id(b"pack"), b"pack".to_vec().into());
        assert_eq!(put(), Err(VaultError::Full("planned".into())));
        assert!(bench.vault.names("packs/").is_empty());
        assert_eq!(put(), Err(lost));
        assert_eq!(bench.vault.names("packs/"), [layout::pack(pack_id(b"pack"))]);
        assert_eq!(put(), Ok(()));
    }

    #[test]
    fn damage_shows_when_it_is_read() {
        let bench = bench();
        let session = bench.open();
        session.put_pack(pack_id(b"pack"), b"pack".to_vec().into()).unwrap();
        let name = layout::pack(pack_id(b"pack"));
        let reference = PackReference { id: pack_id(b"pack"), length: 4 };
        bench.vault.corrupt(&name, 3);
        assert_eq!(bench.vault.read_pack(reference, 0..4).unwrap(), b"pacj");
        bench.vault.truncate(&name, 3);
        assert!(matches!(bench.vault.read_pack(reference, 0..4), Err(VaultError::BadAnswer(_))));
        bench.vault.delete(&name);
        assert!(matches!(bench.vault.read_pack(reference, 0..4), Err(VaultError::NotFound(_))));
    }

    #[test]
    #[should_panic(expected = "shows the vault its frames")]
    fn a_read_that_would_show_frames_fails_the_test() {
        let reference = PackReference { id: PackId([0; 32]), length: 4 << 20 };
        let _ = bench().vault.read_pack(reference, 5..1 << 20);
    }
}
