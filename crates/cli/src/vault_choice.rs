//! Which vault an administrator's command is about.

use crate::context::Context;
use clap::Args;
use stateward_agent::{AgentError, admin};
use stateward_api::arm::items::ProtectedItem;
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

/// The vault of a command that is about this server without one.
#[derive(Debug, Args)]
pub struct PerhapsInVault {
    /// Ask this vault, as its administrator, instead of looking at this server
    #[arg(long, value_name = "NAME")]
    vault: Option<VaultName>,
    /// The resource group that the vault is in [default: whichever it is in]
    #[arg(long, value_name = "GROUP", requires = "vault")]
    resource_group: Option<GroupName>,
}

impl PerhapsInVault {
    /// Signs in and finds it, if one was given.
    pub fn find(&self, context: &Context) -> Result<Option<(AdminClient, Vault)>, AgentError> {
        let name = self.vault.as_ref();
        name.map(|name| find(context, name, self.resource_group.as_ref())).transpose()
    }
}

/// A protected item of a vault that is the command's subject.
#[derive(Debug, Args)]
pub struct NamedItem {
    /// The item's name, or its id
    #[arg(value_name = "ITEM")]
    item: String,
    #[command(flatten)]
    vault: InVault,
    /// The server that the item is on (its name or id), where several have one of that name
    #[arg(long, value_name = "SERVER")]
    server: Option<String>,
}

impl NamedItem {
    /// Signs in and finds it.
    pub fn find(&self, context: &Context) -> Result<(AdminClient, Vault, ProtectedItem), AgentError> {
        let (client, vault) = self.vault.find(context)?;
        let item = admin::find_item(&client, &vault, &self.item, self.server.as_deref())?;
        Ok((client, vault, item))
    }
}

/// A protected item that the command ends: of a vault, as its administrator; or of this server, by a security PIN.
#[derive(Debug, Args)]
pub struct EndedItem {
    /// The item's name, or its id
    #[arg(value_name = "ITEM")]
    item: String,
    #[command(flatten)]
    vault: PerhapsInVault,
    /// The server that the item is on (its name or id), where several have one of that name
    #[arg(long, value_name = "SERVER", requires = "vault")]
    server: Option<String>,
    /// Without `--vault`, for an item of this server: a security PIN that an administrator made (`stateward pin create`)
    #[arg(long, value_name = "DIGITS", conflicts_with = "vault", required_unless_present = "vault")]
    pin: Option<String>,
}

/// Which item that is.
pub enum Ended {
    /// One of a vault.
    OfVault(Box<(AdminClient, Vault, ProtectedItem)>),
    /// One of this server, by its name, with the PIN.
    OfThisServer(String, String),
}

impl EndedItem {
    /// Signs in and finds it, if a vault was given.
    pub fn find(self, context: &Context) -> Result<Ended, AgentError> {
        Ok(match self.vault.find(context)? {
            Some((client, vault)) => {
                let item = admin::find_item(&client, &vault, &self.item, self.server.as_deref())?;
                Ended::OfVault(Box::new((client, vault, item)))
            }
            None => Ended::OfThisServer(self.item, self.pin.unwrap_or_default()),
        })
    }
}
