//! Who may do what in a vault.

use super::AdminClient;
use super::address::address;
use crate::call::CallError;
use stateward_api::arm::principals::{Principal, PrincipalRequest, PrincipalRequestProperties};
use stateward_api::arm::vaults::Vault;

impl AdminClient {
    /// All that have a role in the vault, wherever it was given.
    pub fn principals(&self, vault: &Vault) -> Result<Vec<Principal>, CallError> {
        self.list(&address(&vault.id, &["stateward", "principals"], &[]))
    }

    /// Gives a role in the vault: to the principal of that client id, or to a new one of that name, whose secret is in the
    /// answer and nowhere else.
    pub fn put_principal(&self, vault: &Vault, name: &str, role: String) -> Result<Principal, CallError> {
        let request = PrincipalRequest { properties: PrincipalRequestProperties { role } };
        self.put(&address(&vault.id, &["stateward", "principals", name], &[]), &request)
    }

    /// Takes the role that was given in the vault; a principal without any other is revoked.
    pub fn delete_principal(&self, vault: &Vault, client_id: &str) -> Result<(), CallError> {
        self.delete(&address(&vault.id, &["stateward", "principals", client_id], &[])).map(drop)
    }
}
