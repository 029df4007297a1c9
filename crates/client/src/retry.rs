//! How long a call is tried again, and how long it waits between two tries.

use stateward_engine::Cancellation;
use stateward_model::Random;
use std::time::{Duration, Instant};

/// How stubborn a caller is, and how it is stopped.
#[derive(Debug, Clone)]
pub struct Manner {
    /// For how long after its first failure a call is tried again, when that failure may pass by itself: a refused or
    /// broken connection, a vault that is starting.
    pub patience: Duration,
    /// Stops every call of this connection, within a tenth of a second.
    pub cancellation: Cancellation,
}

impl Manner {
    /// A job's: a vault that is started again within 90 seconds does it no harm.
    pub fn job(cancellation: Cancellation) -> Self {
        Self { patience: Duration::from_secs(90), cancellation }
    }

    /// A person waits: five seconds.
    pub fn interactive(cancellation: Cancellation) -> Self {
        Self { patience: Duration::from_secs(5), cancellation }
    }

    /// The same for the first call of a connection, which is given up soon: somebody may sit there and wait to hear that the
    /// vault is not there. Once it has answered, a job holds out while it is started again.
    pub(crate) fn at_first(&self) -> Self {
        let first = Self::interactive(self.cancellation.clone());
        Self { patience: first.patience.min(self.patience), ..first }
    }

    /// A last word that must be said although the job was cancelled, and that nobody waits for long.
    pub(crate) fn parting() -> Self {
        Self { patience: Duration::from_secs(5), cancellation: Cancellation::default() }
    }

    /// How long a call may rest, with no byte moved in either direction, before it counts as broken.
    pub(crate) fn stall(&self) -> Duration {
        self.patience.clamp(Duration::from_secs(10), Duration::from_secs(60))
    }

    /// How long a connection may take to be made.
    pub(crate) fn connect_timeout(&self) -> Duration {
        self.patience.clamp(Duration::from_secs(1), Duration::from_secs(10))
    }
}

const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// The waits of one call.
#[derive(Debug)]
pub(crate) struct BackOff {
    patience: Duration,
    ends_at: Option<Instant>,
    next: Duration,
}

impl BackOff {
    pub(crate) fn new(patience: Duration) -> Self {
        Self { patience, ends_at: None, next: FIRST_WAIT }
    }

    /// How long to wait before the next try; `None` when the patience is used up. Each wait is twice the one before
    /// up to five seconds, of which a random half to all is waited: many agents that lost one vault do not come back
    /// in step.
    pub(crate) fn wait(&mut self, now: Instant, random: &dyn Random) -> Option<Duration> {
        let ends_at = *self.ends_at.get_or_insert(now + self.patience);
        let left = ends_at.checked_duration_since(now).filter(|left| !left.is_zero())?;
        let mut share = [0];
        random.fill(&mut share);
        let wait = self.next.mul_f64(0.5 + f64::from(share[0]) / 512.0);
        self.next = (self.next * 2).min(LONGEST_WAIT);
        Some(wait.min(left))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stateward_model::SystemRandom;

    #[test]
    fn waits_grow_to_their_limit_and_end_with_the_patience() {
        let mut back_off = BackOff::new(Duration::from_secs(90));
        let begin = Instant::now();
        let mut waited = Duration::ZERO;
        let mut tries = 0;
        while let Some(wait) = back_off.wait(begin + waited, &SystemRandom) {
            assert!(wait <= LONGEST_WAIT);
            waited += wait;
            tries += 1;
        }
        assert_eq!(waited, Duration::from_secs(90));
        assert!((20..=50).contains(&tries), "{tries}");
    }

    #[test]
    fn without_patience_nothing_is_tried_again() {
        assert_eq!(BackOff::new(Duration::ZERO).wait(Instant::now(), &SystemRandom), None);
    }
}
