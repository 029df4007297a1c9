//! Which vault an administrator's command is about.

use crate::context::Context;
use clap::Args;
use stateward_agent::{AgentError, admin};
use stateward_api::arm::vaults::Vault;
use stateward_client::AdminClient;
use stateward_model::{GroupName, VaultName};

/// A vault that is the command's subject.
#[derive(Debug, Args)]
pub struct NamedVault {
    /// The vault's name
    #[arg(value_name = "NAME")]
    pub name: VaultName,
    /// The resource group that it is in [default: whichever it is in]
    #[arg(long, value_name = "GROUP")]
    pub resource_group: Option<GroupName>,
}

/// The vault of what the command is about.
#[derive(Debug, Args)]
pub struct InVault {
    /// The vault's name
    #[arg(long, value_name = "NAME")]
    vault: VaultName,
    /// The resource group that the vault is in [default: whichever it is in]
    #[arg(long, value_name = "GROUP")]
    resource_group: Option<GroupName>,
}

impl NamedVault {
    /// Signs in and finds it.
    pub fn find(&self, context: &Context) -> Result<(AdminClient, Vault), AgentError> {
        find(context, &self.name, self.resource_group.as_ref())
    }
}

impl InVault {
    /// Signs in and finds it.
    pub fn find(&self, context: &Context) -> Result<(AdminClient, Vault), AgentError> {
        find(context, &self.vault, self.resource_group.as_ref())
    }
}

fn find(
    context: &Context,
    name: &VaultName,
    group: Option<&GroupName>,
) -> Result<(AdminClient, Vault), AgentError> {
    let client = admin::administrator(context.agent())?;
    let vault = admin::find_vault(&client, name, group)?;
    Ok((client, vault))
}
