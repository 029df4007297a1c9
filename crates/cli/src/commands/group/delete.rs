//! `stateward group delete`

use crate::context::Context;
use clap::Args;
use serde_json::json;
use stateward_agent::{AgentError, Exit, admin};
use stateward_model::GroupName;

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Its name
    #[arg(value_name = "NAME")]
    name: GroupName,
}

/// Deletes a resource group that has no vault.
pub fn run(context: &Context, Arguments { name }: Arguments) -> Result<Exit, AgentError> {
    admin::administrator(context.agent())?.delete_group(&name)?;
    context.output().object(&json!({ "type": "result", "name": name }));
    context.output().line(format_args!("Resource group {name} is deleted"));
    Ok(Exit::Done)
}
