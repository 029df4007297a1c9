//! `stateward agent stop`

use crate::context::Context;
use clap::Args;
use serde_json::json;
use stateward_agent::service::manager;
use stateward_agent::{AgentError, Exit};

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {}

/// Stops the agent.
pub fn run(context: &Context, _: Arguments) -> Result<Exit, AgentError> {
    manager::stop(context.agent())?;
    context.output().object(&json!({ "type": "result" }));
    context.output().line("The agent is stopped: nothing is backed up by itself until it runs again");
    Ok(Exit::Done)
}
