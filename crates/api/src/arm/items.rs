//! Protected items (`MabFileFolderProtectedItem`): what of a server is backed up, and what becomes of its recovery points.

use super::Resource;
use serde::{Deserialize, Serialize};
use stateward_model::{StopKeeps, Timestamp};

/// A protected item.
pub type ProtectedItem = Resource<ItemProperties>;

/// What there is to know of a protected item. `az … -o table` fails where a field is left out, so none is but those that
/// belong to deletion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ItemProperties {
    /// `MabFileFolderProtectedItem`, also for System State: the SDKs know no other for servers.
    pub protected_item_type: String,
    /// `MAB`.
    pub backup_management_type: String,
    /// `SystemState` or `FileFolder`.
    pub workload_type: String,
    /// The server's name among the vault's containers.
    pub container_name: String,
    /// What people call the item.
    pub friendly_name: String,
    /// What people call the server.
    pub computer_name: String,
    /// The path of its policy; empty if it has none.
    pub policy_id: String,
    /// The name of its policy; empty if it has none.
    pub policy_name: String,
    /// The newest recovery point's time.
    pub last_recovery_point: Option<Timestamp>,
    /// How its last backup ended; empty if there was none.
    pub last_backup_status: String,
    /// When its last backup began.
    pub last_backup_time: Option<Timestamp>,
    /// `IRPending` (no recovery point yet), `Protected`, `ProtectionError` (the last backup failed) or `ProtectionStopped`.
    pub protection_state: String,
    /// Whether it was deleted and can be had back.
    pub is_scheduled_for_deferred_delete: bool,
    /// When it was deleted.
    #[serde(rename = "deferredDeleteTimeInUTC", default, skip_serializing_if = "Option::is_none")]
    pub deferred_delete_time: Option<Timestamp>,
    /// For how much longer it can be had back, as an ISO 8601 duration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deferred_delete_time_remaining: Option<String>,
    /// Whether that is less than a day.
    pub is_deferred_delete_schedule_upcoming: bool,
    /// `false`: nothing is moved to get at it.
    pub is_archive_enabled: bool,
    /// For how many days it can be had back once it is deleted; of a deleted one, for how many it could.
    pub soft_delete_retention_period_in_days: u32,
    /// The path of the vault.
    pub vault_id: String,
    /// What becomes of the recovery points of an item that was stopped: `forever` or `expire`. Not Azure's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_keeps: Option<StopKeeps>,
    /// More of it.
    pub extended_info: ItemExtendedInfo,
}

/// More of a protected item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ItemExtendedInfo {
    /// When its last recovery point was made.
    pub last_refreshed_at: Option<Timestamp>,
    /// The oldest recovery point's time.
    pub oldest_recovery_point: Option<Timestamp>,
    /// How many recovery points it has.
    pub recovery_point_count: u64,
}

/// `PUT` of an item. Items are made at their server; this changes one.
#[derive(Debug, Clone, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ItemRequest {
    /// What to change.
    #[serde(default)]
    pub properties: ItemChange,
}

/// What to change of an item; what is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ItemChange {
    /// The path of a policy, or its name. An item that was stopped is resumed by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_id: Option<String>,
    /// `ProtectionStopped` stops its backups and keeps its recovery points; `Protected` resumes them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protection_state: Option<String>,
    /// `true` has a deleted item back; its backups are stopped then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_rehydrate: Option<bool>,
    /// What becomes of the recovery points of an item that is stopped; `forever` if not said. Not Azure's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_keeps: Option<StopKeeps>,
}

/// `POST …/protectedItems/{item}/backup`: a backup on demand. Azure's clients have no type for it that fits servers; any is
/// taken.
#[derive(Debug, Clone, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct BackupRequest {
    /// How.
    #[serde(default)]
    pub properties: BackupWishes,
}

/// How a backup on demand is to be made.
#[derive(Debug, Clone, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct BackupWishes {
    /// Until when its recovery point is to be kept: lengthens what the policy says, never below the vault's minimum.
    #[serde(rename = "recoveryPointExpiryTimeInUTC", default, skip_serializing_if = "Option::is_none")]
    pub retain_until: Option<Timestamp>,
}
