//! Principals with a role in a vault: `{vault}/stateward/principals`.
//!
//! | call | body → answer |
//! |---|---|
//! | `GET    …/principals` | → list of [`Principal`]: all that have a role here, wherever it was given |
//! | `PUT    …/principals/{name}` | [`PrincipalRequest`] → [`Principal`]; `name` is a client id, or a name for a new one |
//! | `DELETE …/principals/{client id}` | takes the role that was given in this vault; without any other role it is revoked |

use super::Resource;
use serde::{Deserialize, Serialize};

/// Somebody who signs in.
pub type Principal = Resource<PrincipalProperties>;

/// What there is to know of a principal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PrincipalProperties {
    /// What it signs in with.
    pub client_id: String,
    /// What people call it.
    pub display_name: String,
    /// `BackupReader`, `BackupOperator` or `BackupContributor`.
    pub role: String,
    /// The path at which it was given this role: the vault's, its group's or the subscription's.
    pub scope: String,
    /// SHA-256 of the certificates that it signs in with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub thumbprints: Vec<String>,
    /// Its secret: in the answer to the call that made it, and nowhere else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
}

/// `PUT` of a principal.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PrincipalRequest {
    /// What is to be.
    pub properties: PrincipalRequestProperties,
}

/// What a principal is to be.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PrincipalRequestProperties {
    /// `BackupReader`, `BackupOperator` or `BackupContributor`, in this vault.
    pub role: String,
}
