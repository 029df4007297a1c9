//! The vault-credentials file: what an administrator downloads under *Prepare infrastructure* and gives to a server.
//!
//! JSON. `signature` is the vault's Ed25519 (base64url, no padding) over [`VaultCredentials::signed_bytes`], so that a
//! file that was altered or damaged on its way is told apart from one that the vault refuses. The secret inside is a
//! bearer secret: the file is for its owner only.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use stateward_model::{CredentialId, Label, ServerId, Timestamp, VaultId};

/// What the file allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub enum CredentialPurpose {
    /// Registering servers; reads nothing.
    Register,
    /// Reading one named server's recovery points.
    Restore,
}

/// The file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VaultCredentials {
    /// The form of this file: 1.
    pub version: u32,
    /// This file's id.
    pub credential: CredentialId,
    /// What it allows.
    pub purpose: CredentialPurpose,
    /// For [`CredentialPurpose::Restore`]: whose points. For [`CredentialPurpose::Register`]: the known server that
    /// registers again, if it is none that is new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerId>,
    /// For [`CredentialPurpose::Register`]: the deduplication domain that the server joins, if not one of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<ServerId>,
    /// The vault.
    pub vault: VaultId,
    /// The vault's name.
    pub vault_name: Label,
    /// The tenant, for the token endpoint's path.
    pub tenant: String,
    /// Where the vault listens: `https://host:port`, no path.
    pub url: String,
    /// The certificate authority of the vault's TLS, as PEM.
    pub ca_pem: String,
    /// The vault's signing key (Ed25519 public key, base64url): receipts are checked with it.
    pub signing_public_key: String,
    /// The secret that the vault asks for.
    pub secret: String,
    /// When it ends.
    pub expires_at: Timestamp,
    /// The vault's signature (base64url) over [`Self::signed_bytes`].
    pub signature: String,
}

impl VaultCredentials {
    /// What is signed: a fixed prefix and the JSON of all fields but the signature.
    pub fn signed_bytes(&self) -> Vec<u8> {
        let unsigned = Self { signature: String::new(), ..self.clone() };
        let mut bytes = b"stateward vault credentials 1\n".to_vec();
        bytes.extend(serde_json::to_vec(&unsigned).expect("text and numbers always have a JSON form"));
        bytes
    }
}

/// Bytes as they stand in these files and bodies: base64url without padding.
pub fn encode_bytes(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads [`encode_bytes`]'s text; `None` if it is none.
pub fn decode_bytes(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Bytes as they stand in the bodies of Azure's clients: base64 with padding.
pub fn encode_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Reads [`encode_base64`]'s text; `None` if it is none.
pub fn decode_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}
