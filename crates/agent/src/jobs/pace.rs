//! How much of the machine and of the line a job may take.
//!
//! It stands in the job's record, so whatever process runs the job keeps to it. A rate that differs in work hours is asked for
//! anew for each slice of a pack: a job that runs into the morning is held back from then on.

use crate::platform;
use serde::{Deserialize, Serialize};
use stateward_client::Throttle;
use stateward_model::policy::WorkHours;
use stateward_model::{Clock, Timestamp};
use std::num::NonZeroU64;
use std::sync::Arc;

/// How much of the machine and of the line a job may take; everything, if nothing is said.
///
/// A job of low priority has as many threads as any other: with half of them, a server with two processors answered no
/// sooner beside it (`scripts/measure-priority.sh`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pace {
    /// Whether it gives way to everything else on the machine.
    #[serde(default)]
    pub low_priority: bool,
    /// How many bytes of packs it may move in a second, where [`Self::work`] says nothing else.
    #[serde(default)]
    pub bytes_per_second: Option<NonZeroU64>,
    /// What holds in work hours instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work: Option<WorkRate>,
}

/// What holds in work hours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkRate {
    /// When.
    pub hours: WorkHours,
    /// How many bytes of packs a job may move in a second then.
    #[serde(default)]
    pub bytes_per_second: Option<NonZeroU64>,
}

impl Pace {
    /// Whether there is no limit at all.
    pub fn is_full(&self) -> bool {
        *self == Self::default()
    }

    /// How many bytes of packs may be moved in a second at that moment.
    pub fn rate_at(&self, moment: Timestamp) -> Option<NonZeroU64> {
        match &self.work {
            Some(work) if work.hours.contain(moment) => work.bytes_per_second,
            _ => self.bytes_per_second,
        }
    }

    /// What holds a connection to the rate.
    pub(crate) fn throttle(&self, clock: &Arc<dyn Clock>) -> Option<Throttle> {
        if self.work.is_none() {
            return self.bytes_per_second.map(Throttle::new);
        }
        let (pace, clock) = (self.clone(), Arc::clone(clock));
        Some(Throttle::following(move || pace.rate_at(clock.now())))
    }
}

/// Makes this process as considerate as its jobs ask it to be. Called before it starts any other thread, because each
/// thread has a priority of its own, which it takes over from the one that starts it. There is no way back: only the
/// superuser could raise it again, so a process runs jobs of one priority. A system that refuses does not end a job.
pub fn lower_priority<'a>(paces: impl IntoIterator<Item = &'a Pace>) {
    if paces.into_iter().any(|pace| pace.low_priority)
        && let Err(cause) = platform::lower_priority()
    {
        tracing::warn!(%cause, "the priority can't be lowered");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stateward_model::policy::{TimeOfDay, Weekday, Zone};

    fn pace() -> Pace {
        let hours = WorkHours {
            days: [Weekday::Friday].into(),
            from: TimeOfDay::new(8, 0).unwrap(),
            until: TimeOfDay::new(18, 0).unwrap(),
            zone: Zone::utc(),
        };
        let work = Some(WorkRate { hours, bytes_per_second: NonZeroU64::new(64_000) });
        Pace { low_priority: true, bytes_per_second: NonZeroU64::new(10_000_000), work }
    }

    #[test]
    fn a_pace_survives_its_file_and_one_that_is_not_written_down_is_full() {
        let pace = pace();
        let text = serde_json::to_string(&pace).unwrap();
        assert_eq!(serde_json::from_str::<Pace>(&text).unwrap(), pace, "{text}");
        assert!(serde_json::from_str::<Pace>("{}").unwrap().is_full());
        assert!(serde_json::from_str::<Pace>(r#"{"bytes_per_second": 0}"#).is_err());
    }

    #[test]
    fn work_hours_have_a_rate_of_their_own() {
        // 1970-01-02 was a Friday.
        let friday = |hour: i64| Timestamp::from_seconds(86_400 + hour * 3600, 0).unwrap();
        let rate = |pace: &Pace, hour| pace.rate_at(friday(hour)).map(NonZeroU64::get);
        let mut pace = pace();
        assert_eq!(
            [7, 8, 17, 18].map(|hour| rate(&pace, hour)),
            [10_000_000, 64_000, 64_000, 10_000_000].map(Some)
        );
        pace.bytes_per_second = None;
        assert_eq!((rate(&pace, 7), rate(&pace, 9)), (None, Some(64_000)));
        pace.work.as_mut().unwrap().bytes_per_second = None;
        assert_eq!(rate(&pace, 9), None);
    }
}
