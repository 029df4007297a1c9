//! `GET /health`: whether a vault is ready. Needs no token.

use serde::{Deserialize, Serialize};
use stateward_model::Timestamp;

/// What the names of vaults' own certificate authorities begin with; their tenants follow.
pub const AUTHORITY_NAME: &str = "Stateward private authority";

/// The vault is ready.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    /// The program's version.
    pub version: String,
    /// The vault's time.
    pub time: Timestamp,
    /// The tenant, for the token endpoint's path: so that signing in needs an address and a secret only.
    pub tenant: String,
}
