//! `stateward vault create`

use super::settings::Settings;
use crate::context::Context;
use clap::Args;
use stateward_agent::{AgentError, Exit, admin};
use stateward_model::{GroupName, VaultName};

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The vault's name: 2 to 50 letters, digits and `-`, beginning with a letter
    #[arg(value_name = "NAME")]
    name: VaultName,
    /// The resource group that it is to be in
    #[arg(long, value_name = "GROUP", default_value = "default")]
    resource_group: GroupName,
    /// Where it is to be [default: the one location that there is]
    #[arg(long, value_name = "LOCATION")]
    location: Option<String>,
    #[command(flatten)]
    settings: Settings,
}

/// Makes a vault. One of that name that is there is no error: what was given is changed in it.
pub fn run(context: &Context, arguments: Arguments) -> Result<Exit, AgentError> {
    let Arguments { name, resource_group, location, settings } = arguments;
    let client = admin::administrator(context.agent())?;
    let vault = client.put_vault(&name, &resource_group, &settings.request(location))?;
    let output = context.output();
    output.object(&super::object("result", &vault));
    let id = vault.properties.vault_id.as_deref().unwrap_or_default();
    output.line(format_args!("Vault {name} is there ({id})"));
    super::warn_of_redundancy(context, &vault);
    output.hint(format_args!("Next: `stateward vault credentials {name} --out FILE`"));
    Ok(Exit::Done)
}
