//! An administrator's sign-in, kept in the home for `stateward vault …`. It has nothing to do with the home's own
//! registration: an administrator's machine need not be protected, and a protected server needs no administrator.

use crate::document::Document;
use crate::{Agent, AgentError};
use serde::{Deserialize, Serialize};
use stateward_api::admin::Health;
use stateward_api::arm::vaults::Vault;
use stateward_client::{AdminClient, Connection, Endpoint, Identity, Manner};
use stateward_engine::Cancellation;
use stateward_model::{GroupName, ServerId, VaultName};
use std::path::PathBuf;
use zeroize::Zeroizing;

const FILE: &str = "admin.json";

/// A certificate file is far shorter than this.
const CA_BYTES_MAX: u64 = 1 << 20;

/// What is kept. No `Debug`: it holds the secret.
#[derive(Serialize, Deserialize)]
struct SignIn {
    url: String,
    ca_pem: String,
    tenant: String,
    client_id: String,
    client_secret: String,
}

impl Document for SignIn {
    const VERSION: u32 = 1;
}

/// What an administrator signs in with.
pub struct LoginRequest {
    /// Where the vault listens: `https://host:port`.
    pub url: String,
    /// The file with its certificate authority.
    pub ca_file: PathBuf,
    /// The service principal's id.
    pub client_id: String,
    /// Its secret.
    pub client_secret: Zeroizing<String>,
}

/// Signs in, proves that it works, and keeps it in the home.
pub fn login(agent: &Agent, request: LoginRequest) -> Result<Health, AgentError> {
    let mut endpoint =
        Endpoint { url: request.url, ca_pem: read_ca(&request.ca_file)?, tenant: String::new() };
    let health = client(agent, endpoint.clone(), None)?.health()?;
    endpoint.tenant = health.tenant.clone();
    let sign_in = SignIn {
        url: endpoint.url,
        ca_pem: endpoint.ca_pem,
        tenant: endpoint.tenant,
        client_id: request.client_id,
        client_secret: request.client_secret.to_string(),
    };
    connect(agent, &sign_in)?.subscription()?;
    agent.home().prepare()?;
    agent.home().write(FILE, &sign_in)?;
    Ok(health)
}

/// An administrator's client, with the sign-in that the home keeps.
pub fn administrator(agent: &Agent) -> Result<AdminClient, AgentError> {
    let sign_in: Option<SignIn> = agent.home().read(FILE)?;
    let sign_in = sign_in.ok_or_else(|| AgentError::NotSignedIn { home: agent.home().path().to_owned() })?;
    connect(agent, &sign_in)
}

/// The vault of that name: in a resource group, or in any.
pub fn find_vault(
    administrator: &AdminClient,
    name: &VaultName,
    group: Option<&GroupName>,
) -> Result<Vault, AgentError> {
    let found = administrator.find_vault(name, group)?;
    found.ok_or_else(|| AgentError::UnknownVault { name: name.clone(), group: group.cloned() })
}

/// The id of the server of a vault that `asked` names: by its id, or by a label that no other server there bears.
pub fn find_server(administrator: &AdminClient, vault: &Vault, asked: &str) -> Result<ServerId, AgentError> {
    if let Ok(id) = asked.parse() {
        return Ok(id);
    }
    let servers = administrator.servers(&vault.name)?;
    let mut meant = servers.iter().filter(|server| server.label.as_str() == asked);
    match (meant.next(), meant.next()) {
        (Some(server), None) => Ok(server.id),
        _ => {
            let known = servers.iter().map(|server| format!("{} ({})", server.label, server.id)).collect();
            Err(AgentError::UnknownServer { asked: Some(asked.to_owned()), known })
        }
    }
}

fn connect(agent: &Agent, sign_in: &SignIn) -> Result<AdminClient, AgentError> {
    let endpoint =
        Endpoint { url: sign_in.url.clone(), ca_pem: sign_in.ca_pem.clone(), tenant: sign_in.tenant.clone() };
    let identity = Identity::Administrator {
        client_id: sign_in.client_id.clone(),
        client_secret: Zeroizing::new(sign_in.client_secret.clone()),
    };
    client(agent, endpoint, Some(identity))
}

fn client(agent: &Agent, endpoint: Endpoint, identity: Option<Identity>) -> Result<AdminClient, AgentError> {
    let manner = Manner::interactive(Cancellation::default());
    Ok(AdminClient::new(Connection::new(endpoint, identity, manner, agent.surroundings().clone())?))
}

fn read_ca(path: &PathBuf) -> Result<String, AgentError> {
    use std::io::Read;
    let mut text = String::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(CA_BYTES_MAX).read_to_string(&mut text))
        .map_err(|cause| AgentError::InputUnreadable { path: path.clone(), cause })?;
    Ok(text)
}
