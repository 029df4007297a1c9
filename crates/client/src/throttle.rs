//! A limit on how fast a job moves packs, over all of its connections together.
//!
//! A body asks for each of its slices, in either direction, and waits until its turn; calls that carry no pack never
//! ask. The limit is asked for anew for each slice, so it may follow the hours of a day. It counts packs, not what TLS
//! and TCP add to them (about 4 %).

use crate::body::{Activity, SLICE_BYTES};
use std::fmt;
use std::num::NonZeroU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What was not used of the rate while nothing moved is kept for so long, and may then be sent at once.
const BURST: Duration = Duration::from_millis(250);

/// A slice takes about so long at the full rate, in seconds' parts: short, so that the line is used evenly.
const SLICES_PER_SECOND: u64 = 20;

/// No slice is smaller, in bytes.
const SLICE_BYTES_LEAST: u64 = 1 << 10;

/// A waiting call counts as moving, and says so at least this often.
const NOTE_EVERY: Duration = Duration::from_secs(1);

/// Shares one rate among all who hold a clone of it.
#[derive(Clone)]
pub struct Throttle {
    rate: Arc<dyn Fn() -> Option<NonZeroU64> + Send + Sync>,
    bucket: Arc<Mutex<Bucket>>,
}

impl fmt::Debug for Throttle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Throttle").field("rate", &(self.rate)()).finish_non_exhaustive()
    }
}

impl Throttle {
    /// Lets so many bytes pass in a second.
    pub fn new(rate: NonZeroU64) -> Self {
        Self::following(move || Some(rate))
    }

    /// Lets as many bytes pass in a second as `rate` says at that moment; `None` is no limit. It is asked for each slice,
    /// from the threads that move them, and must answer at once.
    pub fn following(rate: impl Fn() -> Option<NonZeroU64> + Send + Sync + 'static) -> Self {
        Self { rate: Arc::new(rate), bucket: Arc::default() }
    }

    /// How long the next slice may be at most, in bytes.
    pub(crate) fn slice_bytes(&self) -> usize {
        let Some(rate) = (self.rate)() else { return SLICE_BYTES };
        let fitting = (rate.get() / SLICES_PER_SECOND).max(SLICE_BYTES_LEAST);
        usize::try_from(fitting).map_or(SLICE_BYTES, |fitting| fitting.min(SLICE_BYTES))
    }

    /// Waits until so many bytes may pass. Whoever asked first is let through first. A call that is given up while it
    /// waits is dropped with this future; its slice's time is lost, nothing more.
    pub(crate) async fn pass(&self, bytes: usize, activity: &Activity) {
        let Some(rate) = (self.rate)() else { return };
        let turn = {
            let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
            bucket.take(Instant::now(), bytes as u64, rate)
        };
        loop {
            let left = turn.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            activity.note();
            tokio::time::sleep(left.min(NOTE_EVERY)).await;
        }
    }
}

/// A token bucket, written down as the moment from which the line is free: each slice takes the time that it needs at
/// the full rate, one after another.
#[derive(Debug, Default)]
struct Bucket {
    free_at: Option<Instant>,
}

impl Bucket {
    /// When so many bytes may pass. They are counted from then on.
    fn take(&mut self, now: Instant, bytes: u64, rate: NonZeroU64) -> Instant {
        let earliest = now.checked_sub(BURST).unwrap_or(now);
        let turn = self.free_at.map_or(now, |free_at| free_at.max(earliest));
        let nanoseconds = u128::from(bytes) * 1_000_000_000 / u128::from(rate.get());
        let needed = Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX));
        self.free_at = turn.checked_add(needed).or(Some(turn));
        turn
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::Future;
    use std::task::{Context, Poll, Waker};

    fn rate(bytes: u64) -> NonZeroU64 {
        NonZeroU64::new(bytes).unwrap()
    }

    /// Bodies that each ask for their next slice as soon as the last one has passed and `late` has gone by; how much
    /// each of them moved in that many seconds, with a clock of the test's own.
    fn moved(bodies: usize, bytes_per_second: u64, seconds: u64, late: Duration) -> Vec<u64> {
        let throttle = Throttle::new(rate(bytes_per_second));
        let slice = throttle.slice_bytes() as u64;
        let (begin, mut bucket) = (Instant::now(), Bucket::default());
        let end = begin + Duration::from_secs(seconds);
        let mut moved = vec![0; bodies];
        let mut asks: Vec<Instant> = vec![begin; bodies];
        loop {
            let (body, now) =
                asks.iter().copied().enumerate().min_by_key(|(_, at)| *at).expect("there are bodies");
            let turn = bucket.take(now, slice, rate(bytes_per_second)).max(now);
            if turn >= end {
                return moved;
            }
            moved[body] += slice;
            asks[body] = turn + late;
        }
    }

    #[test]
    fn over_a_long_time_the_rate_is_kept_to_a_hundredth_whatever_it_is() {
        for bytes_per_second in [1000, 64 << 10, 1_000_000, 50_000_000, 1_000_000_000] {
            for bodies in [1, 2, 9] {
                let sum: u64 = moved(bodies, bytes_per_second, 300, Duration::ZERO).iter().sum();
                let share = sum as f64 / (bytes_per_second * 300) as f64;
                assert!((0.99..=1.01).contains(&share), "{bytes_per_second} by {bodies}: {share}");
            }
        }
    }

    #[test]
    fn timers_that_ring_late_do_not_make_it_slower() {
        let sum: u64 = moved(1, 50_000_000, 100, Duration::from_micros(1500)).iter().sum();
        assert!((4_950_000_000..=5_050_000_000).contains(&sum), "{sum}");
    }

    #[test]
    fn every_body_gets_its_share() {
        let shares = moved(7, 1_000_000, 100, Duration::ZERO);
        let (least, most) = (shares.iter().min().unwrap(), shares.iter().max().unwrap());
        assert!(most - least <= 1 << 18, "{shares:?}");
    }

    #[test]
    fn after_a_rest_no_more_than_the_burst_comes_at_once() {
        let (mut bucket, begin) = (Bucket::default(), Instant::now());
        bucket.take(begin, 1000, rate(1000));
        let later = begin + Duration::from_secs(3600);
        let at_once = (0..1000).take_while(|_| bucket.take(later, 1, rate(1000)) <= later).count();
        assert_eq!(at_once, 251);
    }

    #[test]
    fn a_slice_is_a_fraction_of_a_second_and_never_tiny_or_long() {
        let slice = |bytes| Throttle::new(rate(bytes)).slice_bytes();
        assert_eq!((slice(1), slice(64 << 10), slice(1_000_000)), (1024, 3276, 50_000));
        assert_eq!((slice(1_000_000_000), slice(u64::MAX)), (SLICE_BYTES, SLICE_BYTES));
    }

    #[test]
    fn the_rate_is_asked_for_anew_and_none_lets_everything_pass() {
        let present = Arc::new(Mutex::new(None));
        let asked = Arc::clone(&present);
        let throttle = Throttle::following(move || *asked.lock().unwrap());
        let activity = Activity::start(Duration::from_secs(60));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            assert_eq!(throttle.slice_bytes(), SLICE_BYTES);
            throttle.pass(1 << 40, &activity).await;
            *present.lock().unwrap() = Some(rate(1));
            assert_eq!(throttle.slice_bytes(), 1024);
            throttle.pass(3600, &activity).await;
            let mut waiting = Box::pin(throttle.pass(1, &activity));
            assert!(waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            drop(waiting);
            *present.lock().unwrap() = None;
            throttle.pass(1 << 40, &activity).await;
        });
    }

    #[test]
    fn what_can_not_be_counted_neither_fails_nor_waits_for_ever() {
        let (mut bucket, now) = (Bucket::default(), Instant::now());
        assert_eq!(bucket.take(now, u64::MAX, rate(u64::MAX)), now);
        bucket.take(now, u64::MAX, rate(1));
        bucket.take(now, u64::MAX, rate(1));
    }

    #[test]
    fn who_waits_counts_as_moving() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let throttle = Throttle::new(rate(1));
            let [first, second] = [(); 2].map(|()| Activity::start(Duration::from_secs(60)));
            let begin = Instant::now();
            throttle.pass(3600, &first).await;
            let mut waiting = Box::pin(throttle.pass(1, &second));
            let mut context = Context::from_waker(Waker::noop());
            assert_eq!(waiting.as_mut().poll(&mut context), Poll::Pending);
            while begin.elapsed().saturating_sub(second.idle_for()) < NOTE_EVERY {
                assert!(begin.elapsed() < Duration::from_secs(30), "it did not say that it waits");
                tokio::select! {
                    () = &mut waiting => panic!("it did not wait"),
                    () = tokio::time::sleep(Duration::from_millis(50)) => {}
                }
            }
        });
    }
}
