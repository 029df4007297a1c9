//! Looking at the server: what is wrong, what a code means, what System State is.

use serde::{Deserialize, Serialize};
use stateward_model::ComponentName;

/// How something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CheckOutcome {
    /// As it should be.
    Passed,
    /// Backups are made, and something is not as it should be.
    Warning,
    /// No backup can be made, or none can be restored, until it is mended.
    Failed,
    /// It was not looked at.
    Skipped,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Check {
    /// What; stable.
    pub name: String,
    /// How it stands.
    pub outcome: CheckOutcome,
    /// The same in a sentence.
    pub message: String,
    /// The code, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recommendation: Option<String>,
    /// How long a step of the way took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub milliseconds: Option<f64>,
}

/// What `stateward doctor` says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Diagnosis {
    /// `passed`, `warning` or `failed`: the worst of all.
    pub outcome: CheckOutcome,
    /// Each thing, in the order in which to mend them.
    pub checks: Vec<Check>,
}

/// A code explained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExplainedCode {
    /// The code.
    pub code: String,
    /// How a command ends with it; left out for warnings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<u8>,
    /// What it means.
    pub meaning: String,
    /// What to do about it.
    pub recommendation: String,
}

/// All codes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CodeList {
    /// They.
    pub value: Vec<ExplainedCode>,
}

/// What System State is on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SystemState {
    /// Its components.
    pub value: Vec<SystemStateComponent>,
}

/// A component of System State.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SystemStateComponent {
    /// Its name.
    pub component: ComponentName,
    /// What it is.
    pub purpose: String,
    /// Whether this machine has it.
    pub is_present: bool,
    /// Files in it.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// What it is made of.
    pub paths: Vec<String>,
}

/// Makes a support bundle.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SupportBundleRequest {
    /// Whether names and paths of files stay in, and what hooks said.
    #[serde(default)]
    pub with_names: bool,
}
