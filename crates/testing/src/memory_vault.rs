//! A vault in memory: keeps the contract of `VaultStore` strictly, and breaks as planned.

mod registered;
mod session;
#[cfg(test)]
mod tests;

pub use registered::RegisteredServer;

use crate::fault_plan::{Call, Fault, FaultPlan, RecordedCall};
use crate::lock;
use session::{MemorySession, refused};
use stateward_crypto::SigningKey;
use stateward_engine::vault_store::packs_digest;
use stateward_engine::{
    OpenedSession, PacksKnown, PointSummary, SessionRequest, VaultError, VaultRead, VaultSession, VaultStore,
};
use stateward_format::layout;
use stateward_format::point::PackReference;
use stateward_format::slot::{self, KeySlot};
use stateward_model::{Clock, Random, ServerId, SessionId, SlotHash, Timestamp, VaultId};
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
