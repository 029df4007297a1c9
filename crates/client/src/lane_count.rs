//! How many connections to use at the same time over a distant link: 1 to 8, by what they bring.
//!
//! The rule. Begin with eight: over a far line with losses each brings its share, a short job has no time to find that
//! out, and new connections begin faster than such a line lets them go on, so that no comparison is worth anything at the
//! beginning. After two minutes try half as many. If these bring as much, keep them and go on halving, so that a line that
//! one connection fills is not shared out among eight; if not, go back. From then on take turns: now twice as many, to be
//! kept if they bring clearly more, now half as many. A trial that failed doubles the time until the next one, up to
//! eight minutes. A rate that falls clearly below what the last decision rested on says that the line is another now:
//! then twice as many are tried at once.
//!
//! Why measured: neither loss nor another's traffic is known to a program, only what arrives. A doubling counts from a
//! fifth more, well above what one window differs from the next; half as many are kept from nineteen twentieths, since a
//! wrong step down costs throughput, and a wrong step up nothing but courtesy. A window in which the connections stood
//! idle for want of work says nothing of the line, and is measured again.
//!
//! What this does not: look at a clock, or know what a connection is. Times and sums are told to it.

use std::time::{Duration, Instant};

/// The most connections in use.
pub(crate) const CONNECTIONS_MAX: usize = 8;

/// A trial upwards is kept from this much on.
const CLEARLY_MORE: f64 = 1.2;
/// A trial downwards is kept from this much on.
const AS_MUCH: f64 = 0.95;
/// Connections are made, and begin slowly, in so many round trips, which are not measured.
const SETTLING: u32 = 4;
/// So many are measured.
const MEASURED: u32 = 5;
const MEASURED_LEAST: Duration = Duration::from_millis(500);
/// A window goes on until so much has come, if that does not take too long: with fewer packets, chance decides.
const MEASURED_BYTES: u64 = 1 << 20;
const MEASURED_LONGEST: Duration = Duration::from_secs(5);
/// A rate below this share of what was decided on is that of another line.
const FALLEN: f64 = 0.6;
const HOLD_FIRST: Duration = Duration::from_secs(120);
const HOLD_LONGEST: Duration = Duration::from_secs(480);
/// How much of a window's time, over all connections, must have been used.
const USED_LEAST: f64 = 0.7;

/// How things stand at a moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Sample {
    /// When.
    pub(crate) at: Instant,
    /// Bytes moved so far. May begin at 0 again.
    pub(crate) bytes: u64,
    /// Seconds that connections were in use so far, added up.
    pub(crate) used_seconds: f64,
}

/// The number of connections that a trial is against, and what it brought in bytes a second.
#[derive(Debug, Clone, Copy)]
struct Trial {
    from: usize,
    rate: f64,
}

/// Decides how many connections are used in one direction.
#[derive(Debug)]
pub(crate) struct LaneCount {
    connections: usize,
    trial: Option<Trial>,
    /// Whether the next trial is upwards.
    is_upwards: bool,
    hold: Duration,
    next_trial_at: Option<Instant>,
    settled_at: Option<Instant>,
    window: Option<Sample>,
    /// What the last decision rested on, in bytes a second.
    decided_at_rate: f64,
}

impl Default for LaneCount {
    fn default() -> Self {
        Self {
            connections: CONNECTIONS_MAX,
            trial: None,
            is_upwards: false,
            hold: HOLD_FIRST,
            next_trial_at: None,
            settled_at: None,
            window: None,
            decided_at_rate: 0.0,
        }
    }
}

impl LaneCount {
    /// How many connections are to be used now.
    pub(crate) fn connections(&self) -> usize {
        self.connections
    }

    /// Takes a sample; tells whether the number of connections is another now.
    pub(crate) fn note(&mut self, sample: Sample, round_trip: Duration) -> bool {
        self.next_trial_at.get_or_insert(sample.at + HOLD_FIRST);
        let settled_at = *self.settled_at.get_or_insert(sample.at + round_trip * SETTLING);
        let window = *self.window.get_or_insert(sample);
        if sample.at < settled_at || sample.bytes < window.bytes {
            self.window = Some(sample);
            return false;
        }
        let (took, bytes) = (sample.at - window.at, sample.bytes - window.bytes);
        let is_enough = bytes >= MEASURED_BYTES || took >= MEASURED_LONGEST;
        if took < (round_trip * MEASURED).max(MEASURED_LEAST) || !is_enough {
            return false;
        }
        self.window = Some(sample);
        let seconds = took.as_secs_f64();
        let used = (sample.used_seconds - window.used_seconds) / seconds / self.connections as f64;
        if used < USED_LEAST {
            return false;
        }
        let rate = bytes as f64 / seconds;
        let before = self.connections;
        self.decide(sample.at, rate);
        if self.connections != before {
            tracing::debug!(from = before, to = self.connections, rate, "another number of connections");
            self.disturb();
        }
        self.connections != before
    }

    /// What is measured now is not the number of connections that was decided on.
    pub(crate) fn disturb(&mut self) {
        self.settled_at = None;
        self.window = None;
    }

    fn decide(&mut self, now: Instant, rate: f64) {
        let Some(trial) = self.trial.take() else {
            let has_fallen = rate < self.decided_at_rate * FALLEN;
            if has_fallen || self.next_trial_at.is_none_or(|at| now >= at) {
                self.is_upwards |= has_fallen;
                self.try_next(rate);
            }
            return;
        };
        self.decided_at_rate = rate;
        let enough = if self.connections > trial.from { CLEARLY_MORE } else { AS_MUCH };
        if rate < trial.rate * enough {
            self.connections = trial.from;
            self.is_upwards = !self.is_upwards;
            self.next_trial_at = Some(now + self.hold);
            self.hold = (self.hold * 2).min(HOLD_LONGEST);
            return;
        }
        self.hold = HOLD_FIRST;
        if self.has_next() {
            self.try_next(rate);
        } else {
            // What has just proved to be best is not doubted soon.
            self.is_upwards = !self.is_upwards;
            self.next_trial_at = Some(now + HOLD_LONGEST);
        }
    }

    fn has_next(&self) -> bool {
        if self.is_upwards { self.connections < CONNECTIONS_MAX } else { self.connections > 1 }
    }

    fn try_next(&mut self, rate: f64) {
        if !self.has_next() {
            self.is_upwards = !self.is_upwards;
        }
        self.trial = Some(Trial { from: self.connections, rate });
        self.connections = if self.is_upwards { self.connections * 2 } else { self.connections / 2 };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUND_TRIP: Duration = Duration::from_millis(100);

    /// A line on which time passes only here.
    struct Line {
        count: LaneCount,
        now: Sample,
        most: usize,
    }

    impl Line {
        fn new() -> Self {
            let now = Sample { at: Instant::now(), bytes: 0, used_seconds: 0.0 };
            Self { count: LaneCount::default(), now, most: 0 }
        }

        /// Lets seconds pass, in which so many connections carry so many bytes a second, and each is in use for that
        /// share of the time.
        fn pass(&mut self, seconds: u32, used: f64, carries: impl Fn(usize) -> f64) {
            let step = Duration::from_millis(50);
            for _ in 0..seconds * 20 {
                let connections = self.count.connections();
                self.now.at += step;
                self.now.bytes += (carries(connections) * step.as_secs_f64()) as u64;
                self.now.used_seconds += used * connections as f64 * step.as_secs_f64();
                self.count.note(self.now, ROUND_TRIP);
                self.most = self.most.max(self.count.connections());
            }
        }
    }

    #[test]
    fn where_each_brings_more_all_eight_stay_but_for_few_trials() {
        let mut line = Line::new();
        let mut with_fewer = 0;
        for _ in 0..600 {
            line.pass(1, 1.0, |connections| connections as f64 * 1e5);
            with_fewer += u32::from(line.count.connections() < 8);
        }
        assert!((1..=20).contains(&with_fewer), "{with_fewer} of 600 seconds");
    }

    #[test]
    fn a_fast_beginning_decides_nothing() {
        let mut line = Line::new();
        line.pass(10, 1.0, |connections| connections as f64 * 5e5);
        line.pass(240, 1.0, |connections| connections as f64 * 1e5);
        assert_eq!(line.count.connections(), 8);
    }

    #[test]
    fn where_one_fills_the_line_one_is_left_and_more_are_tried_ever_more_seldom() {
        let mut line = Line::new();
        line.pass(150, 1.0, |_| 1e7);
        assert_eq!(line.count.connections(), 1);
        line.most = 0;
        line.pass(600, 1.0, |_| 1e7);
        assert_eq!(line.most, 2, "it must be asked again whether more bring more");
        assert_eq!(line.count.connections(), 1);
    }

    #[test]
    fn a_line_that_begins_to_lose_packets_gets_its_eight_connections() {
        let mut line = Line::new();
        line.pass(150, 1.0, |_| 1e7);
        assert_eq!(line.count.connections(), 1);
        line.pass(40, 1.0, |connections| connections as f64 * 1e5);
        assert_eq!(line.count.connections(), 8);
    }

    #[test]
    fn a_line_that_three_fill_is_left_to_four() {
        let mut line = Line::new();
        line.pass(600, 1.0, |connections| connections.min(3) as f64 * 1e6);
        assert_eq!(line.count.connections(), 4);
    }

    #[test]
    fn no_number_is_judged_while_there_is_little_to_send() {
        let mut line = Line::new();
        line.pass(600, 0.5, |_| 1e5);
        assert_eq!(line.count.connections(), CONNECTIONS_MAX);
    }

    #[test]
    fn a_sum_that_begins_anew_is_no_rate() {
        let mut line = Line::new();
        line.pass(150, 1.0, |_| 1e7);
        line.now.bytes = 0;
        line.pass(10, 1.0, |_| 1e7);
        assert_eq!((line.count.connections(), line.count.decided_at_rate as u64), (1, 10_000_000));
    }
}
