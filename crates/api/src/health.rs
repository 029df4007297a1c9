//! `GET /health`: whether a vault is ready. Needs no token.

use serde::{Deserialize, Serialize};
use stateward_model::Timestamp;

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
