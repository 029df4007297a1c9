//! `stateward agent status`

use crate::context::Context;
use crate::display::{facts, short};
use crate::units;
use clap::Args;
use serde_json::json;
use stateward_agent::service::manager;
use stateward_agent::service::socket::{self, Question, ServiceStatus, VaultState};
use stateward_agent::{AgentError, Exit};

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {}

/// Shows how the agent stands; an error if none runs, for scripts.
pub fn run(context: &Context, _: Arguments) -> Result<Exit, AgentError> {
    let (home, output) = (context.agent().home(), context.output());
    if !home.is_served() {
        return Err(AgentError::NotServed);
    }
    let (status, service) = (socket::ask(home, Question::Status), manager::state(home));
    output.object(&json!({
        "type": "result", "is_running": true, "status": status,
        "unit": service.unit.as_ref().filter(|_| service.is_of_home),
    }));
    let mut lines = vec![("Agent", "runs".to_owned())];
    if let Some(status) = &status {
        lines.extend(told(status, context.agent().program()));
    }
    let how = match &service.unit {
        Some(unit) if service.is_of_home => format!("service, {}", unit.display()),
        _ => "no service: it ends with the machine".to_owned(),
    };
    lines.push(("Started as", how));
    facts(output, &lines);
    Ok(Exit::Done)
}

fn told(status: &ServiceStatus, present: &str) -> Vec<(&'static str, String)> {
    let mut lines = vec![
        ("Process", status.pid.to_string()),
        ("Since", units::time(status.since)),
        (
            "Vault",
            match &status.vault {
                VaultState::Unknown => "not asked yet".to_owned(),
                VaultState::Answers => "answers".to_owned(),
                VaultState::Away { message, .. } => message.clone(),
            },
        ),
    ];
    lines.extend(status.job.map(|job| ("Job", short(job))));
    lines.push((
        "Program",
        match status.program == present {
            true => status.program.clone(),
            false => format!("{}, though {present} is installed: start it anew", status.program),
        },
    ));
    lines
}
