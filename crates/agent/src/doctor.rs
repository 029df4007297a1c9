//! A look at everything that a backup of this server needs: the home, the way to the vault, the cache, who runs the backups and
//! how the last ones went. It changes nothing, and says of each thing what to do about it.

mod backups;
mod network;
mod place;
mod record;

pub use network::{connection_checks, test_own_way, test_way};
pub use record::record_machine;

use crate::codes::Code;
use crate::{Agent, AgentError, Exit};
use std::time::Duration;

/// How something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// As it should be.
    Passed,
    /// Backups are made, and something is not as it should be.
    Warning,
    /// No backup can be made, or none can be restored, until it is mended.
    Failed,
    /// It was not looked at.
    Skipped,
}

impl Outcome {
    /// In one word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Warning => "warning",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What; stable.
    pub name: &'static str,
    /// How it stands.
    pub outcome: Outcome,
    /// The same in a sentence.
    pub message: String,
    /// The failure's or warning's code, if it has one.
    pub code: Option<String>,
    /// What to do about it.
    pub remedy: Option<String>,
    /// How long a step of the way took.
    pub took: Option<Duration>,
}

impl Check {
    fn new(name: &'static str, outcome: Outcome, message: impl Into<String>) -> Self {
        Self { name, outcome, message: message.into(), code: None, remedy: None, took: None }
    }

    fn passed(name: &'static str, message: impl Into<String>) -> Self {
        Self::new(name, Outcome::Passed, message)
    }

    fn skipped(name: &'static str, message: impl Into<String>) -> Self {
        Self::new(name, Outcome::Skipped, message)
    }

    fn warning(name: &'static str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { remedy: Some(remedy.into()), ..Self::new(name, Outcome::Warning, message) }
    }

    fn failed(name: &'static str, code: Code, message: impl Into<String>) -> Self {
        let (code, remedy) = (Some(code.to_string()), Some(code.remedy().to_owned()));
        Self { code, remedy, ..Self::new(name, Outcome::Failed, message) }
    }

    fn error(name: &'static str, error: &AgentError) -> Self {
        Self::failed(name, error.code(), error.to_string())
    }
}

/// All that was looked at.
#[derive(Debug, Clone, Default)]
pub struct Diagnosis {
    /// Each thing, in the order in which to mend them.
    pub checks: Vec<Check>,
}

impl Diagnosis {
    /// How many stand so.
    pub fn count(&self, outcome: Outcome) -> usize {
        self.checks.iter().filter(|check| check.outcome == outcome).count()
    }

    /// How the program ends with it.
    pub fn exit(&self) -> Exit {
        match () {
            () if self.count(Outcome::Failed) > 0 => Exit::Failed,
            () if self.count(Outcome::Warning) > 0 => Exit::Warnings,
            () => Exit::Done,
        }
    }
}

/// Looks at everything.
pub fn examine(agent: &Agent) -> Diagnosis {
    let mut checks = place::home(agent);
    let server = place::registration(agent, &mut checks);
    checks.extend(network::way(agent, server.as_ref()));
    checks.extend(place::cache(server.as_ref()));
    checks.extend(backups::service(agent));
    checks.extend(backups::items(agent));
    checks.extend(backups::prechecks(agent, server.as_ref()));
    checks.push(backups::snapshots(agent));
    Diagnosis { checks }
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
