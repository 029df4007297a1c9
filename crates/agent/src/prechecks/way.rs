//! Prechecks that need the vault: whether it is reached (`vault-reachable`), and whether both clocks agree (`clock`).
//!
//! A backup can't be made without its vault, so what the policy says is how long it is waited for: a finding that blocks ends
//! the job at once, any other lets it hold out as a job does whose connection is lost. A planned run that fails either way is
//! begun again by the timetable.

use super::{PASSED, PrecheckSettings, SKEW_SECONDS_MUCH, WARNED};
use crate::jobs::run::RunningJob;
use crate::{Agent, AgentError, RegisteredServer};
use stateward_client::HttpVault;
use stateward_engine::{EngineError, VaultError};
use stateward_format::manifest::Precheck;
use std::sync::Arc;

const REACHABLE: &str = "vault-reachable";

/// A vault that was reached.
pub(crate) struct Reached {
    /// The vault.
    pub(crate) vault: Arc<HttpVault>,
    /// How it went: judged and told already.
    pub(crate) found: Vec<Precheck>,
}

/// Signs in to the vault for a backup. One that is away is a finding.
pub(crate) fn reach(
    agent: &Agent,
    server: &RegisteredServer,
    (settings, despite): (&PrecheckSettings, bool),
    job: &RunningJob<'_>,
) -> Result<Reached, AgentError> {
    let error = match job.connect(agent, server) {
        Ok(vault) => {
            let passed = precheck(REACHABLE, PASSED, "The vault was reached".to_owned());
            return Ok(Reached { vault, found: vec![passed] });
        }
        Err(error) if is_away(&error) => error,
        Err(error) => return Err(error),
    };
    let mut found = vec![precheck(REACHABLE, WARNED, error.to_string())];
    let blocked = settings.judge(&mut found, despite);
    job.prechecked(&found);
    match blocked {
        Some(why) => Err(why),
        None => Ok(Reached { vault: job.connect_patiently(agent, server)?, found }),
    }
}

/// Whether an error means that there is no way to the vault now, and there may be one later.
pub(crate) fn is_away(error: &AgentError) -> bool {
    let AgentError::Engine(EngineError::Vault(error)) = error else { return false };
    matches!(error, VaultError::Unreachable(_) | VaultError::Unavailable(_) | VaultError::Blocked(..))
}

/// How this machine's clock stands against the vault's.
pub(crate) fn clock(ahead: Option<i64>) -> Precheck {
    let (outcome, message) = match ahead {
        None => (PASSED, "The vault does not tell its time".to_owned()),
        Some(ahead) if ahead.abs() <= SKEW_SECONDS_MUCH => {
            (PASSED, "This machine's clock agrees with the vault's".to_owned())
        }
        Some(ahead) => {
            let side = if ahead > 0 { "ahead of" } else { "behind" };
            (WARNED, format!("This machine's clock is {} s {side} the vault's", ahead.unsigned_abs()))
        }
    };
    precheck("clock", outcome, message)
}

fn precheck(code: &str, outcome: u8, message: String) -> Precheck {
    Precheck { code: code.to_owned(), outcome, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_warns_from_more_than_a_minute_on_in_both_directions() {
        let told = |ahead| {
            let Precheck { outcome, message, .. } = clock(ahead);
            (outcome, message)
        };
        for agreed in [None, Some(0), Some(60), Some(-60)] {
            assert_eq!(told(agreed).0, PASSED, "{agreed:?}");
        }
        assert_eq!(told(Some(61)), (WARNED, "This machine's clock is 61 s ahead of the vault's".to_owned()));
        assert_eq!(told(Some(-90)), (WARNED, "This machine's clock is 90 s behind the vault's".to_owned()));
    }

    #[test]
    fn only_a_way_that_may_be_free_later_counts_as_away() {
        for (error, expected) in [
            (VaultError::Unreachable("No".to_owned()), true),
            (VaultError::Unavailable("No".to_owned()), true),
            (VaultError::NotTrusted("No".to_owned()), false),
            (VaultError::ClockSkew { seconds: 900 }, false),
            (VaultError::Cancelled, false),
        ] {
            assert_eq!(is_away(&AgentError::from(error.clone())), expected, "{error}");
        }
    }
}
