//! Approvals: a second person's consent, in vaults with a resource guard.

use super::AdminClient;
use super::address::address;
use crate::call::{Call, CallError};
use stateward_api::arm::approvals::Approval;
use stateward_api::arm::vaults::Vault;

impl AdminClient {
    /// What consent was asked to.
    pub fn approvals(&self, vault: &Vault) -> Result<Vec<Approval>, CallError> {
        self.list(&address(&vault.id, &["stateward", "approvals"], &[]))
    }

    /// Consents to what another administrator asked for.
    pub fn approve(&self, vault: &Vault, name: &str) -> Result<Approval, CallError> {
        let call = Call::post(address(&vault.id, &["stateward", "approvals", name, "approve"], &[]));
        Ok(self.connection.call(&call)?.json()?)
    }
}
