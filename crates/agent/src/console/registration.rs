//! *Register Server*, the way to the vault, and the passphrase afterwards.

use super::Console;
use super::answer::{Answer, Refusal, answered};
use super::body::Body;
use super::shapes;
use crate::doctor;
use crate::domain;
use crate::register::{self, RegisterRequest};
use crate::secrets::{Passphrase, RecoveryCode, SecretError};
use crate::{Agent, AgentError, Proxy, RegisteredServer};
use axum::extract::State;
use stateward_api::VaultCredentials;
use stateward_api::console::{
    ConnectionTest, ConnectionTestRequest, CredentialsCheck, CredentialsCheckRequest, CredentialsFile,
    PassphraseChanged, PassphraseRequest, ProxyWish, RecoveryCodeMade, Registered, RegistrationRequest,
    Secret,
};
use std::sync::Arc;
use zeroize::Zeroizing;

/// What a file is called in messages if the page does not tell.
const FILE: &str = "the file";

/// What vault credentials are for.
pub(super) async fn check(
    State(console): State<Arc<Console>>,
    Body(request): Body<CredentialsCheckRequest>,
) -> Answer<CredentialsCheck> {
    answered(console, move |console| {
        let found = credentials(&console.agent, request.credentials)?;
        Ok(CredentialsCheck {
            vault: found.vault_name,
            url: found.url,
            expires_at: found.expires_at,
            is_known_server: found.server.is_some(),
            needs_domain_file: found.domain.is_some(),
            usual_label: register::usual_label(),
            usual_cache: shapes::path(&console.agent.home().default_cache()),
        })
    })
    .await
}

fn credentials(agent: &Agent, file: CredentialsFile) -> Result<VaultCredentials, AgentError> {
    let content = Zeroizing::new(file.content.0);
    register::check_content(agent, content.as_bytes(), file.name.as_deref().unwrap_or(FILE))
}

/// The proxy that is wished for.
pub(super) fn proxy(wish: ProxyWish) -> Result<Proxy, AgentError> {
    let proxy = Proxy::parse(&wish.address).map_err(AgentError::ProxyAddress)?;
    Ok(proxy.with_password(wish.password.map(|Secret(text)| Zeroizing::new(text))))
}

/// Tests the way to a vault step by step.
pub(super) async fn test(
    State(console): State<Arc<Console>>,
    Body(request): Body<ConnectionTestRequest>,
) -> Answer<ConnectionTest> {
    answered(console, move |console| {
        let agent = console.agent.through(request.proxy.map(proxy).transpose()?);
        let checks = match request.credentials {
            Some(file) => doctor::test_way(&agent, &credentials(&agent, file)?)?,
            None => doctor::test_own_way(&agent)?,
        };
        Ok(ConnectionTest { checks: checks.iter().map(Into::into).collect() })
    })
    .await
}

/// A passphrase that was given, or one that is made; and the made one's text.
fn passphrase(agent: &Agent, given: Option<Secret>) -> Result<(Passphrase, Option<String>), Refusal> {
    match given {
        Some(Secret(text)) => Ok((Passphrase::new(text).map_err(SecretError::from)?, None)),
        None => {
            let made = Passphrase::generate(&*agent.surroundings().random);
            let text = made.expose().to_owned();
            Ok((made, Some(text)))
        }
    }
}

/// Registers.
pub(super) async fn register(
    State(console): State<Arc<Console>>,
    Body(request): Body<RegistrationRequest>,
) -> Answer<Registered> {
    answered(console, move |console| {
        let agent = console.agent.through(request.proxy.map(proxy).transpose()?);
        let found = credentials(&agent, request.credentials)?;
        // Joining a domain needs a file that the console does not take: that is told here.
        domain::for_credentials(None, &found)?;
        if found.server.is_some() && request.passphrase.is_none() {
            return Err(SecretError::IsKnown.into());
        }
        let (passphrase, made) = passphrase(&agent, request.passphrase)?;
        let code = request.make_recovery_code.then(|| RecoveryCode::generate(&*agent.surroundings().random));
        let wish = RegisterRequest {
            label: request.label,
            passphrase: &passphrase,
            recovery_code: code.as_ref(),
            cache: request.cache.map(shapes::whole_path).transpose()?.map(|cache| cache.0),
            domain: None,
        };
        let registration = register::register(&agent, &found, &wish)?;
        Ok(Registered {
            registration: (&registration).into(),
            passphrase: made,
            recovery_code: code.map(|code| code.printable().to_string()),
        })
    })
    .await
}

/// Changes the passphrase.
pub(super) async fn change_passphrase(
    State(console): State<Arc<Console>>,
    Body(request): Body<PassphraseRequest>,
) -> Answer<PassphraseChanged> {
    answered(console, move |console| {
        RegisteredServer::load(console.agent.home())?;
        let (passphrase, made) = passphrase(&console.agent, request.passphrase)?;
        register::change_passphrase(&console.agent, &passphrase, request.security_pin.0)?;
        Ok(PassphraseChanged { passphrase: made })
    })
    .await
}

/// Makes a recovery code.
pub(super) async fn create_recovery_code(State(console): State<Arc<Console>>) -> Answer<RecoveryCodeMade> {
    answered(console, |console| {
        let agent = &console.agent;
        RegisteredServer::load(agent.home())?;
        let code = RecoveryCode::generate(&*agent.surroundings().random);
        register::add_recovery_code(agent, &code)?;
        Ok(RecoveryCodeMade { recovery_code: code.printable().to_string() })
    })
    .await
}
