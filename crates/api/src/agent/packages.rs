//! Packages of the agent that the vault offers.

use serde::{Deserialize, Serialize};
use stateward_model::PackageStatement;

/// A package that is offered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OfferedPackage {
    /// Its file's name, its size and its hash.
    #[serde(flatten)]
    pub statement: PackageStatement,
    /// The file with its signature, without which no agent installs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
}

/// All packages that are offered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PackageList {
    /// The packages, the newest first.
    pub packages: Vec<OfferedPackage>,
}
