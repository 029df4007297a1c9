//! Recovery Services vaults (`Microsoft.RecoveryServices/vaults`), and two views of their settings under which older clients
//! look for them: the storage config and the vault config.

use super::{Resource, Tags};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use stateward_model::{Immutability, Redundancy, Timestamp};

/// A vault.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Vault {
    /// Its path.
    pub id: String,
    /// Its name.
    pub name: String,
    /// `Microsoft.RecoveryServices/vaults`.
    pub r#type: String,
    /// Where it is.
    pub location: String,
    /// Its tags.
    pub tags: Tags,
    /// Changes with every change: what `If-Match` is compared with.
    pub etag: String,
    /// What it costs, which is nothing.
    pub sku: Sku,
    /// Its settings.
    pub properties: VaultProperties,
}

/// What a vault costs.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Sku {
    /// `Standard` (in Azure also `RS0`).
    pub name: String,
}

/// A vault's settings. Each client sends back what it read, so all of it is taken, and what can't be is refused.
#[derive(Debug, Clone, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VaultProperties {
    /// `Succeeded`; it is not taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provisioning_state: Option<String>,
    /// The id that stands in vault credentials and in the names of objects; it is not taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vault_id: Option<String>,
    /// When it was made; it is not taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// `Enabled`: who can reach the vault's address is its network's concern.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_network_access: Option<String>,
    /// Over which failure domains recovery points are spread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redundancy_settings: Option<RedundancySettings>,
    /// Immutability and soft delete. Without it `az backup vault update` fails, whatever it is to change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security_settings: Option<SecuritySettings>,
    /// Who is told by Azure's own alerts; kept and shown, without effect here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monitoring_settings: Option<Value>,
    /// How safe the settings are: `None`, `Minimum`, `Adequate`, `Maximum`; it is not taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secure_score: Option<String>,
    /// What of this vault is used; it is not taken. Not Azure's: its clients pass over it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<VaultUsage>,
}

/// What of a vault is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VaultUsage {
    /// Registered servers.
    pub servers: u64,
    /// Protected items.
    pub items: u64,
    /// Recovery points that can be restored from.
    pub recovery_points: u64,
    /// Bytes of packs as they are stored.
    pub stored_bytes: u64,
}

/// Over which failure domains recovery points are spread.
#[derive(Debug, Clone, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RedundancySettings {
    /// Which; frozen once something is protected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standard_tier_storage_redundancy: Option<Redundancy>,
    /// `Enabled` or `Disabled`: restoring from the second region. Can't be disabled again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cross_region_restore: Option<String>,
    /// `Met` or `NotMet`; it is not taken. Not Azure's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redundancy_health: Option<String>,
    /// Why it is not met; it is not taken. Not Azure's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redundancy_health_reason: Option<String>,
}

/// Immutability and soft delete.
#[derive(Debug, Clone, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecuritySettings {
    /// Whether what reduces what is kept is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub immutability_settings: Option<ImmutabilitySettings>,
    /// For how long what was deleted can be had back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soft_delete_settings: Option<SoftDeleteSettings>,
    /// `Enabled` where a resource guard is set, else `Disabled`; it is not taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multi_user_authorization: Option<String>,
}

/// Immutability.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ImmutabilitySettings {
    /// Its state.
    pub state: Immutability,
}

/// Soft delete, which is always on.
#[derive(Debug, Clone, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SoftDeleteSettings {
    /// `AlwaysON`; `Enabled` means the same here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soft_delete_state: Option<String>,
    /// For how many days, 14 to 180.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soft_delete_retention_period_in_days: Option<u32>,
    /// `AlwaysON`: security PINs for critical acts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enhanced_security_state: Option<String>,
}

/// `PUT` and `PATCH` of a vault: what is left out stays, or is the default of a new one.
#[derive(Debug, Clone, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct VaultRequest {
    /// Where it is to be; can't be changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// Its tags.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Tags>,
    /// A managed identity; there is none here but `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<Value>,
    /// Its settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub properties: Option<VaultProperties>,
}

/// A vault that was deleted, and can be had back.
pub type DeletedVault = Resource<DeletedVaultProperties>;

/// What there is to know of a deleted vault.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeletedVaultProperties {
    /// The path that it had.
    pub vault_id: String,
    /// When it was deleted.
    pub vault_deletion_time: Timestamp,
    /// When it will be gone.
    pub purge_at: Timestamp,
}

/// `{vault}/backupstorageconfig/vaultstorageconfig`.
pub type StorageConfig = Resource<StorageConfigProperties>;

/// Redundancy as older clients have it.
#[derive(Debug, Clone, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StorageConfigProperties {
    /// The redundancy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage_model_type: Option<Redundancy>,
    /// The same under another name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage_type: Option<Redundancy>,
    /// `Unlocked`, or `Locked` once something is protected; it is not taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage_type_state: Option<String>,
    /// Whether there is restoring from the second region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cross_region_restore_flag: Option<bool>,
    /// `Met` or `NotMet`; it is not taken. Not Azure's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redundancy_health: Option<String>,
    /// Why it is not met; it is not taken. Not Azure's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redundancy_health_reason: Option<String>,
}

/// `PUT` and `PATCH` of a storage config.
#[derive(Debug, Clone, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct StorageConfigRequest {
    /// What is to be.
    #[serde(default)]
    pub properties: StorageConfigProperties,
}

/// `{vault}/backupconfig/vaultconfig`.
pub type VaultConfig = Resource<VaultConfigProperties>;

/// Soft delete and security as older clients have them.
#[derive(Debug, Clone, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VaultConfigProperties {
    /// `AlwaysON`; `Enabled` means the same here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soft_delete_feature_state: Option<String>,
    /// For how many days, 14 to 180.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soft_delete_retention_period_in_days: Option<u32>,
    /// `Enabled`: it can't be disabled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enhanced_security_state: Option<String>,
    /// `false`; it is not taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_soft_delete_feature_state_editable: Option<bool>,
    /// The redundancy; it is not taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage_model_type: Option<Redundancy>,
    /// The same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage_type: Option<Redundancy>,
    /// `Unlocked` or `Locked`; it is not taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage_type_state: Option<String>,
    /// Resource guards' acts; there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_guard_operation_requests: Option<Value>,
}

/// `PUT` and `PATCH` of a vault config.
#[derive(Debug, Clone, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct VaultConfigRequest {
    /// What is to be.
    #[serde(default)]
    pub properties: VaultConfigProperties,
}
