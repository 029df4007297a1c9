//! Resource guards: `{vault}/backupResourceGuardProxies/{name}`. Where a vault has one, some acts need a second person
//! ([`super::approvals`]).

use super::Resource;
use serde::{Deserialize, Serialize};
use stateward_model::Timestamp;

/// A resource guard, or what stands for one in a vault.
pub type Guard = Resource<GuardProperties>;

/// What there is to know of a guard.
#[derive(Debug, Clone, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GuardProperties {
    /// The guard's own id: whatever the client gave; nothing is looked up by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_guard_resource_id: Option<String>,
    /// Words for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Which acts need a second person; it is not taken, for they are always the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resource_guard_operation_details: Vec<GuardedOperation>,
    /// When it was set; it is not taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_updated_time: Option<Timestamp>,
}

/// An act that needs a second person.
#[derive(Debug, Clone, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GuardedOperation {
    /// The act, as an approval names it.
    #[serde(default)]
    pub vault_critical_operation: String,
    /// Where consent is asked for.
    #[serde(default)]
    pub default_resource_request: String,
}

/// `PUT` of a guard.
#[derive(Debug, Clone, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct GuardRequest {
    /// What is to be.
    #[serde(default)]
    pub properties: GuardProperties,
}

/// `POST …/unlockDelete`: whether something may be deleted.
#[derive(Debug, Clone, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UnlockRequest {
    /// The path of a protected item or of a guard; this guard if it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_to_be_deleted: Option<String>,
}

/// It may.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UnlockResponse {
    /// Until when.
    pub unlock_delete_expiry_time: String,
}
