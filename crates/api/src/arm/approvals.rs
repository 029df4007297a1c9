//! Approvals: a second person's consent to acts in a vault with a resource guard, `{vault}/stateward/approvals`.
//!
//! | call | body → answer |
//! |---|---|
//! | `GET  …/approvals` | → list of [`Approval`] |
//! | `POST …/approvals` | [`ApprovalRequest`] → [`Approval`]; the act itself asks for it, too, when it is refused |
//! | `POST …/approvals/{id}/approve` | → [`Approval`], by another than who asked |

use super::Resource;
use serde::{Deserialize, Serialize};
use stateward_model::Timestamp;

/// Consent that was asked for.
pub type Approval = Resource<ApprovalProperties>;

/// How it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub enum ApprovalState {
    /// Nobody has agreed yet.
    Waiting,
    /// Somebody has, and the act can be done.
    Approved,
    /// The act was done.
    Used,
    /// Its time is over.
    Expired,
}

/// What there is to know of it.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApprovalProperties {
    /// The act: `item.delete`, `policy.shorten`, `vault.weaken`, `guard.delete`, `pin.create` or `principal.grant`.
    pub act: String,
    /// What it is done to; for a change of a policy or a vault also what becomes less.
    pub subject: String,
    /// How it stands.
    pub state: ApprovalState,
    /// Who wants to do it.
    pub asked_by: String,
    /// Since when.
    pub asked_at: Timestamp,
    /// Until when it can be agreed to and done.
    pub expires_at: Timestamp,
    /// Who agreed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<String>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_at: Option<Timestamp>,
    /// When it was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_at: Option<Timestamp>,
}

/// Asks for consent.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ApprovalRequest {
    /// To what.
    pub properties: ApprovalRequestProperties,
}

/// What consent is asked to.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ApprovalRequestProperties {
    /// The act.
    pub act: String,
    /// What it is done to: an item's id, a policy's, a vault's or a guard's name.
    pub subject: String,
}
