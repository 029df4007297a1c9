//! Management, `/admin/preview`: what stands in for the ARM API until it is there; only the verbs that the CLI needs.
//! Needs an administrator's token. Names and meanings are those that ARM's resources will have.
//!
//! | call | body → answer |
//! |---|---|
//! | `GET  /admin/preview/vaults` | → [`VaultList`] |
//! | `PUT  /admin/preview/vaults/{name}` | → [`Vault`]; 201, or 200 if it was there |
//! | `GET  /admin/preview/vaults/{name}` | → [`Vault`] |
//! | `POST /admin/preview/vaults/{name}/credentials` | [`CredentialsRequest`] → [`crate::VaultCredentials`] |
//! | `GET  /admin/preview/vaults/{name}/servers` | → [`ServerList`] |
//! | `GET  /admin/preview/vaults/{name}/recovery-points` | → [`RecoveryPointList`] |
//! | `GET  /admin/preview/vaults/{name}/jobs` | → [`JobList`] |
//!
//! Roles: `BackupContributor` may do all of it, `BackupReader` may only read.
//! `GET /health` needs no token and answers 200 with [`Health`] once the vault is ready.

use crate::agent::JobReport;
pub use crate::arm::credentials::CredentialsRequest;
use serde::{Deserialize, Serialize};
use stateward_model::{ItemId, ItemKind, Label, PointHash, Sequence, ServerId, Timestamp, VaultId};

/// A vault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Vault {
    /// Its id.
    pub id: VaultId,
    /// Its name.
    pub name: Label,
    /// When it was made.
    pub created_at: Timestamp,
    /// Registered servers.
    pub servers: u64,
    /// Recovery points.
    pub recovery_points: u64,
    /// Bytes of its packs as they are stored.
    pub stored_bytes: u64,
}

/// All vaults.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct VaultList {
    /// By name.
    pub value: Vec<Vault>,
}

/// A registered server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Server {
    /// Its id.
    pub id: ServerId,
    /// Its deduplication domain: its own id, or that of the server that founded it.
    pub domain: ServerId,
    /// Its label.
    pub label: Label,
    /// The operating system as it names itself.
    pub operating_system: String,
    /// The agent's version.
    pub agent_version: String,
    /// When it was registered.
    pub registered_at: Timestamp,
    /// When it was last heard of.
    pub seen_at: Option<Timestamp>,
    /// When a recovery point last came that does not follow the newest one: then two agents make backups as this server,
    /// for its home was copied, or put back from an older copy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forked_at: Option<Timestamp>,
}

/// All servers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ServerList {
    /// By label.
    pub value: Vec<Server>,
}

/// A recovery point as the vault knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecoveryPoint {
    /// Its id.
    pub id: PointHash,
    /// Whose.
    pub server: ServerId,
    /// Which item.
    pub item: ItemId,
    /// The item's label.
    pub item_label: Label,
    /// What kind of item.
    pub kind: ItemKind,
    /// Its place in the server's chain.
    pub sequence: Sequence,
    /// When the vault committed it.
    pub received_at: Timestamp,
    /// Bytes of all packs that it needs.
    pub pack_bytes: u64,
}

/// All recovery points of a vault.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RecoveryPointList {
    /// Newest first.
    pub value: Vec<RecoveryPoint>,
}

/// A job as its agent reported it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Job {
    /// Whose.
    pub server: ServerId,
    /// When the vault last heard of it.
    pub reported_at: Timestamp,
    /// The report.
    #[serde(flatten)]
    pub report: JobReport,
}

/// All jobs of a vault.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct JobList {
    /// Newest first.
    pub value: Vec<Job>,
}

/// The vault is ready.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Health {
    /// The program's version.
    pub version: String,
    /// The vault's time.
    pub time: Timestamp,
    /// The tenant, for the token endpoint's path: so that signing in needs an address and a secret only.
    pub tenant: String,
}
