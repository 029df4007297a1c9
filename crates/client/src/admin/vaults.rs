//! Vaults, also those that were deleted and can be had back.

use super::AdminClient;
use super::address::address;
use crate::call::{Call, CallError};
use stateward_api::arm::PROVIDER;
use stateward_api::arm::vaults::{DeletedVault, Vault, VaultRequest};
use stateward_model::{GroupName, VaultName};

impl AdminClient {
    /// All vaults by name: of a resource group, or all.
    pub fn vaults(&self, group: Option<&GroupName>) -> Result<Vec<Vault>, CallError> {
        let group = group.map(|group| ["resourceGroups", group.as_str()]);
        let parts = group.as_ref().into_iter().flatten().copied();
        let parts: Vec<&str> = parts.chain(["providers", PROVIDER, "vaults"]).collect();
        self.list(&address(self.subscription()?, &parts, &[]))
    }

    /// A vault by its name: in a resource group, or in any.
    pub fn find_vault(
        &self,
        name: &VaultName,
        group: Option<&GroupName>,
    ) -> Result<Option<Vault>, CallError> {
        match group {
            Some(group) => self.find(&self.vault_address(name, group)?),
            None => {
                let is_meant = |vault: &Vault| vault.name.eq_ignore_ascii_case(name.as_str());
                Ok(self.vaults(None)?.into_iter().find(is_meant))
            }
        }
    }

    /// Makes a vault in a resource group, or changes the one that is there.
    pub fn put_vault(
        &self,
        name: &VaultName,
        group: &GroupName,
        request: &VaultRequest,
    ) -> Result<Vault, CallError> {
        self.put(&self.vault_address(name, group)?, request)
    }

    /// Changes a vault's settings; what the request leaves out stays.
    pub fn update_vault(&self, vault: &Vault, request: &VaultRequest) -> Result<Vault, CallError> {
        self.patch(&address(&vault.id, &[], &[]), request)
    }

    /// Deletes a vault that has neither servers nor items. It can be had back.
    pub fn delete_vault(&self, vault: &Vault) -> Result<(), CallError> {
        self.delete(&address(&vault.id, &[], &[])).map(drop)
    }

    /// The vaults that were deleted and can be had back, the last one first.
    pub fn deleted_vaults(&self) -> Result<Vec<DeletedVault>, CallError> {
        let location = self.location()?;
        let parts = ["providers", PROVIDER, "locations", location.as_str(), "deletedVaults"];
        self.list(&address(self.subscription()?, &parts, &[]))
    }

    /// Has a deleted vault back.
    pub fn undelete_vault(&self, vault: &DeletedVault) -> Result<(), CallError> {
        self.connection.call(&Call::post(address(&vault.id, &["undelete"], &[]))).map(drop)
    }

    fn vault_address(&self, name: &VaultName, group: &GroupName) -> Result<String, CallError> {
        let parts = ["resourceGroups", group.as_str(), "providers", PROVIDER, "vaults", name.as_str()];
        Ok(address(self.subscription()?, &parts, &[]))
    }
}
