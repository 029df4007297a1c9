//! Quotas: how much each server of a vault may hold and send, `{vault}/stateward/quotas`.

use super::Resource;
use serde::{Deserialize, Serialize};
use stateward_model::{Label, ServerId};

/// The quotas of a vault.
pub type Quotas = Resource<QuotasProperties>;

/// `PUT` of the quotas.
#[derive(Debug, Clone, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct QuotasRequest {
    /// All of them: one that is left out, or `null`, is none.
    pub properties: QuotasProperties,
}

/// What each server may hold and send, and what it does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct QuotasProperties {
    /// Bytes that one server may hold in packs.
    #[serde(default)]
    pub server_quota_bytes: Option<u64>,
    /// Bytes that one server may send in packs within a day (UTC).
    #[serde(default)]
    pub server_daily_bytes: Option<u64>,
    /// What the servers hold and send; it is not taken.
    #[serde(default)]
    pub servers: Vec<ServerBytes>,
}

/// What one server holds and sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServerBytes {
    /// Which.
    pub server: ServerId,
    /// Its label.
    pub label: Label,
    /// Bytes of packs that it put.
    pub held_bytes: u64,
    /// Bytes of packs that it put today (UTC).
    pub sent_today_bytes: u64,
}
