//! Policies of a vault.

use super::address::address;
use super::{AdminClient, OF_SERVERS};
use crate::call::CallError;
use stateward_api::arm::policies::{Policy, PolicyProperties, PolicyRequest};
use stateward_api::arm::previews::{PolicyPreview, PolicyPreviewRequest};
use stateward_api::arm::vaults::Vault;
use stateward_model::PolicyName;

impl AdminClient {
    /// The policies, by name.
    pub fn policies(&self, vault: &Vault) -> Result<Vec<Policy>, CallError> {
        self.list(&address(&vault.id, &["backupPolicies"], &[OF_SERVERS]))
    }

    /// A policy, if there is one of that name.
    pub fn find_policy(&self, vault: &Vault, name: &PolicyName) -> Result<Option<Policy>, CallError> {
        self.find(&policy_address(vault, name))
    }

    /// Makes a policy, or puts another in its place.
    pub fn put_policy(
        &self,
        vault: &Vault,
        name: &PolicyName,
        properties: PolicyProperties,
    ) -> Result<Policy, CallError> {
        self.put(&policy_address(vault, name), &PolicyRequest { properties })
    }

    /// What a policy would come to keep.
    pub fn preview_policy(
        &self,
        vault: &Vault,
        request: &PolicyPreviewRequest,
    ) -> Result<PolicyPreview, CallError> {
        self.post(&address(&vault.id, &["stateward", "policyPreview"], &[]), request)
    }

    /// Deletes a policy that no item has.
    pub fn delete_policy(&self, vault: &Vault, name: &PolicyName) -> Result<(), CallError> {
        self.delete(&policy_address(vault, name)).map(drop)
    }
}

fn policy_address(vault: &Vault, name: &PolicyName) -> String {
    address(&vault.id, &["backupPolicies", name.as_str()], &[])
}
