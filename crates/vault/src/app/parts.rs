//! Packs that come in parts, over several connections at the same time: put together in memory, then taken in like any
//! other pack.
//!
//! What it does not: keep anything that outlives the process. A pack of which parts are missing exists for nobody.
//!
//! Invariants: a pack's whole memory is reserved before its first byte is received, so packs that are begun never wait
//! for each other; each of its bytes is being received by one call at most; its hash is proved over the whole, as it lies
//! in memory; what one session sent never meets what another sends; what a session left behind goes with it, or a minute
//! after its last part.

use super::pack_memory::PartsMemory;
use super::packs::Received;
use super::tokens::ServerCaller;
use super::{App, Error};
use crate::db;
use stateward_api::agent::ASSEMBLED_BYTES_MAX;
use stateward_model::{Clock, PackId, Random, ServerId, SessionId, Timestamp};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::OnceCell;

/// How many packs of one session may be under way in parts: as many as an agent sends at the same time.
const PACKS_MAX: usize = 2;

/// How many parts of one pack may be under way.
const UNDER_WAY_MAX: usize = 64;

/// Into how many separate ranges what has come of a pack may fall.
const RANGES_MAX: usize = 1024;

/// How long a pack waits for its next part, in seconds.
const PATIENCE_SECONDS: i64 = 60;

/// Where a part belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PartPlace {
    /// Its bytes' place in the pack; not empty, within the pack's length.
    pub(crate) range: Range<u32>,
    /// The pack's length in bytes.
    pub(crate) pack_length: u32,
}

/// How a part begins.
pub(crate) enum Begun {
    /// The pack is there already, whole.
    Stored,
    /// Its bytes can come.
    Receive(IncomingPart),
}

/// What became of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PartOutcome {
    /// What it was put into; `None` once the pack is stored.
    pub(crate) assembly: Option<u64>,
    /// Whether this part made the pack whole, and it is new.
    pub(crate) is_new: bool,
    /// Bytes of parts that came in for the session so far.
    pub(crate) received_bytes: u64,
}

/// All packs that are coming in parts.
#[derive(Default)]
pub(crate) struct Assemblies(Mutex<HashMap<SessionId, Held>>);

/// What one session has sent.
struct Held {
    received_bytes: Arc<AtomicU64>,
    packs: HashMap<PackId, Arc<Assembly>>,
    touched_at: Timestamp,
}

/// One pack that is being put together.
struct Assembly {
    id: u64,
    length: u32,
    /// Made by the first part that there is memory for; the others wait with it.
    space: OnceCell<Mutex<Space>>,
}

struct Space {
    /// The pack's bytes with their memory; `None` when it is whole or was let go.
    filled: Option<(Vec<u8>, PartsMemory)>,
    /// What has come: sorted, apart from each other.
    done: Vec<Range<u32>>,
    under_way: Vec<Range<u32>>,
    touched_at: Timestamp,
}

/// A part whose bytes are coming. Dropping it gives its place free for another try.
pub(crate) struct IncomingPart {
    assembly: Arc<Assembly>,
    received_bytes: Arc<AtomicU64>,
    range: Range<u32>,
    next: u32,
}

/// A pack with all of its parts.
struct Whole {
    bytes: Vec<u8>,
    memory: PartsMemory,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn let_go() -> Error {
    Error::Unavailable("what came of this pack was let go; all of it must come again")
}

impl Assemblies {
    /// The assembly of a pack, and the counter of its session.
    fn find(
        &self,
        (session, pack): (SessionId, PackId),
        length: u32,
        clock: &dyn Clock,
        random: &dyn Random,
    ) -> Result<(Arc<Assembly>, Arc<AtomicU64>), Error> {
        let mut sessions = lock(&self.0);
        let now = clock.now();
        let held = sessions.entry(session).or_insert_with(|| Held {
            received_bytes: Arc::default(),
            packs: HashMap::new(),
            touched_at: now,
        });
        held.touched_at = now;
        if let Some(known) = held.packs.get(&pack) {
            return match known.length == length {
                true => Ok((Arc::clone(known), Arc::clone(&held.received_bytes))),
                false => Err(Error::invalid("The pack's length is another than with its first part")),
            };
        }
        if held.packs.len() >= PACKS_MAX {
            return Err(Error::Unavailable("other packs of this session are still coming in parts"));
        }
        let mut id = [0; 8];
        random.fill(&mut id);
        let assembly = Assembly { id: u64::from_le_bytes(id), length, space: OnceCell::new() };
        let assembly = Arc::new(assembly);
        held.packs.insert(pack, Arc::clone(&assembly));
        Ok((assembly, Arc::clone(&held.received_bytes)))
    }

    fn remove(&self, session: SessionId, pack: PackId, assembly: &Arc<Assembly>) {
        let mut sessions = lock(&self.0);
        let Some(held) = sessions.get_mut(&session) else { return };
        if held.packs.get(&pack).is_some_and(|known| Arc::ptr_eq(known, assembly)) {
            held.packs.remove(&pack);
        }
    }

    /// Lets go of what a session sent: it is over.
    pub(crate) fn end(&self, session: SessionId) {
        let held = lock(&self.0).remove(&session);
        for assembly in held.into_iter().flat_map(|held| held.packs.into_values()) {
            assembly.close();
        }
    }

    /// Lets go of packs whose next part has not come for too long.
    pub(crate) fn sweep(&self, now: Timestamp) {
        let since = now.plus_seconds(-PATIENCE_SECONDS);
        lock(&self.0).retain(|session, held| {
            held.packs.retain(|pack, assembly| {
                let is_kept = !assembly.is_idle_since(since);
                if !is_kept {
                    tracing::info!(%session, %pack, "let go of a pack whose other parts do not come");
                    assembly.close();
                }
                is_kept
            });
            !held.packs.is_empty() || held.touched_at > since
        });
    }
}

impl Assembly {
    fn close(&self) {
        if let Some(space) = self.space.get() {
            lock(space).filled = None;
        }
    }

    /// Whether nobody has sent anything since, or waits to.
    fn is_idle_since(self: &Arc<Self>, since: Timestamp) -> bool {
        match self.space.get().map(lock) {
            Some(space) => space.under_way.is_empty() && space.touched_at <= since,
            // Whoever waits for its memory holds it too.
            None => Arc::strong_count(self) == 1,
        }
    }

    /// The space, once there is memory for it.
    async fn space(&self, app: &App, server: ServerId) -> Result<&Mutex<Space>, Error> {
        let made = self.space.get_or_try_init(|| async {
            let memory = app.pack_memory.reserve_for_parts(server, u64::from(self.length)).await?;
            let filled = Some((vec![0; self.length as usize], memory));
            let (done, under_way) = (Vec::new(), Vec::new());
            Ok::<_, Error>(Mutex::new(Space { filled, done, under_way, touched_at: app.now() }))
        });
        made.await
    }
}

impl Space {
    /// Keeps a range for one call.
    fn claim(&mut self, range: &Range<u32>) -> Result<(), Error> {
        if self.filled.is_none() {
            return Err(let_go());
        }
        if self.under_way.iter().any(|other| other.start < range.end && range.start < other.end) {
            return Err(Error::Unavailable("another call is sending these bytes of the pack"));
        }
        if self.under_way.len() >= UNDER_WAY_MAX || self.done.len() >= RANGES_MAX {
            return Err(Error::invalid("The pack comes in too many parts"));
        }
        self.under_way.push(range.clone());
        Ok(())
    }

    /// Notes that a range has come.
    fn add(&mut self, range: Range<u32>) {
        let (mut joined, mut apart) = (range, Vec::with_capacity(self.done.len() + 1));
        for other in self.done.drain(..) {
            match other.end < joined.start || joined.end < other.start {
                true => apart.push(other),
                false => joined = joined.start.min(other.start)..joined.end.max(other.end),
            }
        }
        let at = apart.partition_point(|other| other.start < joined.start);
        apart.insert(at, joined);
        self.done = apart;
    }

    /// Hands out the pack if all of it is here.
    fn take_whole(&mut self, length: u32) -> Option<Whole> {
        let is_whole =
            self.under_way.is_empty() && matches!(self.done.as_slice(), [all] if *all == (0..length));
        let (bytes, memory) = if is_whole { self.filled.take() } else { None }?;
        Some(Whole { bytes, memory })
    }
}

impl IncomingPart {
    fn space(&self) -> Option<MutexGuard<'_, Space>> {
        self.assembly.space.get().map(lock)
    }

    /// Puts the next bytes of the part in their place.
    pub(crate) fn write(&mut self, piece: &[u8]) -> Result<(), Error> {
        let start = self.next;
        let end = u32::try_from(piece.len()).ok().and_then(|length| start.checked_add(length));
        let Some(end) = end.filter(|end| *end <= self.range.end) else {
            return Err(Error::WrongContent("The part is longer than it was said to be".to_owned()));
        };
        let mut space = self.space().ok_or_else(let_go)?;
        let (bytes, _) = space.filled.as_mut().ok_or_else(let_go)?;
        bytes[start as usize..end as usize].copy_from_slice(piece);
        drop(space);
        self.received_bytes.fetch_add(piece.len() as u64, Ordering::Relaxed);
        self.next = end;
        Ok(())
    }

    /// Ends the part; gives the pack if this was what it lacked.
    fn finish(mut self, now: Timestamp) -> Result<Option<Whole>, Error> {
        if self.next != self.range.end {
            return Err(Error::WrongContent("The part is shorter than it was said to be".to_owned()));
        }
        let range = std::mem::take(&mut self.range);
        let mut space = self.space().ok_or_else(let_go)?;
        if space.filled.is_none() {
            return Err(let_go());
        }
        space.touched_at = now;
        space.under_way.retain(|other| *other != range);
        space.add(range);
        Ok(space.take_whole(self.assembly.length))
    }
}

impl Drop for IncomingPart {
    fn drop(&mut self) {
        if let Some(mut space) = self.space() {
            space.under_way.retain(|other| *other != self.range);
        }
    }
}

impl App {
    /// Begins to take a part in, once there is memory for its pack.
    pub(crate) async fn begin_part(
        &self,
        caller: ServerCaller,
        session: SessionId,
        pack: PackId,
        place: PartPlace,
    ) -> Result<Begun, Error> {
        self.check_session(caller, session).await?;
        if place.pack_length as usize > ASSEMBLED_BYTES_MAX {
            return Err(Error::TooLarge(ASSEMBLED_BYTES_MAX as u64));
        }
        let known = db::packs::find(&mut *self.database.read().await?, caller.domain, pack).await?;
        if known.is_some_and(|known| known.is_usable_by(caller.server)) {
            return Ok(Begun::Stored);
        }
        self.check_space().await?;
        let (assembly, received_bytes) =
            self.assemblies.find((session, pack), place.pack_length, &*self.clock, &*self.random)?;
        let range = place.range;
        let space = match assembly.space(self, caller.server).await {
            Ok(space) => space,
            Err(error) => {
                self.assemblies.remove(session, pack, &assembly);
                return Err(error);
            }
        };
        lock(space).claim(&range)?;
        let next = range.start;
        Ok(Begun::Receive(IncomingPart { assembly, received_bytes, range, next }))
    }

    /// Ends a part that came in. The one that makes its pack whole stores it, durably before this returns.
    pub(crate) async fn finish_part(
        self: &Arc<Self>,
        caller: ServerCaller,
        session: SessionId,
        pack: PackId,
        part: IncomingPart,
    ) -> Result<PartOutcome, Error> {
        let (assembly, counter) = (Arc::clone(&part.assembly), Arc::clone(&part.received_bytes));
        let whole = part.finish(self.now())?;
        let received_bytes = counter.load(Ordering::Relaxed);
        let Some(Whole { bytes, memory }) = whole else {
            return Ok(PartOutcome { assembly: Some(assembly.id), is_new: false, received_bytes });
        };
        self.assemblies.remove(session, pack, &assembly);
        // Some milliseconds of work: not among what other calls wait for.
        let hashed = tokio::task::spawn_blocking(move || (*blake3::hash(&bytes).as_bytes(), bytes));
        let (hash, bytes) = hashed.await?;
        let (length, memory) = (u64::from(assembly.length), memory.into_whole());
        let received = Received { parts: vec![bytes.into()], length, hash, memory };
        let is_new = self.put_pack(caller, session, pack, received).await?;
        Ok(PartOutcome { assembly: None, is_new, received_bytes })
    }
}

#[cfg(test)]
mod tests;
