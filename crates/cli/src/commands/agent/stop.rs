//! `stateward agent stop`

use crate::context::Context;
use clap::Args;
use serde_json::json;
use stateward_agent::service::manager;
use stateward_agent::{AgentError, Exit};

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Stop what the service manager started, registered or not, and wait for the end of its process
    #[arg(long, hide = true)]
    service: bool,
}

/// Stops the agent.
pub fn run(context: &Context, arguments: Arguments) -> Result<Exit, AgentError> {
    match arguments.service {
        true => manager::stop_service()?,
        false => manager::stop(context.agent())?,
    }
    context.output().object(&json!({ "type": "result" }));
    context.output().line("The agent is stopped: nothing is backed up by itself until it runs again");
    Ok(Exit::Done)
}
