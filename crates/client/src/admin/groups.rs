//! Resource groups and locations.

use super::AdminClient;
use super::address::address;
use crate::call::CallError;
use stateward_api::arm::groups::{Location, ResourceGroup, ResourceGroupRequest};
use stateward_engine::VaultError;
use stateward_model::GroupName;

impl AdminClient {
    /// All resource groups, by name.
    pub fn groups(&self) -> Result<Vec<ResourceGroup>, CallError> {
        self.list(&address(self.subscription()?, &["resourceGroups"], &[]))
    }

    /// Makes a resource group, or changes its tags.
    pub fn put_group(
        &self,
        name: &GroupName,
        request: &ResourceGroupRequest,
    ) -> Result<ResourceGroup, CallError> {
        self.put(&self.group_address(name)?, request)
    }

    /// Removes a resource group that has no vault.
    pub fn delete_group(&self, name: &GroupName) -> Result<(), CallError> {
        self.delete(&self.group_address(name)?).map(drop)
    }

    /// The name of the location. What runs the vaults has one.
    pub fn location(&self) -> Result<String, CallError> {
        let listed: Vec<Location> = self.list(&address(self.subscription()?, &["locations"], &[]))?;
        let first = listed.into_iter().next().map(|location| location.name);
        Ok(first.ok_or_else(|| VaultError::BadAnswer("it names no location".to_owned()))?)
    }

    fn group_address(&self, name: &GroupName) -> Result<String, CallError> {
        Ok(address(self.subscription()?, &["resourceGroups", name.as_str()], &[]))
    }
}
