//! How much of the machine and of the line a job may take.
//!
//! It stands in the job's record, so whatever process runs the job keeps to it. What is decided here once for a whole
//! job could later be asked again while it runs: [`Throttle`] looks at its rate for each slice that it lets pass.

use crate::platform;
use serde::{Deserialize, Serialize};
use stateward_client::Throttle;
use std::num::NonZeroU64;

/// How much of the machine and of the line a job may take; everything, if nothing is said.
///
/// A job of low priority has as many threads as any other: with half of them, a server with two processors answered no
/// sooner beside it (`scripts/measure-priority.sh`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pace {
    /// Whether it gives way to everything else on the machine.
    #[serde(default)]
    pub low_priority: bool,
    /// How many bytes of packs it may move in a second.
    #[serde(default)]
    pub bytes_per_second: Option<NonZeroU64>,
}

impl Pace {
    /// Whether there is no limit at all.
    pub fn is_full(&self) -> bool {
        *self == Self::default()
    }

    /// What holds a connection to the rate.
    pub(crate) fn throttle(&self) -> Option<Throttle> {
        self.bytes_per_second.map(Throttle::new)
    }
}

/// Makes this process as considerate as its jobs ask it to be. Called before it starts any other thread, because each
/// thread has a priority of its own, which it takes over from the one that starts it. There is no way back: only the
/// superuser could raise it again, so a process runs jobs of one priority. A system that refuses does not end a job.
pub fn lower_priority(paces: impl IntoIterator<Item = Pace>) {
    if paces.into_iter().any(|pace| pace.low_priority)
        && let Err(cause) = platform::lower_priority()
    {
        tracing::warn!(%cause, "the priority can't be lowered");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_survives_its_file_and_one_that_is_not_written_down_is_full() {
        let pace = Pace { low_priority: true, bytes_per_second: NonZeroU64::new(10_000_000) };
        let text = serde_json::to_string(&pace).unwrap();
        assert_eq!(serde_json::from_str::<Pace>(&text).unwrap(), pace, "{text}");
        assert!(serde_json::from_str::<Pace>("{}").unwrap().is_full());
        assert!(serde_json::from_str::<Pace>(r#"{"bytes_per_second": 0}"#).is_err());
    }
}
