//! What a policy would come to keep: `POST {vault}/stateward/policyPreview`. Not Azure's.

use super::policies::PolicyProperties;
use serde::{Deserialize, Serialize};
use stateward_model::policy::{LocalTime, Run};
use stateward_model::{ItemId, PointHash, Timestamp};

/// Asks what a policy would come to keep.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PolicyPreviewRequest {
    /// The policy; left out, the present one of `policyName` or of `item`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub properties: Option<PolicyProperties>,
    /// The policy that it would take the place of: what it would do to the points of its items is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_name: Option<String>,
    /// The item whose points are there already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<ItemId>,
    /// The moments for which is told what is kept then; none of them has passed.
    #[serde(default)]
    pub moments: Vec<Timestamp>,
}

/// What a policy would come to keep.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PolicyPreview {
    /// The next runs.
    pub next_runs: Vec<PreviewedRun>,
    /// What is kept at the moments that were asked for.
    pub kept: Vec<PreviewedMoment>,
    /// In which ways it keeps less than the policy whose place it would take, in words.
    pub lessenings: Vec<String>,
    /// The points whose end it would move.
    pub effects: Vec<PreviewedEffect>,
}

/// A run to come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PreviewedRun {
    /// When.
    pub at: Timestamp,
    /// What the schedule says, by the clocks of its zone.
    pub planned: LocalTime,
}

impl From<Run> for PreviewedRun {
    fn from(Run { at, planned }: Run) -> Self {
        Self { at, planned }
    }
}

/// What is kept at a moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PreviewedMoment {
    /// The moment.
    pub at: Timestamp,
    /// How many points.
    pub count: u64,
    /// They themselves, oldest first.
    pub points: Vec<PreviewedPoint>,
}

/// A point that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PreviewedPoint {
    /// When the vault received it, or would.
    pub received_at: Timestamp,
    /// Whether it is there already.
    pub exists: bool,
    /// Why it is kept, in words.
    pub reasons: Vec<String>,
}

/// What a policy in another's place does to a point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PreviewedEffect {
    /// Whose.
    pub item: ItemId,
    /// Which.
    pub recovery_point: PointHash,
    /// When the vault received it.
    pub received_at: Timestamp,
    /// Until when it was kept; left out: without an end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Timestamp>,
    /// Until when it would be kept; left out: without an end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Timestamp>,
    /// Whether the next expiry would end it.
    pub ends_at_once: bool,
}
