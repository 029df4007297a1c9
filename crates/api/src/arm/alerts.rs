//! Alerts: `GET {vault}/stateward/alerts` → list of [`Alert`], newest first, with `$filter` by `state` and `severity`;
//! `POST {vault}/stateward/alerts/{id}/resolve` → [`Alert`].

use super::Resource;
use serde::{Deserialize, Serialize};
use stateward_model::Timestamp;

/// What people should know.
pub type Alert = Resource<AlertProperties>;

/// What there is to know of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AlertProperties {
    /// `Critical`, `Error`, `Warning` or `Informational`.
    pub severity: String,
    /// What kind of thing happened, such as `server-registered-again`.
    pub kind: String,
    /// `Open` or `Resolved`.
    pub state: String,
    /// What it is about.
    pub subject: String,
    /// In words.
    pub message: String,
    /// When it was first so.
    pub raised_at: Timestamp,
    /// When it was so no longer, or somebody said that it is dealt with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<Timestamp>,
}
