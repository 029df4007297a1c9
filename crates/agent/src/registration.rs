//! Which vault this home belongs to, and as which server.
//!
//! The file is written last of a registration: while it is not there, nothing is registered, whatever else is there.

use crate::document::Document;
use crate::{AgentError, Home};
use serde::{Deserialize, Serialize};
use stateward_model::{Label, ServerId, Timestamp, VaultId};
use std::path::PathBuf;

const FILE: &str = "registration.json";

/// What a registration leaves behind. Nothing in it is secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// This server, as the vault knows it.
    pub server: ServerId,
    /// What people call it.
    pub label: Label,
    /// The vault.
    pub vault: VaultId,
    /// Its name.
    pub vault_name: Label,
    /// The tenant, for the token endpoint.
    pub tenant: String,
    /// Where the vault listens: `https://host:port`.
    pub url: String,
    /// The certificate authority that its certificate must come from, as PEM.
    pub ca_pem: String,
    /// The vault's signing key (Ed25519 public key, base64url): receipts are checked with it.
    pub vault_signing_key: String,
    /// The cache folder.
    pub cache: PathBuf,
    /// When it was registered, by this machine's clock.
    pub registered_at: Timestamp,
}

impl Document for Registration {
    const VERSION: u32 = 1;
}

impl Registration {
    /// The home's registration, if it has one.
    pub fn find(home: &Home) -> Result<Option<Self>, AgentError> {
        home.read(FILE)
    }

    /// The home's registration; [`AgentError::NotRegistered`] if it has none.
    pub fn load(home: &Home) -> Result<Self, AgentError> {
        Self::find(home)?.ok_or_else(|| AgentError::NotRegistered { home: home.path().to_owned() })
    }

    /// Makes it the home's registration.
    pub fn save(&self, home: &Home) -> Result<(), AgentError> {
        home.write(FILE, self)
    }

    /// The vault's signing key as bytes; `None` if the file holds none that fits.
    pub fn vault_public_key(&self) -> Option<[u8; 32]> {
        stateward_api::credentials::decode_bytes(&self.vault_signing_key)?.try_into().ok()
    }
}
