//! An administrator's sign-in, kept in the home for `stateward vault …`. It has nothing to do with the home's own
//! registration: an administrator's machine need not be protected, and a protected server needs no administrator.

use crate::document::Document;
use crate::{Agent, AgentError, Registration};
use serde::{Deserialize, Serialize};
use stateward_api::Health;
use stateward_api::arm::containers::Container;
use stateward_api::arm::items::ProtectedItem;
use stateward_api::arm::vaults::Vault;
use stateward_client::{AdminClient, Connection, Endpoint, Identity, Manner};
use stateward_engine::Cancellation;
use stateward_model::{GroupName, VaultName};
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
    let mut endpoint = agent.endpoint(&request.url, &read_ca(&request.ca_file)?, "")?;
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
    let _settings = agent.home().lock_settings()?;
    agent.keep_proxy()?;
    agent.home().write(FILE, &sign_in)?;
    Ok(health)
}

/// An administrator's client, with the sign-in that the home keeps.
pub fn administrator(agent: &Agent) -> Result<AdminClient, AgentError> {
    let sign_in: Option<SignIn> = agent.home().read(FILE)?;
    let sign_in = sign_in.ok_or_else(|| AgentError::NotSignedIn { home: agent.home().path().to_owned() })?;
    connect(agent, &sign_in)
}

/// What an administrator signs in with at this server's own vault, for one act.
pub struct ServicePrincipal {
    /// Its id.
    pub client_id: String,
    /// Its secret.
    pub client_secret: Zeroizing<String>,
}

/// An administrator's client at the vault that this home is registered with. The sign-in is not kept.
pub fn administrator_once(agent: &Agent, who: ServicePrincipal) -> Result<AdminClient, AgentError> {
    let Registration { url, ca_pem, tenant, .. } = Registration::load(agent.home())?;
    let ServicePrincipal { client_id, client_secret } = who;
    let identity = Identity::Administrator { client_id, client_secret };
    client(agent, agent.endpoint(&url, &ca_pem, &tenant)?, Some(identity))
}

/// Whether the home keeps a sign-in.
pub fn is_signed_in(agent: &Agent) -> Result<bool, AgentError> {
    Ok(agent.home().read::<SignIn>(FILE)?.is_some())
}

/// The vault that this home is registered with, as its administrator sees it.
pub fn own_vault(agent: &Agent, administrator: &AdminClient) -> Result<Vault, AgentError> {
    let registration = Registration::load(agent.home())?;
    let id = registration.vault.to_string();
    let is_own = |vault: &Vault| vault.properties.vault_id.as_deref() == Some(&*id);
    let found = administrator.vaults(None)?.into_iter().find(is_own);
    found.ok_or_else(|| AgentError::UnknownThing {
        what: "vault that this administrator may see",
        asked: registration.vault_name.to_string(),
    })
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

/// The server of a vault that `asked` names: by its id, or by a name that no other server there bears.
pub fn find_server(administrator: &AdminClient, vault: &Vault, asked: &str) -> Result<Container, AgentError> {
    let mut servers = administrator.servers(vault)?;
    let is_meant = |server: &Container| {
        let properties = &server.properties;
        properties.extended_info.server_id.to_string().eq_ignore_ascii_case(asked)
            || properties.friendly_name == asked
    };
    let mut meant: Vec<usize> = (0..servers.len()).filter(|index| is_meant(&servers[*index])).collect();
    if meant.len() > 1 {
        // One that was unregistered and left its items may bear the name of one that is there.
        meant.retain(|index| servers[*index].properties.registration_status == "Registered");
    }
    match meant[..] {
        [index] => Ok(servers.swap_remove(index)),
        _ => {
            let named = |server: &Container| {
                format!("{} ({})", server.properties.friendly_name, server.properties.extended_info.server_id)
            };
            let known = servers.iter().map(named).collect();
            Err(AgentError::UnknownServer { asked: Some(asked.to_owned()), known })
        }
    }
}

/// The items of a vault that are meant: of that name or id if one is given, of that server if one is given.
pub fn find_items(
    administrator: &AdminClient,
    vault: &Vault,
    asked: Option<&str>,
    server: Option<&str>,
) -> Result<Vec<ProtectedItem>, AgentError> {
    let server = server.map(|server| find_server(administrator, vault, server)).transpose()?;
    let mut items = administrator.items(vault)?;
    if let Some(server) = server {
        items.retain(|item| item.properties.container_name.eq_ignore_ascii_case(&server.name));
    }
    let Some(asked) = asked else { return Ok(items) };
    let is_meant = |item: &ProtectedItem| {
        item.name.eq_ignore_ascii_case(asked) || item.properties.friendly_name == asked
    };
    let (meant, others): (Vec<_>, Vec<_>) = items.into_iter().partition(is_meant);
    match meant.is_empty() {
        false => Ok(meant),
        true => Err(AgentError::UnknownItem {
            name: asked.to_owned(),
            known: others.iter().map(shown_item).collect(),
        }),
    }
}

/// The one item of a vault that is meant.
pub fn find_item(
    administrator: &AdminClient,
    vault: &Vault,
    asked: &str,
    server: Option<&str>,
) -> Result<ProtectedItem, AgentError> {
    let mut items = find_items(administrator, vault, Some(asked), server)?;
    match (items.pop(), items.is_empty()) {
        (Some(item), true) => Ok(item),
        (last, _) => {
            let known = items.iter().chain(&last).map(shown_item).collect();
            Err(AgentError::AmbiguousItem { name: asked.to_owned(), known })
        }
    }
}

/// An item with the server that it is on.
fn shown_item(item: &ProtectedItem) -> String {
    format!("{} of {} ({})", item.properties.friendly_name, item.properties.computer_name, item.name)
}

/// The one of these ids that `asked` is, or begins.
pub fn one_by_id<'a>(
    asked: &str,
    ids: impl Iterator<Item = &'a str>,
    what: &'static str,
) -> Result<&'a str, AgentError> {
    let mut meant = ids.filter(|id| !asked.is_empty() && id.starts_with(asked));
    match (meant.next(), meant.next()) {
        (Some(id), None) => Ok(id),
        _ => Err(AgentError::UnknownThing { what, asked: asked.to_owned() }),
    }
}

fn connect(agent: &Agent, sign_in: &SignIn) -> Result<AdminClient, AgentError> {
    let endpoint = agent.endpoint(&sign_in.url, &sign_in.ca_pem, &sign_in.tenant)?;
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
