//! How a restore is to be laid: what becomes of what lies at its target already, and whose things become.

use crate::items::{StoredPath, absolute};
use crate::{AgentError, platform};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use stateward_model::Timestamp;
pub use stateward_system_state::ConflictRule;
use stateward_system_state::{ConflictCounts, Laying};
use std::path::Path;

/// What a person wants of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayingWish {
    /// What becomes of what lies at the target already.
    #[serde(with = "rule_text")]
    pub conflict: ConflictRule,
    /// Whether it goes back to where it came from.
    #[serde(default)]
    pub original: bool,
    /// Whether owners, modes, access lists and extended attributes are left off.
    #[serde(default)]
    pub without_access: bool,
    /// Whether it goes back though this is another system than it came from.
    #[serde(default)]
    pub despite_other_system: bool,
}

impl LayingWish {
    /// Whether it is what every restore was before there was a choice.
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }

    /// Where it goes: to `target`, or to the root if it goes back to where it came from. `None` if nothing is said.
    pub fn place(&self, target: Option<&Path>) -> Result<Option<StoredPath>, AgentError> {
        if self.original && self.conflict == ConflictRule::Fail {
            return Err(AgentError::OriginalNeedsRule);
        }
        match (target, self.original) {
            (Some(target), _) => absolute(target).map(Some),
            (None, true) => Ok(Some(StoredPath(platform::original_root()))),
            (None, false) => Ok(None),
        }
    }

    /// As the target takes it. `named` are the paths that the restore is about; `finished_at` is the recovery point's.
    pub(super) fn laying(&self, named: &[StoredPath], finished_at: Timestamp) -> Laying {
        Laying {
            rule: self.conflict,
            moment: moment(finished_at, TimeZone::system()),
            named: named.iter().map(|path| platform::point_path(&path.0)).collect(),
            without_access: self.without_access,
        }
    }
}

/// `2026-11-29 03.30`: as file names may have it everywhere.
fn moment(at: Timestamp, zone: TimeZone) -> String {
    match jiff::Timestamp::from_second(at.seconds()) {
        Ok(second) => second.to_zoned_datetime(zone).strftime("%Y-%m-%d %H.%M").to_string(),
        Err(_) => "at an unknown time".to_owned(),
    }
}

/// How often a restore met something that lay at its target already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflicts {
    /// The same already, and left.
    pub identical: u64,
    /// Laid beside what was there.
    pub copied: u64,
    /// Put in the place of what was there.
    pub overwritten: u64,
    /// Left out, because what was there stays.
    pub skipped: u64,
}

impl From<ConflictCounts> for Conflicts {
    fn from(ConflictCounts { identical, copied, overwritten, skipped }: ConflictCounts) -> Self {
        Self { identical, copied, overwritten, skipped }
    }
}

mod rule_text {
    use serde::{Deserialize, Deserializer, Serializer, de};
    use stateward_system_state::ConflictRule;

    pub fn serialize<S: Serializer>(rule: &ConflictRule, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(rule)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ConflictRule, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_survives_its_file_and_an_old_file_has_the_usual_one() {
        let wish = LayingWish { conflict: ConflictRule::Copy, original: true, ..LayingWish::default() };
        let text = serde_json::to_string(&wish).unwrap();
        assert!(text.contains(r#""conflict":"copy""#), "{text}");
        assert_eq!(serde_json::from_str::<LayingWish>(&text).unwrap(), wish);
        assert!(serde_json::from_str::<LayingWish>(r#"{"conflict":"all"}"#).is_err());
        assert!(LayingWish::default().is_usual() && !wish.is_usual());
    }

    #[test]
    fn the_moment_in_a_name_has_nothing_that_file_systems_refuse() {
        let moment = moment(Timestamp(1_795_923_000_000_000_000), TimeZone::UTC);
        assert_eq!(moment, "2026-11-29 03.30");
    }
}
