//! What a finding before a backup does to it: by policy of this server, kept with the recovery point.

mod way;

pub(crate) use way::{Reached, clock, reach};

use crate::AgentError;
use serde::{Deserialize, Serialize};
use stateward_format::manifest::Precheck;
use std::collections::BTreeMap;
use std::fmt;

/// The codes of all prechecks whose findings can be told apart by policy.
#[cfg(not(windows))]
pub const CODES: &[&str] = &[
    "clock",
    "free-space",
    "other-backup",
    "package-integrity",
    "packages-changing",
    "pending-restart",
    "vault-reachable",
];

/// The codes of all prechecks whose findings can be told apart by policy.
#[cfg(windows)]
pub const CODES: &[&str] = &[
    "backup-rights",
    "clock",
    "free-space",
    "other-backup",
    "pending-restart",
    "server-backup",
    "services",
    "shadow-storage",
    "staging-space",
    "system-files",
    "system-partition",
    "system-volume-information",
    "vault-reachable",
    "windows-edition",
    "writers",
];

/// A difference of clocks that is not noise, and grows until sign-ins are refused.
pub(crate) const SKEW_SECONDS_MUCH: i64 = 60;

/// As a recovery point tells it: it is as it should be.
const PASSED: u8 = 0;
/// It is not, and the run goes on.
const WARNED: u8 = 1;
/// It would have blocked the run, which was let through.
const BLOCKED: u8 = 2;

/// What a finding does to a backup.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PrecheckAction {
    /// It is made, and nothing is said; the recovery point keeps the finding's sentence.
    Pass,
    /// It is made, and the finding is told.
    #[default]
    Warn,
    /// It is not made.
    Block,
}

impl fmt::Display for PrecheckAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Block => "block",
        })
    }
}

/// What findings do, by their codes. Those that are not here warn, but for the ones with which a backup would fail or be worth
/// nothing: they block.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PrecheckSettings(pub BTreeMap<String, PrecheckAction>);

impl PrecheckSettings {
    /// What a finding of that code does, unless it is one that blocks by itself.
    pub fn action(&self, code: &str) -> PrecheckAction {
        self.0.get(code).copied().unwrap_or_default()
    }

    /// What a finding does.
    pub fn action_of(&self, found: &Precheck) -> PrecheckAction {
        let by_itself = || match found.outcome {
            BLOCKED => PrecheckAction::Block,
            _ => PrecheckAction::Warn,
        };
        self.0.get(&found.code).copied().unwrap_or_else(by_itself)
    }

    /// Whether somebody said that a finding of that code doesn't block.
    pub(crate) fn lets_through(&self, code: &str) -> bool {
        self.0.get(code).is_some_and(|action| *action != PrecheckAction::Block)
    }

    /// Judges what was found: gives each finding its outcome, and tells why no backup may be made, if so. With `despite`, what
    /// would block is let through.
    pub(crate) fn judge(&self, found: &mut [Precheck], despite: bool) -> Option<AgentError> {
        let mut blocking = Vec::new();
        for precheck in found.iter_mut().filter(|precheck| precheck.outcome != PASSED) {
            match self.action_of(precheck) {
                PrecheckAction::Pass => precheck.outcome = PASSED,
                PrecheckAction::Warn => precheck.outcome = WARNED,
                PrecheckAction::Block => {
                    precheck.outcome = BLOCKED;
                    blocking.push(format!("{} [{}]", precheck.message, precheck.code));
                }
            }
        }
        (!blocking.is_empty() && !despite)
            .then(|| AgentError::PrecheckBlocks { findings: blocking.join("; ") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(outcomes: &[(&str, u8)]) -> Vec<Precheck> {
        let made = |(code, outcome): &(&str, u8)| Precheck {
            code: (*code).to_owned(),
            outcome: *outcome,
            message: format!("About {code}"),
        };
        outcomes.iter().map(made).collect()
    }

    fn outcomes(found: &[Precheck]) -> Vec<u8> {
        found.iter().map(|precheck| precheck.outcome).collect()
    }

    #[test]
    fn a_finding_does_what_the_settings_say_and_what_passed_never_blocks() {
        let settings: PrecheckSettings =
            serde_json::from_str(r#"{"pending-restart":"block","free-space":"pass"}"#).unwrap();
        let mut all = found(&[("pending-restart", 1), ("free-space", 1), ("other-backup", 1)]);
        let why = settings.judge(&mut all, false).unwrap();
        assert_eq!(why.to_string(), "No backup was made: About pending-restart [pending-restart]");
        assert_eq!((outcomes(&all), why.code().as_str()), (vec![2, 0, 1], "precheck-blocks"));
        assert!(settings.judge(&mut all, true).is_none());
        assert_eq!(outcomes(&all), [2, 0, 1]);
        let mut passed = found(&[("pending-restart", 0)]);
        assert!(settings.judge(&mut passed, false).is_none());
        assert!(PrecheckSettings::default().judge(&mut found(&[("pending-restart", 1)]), false).is_none());
    }

    #[test]
    fn a_finding_that_makes_a_backup_worthless_blocks_unless_somebody_said_otherwise() {
        let mut all = found(&[("server-backup", 2), ("pending-restart", 1)]);
        let why = PrecheckSettings::default().judge(&mut all, false).unwrap();
        assert_eq!(why.to_string(), "No backup was made: About server-backup [server-backup]");
        assert_eq!(outcomes(&all), [2, 1]);
        assert!(PrecheckSettings::default().judge(&mut all, true).is_none());
        let settings: PrecheckSettings = serde_json::from_str(r#"{"server-backup":"warn"}"#).unwrap();
        assert!(settings.lets_through("server-backup") && !settings.lets_through("pending-restart"));
        assert!(settings.judge(&mut all, false).is_none());
        assert_eq!(outcomes(&all), [1, 1]);
    }
}
