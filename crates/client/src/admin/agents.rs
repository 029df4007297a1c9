//! Packages of the agent that a vault offers, and what it asks of agents.

use super::AdminClient;
use super::address::address;
use crate::call::CallError;
use crate::download::DownloadError;
use stateward_api::arm::agents::{
    AgentPackage, AgentSettings, AgentSettingsProperties, AgentSettingsRequest,
};
use stateward_api::arm::vaults::Vault;
use std::fs::File;

impl AdminClient {
    /// All packages that are offered, the newest first.
    pub fn agent_packages(&self, vault: &Vault) -> Result<Vec<AgentPackage>, CallError> {
        self.list(&address(&vault.id, &["stateward", "agentPackages"], &[]))
    }

    /// Downloads a package into a file; tells how many bytes came, no more than the package has. They are for the caller to
    /// prove.
    pub fn download_package(
        &self,
        vault: &Vault,
        package: &AgentPackage,
        file: File,
    ) -> Result<u64, DownloadError> {
        let parts = ["stateward", "agentPackages", &package.name, "content"];
        self.connection.download(&address(&vault.id, &parts, &[]), package.properties.size_bytes, file)
    }

    /// What the vault asks of agents.
    pub fn agent_settings(&self, vault: &Vault) -> Result<AgentSettings, CallError> {
        self.get(&address(&vault.id, &["stateward", "agentSettings"], &[]))
    }

    /// Sets all of it.
    pub fn put_agent_settings(
        &self,
        vault: &Vault,
        properties: AgentSettingsProperties,
    ) -> Result<AgentSettings, CallError> {
        let address = address(&vault.id, &["stateward", "agentSettings"], &[]);
        self.put(&address, &AgentSettingsRequest { properties })
    }
}
