//! The agent of one home, and the server that it is registered as.

use crate::keys::ServerKeys;
use crate::registration::Registration;
use crate::session::HomeSessions;
use crate::{AgentError, Home};
use stateward_client::{Connection, Endpoint, HttpVault, Identity, Manner, Surroundings, Throttle};
use stateward_crypto::EpochKeys;
use stateward_engine::ServerTrust;
use stateward_model::{ServerId, Timestamp};
use std::sync::Arc;
use zeroize::Zeroizing;

/// The agent of one home.
pub struct Agent {
    home: Home,
    surroundings: Surroundings,
    program: String,
}

impl Agent {
    /// The agent of `home`; `program` is its name and version, as recovery points tell who made them.
    pub fn new(home: Home, surroundings: Surroundings, program: &str) -> Self {
        Self { home, surroundings, program: program.to_owned() }
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

    /// Signs in to its vault and makes sure that it is the right one. Packs are held to the throttle's rate.
    pub fn connect(
        &self,
        agent: &Agent,
        manner: Manner,
        throttle: Option<Throttle>,
    ) -> Result<HttpVault, AgentError> {
        let endpoint = Endpoint {
            url: self.registration.url.clone(),
            ca_pem: self.registration.ca_pem.clone(),
            tenant: self.registration.tenant.clone(),
        };
        let identity = Identity::Server {
            server: self.registration.server,
            login_seed: Zeroizing::new(*self.keys.login.seed()),
        };
        let connection = Connection::new(endpoint, Some(identity), manner, agent.surroundings().clone())?
            .throttled(throttle);
        let keeper = Arc::new(HomeSessions::of(agent.home()));
        Ok(HttpVault::connect(connection, self.registration.vault, keeper)?)
    }
}
