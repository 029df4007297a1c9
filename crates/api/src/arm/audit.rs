//! The audit log: `GET {vault}/stateward/auditLog` → list of [`AuditEntry`], oldest first, and
//! `GET {vault}/stateward/auditLog/verify` → [`AuditCheck`].

use serde::{Deserialize, Serialize};
use serde_json::Value;
use stateward_model::Timestamp;

/// One change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct AuditEntry {
    /// Its place in the log of the whole subscription: 1 for the first. A vault's log has some of them only.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// Who: `principal ID`, `server ID`, `task NAME` or `console`.
    pub actor: String,
    /// What was done, such as `vault.update`.
    pub act: String,
    /// To what.
    pub subject: String,
    /// What was, what is.
    pub detail: Value,
    /// Over this entry and all before it, in hexadecimal digits. Whoever keeps one finds out when something before it is
    /// changed.
    pub hash: String,
}

/// Whether the log of the whole subscription is as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditCheck {
    /// Whether every entry fits the one before.
    pub is_intact: bool,
    /// How many entries fit.
    pub entries: u64,
    /// When the last of these was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_at: Option<Timestamp>,
    /// Its hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_hash: Option<String>,
    /// The first entry that does not fit: it, or one before it, was altered or taken out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub altered_at: Option<u64>,
}
