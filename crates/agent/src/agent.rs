//! The agent of one home, and the server that it is registered as.

use crate::keys::ServerKeys;
use crate::registration::Registration;
use crate::session::HomeSessions;
use crate::{AgentError, Home, proxy};
use stateward_client::{
    Connection, Endpoint, HttpVault, Identity, Manner, Proxy, SessionKeeper, Surroundings, Throttle,
};
use stateward_crypto::EpochKeys;
use stateward_engine::{ServerTrust, VaultError};
use stateward_model::{ServerId, Timestamp, VaultId};
use std::sync::Arc;
use zeroize::Zeroizing;

/// The agent of one home.
pub struct Agent {
    home: Home,
    surroundings: Surroundings,
    program: String,
    /// Instead of the home's, until it is kept there.
    proxy: Option<Proxy>,
}

impl Agent {
    /// The agent of `home`; `program` is its name and version, as recovery points tell who made them.
    pub fn new(home: Home, surroundings: Surroundings, program: &str) -> Self {
        Self { home, surroundings, program: program.to_owned(), proxy: None }
    }

    /// The same agent, with this proxy instead of the home's, if one is given.
    #[must_use]
    pub fn through(&self, proxy: Option<Proxy>) -> Self {
        let (home, surroundings, program) =
            (self.home.clone(), self.surroundings.clone(), self.program.clone());
        Self { home, surroundings, program, proxy: proxy.or_else(|| self.proxy.clone()) }
    }

    /// The proxy that the vault is reached through, if any.
    pub fn proxy(&self) -> Result<Option<Proxy>, AgentError> {
        match &self.proxy {
            Some(proxy) => Ok(Some(proxy.clone())),
            None => proxy::find(&self.home),
        }
    }

    /// Makes a proxy that was given instead of the home's the home's: it works. The caller holds the settings' lock.
    pub(crate) fn keep_proxy(&self) -> Result<(), AgentError> {
        self.proxy.as_ref().map_or(Ok(()), |proxy| proxy::keep(&self.home, proxy))
    }

    /// A vault as this agent reaches it.
    pub(crate) fn endpoint(&self, url: &str, ca_pem: &str, tenant: &str) -> Result<Endpoint, AgentError> {
        let [url, ca_pem, tenant] = [url, ca_pem, tenant].map(str::to_owned);
        Ok(Endpoint { url, ca_pem, tenant, proxy: self.proxy()? })
    }

    /// Its home.
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// Its clock and random source.
    pub fn surroundings(&self) -> &Surroundings {
        &self.surroundings
    }

    /// The program's name and version.
    pub fn program(&self) -> &str {
        &self.program
    }

    /// The present moment.
    pub fn now(&self) -> Timestamp {
        self.surroundings.clock.now()
    }
}

/// A registered server: which it is, and its keys.
pub struct RegisteredServer {
    /// Which vault, and as whom.
    pub registration: Registration,
    /// Its keys.
    pub keys: ServerKeys,
}

impl RegisteredServer {
    /// The server that the home is registered as.
    pub fn load(home: &Home) -> Result<Self, AgentError> {
        let registration = Registration::load(home)?;
        let keys = ServerKeys::load(home)?;
        match keys.vault == registration.vault {
            true => Ok(Self { registration, keys }),
            false => Err(AgentError::KeysMissing { path: home.keys() }),
        }
    }

    /// Whom its recovery points are believed of.
    pub fn trust(&self) -> ServerTrust {
        ServerTrust {
            vault: self.registration.vault,
            server: self.registration.server,
            signing_public_keys: vec![self.keys.signing.public_key()],
            vault_public_key: self.registration.vault_public_key(),
        }
    }

    /// Its deduplication domain: the server itself, unless it joined another's.
    pub fn domain(&self) -> ServerId {
        self.keys.domain_of(self.registration.server)
    }

    /// What its data key becomes.
    pub fn epoch_keys(&self) -> EpochKeys {
        self.keys.epoch_keys(self.registration.server)
    }

    /// Its vault, as the agent reaches it.
    pub(crate) fn endpoint(&self, agent: &Agent) -> Result<Endpoint, AgentError> {
        let Registration { url, ca_pem, tenant, .. } = &self.registration;
        agent.endpoint(url, ca_pem, tenant)
    }

    /// How it signs in there.
    pub(crate) fn identity(&self) -> Identity {
        Identity::Server {
            server: self.registration.server,
            login_seed: Zeroizing::new(*self.keys.login.seed()),
        }
    }

    /// Signs in to its vault and makes sure that it is the right one. Packs are held to the throttle's rate.
    pub fn connect(
        &self,
        agent: &Agent,
        manner: Manner,
        throttle: Option<Throttle>,
    ) -> Result<HttpVault, AgentError> {
        self.connect_by(HttpVault::connect, agent, manner, throttle)
    }

    /// The same for one who holds out while the vault is away.
    pub(crate) fn connect_patiently(
        &self,
        agent: &Agent,
        manner: Manner,
        throttle: Option<Throttle>,
    ) -> Result<HttpVault, AgentError> {
        self.connect_by(HttpVault::connect_patiently, agent, manner, throttle)
    }

    fn connect_by(
        &self,
        connect: fn(Connection, VaultId, Arc<dyn SessionKeeper>) -> Result<HttpVault, VaultError>,
        agent: &Agent,
        manner: Manner,
        throttle: Option<Throttle>,
    ) -> Result<HttpVault, AgentError> {
        let (endpoint, identity) = (self.endpoint(agent)?, self.identity());
        let connection = Connection::new(endpoint, Some(identity), manner, agent.surroundings().clone())?
            .throttled(throttle);
        let keeper = Arc::new(HomeSessions::of(agent.home()));
        Ok(connect(connection, self.registration.vault, keeper)?)
    }
}
