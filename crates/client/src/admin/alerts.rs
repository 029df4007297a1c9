//! Alerts: what people should know of a vault.

use super::AdminClient;
use super::address::address;
use crate::call::{Call, CallError};
use stateward_api::arm::alerts::Alert;
use stateward_api::arm::vaults::Vault;

impl AdminClient {
    /// The alerts, newest first; those that `filter` lets through (`state eq 'Open'`), if there is one.
    pub fn alerts(&self, vault: &Vault, filter: Option<&str>) -> Result<Vec<Alert>, CallError> {
        let query: Vec<(&str, &str)> = filter.map(|filter| ("$filter", filter)).into_iter().collect();
        self.list(&address(&vault.id, &["stateward", "alerts"], &query))
    }

    /// Says that an alert was dealt with.
    pub fn resolve_alert(&self, vault: &Vault, name: &str) -> Result<Alert, CallError> {
        let call = Call::post(address(&vault.id, &["stateward", "alerts", name, "resolve"], &[]));
        Ok(self.connection.call(&call)?.json()?)
    }
}
