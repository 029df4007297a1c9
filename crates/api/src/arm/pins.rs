//! Security PINs: `POST {vault}/backupSecurityPIN`.

use serde::{Deserialize, Serialize};

/// A security PIN: good for five minutes, and for one act that is begun on a server.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecurityPin {
    /// What the PIN is called in the audit log.
    pub token: String,
    /// When it ends: ticks of 100 nanoseconds since the beginning of year 1, UTC.
    pub expiry_time_in_utc_ticks: i64,
    /// Its digits.
    #[serde(rename = "securityPIN")]
    pub security_pin: String,
}
