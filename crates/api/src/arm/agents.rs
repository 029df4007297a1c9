//! Agents and their packages: `GET {vault}/stateward/agentPackages` → list of [`AgentPackage`],
//! `GET {vault}/stateward/agentPackages/{name}` → one, `…/{name}/content` → its bytes, and
//! `GET` and `PUT {vault}/stateward/agentSettings`.

use super::Resource;
use serde::{Deserialize, Serialize};
use stateward_model::{AgentVersion, PackageKind, Timestamp};

/// A package of the agent that is offered. Its name is its file's.
pub type AgentPackage = Resource<AgentPackageProperties>;

/// What there is to know of a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgentPackageProperties {
    /// What installs it.
    pub kind: PackageKind,
    /// Its version, with the package's own release.
    pub version: AgentVersion,
    /// For which processors, in the words of its kind: `amd64`, `x86_64`.
    pub architecture: String,
    /// Its size.
    pub size_bytes: u64,
    /// SHA-256 of it, in hexadecimal digits.
    pub sha256: String,
    /// The file with its signature. The vault can't tell whether it holds; agents can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// Where its bytes are; asking for them takes the same token as this.
    pub download_url: String,
    /// Since when it is offered.
    pub added_at: Timestamp,
}

/// What the vault asks of agents.
pub type AgentSettings = Resource<AgentSettingsProperties>;

/// Changes what the vault asks of agents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct AgentSettingsRequest {
    /// All of it.
    pub properties: AgentSettingsProperties,
}

/// What the vault asks of agents.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgentSettingsProperties {
    /// The oldest agent that may make backups; `null` for any. Every agent may restore. An agent tells its version itself, so
    /// this keeps old ones from working on, and is no defence against somebody who means harm.
    #[serde(default)]
    pub minimum_agent_version: Option<AgentVersion>,
    /// The newest version of the packages that are offered; it is not taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest_agent_version: Option<AgentVersion>,
}
