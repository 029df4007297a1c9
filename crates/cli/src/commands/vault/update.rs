//! `stateward vault update`

use super::settings::Settings;
use crate::context::Context;
use crate::vault_choice::NamedVault;
use clap::Args;
use stateward_agent::{AgentError, Exit};
use stateward_api::arm::agents::AgentSettingsProperties;
use stateward_model::AgentVersion;

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    vault: NamedVault,
    #[command(flatten)]
    settings: Settings,
    /// The oldest agent that may make backups, such as `0.2.0`; `none` for any. Every agent may restore
    #[arg(long, value_name = "VERSION", value_parser = minimum)]
    minimum_agent_version: Option<Minimum>,
}

/// A version, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Minimum(Option<AgentVersion>);

fn minimum(text: &str) -> Result<Minimum, String> {
    match text {
        "none" => Ok(Minimum(None)),
        version => version.parse().map(|version| Minimum(Some(version))).map_err(|error| format!("{error}")),
    }
}

/// Changes what was given.
pub fn run(context: &Context, arguments: Arguments) -> Result<Exit, AgentError> {
    let Arguments { vault, settings, minimum_agent_version } = arguments;
    if settings.is_empty() && minimum_agent_version.is_none() {
        return Err(AgentError::NothingAsked("one of the settings"));
    }
    let (client, mut vault) = vault.find(context)?;
    if let Some(Minimum(minimum_agent_version)) = minimum_agent_version {
        let properties = AgentSettingsProperties { minimum_agent_version, newest_agent_version: None };
        client.put_agent_settings(&vault, properties)?;
    }
    if !settings.is_empty() {
        vault = client.update_vault(&vault, &settings.request(None))?;
    }
    let mut object = super::object("result", &vault);
    object["minimum_agent_version"] = serde_json::json!(super::minimum_agent(&client, &vault)?);
    context.output().object(&object);
    context.output().line(format_args!("Vault {} has the new settings", vault.name));
    super::warn_of_redundancy(context, &vault);
    Ok(Exit::Done)
}
