//! The way to the vault, and what the vault tells of itself.

use super::{Check, Outcome};
use crate::codes::Code;
use crate::prechecks::SKEW_SECONDS_MUCH;
use crate::{Agent, AgentError, RegisteredServer};
use stateward_api::Health;
use stateward_api::credentials::VaultCredentials;
use stateward_client::{
    ConnectionTest, Endpoint, Identity, Manner, Step, StepKind, StepOutcome, authority_ends, test_connection,
};
use stateward_engine::Cancellation;

/// An authority that ends within so many seconds must be replaced soon: 60 days.
const AUTHORITY_SECONDS_FEW: i64 = 60 * 86_400;

fn name(kind: StepKind) -> &'static str {
    match kind {
        StepKind::Name => "connection-name",
        StepKind::Port => "connection-port",
        StepKind::Proxy => "connection-proxy",
        StepKind::Certificate => "connection-certificate",
        StepKind::Answer => "connection-answer",
        StepKind::Clock => "connection-clock",
        StepKind::SignIn => "connection-sign-in",
    }
}

/// What each step is about, at the beginning of its sentence.
fn subject(kind: StepKind) -> &'static str {
    match kind {
        StepKind::Name => "The name",
        StepKind::Port => "The port",
        StepKind::Proxy => "The proxy",
        StepKind::Certificate => "The certificate",
        StepKind::Answer => "The answer",
        StepKind::Clock => "The clock",
        StepKind::SignIn => "The sign-in",
    }
}

/// The steps of a test of the way to a vault, each with what to do about it.
pub fn connection_checks(test: &ConnectionTest) -> Vec<Check> {
    let check = |step: &Step| {
        let (name, subject) = (name(step.kind), subject(step.kind));
        let check = match &step.outcome {
            StepOutcome::Passed(words) => Check::passed(name, format!("{subject}: {words}")),
            StepOutcome::Skipped(why) => Check::skipped(name, format!("{subject}: {why}")),
            StepOutcome::Failed(error) => Check::error(name, &AgentError::from(error.clone())),
        };
        match check.outcome {
            Outcome::Skipped => check,
            _ => Check { took: Some(step.took), ..check },
        }
    };
    let mut checks: Vec<Check> = test.steps.iter().map(check).collect();
    let skew = test.skew_seconds.unwrap_or_default();
    for check in checks.iter_mut().filter(|check| check.name == name(StepKind::Clock)) {
        if check.outcome == Outcome::Passed && skew.abs() > SKEW_SECONDS_MUCH {
            check.outcome = Outcome::Warning;
            check.remedy = Some(Code::ClockSkew.remedy().to_owned());
        }
    }
    checks
}

/// Tests the way to the vault that credentials are for.
pub fn test_way(agent: &Agent, credentials: &VaultCredentials) -> Result<Vec<Check>, AgentError> {
    let endpoint = agent.endpoint(&credentials.url, &credentials.ca_pem, &credentials.tenant)?;
    Ok(connection_checks(&test(agent, &endpoint, None)))
}

/// Tests the way to the vault that this server is registered with.
pub fn test_own_way(agent: &Agent) -> Result<Vec<Check>, AgentError> {
    let server = RegisteredServer::load(agent.home())?;
    let endpoint = server.endpoint(agent)?;
    Ok(connection_checks(&test(agent, &endpoint, Some(server.identity()))))
}

fn test(agent: &Agent, endpoint: &Endpoint, identity: Option<Identity>) -> ConnectionTest {
    let manner = Manner::interactive(Cancellation::default());
    test_connection(endpoint, identity, &manner, agent.surroundings())
}

/// The way to the server's vault.
pub(super) fn way(agent: &Agent, server: Option<&RegisteredServer>) -> Vec<Check> {
    let Some(server) = server else { return vec![Check::skipped("connection", "Nothing is registered")] };
    let endpoint = match server.endpoint(agent) {
        Ok(endpoint) => endpoint,
        Err(error) => return vec![Check::error("connection", &error)],
    };
    let test = test(agent, &endpoint, Some(server.identity()));
    let mut checks = connection_checks(&test);
    checks.push(authority(agent, &endpoint.ca_pem));
    checks.push(version(agent.program(), test.health.as_ref()));
    checks
}

/// Until when the vault's certificate authority is good, which the registration trusts.
fn authority(agent: &Agent, ca_pem: &str) -> Check {
    const NAME: &str = "authority";
    let remedy =
        "Have the vault's administrator make a new authority, and register again with new vault credentials";
    let Some(ends) = authority_ends(ca_pem) else {
        return Check::skipped(NAME, "Until when the vault's authority is good can't be told");
    };
    let now = agent.now();
    match ends {
        _ if ends <= now => {
            Check::warning(NAME, format!("The vault's certificate authority ended at {ends}"), remedy)
        }
        _ if ends <= now.plus_seconds(AUTHORITY_SECONDS_FEW) => {
            Check::warning(NAME, format!("The vault's certificate authority ends at {ends}"), remedy)
        }
        _ => Check::passed(NAME, format!("The vault's certificate authority is good until {ends}")),
    }
}

/// Whether agent and vault are of one version.
fn version(program: &str, health: Option<&Health>) -> Check {
    const NAME: &str = "version";
    let own = program.rsplit(' ').next().unwrap_or_default();
    let Some(health) = health else {
        return Check::skipped(NAME, format!("This is {own}; the vault did not tell its version"));
    };
    let vault = health.version.as_str();
    match (release(own), release(vault)) {
        (Some(own_release), Some(of_vault)) if own_release < of_vault => Check::warning(
            NAME,
            format!("The agent is of version {own}, older than the vault's {vault}"),
            "Install the agent of the vault's version",
        ),
        (Some(own_release), Some(of_vault)) if own_release > of_vault => Check::warning(
            NAME,
            format!("The agent is of version {own}, newer than the vault's {vault}"),
            "Have the vault upgraded; until then new things of the agent may be refused",
        ),
        _ => Check::passed(NAME, format!("The agent is of version {own}, the vault of {vault}")),
    }
}

/// Major and minor number: those between which something may have changed.
fn release(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.split('.').map(|number| number.parse().ok());
    Some((numbers.next()??, numbers.next()??))
}

#[cfg(test)]
mod tests {
    use super::*;
    use stateward_engine::{Obstacle, VaultError};
    use stateward_model::Timestamp;
    use std::time::Duration;

    #[test]
    fn versions_are_compared_by_major_and_minor_number() {
        let told = |vault: &str| {
            let health =
                Health { version: vault.to_owned(), time: Timestamp::default(), tenant: String::new() };
            version("stateward 1.10.2", Some(&health)).outcome
        };
        assert_eq!(
            (told("1.10.9"), told("1.11.0"), told("1.9.0")),
            (Outcome::Passed, Outcome::Warning, Outcome::Warning)
        );
        assert_eq!(version("stateward 1.10.2", None).outcome, Outcome::Skipped);
    }

    #[test]
    fn a_failed_step_has_code_and_remedy_and_a_clock_that_drifts_warns() {
        let step = |kind, outcome| Step { kind, outcome, took: Duration::from_millis(3) };
        let error = VaultError::Blocked(Obstacle::ProxyLogin, "user `x` or the password is wrong".to_owned());
        let test = ConnectionTest {
            steps: vec![
                step(StepKind::Proxy, StepOutcome::Failed(error)),
                step(StepKind::Clock, StepOutcome::Passed("it is 90 s ahead of the vault's".to_owned())),
                step(StepKind::SignIn, StepOutcome::Skipped("nobody signs in")),
            ],
            health: None,
            skew_seconds: Some(90),
        };
        let checks = connection_checks(&test);
        let outcomes: Vec<Outcome> = checks.iter().map(|check| check.outcome).collect();
        assert_eq!(outcomes, [Outcome::Failed, Outcome::Warning, Outcome::Skipped]);
        assert_eq!(checks[0].code.as_deref(), Some("proxy-sign-in-refused"));
        assert!(checks[..2].iter().all(|check| check.remedy.is_some() && check.took.is_some()));
    }
}
