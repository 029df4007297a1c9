//! `stateward agent uninstall`

use crate::context::Context;
use clap::Args;
use serde_json::json;
use stateward_agent::service::manager;
use stateward_agent::{AgentError, Exit};

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {}

/// Takes the agent back from the services.
pub fn run(context: &Context, _: Arguments) -> Result<Exit, AgentError> {
    manager::uninstall(context.agent())?;
    context.output().object(&json!({ "type": "result" }));
    context.output().line("The agent is no service any more: nothing is backed up by itself");
    context.output().hint("What it did stays: the home with its keys, and all recovery points at the vault");
    Ok(Exit::Done)
}
