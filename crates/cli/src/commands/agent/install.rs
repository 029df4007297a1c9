//! `stateward agent install`

use crate::context::Context;
use clap::Args;
use serde_json::json;
use stateward_agent::service::manager;
use stateward_agent::{AgentError, Exit, Registration};

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Do not start it now: whatever installs it does that
    #[arg(long)]
    no_start: bool,
}

/// Makes the agent a service.
pub fn run(context: &Context, arguments: Arguments) -> Result<Exit, AgentError> {
    let state = manager::install(context.agent(), !arguments.no_start)?;
    let is_served = context.agent().home().is_served();
    let output = context.output();
    output.object(&json!({
        "type": "result", "unit": state.unit, "is_packaged": state.is_packaged, "is_running": is_served,
    }));
    if let Some(unit) = &state.unit {
        output.line(format_args!("Installed: {}, started with the machine", unit.display()));
    }
    match Registration::find(context.agent().home())? {
        Some(_) if is_served => output.line("It runs"),
        Some(_) if arguments.no_start => output.hint("Start it with `stateward agent start`"),
        Some(_) => output.hint("It does not run now: systemd does not run this machine. It starts with it"),
        None => output.hint("Next: `stateward register --credentials FILE`, then `stateward agent start`"),
    }
    Ok(Exit::Done)
}
