//! How much each server of a vault may hold and send.

use super::AdminClient;
use super::address::address;
use crate::call::CallError;
use stateward_api::arm::quotas::{Quotas, QuotasProperties, QuotasRequest};
use stateward_api::arm::vaults::Vault;

impl AdminClient {
    /// The quotas, and what each server holds and sends.
    pub fn quotas(&self, vault: &Vault) -> Result<Quotas, CallError> {
        self.get(&address(&vault.id, &["stateward", "quotas"], &[]))
    }

    /// Sets all quotas.
    pub fn put_quotas(&self, vault: &Vault, properties: QuotasProperties) -> Result<Quotas, CallError> {
        self.put(&address(&vault.id, &["stateward", "quotas"], &[]), &QuotasRequest { properties })
    }
}
