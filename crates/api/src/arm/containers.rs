//! Registered servers, which Azure calls containers (`MabContainer`).

use super::Resource;
use serde::{Deserialize, Serialize};
use stateward_model::{ServerId, Timestamp};

/// A registered server.
pub type Container = Resource<ContainerProperties>;

/// What there is to know of a registered server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ContainerProperties {
    /// What people call it; several servers may bear the same name.
    pub friendly_name: String,
    /// `MAB`.
    pub backup_management_type: String,
    /// `Registered`, or `NotRegistered` for one that was unregistered and whose recovery points are still there.
    pub registration_status: String,
    /// `Healthy` or `Unhealthy`: then [`Self::mab_container_health_details`] say why.
    pub health_status: String,
    /// `Windows`, whatever the server's operating system is: the SDKs know servers by it.
    pub container_type: String,
    /// The same.
    pub protectable_object_type: String,
    /// Whether credentials can be made by which it registers again.
    pub can_re_register: bool,
    /// A number for those who want one; names are told apart by [`ContainerExtendedInfo::server_id`].
    pub container_id: i64,
    /// How many items of it are protected, or were and can be had back.
    pub protected_item_count: u64,
    /// The agent's version.
    pub agent_version: String,
    /// The same as [`Self::health_status`].
    pub container_health_state: String,
    /// What is wrong with it.
    pub mab_container_health_details: Vec<HealthDetail>,
    /// More of it.
    pub extended_info: ContainerExtendedInfo,
}

/// Something that is wrong with a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct HealthDetail {
    /// Which kind: 1 for recovery points that forked, 2 for a server that was not heard of for days.
    pub code: i32,
    /// In a few words.
    pub title: String,
    /// In a sentence.
    pub message: String,
    /// What to do about it.
    pub recommendations: Vec<String>,
}

/// More of a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ContainerExtendedInfo {
    /// When the vault last heard of it.
    pub last_refreshed_at: Option<Timestamp>,
    /// `SystemState` if it protects that, else `FileFolder`.
    pub backup_item_type: Option<String>,
    /// What its items are called.
    pub backup_items: Vec<String>,
    /// The policy that its items have, if all have the same.
    pub policy_name: Option<String>,
    /// How its last backup ended.
    pub last_backup_status: Option<String>,
    /// Its id. Not Azure's, as all that follows.
    pub server_id: ServerId,
    /// Its operating system, as that names itself.
    pub operating_system: String,
    /// Its deduplication domain: its own id, or that of the server that founded it.
    pub domain: ServerId,
    /// Whether its agent is older than the newest that the vault offers, or than the oldest that may make backups.
    #[serde(default)]
    pub is_outdated: bool,
    /// When it was registered.
    pub registered_at: Timestamp,
    /// When it was unregistered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unregistered_at: Option<Timestamp>,
    /// When the vault last heard of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<Timestamp>,
    /// When a recovery point last came that does not follow the newest one: two agents make backups as this server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forked_at: Option<Timestamp>,
}

/// `{vault}/backupFabrics`: there is one, `Azure`.
pub type Fabric = Resource<FabricProperties>;

/// What there is to know of a fabric.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FabricProperties {
    /// `Azure`.
    pub friendly_name: String,
}
