//! Recovery points (`…/protectedItems/{item}/recoveryPoints`), as Azure's `GenericRecoveryPoint`.

use serde::{Deserialize, Serialize};
use stateward_model::{ComponentName, PointHash, Sequence, Timestamp};

/// A recovery point.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RecoveryPoint {
    /// Its path.
    pub id: String,
    /// Its id: what else names it by its hash.
    pub name: String,
    /// `Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/recoveryPoints`.
    pub r#type: String,
    /// What is known of it.
    pub properties: RecoveryPointProperties,
}

/// What is known of a recovery point.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecoveryPointProperties {
    /// `GenericRecoveryPoint`; without it the SDK for Python gives a point without its fields.
    pub object_type: String,
    /// Its item's label and its place in the server's chain.
    pub friendly_name: String,
    /// `Scheduled` or `OnDemand`.
    pub recovery_point_type: String,
    /// When the vault received it.
    pub recovery_point_time: Timestamp,
    /// [`AdditionalInfo`], as JSON in a text: Azure has a text there.
    pub recovery_point_additional_info: String,
    /// Until when it is kept.
    pub recovery_point_properties: Lifetime,
}

/// Until when a recovery point is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Lifetime {
    /// When its retention ends, or ended. Left out: there is no end, as the rule says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiry_time: Option<Timestamp>,
    /// The rule that keeps it longest: `Daily`, `Weekly`, `Monthly`, `Yearly`, `OnDemand`, `Immutable`, `Minimum`, `LastGood`,
    /// `NoneGood`; `NoPolicy`, `Stopped` and `Deleted` where nothing of its item expires; `Expired` if it has expired.
    pub rule_name: String,
    /// Whether its retention has ended and it can still be had back.
    pub is_soft_deleted: bool,
}

/// What Azure has no field for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AdditionalInfo {
    /// Its place in the server's chain.
    pub sequence: Sequence,
    /// Bytes of all packs that it needs, shared ones included.
    pub pack_bytes: u64,
    /// Whether all of it is there, as far as the vault knows.
    pub is_good: bool,
    /// Every reason to keep it, in words: `weekly, Sunday 2026-11-29 02:00, until Sunday 2026-12-27 02:20`.
    pub reasons: Vec<String>,
    /// Whether its retention has ended and a person must confirm that it expires, since unusually many would at once.
    pub is_held: bool,
    /// Until when it can be had back, if it has expired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purge_at: Option<Timestamp>,
}

/// Has an expired recovery point back: `POST {vault}/stateward/recoveryPoints/{hash}/undelete`. Not Azure's.
#[derive(Debug, Clone, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UndeleteRequest {
    /// Until when it is kept then; left out, for as long as deleted things of the vault can be had back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retain_until: Option<Timestamp>,
}

/// Asks a server to restore one of its recovery points into a new folder of its own: `POST
/// {vault}/stateward/restoreRequests`. Not Azure's.
///
/// The folder is made below the restore root that is set on the server, and only there; a server without one refuses, and
/// the job says so. Which files are restored can be told by components alone: paths are not for the vault to know.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RestoreRequest {
    /// What is asked for.
    pub properties: RestoreRequestProperties,
}

/// What is to be restored.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RestoreRequestProperties {
    /// The recovery point's path, as lists give it as its `id`.
    pub recovery_point_id: String,
    /// Only these components; all, if none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<ComponentName>,
}

/// Agrees that recovery points expire whose retention has ended, though unusually many would at once: `POST
/// {vault}/stateward/confirmExpiry`. Not Azure's.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfirmExpiryRequest {
    /// Which.
    pub recovery_points: Vec<PointHash>,
}

/// Says that the vault's clock is right, though it jumped: `POST
/// /subscriptions/{subscription}/providers/Microsoft.RecoveryServices/stateward/confirmClock`. Not Azure's.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ConfirmClockRequest {
    /// The time that it is, from elsewhere: a vault whose clock shows another is not believed.
    pub time: Timestamp,
}

/// How the vault's clock stands.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClockState {
    /// The vault's time.
    pub time: Timestamp,
    /// The latest time that the vault has seen and written down.
    pub high_water: Timestamp,
}
