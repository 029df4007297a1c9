//! What a restore does where something lies at its target already, and how often it did.

use stateward_model::Timestamp;
use std::fmt;
use std::str::FromStr;

/// What becomes of an entry whose place is taken by something else. What is the same already is left under each rule.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ConflictRule {
    /// The target must be new or empty, so that there are no conflicts.
    #[default]
    Fail,
    /// It is laid beside what is there, under a name that says what it is.
    Copy,
    /// It takes the place of what is there.
    Overwrite,
    /// What is there stays, and the entry is named as left out.
    Skip,
}

impl ConflictRule {
    /// All of them by their names.
    pub const ALL: [(&'static str, Self); 4] =
        [("fail", Self::Fail), ("copy", Self::Copy), ("overwrite", Self::Overwrite), ("skip", Self::Skip)];
}

impl fmt::Display for ConflictRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::ALL.iter().find(|(_, rule)| rule == self).map_or("fail", |(name, _)| name);
        f.write_str(name)
    }
}

/// It is none of the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("It must be `fail`, `copy`, `overwrite` or `skip`")]
pub struct NoSuchRule;

impl FromStr for ConflictRule {
    type Err = NoSuchRule;

    fn from_str(text: &str) -> Result<Self, NoSuchRule> {
        Self::ALL.iter().find(|(name, _)| *name == text).map(|(_, rule)| *rule).ok_or(NoSuchRule)
    }
}

/// How a restore met what lay at its target already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ConflictCounts {
    /// The same already, and left.
    pub identical: u64,
    /// Laid beside what was there.
    pub copied: u64,
    /// Put in the place of what was there.
    pub overwritten: u64,
    /// Left out, because what was there stays.
    pub skipped: u64,
}

/// How a restore is laid into its target.
#[derive(Debug, Clone)]
pub struct Laying {
    /// What becomes of conflicts.
    pub rule: ConflictRule,
    /// What the names of copies tell: which moment they are of, such as `2026-11-29 03.30`.
    pub moment: String,
    /// Folders at or below these paths (bytes, absolute) are what the restore is about: of folders that are there already,
    /// overwriting sets the owners and modes of these only. Empty: of all that the recovery point holds.
    pub named: Vec<Vec<u8>>,
    /// Whether owners, modes, access lists and extended attributes are left off.
    pub without_access: bool,
}

impl Laying {
    /// Whole, and into a new or empty folder only.
    pub fn into_empty_folder() -> Self {
        Self {
            rule: ConflictRule::Fail,
            moment: Timestamp(0).to_string(),
            named: Vec::new(),
            without_access: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_as_they_are_shown() {
        for (name, rule) in ConflictRule::ALL {
            assert_eq!((name.parse(), rule.to_string().as_str()), (Ok(rule), name));
        }
        assert_eq!("Copy".parse::<ConflictRule>(), Err(NoSuchRule));
    }
}
