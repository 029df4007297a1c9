//! Protected items, and what becomes of them.

use super::address::address;
use super::{AdminClient, OF_SERVERS};
use crate::call::{Call, CallError};
use stateward_api::arm::items::{BackupRequest, ItemChange, ItemRequest, ProtectedItem};
use stateward_api::arm::vaults::Vault;
use stateward_model::JobId;

impl AdminClient {
    /// The protected items of all servers of a vault.
    pub fn items(&self, vault: &Vault) -> Result<Vec<ProtectedItem>, CallError> {
        self.list(&address(&vault.id, &["backupProtectedItems"], &[OF_SERVERS]))
    }

    /// Changes an item; gives it as it is then.
    pub fn change_item(&self, item: &ProtectedItem, change: ItemChange) -> Result<ProtectedItem, CallError> {
        let address = address(&item.id, &[], &[]);
        let answer = self.connection.call(&Call::put(&address).json(&ItemRequest { properties: change }))?;
        self.done(&answer)?;
        self.get(&address)
    }

    /// Deletes an item with its recovery points, which can be had back for as long as the vault says. Gives the vault's job.
    pub fn delete_item(&self, item: &ProtectedItem) -> Result<Option<JobId>, CallError> {
        let answer = self.delete(&address(&item.id, &[], &[]))?;
        self.done(&answer)
    }

    /// Asks an item's server for a backup; gives the job that will make it.
    pub fn back_up_item(
        &self,
        item: &ProtectedItem,
        request: &BackupRequest,
    ) -> Result<Option<JobId>, CallError> {
        let call = Call::post(address(&item.id, &["backup"], &[])).json(request);
        let answer = self.connection.call(&call)?;
        self.begun(&answer)
    }
}
