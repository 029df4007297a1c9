//! Registering this server with a vault.
//!
//! The order makes every step repeatable: keys are made and kept, the vault learns their public halves (the same login
//! key gives the same server), the key slots are made, tried, and stored; the registration is written last. Whoever is
//! cut off runs it again.

mod again;

use crate::credentials::{self, CheckedCredentials};
use crate::domain::{DomainError, JoinedDomain};
use crate::keys::ServerKeys;
use crate::registration::Registration;
use crate::secrets::{Passphrase, RecoveryCode, Secret};
use crate::{Agent, AgentError, RegisteredServer, cache, platform};
use stateward_api::agent::RegisterRequest as Request;
use stateward_api::credentials::{CredentialPurpose, VaultCredentials, encode_bytes};
use stateward_client::{Connection, Manner};
use stateward_crypto::{DataKey, KdfCosts, SlotOwner, create_slot, open_slot};
use stateward_engine::EngineError;
use stateward_engine::{Cancellation, VaultRead, VaultStore};
use stateward_model::{Label, ServerId, SlotHash};
use std::path::{Path, PathBuf};

/// What a registration needs besides the credentials.
pub struct RegisterRequest<'a> {
    /// What people call the server; the host name if nothing is said.
    pub label: Option<Label>,
    /// The user's secret.
    pub passphrase: &'a Passphrase,
    /// Another secret on paper.
    pub recovery_code: Option<&'a RecoveryCode>,
    /// The cache folder; in the home if nothing is said.
    pub cache: Option<PathBuf>,
    /// The deduplication domain that the server joins; one of its own if none.
    pub domain: Option<&'a JoinedDomain>,
}

/// Checks, before a person is asked for anything, that this home can be registered with that file.
pub fn check(agent: &Agent, credentials: &Path) -> Result<CheckedCredentials, AgentError> {
    refuse_second(agent)?;
    Ok(credentials::read(credentials, CredentialPurpose::Register, agent.now())?)
}

/// The same for a file whose content was brought, and that messages call `name`.
pub fn check_content(agent: &Agent, content: &[u8], name: &str) -> Result<VaultCredentials, AgentError> {
    refuse_second(agent)?;
    Ok(credentials::of_content(content, name, CredentialPurpose::Register, agent.now())?)
}

/// Registers.
pub fn register(
    agent: &Agent,
    credentials: &VaultCredentials,
    request: &RegisterRequest<'_>,
) -> Result<Registration, AgentError> {
    agent.home().prepare()?;
    let _settings = agent.home().lock_settings()?;
    refuse_second(agent)?;
    let label = request.label.clone().unwrap_or_else(usual_label);
    let cache = std::path::absolute(request.cache.clone().unwrap_or_else(|| agent.home().default_cache()))
        .map_err(|cause| agent.home().unusable(agent.home().path(), cause))?;
    cache::open(&cache).map_err(EngineError::from)?;
    let connection = connection(agent, credentials)?;
    let keys = match credentials.server {
        Some(known) => {
            let secret = Secret::Passphrase(request.passphrase);
            again::keys_for(agent, credentials, &connection, known, secret)?
        }
        None => keys_for(agent, credentials, request.domain)?,
    };
    let server = introduce(agent, credentials, &connection, &keys, &label)?;
    let registration = Registration {
        server,
        label,
        vault: credentials.vault,
        vault_name: credentials.vault_name.clone(),
        tenant: credentials.tenant.clone(),
        url: credentials.url.clone(),
        ca_pem: credentials.ca_pem.clone(),
        vault_signing_key: credentials.signing_public_key.clone(),
        cache,
        registered_at: agent.now(),
    };
    let mut server = RegisteredServer { registration, keys };
    let mut secrets = Vec::new();
    match credentials.server {
        // Its passphrase has a slot, and the vault keeps its label.
        Some(_) => server.registration.label = again::label(agent, &server)?,
        None => secrets.push(Secret::Passphrase(request.passphrase)),
    }
    secrets.extend(request.recovery_code.map(Secret::RecoveryCode));
    add_slots(agent, &mut server, &secrets)?;
    if credentials.server.is_some() {
        again::remember_items(agent, &server)?;
    }
    agent.keep_proxy()?;
    server.registration.save(agent.home())?;
    tracing::info!(server = %server.registration.server, "registered");
    Ok(server.registration)
}

/// Makes a recovery code's slot for a server that is registered.
pub fn add_recovery_code(agent: &Agent, code: &RecoveryCode) -> Result<(), AgentError> {
    let _settings = agent.home().lock_settings()?;
    let mut server = RegisteredServer::load(agent.home())?;
    add_slots(agent, &mut server, &[Secret::RecoveryCode(code)])
}

/// Gives a registered server another passphrase, with a security PIN that an administrator made; the old ones open nothing at the
/// vault from then on. Recovery codes stay good. Whatever fails, the old passphrase is as good as before.
pub fn change_passphrase(agent: &Agent, passphrase: &Passphrase, pin: String) -> Result<(), AgentError> {
    let _settings = agent.home().lock_settings()?;
    let mut server = RegisteredServer::load(agent.home())?;
    let known = server.keys.slots.clone();
    add_slots(agent, &mut server, &[Secret::Passphrase(passphrase)])?;
    let new = server.keys.slots.iter().find(|slot| !known.contains(slot));
    let new = *new.ok_or_else(|| AgentError::Internal("a new slot is an old one".to_owned()))?;
    let vault = server.connect(agent, Manner::interactive(Cancellation::default()), None)?;
    vault.keep_slot(server.keys.epoch, new, pin)?;
    let listed: Vec<SlotHash> =
        vault.slots()?.iter().map(|object| stateward_format::slot::hash(object)).collect();
    server.keys.slots.retain(|slot| listed.contains(slot));
    server.keys.save(agent.home())?;
    tracing::info!("the passphrase was changed");
    Ok(())
}

fn refuse_second(agent: &Agent) -> Result<(), AgentError> {
    match Registration::find(agent.home())? {
        None => Ok(()),
        Some(found) => Err(AgentError::AlreadyRegistered { label: found.label, vault: found.vault_name }),
    }
}

/// The keys of a registration to this vault and domain that was cut short, or new ones. They are durable before the vault
/// hears of them.
fn keys_for(
    agent: &Agent,
    credentials: &VaultCredentials,
    domain: Option<&JoinedDomain>,
) -> Result<ServerKeys, AgentError> {
    let is_data_key_fitting = |keys: &ServerKeys| {
        domain.is_none_or(|domain| keys.data.as_bytes() == domain.data.as_bytes())
            && keys.domain == domain.map(|domain| domain.domain)
    };
    match ServerKeys::find(agent.home())? {
        Some(keys)
            if keys.vault == credentials.vault && keys.again.is_none() && is_data_key_fitting(&keys) =>
        {
            Ok(keys)
        }
        _ => {
            let mut keys = ServerKeys::generate(credentials.vault, &*agent.surroundings().random);
            if let Some(joined) = domain {
                keys.domain = Some(joined.domain);
                keys.data = DataKey::from_bytes(*joined.data.as_bytes());
            }
            keys.save(agent.home())?;
            Ok(keys)
        }
    }
}

fn connection(agent: &Agent, credentials: &VaultCredentials) -> Result<Connection, AgentError> {
    let endpoint = agent.endpoint(&credentials.url, &credentials.ca_pem, &credentials.tenant)?;
    let manner = Manner::interactive(Cancellation::default());
    Ok(Connection::new(endpoint, None, manner, agent.surroundings().clone())?)
}

fn introduce(
    agent: &Agent,
    credentials: &VaultCredentials,
    connection: &Connection,
    keys: &ServerKeys,
    label: &Label,
) -> Result<ServerId, AgentError> {
    let mut request = Request {
        credential: credentials.credential,
        secret: credentials.secret.clone(),
        label: label.clone(),
        login_public_key: encode_bytes(&keys.login.public_key()),
        signing_public_key: encode_bytes(&keys.signing.public_key()),
        operating_system: platform::operating_system(),
        agent_version: agent.program().to_owned(),
        proof: None,
    };
    if credentials.server.is_some() {
        again::prove(&mut request, keys);
    }
    let registered = stateward_client::register(connection, credentials.vault, &request)?;
    let (found, expected) = (registered.domain, keys.domain_of(registered.server));
    match found == expected {
        true => Ok(registered.server),
        // What it sends would be named and sealed for one domain and listed in another.
        false => Err(DomainError::OtherDomain { found, expected }.into()),
    }
}

/// Makes a slot for each secret, opens it again to prove that it works, and stores it at the vault.
fn add_slots(agent: &Agent, server: &mut RegisteredServer, secrets: &[Secret<'_>]) -> Result<(), AgentError> {
    let vault = server.connect(agent, Manner::interactive(Cancellation::default()), None)?;
    for secret in secrets {
        let object = proven_slot(agent, server, *secret)?;
        let hash: SlotHash = vault.put_slot(server.keys.epoch, &object)?;
        server.keys.add_slot(hash);
        server.keys.save(agent.home())?;
    }
    Ok(())
}

fn proven_slot(agent: &Agent, server: &RegisteredServer, secret: Secret<'_>) -> Result<Vec<u8>, AgentError> {
    let owner = SlotOwner {
        vault: server.registration.vault,
        server: server.registration.server,
        domain: server.domain(),
        server_label: server.registration.label.clone(),
        epoch: server.keys.epoch,
    };
    let random = &*agent.surroundings().random;
    let (data, signing) = (&server.keys.data, &server.keys.signing);
    let object = create_slot(secret, KdfCosts::STANDARD, owner, data, signing, random).encode();
    let decoded = stateward_format::slot::KeySlot::decode(&object);
    let opened = decoded.ok().and_then(|slot| open_slot(&slot, secret).ok());
    match opened.is_some_and(|opened| opened.data_key.as_bytes() == data.as_bytes()) {
        true => Ok(object),
        // Memory or processor did not do what they should: nothing of it may reach the vault.
        false => Err(EngineError::SelfCheckFailed.into()),
    }
}

/// What a server is called if nothing is said: its host name.
pub fn usual_label() -> Label {
    label_of(&platform::host_name())
}

/// A host name as a label: what a label can't hold becomes `-`.
fn label_of(host_name: &str) -> Label {
    let fitting = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    let text: String = host_name.chars().map(fitting).collect();
    let text: String = text.trim_start_matches(['-', '_', '.']).chars().take(64).collect();
    let named = text.parse().or_else(|_| "server".parse());
    named.expect("`server` is a label")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_name_becomes_a_label() {
        for (host, label) in
            [("web-01", "web-01"), ("-a b", "a-b"), ("größe", "gr--e"), ("", "server"), ("ß", "server")]
        {
            assert_eq!(label_of(host).as_str(), label);
        }
        assert_eq!(label_of(&"a".repeat(99)).as_str().len(), 64);
    }
}
