//! Registered servers, which the management API calls containers.

use super::address::address;
use super::{AdminClient, OF_SERVERS};
use crate::call::CallError;
use stateward_api::arm::containers::Container;
use stateward_api::arm::vaults::Vault;

impl AdminClient {
    /// The registered servers, by name.
    pub fn servers(&self, vault: &Vault) -> Result<Vec<Container>, CallError> {
        self.list(&address(&vault.id, &["backupProtectionContainers"], &[OF_SERVERS]))
    }

    /// Ends a server's registration. Its recovery points stay.
    pub fn unregister(&self, vault: &Vault, server: &Container) -> Result<(), CallError> {
        self.delete(&address(&vault.id, &["registeredIdentities", &server.name], &[])).map(drop)
    }
}
