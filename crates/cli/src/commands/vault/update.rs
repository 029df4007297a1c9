//! `stateward vault update`

use super::settings::Settings;
use crate::context::Context;
use crate::vault_choice::NamedVault;
use clap::Args;
use stateward_agent::{AgentError, Exit};

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    vault: NamedVault,
    #[command(flatten)]
    settings: Settings,
}

/// Changes what was given.
pub fn run(context: &Context, Arguments { vault, settings }: Arguments) -> Result<Exit, AgentError> {
    if settings.is_empty() {
        return Err(AgentError::NothingAsked("one of the settings"));
    }
    let (client, vault) = vault.find(context)?;
    let vault = client.update_vault(&vault, &settings.request(None))?;
    context.output().object(&super::object("result", &vault));
    context.output().line(format_args!("Vault {} has the new settings", vault.name));
    super::warn_of_redundancy(context, &vault);
    Ok(Exit::Done)
}
