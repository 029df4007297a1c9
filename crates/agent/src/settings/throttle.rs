//! The rates of the line by the hours of the week, and of restores apart from all other jobs: Azure's agent has two rates for
//! both together, and its documents advise to switch them off before a restore.

use crate::jobs::{Pace, WorkRate};
use serde::{Deserialize, Serialize};
use stateward_model::JobKind;
use stateward_model::policy::WorkHours;
use std::num::NonZeroU64;

/// A rate, or that there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// As fast as the line is.
    Off,
    /// So many bytes of packs a second.
    BytesPerSecond(NonZeroU64),
}

impl Limit {
    /// Bytes a second, if there is a limit.
    pub fn rate(self) -> Option<NonZeroU64> {
        match self {
            Self::Off => None,
            Self::BytesPerSecond(rate) => Some(rate),
        }
    }
}

/// Rates that differ from the usual one, which is the pace's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThrottleSettings {
    /// When people need the line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work_hours: Option<WorkHours>,
    /// In work hours; without it as at any other time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work: Option<Limit>,
    /// Of restores; without it as all other jobs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restore: Option<Limit>,
    /// Of restores in work hours; without it as restores at any other time if these have a rate of their own, else as all
    /// other jobs in work hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restore_work: Option<Limit>,
}

impl ThrottleSettings {
    /// The pace that a job of that kind has where `usual` is that of all jobs.
    pub fn over(&self, usual: Pace, kind: JobKind) -> Pace {
        let (other, in_work) = match kind {
            JobKind::Restore => (self.restore, self.restore_work.or(self.restore).or(self.work)),
            _ => (None, self.work),
        };
        let work = self.work_hours.clone().zip(in_work);
        Pace {
            low_priority: usual.low_priority,
            bytes_per_second: other.map_or(usual.bytes_per_second, Limit::rate),
            work: work.map(|(hours, limit)| WorkRate { hours, bytes_per_second: limit.rate() }),
        }
    }
}

/// A wish about rates; what it does not mention stays as it is, and what is wished to be nothing is as the others again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ThrottleWish {
    /// The work hours.
    pub work_hours: Option<Option<WorkHours>>,
    /// The rate in them.
    pub work: Option<Option<Limit>>,
    /// The rate of restores.
    pub restore: Option<Option<Limit>>,
    /// The rate of restores in work hours.
    pub restore_work: Option<Option<Limit>>,
}

impl ThrottleWish {
    /// The settings that come of it.
    pub(super) fn over(self, settings: ThrottleSettings) -> ThrottleSettings {
        ThrottleSettings {
            work_hours: self.work_hours.unwrap_or(settings.work_hours),
            work: self.work.unwrap_or(settings.work),
            restore: self.restore.unwrap_or(settings.restore),
            restore_work: self.restore_work.unwrap_or(settings.restore_work),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stateward_model::policy::{TimeOfDay, Weekday, Zone};

    fn hours() -> WorkHours {
        WorkHours {
            days: [Weekday::Monday].into(),
            from: TimeOfDay::new(8, 0).unwrap(),
            until: TimeOfDay::new(18, 0).unwrap(),
            zone: Zone::utc(),
        }
    }

    fn limit(bytes: u64) -> Option<Limit> {
        NonZeroU64::new(bytes).map(Limit::BytesPerSecond)
    }

    /// The rate at other times and in work hours; `None` for hours that do not differ.
    fn rates(settings: &ThrottleSettings, kind: JobKind) -> (Option<u64>, Option<Option<u64>>) {
        let usual = Pace { bytes_per_second: NonZeroU64::new(10), ..Pace::default() };
        let pace = settings.over(usual, kind);
        let bytes = |rate: Option<NonZeroU64>| rate.map(NonZeroU64::get);
        (bytes(pace.bytes_per_second), pace.work.map(|work| bytes(work.bytes_per_second)))
    }

    #[test]
    fn restores_are_as_all_jobs_unless_they_have_rates_of_their_own() {
        let mut settings = ThrottleSettings::default();
        assert_eq!(rates(&settings, JobKind::Backup), (Some(10), None));
        settings.work = limit(2);
        assert_eq!(rates(&settings, JobKind::Backup), (Some(10), None), "there are no work hours");
        settings.work_hours = Some(hours());
        assert_eq!(rates(&settings, JobKind::Backup), (Some(10), Some(Some(2))));
        assert_eq!(rates(&settings, JobKind::Restore), (Some(10), Some(Some(2))));
        settings.restore = Some(Limit::Off);
        assert_eq!(rates(&settings, JobKind::Restore), (None, Some(None)));
        assert_eq!(rates(&settings, JobKind::Verify), (Some(10), Some(Some(2))));
        settings.restore_work = limit(5);
        assert_eq!(rates(&settings, JobKind::Restore), (None, Some(Some(5))));
    }

    #[test]
    fn what_is_not_mentioned_stays() {
        let wish =
            ThrottleWish { work_hours: Some(Some(hours())), work: Some(limit(7)), ..ThrottleWish::default() };
        let settings = wish.over(ThrottleSettings::default());
        let next = ThrottleWish { restore: Some(Some(Limit::Off)), ..ThrottleWish::default() };
        let settings = next.over(settings);
        let expected = ThrottleSettings {
            work_hours: Some(hours()),
            work: limit(7),
            restore: Some(Limit::Off),
            restore_work: None,
        };
        assert_eq!(settings, expected);
        let text = serde_json::to_string(&settings).unwrap();
        assert_eq!(serde_json::from_str::<ThrottleSettings>(&text).unwrap(), expected, "{text}");
        let none = ThrottleWish { work_hours: Some(None), work: Some(None), ..ThrottleWish::default() };
        assert_eq!(none.over(settings).work_hours, None);
    }
}
