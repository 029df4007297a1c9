//! `stateward agent start`

use crate::context::Context;
use clap::Args;
use serde_json::json;
use stateward_agent::service::manager::{self, Starter};
use stateward_agent::{AgentError, Exit};

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {}

/// Starts the agent.
pub fn run(context: &Context, _: Arguments) -> Result<Exit, AgentError> {
    let by = manager::start(context.agent())?;
    let output = context.output();
    output.object(&json!({ "type": "result", "is_service": by == Starter::Manager }));
    output.line("The agent runs");
    if by == Starter::Process {
        output
            .hint("It ends with the machine. To have it started with it: `stateward agent install`, as root");
    }
    Ok(Exit::Done)
}
