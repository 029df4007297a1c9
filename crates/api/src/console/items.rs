//! What is protected, and by which policy.

use super::{FilePath, Item, Secret};
use crate::arm::policies::PolicyProperties;
use crate::arm::previews::{PreviewedMoment, PreviewedRun};
use serde::{Deserialize, Serialize};
use stateward_model::{ComponentName, Label, PolicyName, StopKeeps, Timestamp};

/// Protects files and folders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProtectFilesRequest {
    /// Absolute paths, with all that they hold.
    pub paths: Vec<FilePath>,
    /// What is left out of them: paths with all below them, names such as `*.mp3` of one folder, or names anywhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclusions: Vec<FilePath>,
    /// The item's name; one that is there holds these paths from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Label>,
}

/// Protects System State.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProtectSystemStateRequest {
    /// Only these components; empty: all.
    #[serde(default)]
    pub components: Vec<ComponentName>,
    /// The item's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Label>,
}

/// What protecting did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub enum ItemChange {
    /// There is a new item.
    Added,
    /// The item of that name holds something else now.
    Changed,
    /// It was protected just so already.
    Unchanged,
}

/// What is protected now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ItemProtected {
    /// The item.
    #[serde(flatten)]
    pub item: Item,
    /// Whether it is new.
    pub change: ItemChange,
    /// Why the vault does not know of it yet; the next backup tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub untold: Option<String>,
}

/// Protected items.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ItemList {
    /// They, by name.
    pub value: Vec<Item>,
}

/// Stops an item's backups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StopItemRequest {
    /// The digits of a security PIN that an administrator made at the vault.
    #[serde(rename = "securityPIN")]
    pub security_pin: Secret,
    /// What becomes of its recovery points.
    pub keeps: StopKeeps,
}

/// Deletes an item's recovery points, which can be had back for some days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeleteItemRequest {
    /// The digits of a security PIN that an administrator made at the vault.
    #[serde(rename = "securityPIN")]
    pub security_pin: Secret,
}

/// What an administrator of the vault signs in with, for one act. It is not kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Administrator {
    /// The client id.
    pub client_id: String,
    /// The client secret.
    pub client_secret: Secret,
}

/// An act that needs nothing but an administrator.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AdministratorRequest {
    /// Who; left out: whoever signed in with `stateward login`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub administrator: Option<Administrator>,
}

/// Resumes an item's backups.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResumeItemRequest {
    /// Who; left out: whoever signed in with `stateward login`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub administrator: Option<Administrator>,
    /// The policy that it is to have; left out: the one that it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyName>,
}

/// The vault's policies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PolicyList {
    /// They.
    pub value: Vec<NamedPolicy>,
}

/// A policy of the vault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NamedPolicy {
    /// Its name.
    pub name: String,
    /// What it says.
    pub properties: PolicyProperties,
}

/// Asks what a policy would come to keep. No vault is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SchedulePreviewRequest {
    /// The policy.
    pub properties: PolicyProperties,
    /// The moments for which is told what is kept then; none: in 30, 90 and 365 days.
    #[serde(default)]
    pub moments: Vec<Timestamp>,
}

/// What a policy would come to keep, if every run made a recovery point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SchedulePreview {
    /// The next runs.
    pub next_runs: Vec<PreviewedRun>,
    /// What is kept at the moments that were asked for.
    pub kept: Vec<PreviewedMoment>,
}

/// Gives an item a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScheduleRequest {
    /// The item's name or id; left out: the only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
    /// The policy's name.
    pub policy: PolicyName,
    /// What it says, if it is to be made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub properties: Option<PolicyProperties>,
    /// Who; left out: whoever signed in with `stateward login`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub administrator: Option<Administrator>,
}

/// An item has a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Scheduled {
    /// The item.
    pub item: Item,
    /// Its policy.
    pub policy: NamedPolicy,
    /// Whether an agent runs that keeps to it.
    pub is_served: bool,
}
