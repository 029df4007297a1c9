//! A test of the way to a vault, step by step: each passes, fails, or is skipped because one before it failed or because there
//! is nothing to it.

use crate::connection::{Connection, Endpoint, Surroundings, checked_url};
use crate::failure::Failure;
use crate::probe::{self, Place};
use crate::retry::Manner;
use crate::sign_in::Identity;
use crate::tls;
use crate::{AdminClient, CallError};
use stateward_api::Health;
use stateward_engine::VaultError;
use stateward_model::Timestamp;
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// A vault takes no sign-in of a machine whose clock differs by more seconds.
pub const SKEW_SECONDS_MAX: i64 = 300;

/// A step of the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepKind {
    /// The name of the vault, or of the proxy, has an address.
    Name,
    /// Something listens there.
    Port,
    /// The proxy leads to the vault.
    Proxy,
    /// The vault shows a certificate of the authority that is expected.
    Certificate,
    /// It answers, and is a vault.
    Answer,
    /// The clocks agree.
    Clock,
    /// It takes the sign-in.
    SignIn,
}

/// How a step went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepOutcome {
    /// As it should be; in a few words.
    Passed(String),
    /// It did not.
    Failed(VaultError),
    /// It was not tried; why.
    Skipped(&'static str),
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Which.
    pub kind: StepKind,
    /// How it went.
    pub outcome: StepOutcome,
    /// How long it took.
    pub took: Duration,
}

/// What a test found.
#[derive(Debug, Clone)]
pub struct ConnectionTest {
    /// All steps, in order.
    pub steps: Vec<Step>,
    /// What the vault told of itself.
    pub health: Option<Health>,
    /// By how much this machine's clock is ahead of the vault's.
    pub skew_seconds: Option<i64>,
}

impl ConnectionTest {
    /// The first failure.
    pub fn failure(&self) -> Option<&VaultError> {
        self.steps.iter().find_map(|step| match &step.outcome {
            StepOutcome::Failed(error) => Some(error),
            _ => None,
        })
    }
}

const AFTER_FAILURE: &str = "a step before it failed";
const NO_PROXY: &str = "no proxy is set";
const NOBODY: &str = "nobody signs in";

/// Tests the way to a vault. Nothing is tried again.
pub fn test_connection(
    endpoint: &Endpoint,
    identity: Option<Identity>,
    manner: &Manner,
    surroundings: &Surroundings,
) -> ConnectionTest {
    let mut test = Test { steps: Vec::new(), endpoint };
    let (mut health, mut skew_seconds) = (None, None);
    if test.walk(manner).is_some() {
        let manner = Manner { patience: Duration::ZERO, cancellation: manner.cancellation.clone() };
        let told = test.step(StepKind::Answer, || {
            let (found, skew) = ask(endpoint, &manner, surroundings)?;
            Ok((format!("stateward-vault {}", found.version), (found, skew)))
        });
        if let Some((found, seconds)) = told {
            (health, skew_seconds) = (Some(found), Some(seconds));
            test.step(StepKind::Clock, || clock(seconds));
            match identity {
                None => test.skip(StepKind::SignIn, NOBODY),
                Some(identity) => {
                    test.step(StepKind::SignIn, || sign_in(endpoint, identity, &manner, surroundings));
                }
            }
        }
    }
    test.skip_rest();
    ConnectionTest { steps: test.steps, health, skew_seconds }
}

struct Test<'a> {
    endpoint: &'a Endpoint,
    steps: Vec<Step>,
}

impl Test<'_> {
    fn step<T>(
        &mut self,
        kind: StepKind,
        work: impl FnOnce() -> Result<(String, T), VaultError>,
    ) -> Option<T> {
        let begin = Instant::now();
        let (outcome, value) = match work() {
            Ok((words, value)) => (StepOutcome::Passed(words), Some(value)),
            Err(error) => (StepOutcome::Failed(error), None),
        };
        self.steps.push(Step { kind, outcome, took: begin.elapsed() });
        value
    }

    fn skip(&mut self, kind: StepKind, why: &'static str) {
        self.steps.push(Step { kind, outcome: StepOutcome::Skipped(why), took: Duration::ZERO });
    }

    fn skip_rest(&mut self) {
        use StepKind::{Answer, Certificate, Clock, Name, Port, Proxy, SignIn};
        for kind in [Name, Port, Proxy, Certificate, Answer, Clock, SignIn] {
            if self.steps.iter().all(|step| step.kind != kind) {
                self.skip(kind, AFTER_FAILURE);
            }
        }
    }

    /// From the name to the certificate.
    fn walk(&mut self, manner: &Manner) -> Option<()> {
        let endpoint = self.endpoint;
        let (limit, proxy) = (manner.connect_timeout(), endpoint.proxy.as_ref());
        let told = |failure: Failure| endpoint.told(failure);
        // What fails on the way to a proxy is the proxy's.
        let away = |failure: Failure| {
            endpoint.told(if proxy.is_some() { probe::proxy_away(failure) } else { failure })
        };
        let mut vault = None;
        let addresses = self.step(StepKind::Name, || {
            let url = checked_url(&endpoint.url)?;
            let place = Place::of(&url).ok_or(VaultError::Unreachable(url))?;
            let first = proxy.map_or_else(|| place.clone(), Place::of_proxy);
            vault = Some(place);
            let addresses = first.resolve().map_err(away)?;
            let shown: Vec<String> = addresses.iter().map(|address| address.ip().to_string()).collect();
            Ok((format!("`{}` is {}", first.host, shown.join(", ")), addresses))
        })?;
        let vault = vault?;
        let mut stream: TcpStream = self.step(StepKind::Port, || {
            let stream = probe::reach(&addresses, limit).map_err(away)?;
            let to = stream.peer_addr().map(|address| address.to_string()).unwrap_or_default();
            Ok((format!("{to} takes connections"), stream))
        })?;
        match proxy {
            None => self.skip(StepKind::Proxy, NO_PROXY),
            Some(proxy) => self.step(StepKind::Proxy, || {
                probe::tunnel(&mut stream, proxy, &vault).map_err(told)?;
                Ok((format!("`{proxy}` leads to the vault"), ()))
            })?,
        }
        self.step(StepKind::Certificate, || {
            let tls = tls::trusting_only(&endpoint.ca_pem).map_err(VaultError::NotTrusted)?;
            let version = probe::secure(stream, &vault, tls).map_err(told)?;
            Ok((format!("it is of the expected authority ({version})"), ()))
        })
    }
}

fn ask(
    endpoint: &Endpoint,
    manner: &Manner,
    surroundings: &Surroundings,
) -> Result<(Health, i64), VaultError> {
    let connection = Connection::new(endpoint.clone(), None, manner.clone(), surroundings.clone())?;
    let before = surroundings.clock.now();
    let health = AdminClient::new(connection).health().map_err(|error| error.into_vault_error("health"))?;
    let ahead = seconds_ahead(before, surroundings.clock.now(), health.time);
    Ok((health, ahead))
}

/// By how much this machine's clock is ahead of the vault's, which told that moment between the two.
pub(crate) fn seconds_ahead(before: Timestamp, after: Timestamp, vault: Timestamp) -> i64 {
    let (before, after, vault) = (before.seconds(), after.seconds(), vault.seconds());
    match () {
        () if vault < before => before - vault,
        () if vault > after => after - vault,
        () => 0,
    }
}

fn clock(ahead: i64) -> Result<(String, ()), VaultError> {
    match ahead {
        _ if ahead.abs() > SKEW_SECONDS_MAX => Err(VaultError::ClockSkew { seconds: ahead }),
        0 => Ok(("it agrees with the vault's".to_owned(), ())),
        1.. => Ok((format!("it is {ahead} s ahead of the vault's"), ())),
        _ => Ok((format!("it is {} s behind the vault's", -ahead), ())),
    }
}

fn sign_in(
    endpoint: &Endpoint,
    identity: Identity,
    manner: &Manner,
    surroundings: &Surroundings,
) -> Result<(String, ()), VaultError> {
    let connection = Connection::new(endpoint.clone(), Some(identity), manner.clone(), surroundings.clone())?;
    let signed_in = connection.sign_in();
    signed_in.map_err(|error: CallError| error.into_vault_error("sign-in"))?;
    Ok(("the vault takes it".to_owned(), ()))
}

#[cfg(test)]
mod tests;
