//! `stateward backup now`

use crate::context::Context;
use crate::job_runner::run_jobs;
use crate::pace::PaceFlags;
use crate::retain_flag::RetainFlag;
use clap::Args;
use stateward_agent::items::{Item, Items};
use stateward_agent::jobs::{self, ItemReference, JobRequest};
use stateward_agent::{AgentError, Exit, Registration};
use stateward_model::{JobKind, OnDemand};

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Only this item [default: all]
    #[arg(long, value_name = "NAME")]
    item: Option<String>,
    /// Run inside this command and show how far it is, instead of in the background
    #[arg(long)]
    wait: bool,
    /// Back up though a check before it finds what the settings let block it
    #[arg(long)]
    despite_prechecks: bool,
    #[command(flatten)]
    retain: RetainFlag,
    #[command(flatten)]
    pace: PaceFlags,
}

/// Backs up all items, one after another, or one.
pub fn run(context: &Context, arguments: Arguments) -> Result<Exit, AgentError> {
    let Arguments { item, wait, despite_prechecks, retain, pace } = arguments;
    let agent = context.agent();
    Registration::load(agent.home())?;
    let pace = pace.pace(agent.home(), JobKind::Backup)?;
    let items = chosen(&Items::load(agent.home())?, item.as_deref())?;
    let on_demand = Some(OnDemand { retain_until: retain.until });
    let request = JobRequest::Backup { on_demand, despite_prechecks };
    let make = || {
        let queue = |item: &Item| {
            let reference = ItemReference { id: item.id, label: item.label.clone() };
            jobs::queue(agent, request.clone(), Some(reference), pace.clone())
        };
        items.iter().map(queue).collect()
    };
    run_jobs(context, wait.into(), make)
}

fn chosen(items: &Items, name: Option<&str>) -> Result<Vec<Item>, AgentError> {
    match name {
        None if items.items.is_empty() => Err(AgentError::NoItems),
        None => Ok(items.items.clone()),
        Some(name) => Ok(vec![items.find(name)?.clone()]),
    }
}
