//! What holds for all jobs of a home unless a command says otherwise.

use crate::document::Document;
use crate::jobs::Pace;
use crate::{AgentError, Home};
use serde::{Deserialize, Serialize};
use std::num::NonZeroU64;

const FILE: &str = "settings.json";

/// What holds for all jobs of a home unless a command says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// How much of the machine and of the line jobs may take.
    #[serde(default)]
    pub pace: Pace,
    /// Whether backups read from snapshots of the file systems that give them.
    #[serde(default = "usual_source_snapshot")]
    pub source_snapshot: bool,
}

fn usual_source_snapshot() -> bool {
    true
}

impl Default for Settings {
    fn default() -> Self {
        Self { pace: Pace::default(), source_snapshot: usual_source_snapshot() }
    }
}

/// A wish about the settings; what it does not mention stays as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SettingsWish {
    /// About the pace.
    pub pace: PaceWish,
    /// Whether to read from snapshots.
    pub source_snapshot: Option<bool>,
}

impl Document for Settings {
    const VERSION: u32 = 1;
}

/// A wish about the pace; what it does not mention stays as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PaceWish {
    /// Whether to give way.
    pub low_priority: Option<bool>,
    /// Bytes a second, or no limit.
    pub bytes_per_second: Option<Option<NonZeroU64>>,
}

impl PaceWish {
    /// The pace that comes of it.
    pub fn over(&self, pace: Pace) -> Pace {
        Pace {
            low_priority: self.low_priority.unwrap_or(pace.low_priority),
            bytes_per_second: self.bytes_per_second.unwrap_or(pace.bytes_per_second),
        }
    }
}

impl Settings {
    /// The home's settings; those of a home that has none are the usual ones. Damaged ones are an error: a job that ran
    /// faster than it may could do harm.
    pub fn load(home: &Home) -> Result<Self, AgentError> {
        Ok(home.read(FILE)?.unwrap_or_default())
    }

    /// Changes the home's settings for the jobs that are asked for from now on.
    pub fn change(home: &Home, wish: SettingsWish) -> Result<Self, AgentError> {
        home.prepare()?;
        let _settings = home.lock_settings()?;
        let before = Self::load(home)?;
        let settings = Self {
            pace: wish.pace.over(before.pace),
            source_snapshot: wish.source_snapshot.unwrap_or(before.source_snapshot),
        };
        home.write(FILE, &settings)?;
        Ok(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_mentioned_stays_and_what_is_said_wins() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(Some(folder.path())).unwrap();
        assert!(Settings::load(&home).unwrap().pace.is_full());
        let rate = NonZeroU64::new(5_000_000);
        let low = PaceWish { low_priority: Some(true), bytes_per_second: None };
        let change = |pace| Settings::change(&home, SettingsWish { pace, source_snapshot: None }).unwrap();
        change(low);
        let limit = PaceWish { low_priority: None, bytes_per_second: Some(rate) };
        change(limit);
        let kept = Settings::load(&home).unwrap().pace;
        assert_eq!(kept, Pace { low_priority: true, bytes_per_second: rate });
        let off = PaceWish { low_priority: Some(false), bytes_per_second: Some(None) };
        assert!(off.over(kept).is_full());
        assert_eq!(PaceWish::default().over(kept), kept);
        let without = SettingsWish { source_snapshot: Some(false), ..SettingsWish::default() };
        assert!(Settings::load(&home).unwrap().source_snapshot);
        let kept = Settings { pace: kept, source_snapshot: false };
        assert_eq!(Settings::change(&home, without).unwrap(), kept);
        assert_eq!(Settings::load(&home).unwrap(), kept);
    }
}
