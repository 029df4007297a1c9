//! *Register Server*, and the passphrase afterwards.

use super::{Check, FilePath, Registration, Secret};
use serde::{Deserialize, Serialize};
use stateward_model::{Label, Timestamp};

/// A vault credentials file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CredentialsFile {
    /// The file's content.
    pub content: Secret,
    /// What the file is called, for messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A proxy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProxyWish {
    /// Such as `http://user@proxy.example:3128`; never with a password in it.
    pub address: String,
    /// The password of its user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Secret>,
}

/// Looks at vault credentials: nothing is sent to the vault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CredentialsCheckRequest {
    /// The file.
    pub credentials: CredentialsFile,
}

/// What vault credentials are for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CredentialsCheck {
    /// The vault's name.
    pub vault: Label,
    /// Where it listens.
    pub url: String,
    /// Until when the file is good.
    pub expires_at: Timestamp,
    /// Whether they are for a server that is known, which registers again with the passphrase that it had.
    pub is_known_server: bool,
    /// Whether they are for joining a domain, which the command line can and the console can't.
    pub needs_domain_file: bool,
    /// What the server is called if nothing is said.
    pub usual_label: Label,
    /// Where the cache folder is if nothing is said.
    pub usual_cache: FilePath,
}

/// Tests the way to a vault step by step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConnectionTestRequest {
    /// To which vault; left out: this server's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<CredentialsFile>,
    /// Through this proxy; left out: as it is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<ProxyWish>,
}

/// The steps of the way to a vault.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionTest {
    /// Each, in order.
    pub checks: Vec<Check>,
}

/// Registers this server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RegistrationRequest {
    /// The vault credentials.
    pub credentials: CredentialsFile,
    /// The passphrase, 16 characters or more; that of the server, if it is known. Left out: one is made, and is in the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passphrase: Option<Secret>,
    /// Whether a recovery code is made, too, which is in the answer.
    #[serde(default)]
    pub make_recovery_code: bool,
    /// What the server is to be called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<Label>,
    /// The cache folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<FilePath>,
    /// The proxy that the vault is reached through from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<ProxyWish>,
}

/// Registered. What was made is told here and never again. No `Debug`: it holds secrets.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Registered {
    /// Which vault, and as whom.
    pub registration: Registration,
    /// The passphrase that was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passphrase: Option<String>,
    /// The recovery code that was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery_code: Option<String>,
}

/// Changes the passphrase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PassphraseRequest {
    /// The digits of a security PIN that an administrator made at the vault.
    #[serde(rename = "securityPIN")]
    pub security_pin: Secret,
    /// The new passphrase. Left out: one is made, and is in the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passphrase: Option<Secret>,
}

/// The passphrase was changed. No `Debug`: it holds a secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PassphraseChanged {
    /// The passphrase that was made; told here and never again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passphrase: Option<String>,
}

/// A recovery code that was made; told here and never again. No `Debug`: it holds a secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecoveryCodeMade {
    /// The code.
    pub recovery_code: String,
}
