//! Vault credentials.

use super::AdminClient;
use super::address::address;
use crate::call::CallError;
use stateward_api::VaultCredentials;
use stateward_api::arm::credentials::CredentialsRequest;
use stateward_api::arm::vaults::Vault;

impl AdminClient {
    /// Makes vault credentials. A repeated call makes others: the vault keeps no secret that it could show again.
    pub fn credentials(
        &self,
        vault: &Vault,
        request: &CredentialsRequest,
    ) -> Result<VaultCredentials, CallError> {
        self.post(&address(&vault.id, &["stateward", "credentials"], &[]), request)
    }
}
