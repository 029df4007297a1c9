//! A server at a glance.

use super::{FilePath, Job};
use serde::{Deserialize, Serialize};
use stateward_model::{
    ComponentName, ItemId, ItemKind, JobState, Label, PointHash, PolicyName, Sequence, ServerId, Timestamp,
    VaultId,
};

/// A server at a glance. Made from its home alone: no vault is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Overview {
    /// The agent's home.
    pub home: FilePath,
    /// The program and its version.
    pub program: String,
    /// What the machine calls itself.
    pub host_name: String,
    /// The present moment, by its clock.
    pub time: Timestamp,
    /// Which vault, and as whom; left out before registration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registration: Option<Registration>,
    /// What is protected.
    pub items: Vec<ItemOverview>,
    /// The newest recovery point that was acknowledged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest_recovery_point: Option<NewestPoint>,
    /// The jobs that go on.
    pub running_jobs: Vec<Job>,
    /// Whether an agent runs that does what is planned.
    pub is_served: bool,
    /// When a share of the vault was last verified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified_at: Option<Timestamp>,
    /// When it is verified next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_verify: Option<Timestamp>,
}

/// Which vault, and as whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Registration {
    /// This server, as the vault knows it.
    pub server: ServerId,
    /// What people call it.
    pub label: Label,
    /// The vault's name.
    pub vault: Label,
    /// The vault.
    pub vault_id: VaultId,
    /// Where the vault listens.
    pub url: String,
    /// The cache folder.
    pub cache: FilePath,
    /// When it was registered.
    pub registered_at: Timestamp,
}

/// The newest recovery point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewestPoint {
    /// Its id.
    pub recovery_point: PointHash,
    /// Its place in the chain.
    pub sequence: Sequence,
    /// The vault's time of it.
    pub time: Timestamp,
}

/// A protected item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    /// What people call it.
    pub item: Label,
    /// Its id.
    pub item_id: ItemId,
    /// What kind it is.
    pub kind: ItemKind,
    /// Of System State: only these components; left out: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub components: Option<Vec<ComponentName>>,
    /// Of System State: the root of the tree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<FilePath>,
    /// Of files and folders: which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paths: Option<Vec<FilePath>>,
    /// Of files and folders: what is left out of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclusions: Vec<FilePath>,
}

/// A protected item, and how it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ItemOverview {
    /// The item.
    #[serde(flatten)]
    pub item: Item,
    /// When its last backup ended that ended well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_backup: Option<Timestamp>,
    /// How that ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_backup_status: Option<JobState>,
    /// Its policy, as far as this server was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyName>,
    /// When it is backed up next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_backup: Option<Timestamp>,
    /// Its last trial restore that brought everything back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proven_restore: Option<ProvenRestore>,
    /// Why the last one could not even be tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial_restore_hindered: Option<String>,
    /// When the next one is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_trial_restore: Option<Timestamp>,
}

/// A restore that was made only to see that it can be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProvenRestore {
    /// When.
    pub at: Timestamp,
    /// Of which recovery point.
    pub recovery_point: PointHash,
    /// Files that came back, whole.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}
