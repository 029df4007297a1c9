//! Lanes: the connections to a distant vault that parts of packs travel over, and who may use one now.
//!
//! Each lane is one HTTP/2 connection with a few parts at the same time, so that it does not stand idle for the round trip
//! in which the answer to a part is waited for. How many lanes are in use is [`crate::lane_count`]'s decision, for each
//! direction. Whoever came first is served first: a pack gets all lanes until its last part is under way, and then the
//! next pack does, so that one is always ready when another ends.
//!
//! What this does not: know what travels. Invariant: a slot that was given out is given back when it is dropped.

use crate::connection::{built, http_builder};
use crate::lane_count::{CONNECTIONS_MAX, LaneCount, Sample};
use crate::proxy::Proxy;
use crate::retry::Manner;
use stateward_engine::VaultError;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// From how long a round trip on a vault is distant. Below, several connections hardly help (a lost packet is made good
/// in a moment), and parts would only cost.
const DISTANT: Duration = Duration::from_millis(10);

/// How many parts are under way on a lane, once it is known not to be very slow.
const PARTS_ON_LANE: usize = 3;

/// The shortest part (but a pack's last), and a lane's first after one broke off: on a line of 35 kbit/s it takes no half
/// of the time after which a call counts as broken.
pub(crate) const PART_BYTES_MIN: u32 = 64 << 10;

/// A lane's first parts. Long enough for a new connection to find its speed without a pause.
const PART_BYTES_FIRST: u32 = 512 << 10;

/// The longest part while other packs wait: what is under way is never more than a few packs, and must suffice for all
/// lanes.
const PART_BYTES_AMONG_MANY: u32 = 1 << 20;

/// The longest part.
const PART_BYTES_MAX: u32 = 4 << 20;

/// A part that took less was short; the lane's next ones are longer.
const PART_SHORT: Duration = Duration::from_secs(2);

/// A part that took more was long; the lane's next ones are shorter.
const PART_LONG: Duration = Duration::from_secs(6);

/// What a lane may receive before it was read, in bytes: for each part, and in all. At 200 ms, 4 MiB are 160 Mbit/s.
const PART_WINDOW: u32 = 2 << 20;
const LANE_WINDOW: u32 = 4 << 20;

/// The shortest time that a small call took: the round trip, and a little more.
#[derive(Debug)]
pub(crate) struct RoundTrip(AtomicU64);

impl Default for RoundTrip {
    fn default() -> Self {
        Self(AtomicU64::new(u64::MAX))
    }
}

impl RoundTrip {
    pub(crate) fn note(&self, took: Duration) {
        self.0.fetch_min(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Of a distant vault: the round trip.
    pub(crate) fn if_distant(&self) -> Option<Duration> {
        let known = Some(self.0.load(Ordering::Relaxed)).filter(|micros| *micros < u64::MAX);
        known.map(Duration::from_micros).filter(|round_trip| *round_trip >= DISTANT)
    }
}

/// All lanes. Nothing of them is made before the first part: most calls need none.
pub(crate) struct Lanes {
    tls: rustls::ClientConfig,
    manner: Manner,
    proxy: Option<Proxy>,
    clients: OnceLock<Vec<reqwest::Client>>,
    /// Whether the vault was found to lose parts of packs that are sent.
    pub(crate) lose_parts: AtomicBool,
    /// Whether a part ever came through.
    carried: AtomicBool,
    /// Whether what answers for the vault does not speak HTTP/2, as a server before it may not.
    refused: AtomicBool,
    /// From the agent to the vault.
    pub(crate) up: Traffic,
    /// From the vault to the agent.
    pub(crate) down: Traffic,
}

impl Lanes {
    pub(crate) fn new(tls: rustls::ClientConfig, manner: Manner, proxy: Option<Proxy>) -> Self {
        let (up, down) = (Traffic::default(), Traffic::default());
        let no = || AtomicBool::new(false);
        Self {
            tls,
            manner,
            proxy,
            clients: OnceLock::new(),
            lose_parts: no(),
            carried: no(),
            refused: no(),
            up,
            down,
        }
    }

    /// A part came through.
    pub(crate) fn note_carried(&self) {
        self.carried.store(true, Ordering::Relaxed);
    }

    /// A part broke off in a way that tells of another protocol. Tells whether the lanes are given up: none has ever
    /// carried anything.
    pub(crate) fn note_protocol(&self) -> bool {
        let is_refused = !self.carried.load(Ordering::Relaxed);
        if is_refused && !self.refused.swap(true, Ordering::Relaxed) {
            tracing::info!("what answers for the vault does not speak HTTP/2; packs travel whole");
        }
        is_refused
    }

    /// Whether the lanes were given up.
    pub(crate) fn are_refused(&self) -> bool {
        self.refused.load(Ordering::Relaxed)
    }

    /// Each lane's connection.
    pub(crate) fn clients(&self) -> Result<&[reqwest::Client], VaultError> {
        if let Some(clients) = self.clients.get() {
            return Ok(clients);
        }
        // Of two threads that make them at the same time, one makes them for nothing.
        let made = (0..CONNECTIONS_MAX).map(|_| self.make_client()).collect::<Result<_, _>>()?;
        Ok(self.clients.get_or_init(|| made))
    }

    fn make_client(&self) -> Result<reqwest::Client, VaultError> {
        let mut tls = self.tls.clone();
        tls.alpn_protocols = vec![b"h2".to_vec()];
        let builder = http_builder(tls, &self.manner, self.proxy.as_ref())?
            .http2_prior_knowledge()
            .http2_initial_stream_window_size(PART_WINDOW)
            .http2_initial_connection_window_size(LANE_WINDOW);
        built(builder)
    }
}

/// The use of the lanes in one direction.
#[derive(Default)]
pub(crate) struct Traffic {
    state: Mutex<State>,
    changed: Notify,
    /// Counts bytes that were received; what was sent is counted by the vault.
    pub(crate) received_bytes: Arc<AtomicU64>,
}

struct State {
    count: LaneCount,
    lanes: [Lane; CONNECTIONS_MAX],
    waiting: BTreeSet<u64>,
    next_ticket: u64,
    used_seconds: f64,
    counted_at: Instant,
}

#[derive(Clone, Copy)]
struct Lane {
    parts: usize,
    part_bytes: u32,
}

impl Default for State {
    fn default() -> Self {
        Self {
            count: LaneCount::default(),
            lanes: [Lane { parts: 0, part_bytes: PART_BYTES_FIRST }; CONNECTIONS_MAX],
            waiting: BTreeSet::new(),
            next_ticket: 0,
            used_seconds: 0.0,
            counted_at: Instant::now(),
        }
    }
}

impl State {
    /// Adds up how long lanes have been in use, before that changes.
    fn count_use(&mut self, now: Instant) {
        let in_use = self.lanes.iter().filter(|lane| lane.parts > 0).count();
        self.used_seconds += (now - self.counted_at).as_secs_f64() * in_use as f64;
        self.counted_at = now;
    }

    /// The least busy lane that has room for another part.
    fn free_lane(&self) -> Option<usize> {
        let lanes = self.lanes.iter().take(self.count.connections()).enumerate();
        let free = lanes.filter(|(_, lane)| lane.parts < lane.parts_max());
        free.min_by_key(|(_, lane)| lane.parts).map(|(number, _)| number)
    }

    fn slots(&self) -> u32 {
        let lanes = self.lanes.iter().take(self.count.connections());
        lanes.map(|lane| lane.parts_max() as u32).sum()
    }
}

impl Lane {
    fn parts_max(self) -> usize {
        if self.part_bytes > PART_BYTES_MIN { PARTS_ON_LANE } else { 1 }
    }
}

impl Traffic {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place in the row, behind all that are in it.
    pub(crate) fn ticket(&self) -> Ticket<'_> {
        let mut state = self.state();
        state.next_ticket += 1;
        Ticket { traffic: self, number: state.next_ticket }
    }

    /// Takes note of how many bytes have been moved in all. While parts of lanes that are no more in use come to their
    /// end, that says nothing.
    pub(crate) fn note(&self, moved_bytes: u64, round_trip: Duration) {
        let mut state = self.state();
        let now = Instant::now();
        state.count_use(now);
        let retired = &state.lanes[state.count.connections()..];
        if retired.iter().any(|lane| lane.parts > 0) {
            state.count.disturb();
            return;
        }
        let sample = Sample { at: now, bytes: moved_bytes, used_seconds: state.used_seconds };
        if state.count.note(sample, round_trip) {
            drop(state);
            self.changed.notify_waiters();
        }
    }
}

/// A place in the row for lanes.
pub(crate) struct Ticket<'a> {
    traffic: &'a Traffic,
    number: u64,
}

impl<'a> Ticket<'a> {
    /// Waits for a lane on which a part may begin. Can be dropped at any time.
    pub(crate) async fn slot(&self) -> Slot<'a> {
        let _place = Waiting::begin(self);
        loop {
            let mut changed = std::pin::pin!(self.traffic.changed.notified());
            changed.as_mut().enable();
            if let Some(slot) = self.take() {
                return slot;
            }
            changed.await;
        }
    }

    fn take(&self) -> Option<Slot<'a>> {
        let mut state = self.traffic.state();
        if state.waiting.first() != Some(&self.number) {
            return None;
        }
        let lane = state.free_lane()?;
        let now = Instant::now();
        state.count_use(now);
        state.lanes[lane].parts += 1;
        Some(Slot { traffic: self.traffic, lane, begin: now })
    }
}

/// A ticket's presence in the row; leaves it when it is dropped, and lets the others look.
struct Waiting<'a, 'b>(&'b Ticket<'a>);

impl<'a, 'b> Waiting<'a, 'b> {
    fn begin(ticket: &'b Ticket<'a>) -> Self {
        ticket.traffic.state().waiting.insert(ticket.number);
        Self(ticket)
    }
}

impl Drop for Waiting<'_, '_> {
    fn drop(&mut self) {
        self.0.traffic.state().waiting.remove(&self.0.number);
        self.0.traffic.changed.notify_waiters();
    }
}

/// The right to have one part under way on a lane.
pub(crate) struct Slot<'a> {
    traffic: &'a Traffic,
    /// Which lane.
    pub(crate) lane: usize,
    /// When it was given out.
    pub(crate) begin: Instant,
}

impl Slot<'_> {
    /// How long a part should be when so much of its pack is left. While other packs wait, what this one leaves idle is
    /// theirs; otherwise it is shorter towards the end, so that all lanes end at about the same time. And half as long
    /// where it is alone on its lane, so that the parts on a lane, which share its speed, do not end together and leave
    /// it idle.
    pub(crate) fn part_bytes(&self, left: u32) -> u32 {
        let state = self.traffic.state();
        let lane = state.lanes[self.lane];
        let least = (lane.part_bytes / 8).max(PART_BYTES_MIN);
        let most = if lane.parts > 1 { lane.part_bytes } else { (lane.part_bytes / 2).max(least) };
        let bytes = match state.waiting.is_empty() {
            true => (left / state.slots()).clamp(least, most),
            false => most.min(PART_BYTES_AMONG_MANY),
        };
        if left - bytes.min(left) < PART_BYTES_MIN { left } else { bytes }
    }

    /// The part is done.
    pub(crate) fn succeeded(self, bytes: u32) {
        let took = self.begin.elapsed();
        let lane = &mut self.traffic.state().lanes[self.lane];
        if took > PART_LONG {
            lane.part_bytes = (lane.part_bytes / 2).max(PART_BYTES_MIN);
        } else if took < PART_SHORT && bytes >= lane.part_bytes / 2 {
            lane.part_bytes = (lane.part_bytes * 2).min(PART_BYTES_MAX);
        }
    }

    /// The part broke off: the lane begins anew.
    pub(crate) fn failed(self) {
        self.traffic.state().lanes[self.lane].part_bytes = PART_BYTES_MIN;
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        let mut state = self.traffic.state();
        state.count_use(Instant::now());
        state.lanes[self.lane].parts -= 1;
        drop(state);
        self.traffic.changed.notify_waiters();
    }
}
