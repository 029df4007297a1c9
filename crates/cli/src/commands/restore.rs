//! `stateward restore`

use crate::context::Context;
use crate::job_runner::run_jobs;
use crate::pace::PaceFlags;
use clap::Args;
use stateward_agent::items::{absolute, within_point};
use stateward_agent::jobs::{self, ItemReference, JobRequest};
use stateward_agent::{AgentError, Exit, points};
use stateward_model::{ComponentName, JobKind};
use std::path::PathBuf;

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The recovery point's id, the beginning of one, or `latest`
    #[arg(long, value_name = "ID")]
    recovery_point: String,
    /// The item, where `latest` alone does not say which is meant
    #[arg(long, value_name = "NAME")]
    item: Option<String>,
    /// Only this component; may be given several times [default: all]
    #[arg(long = "component", value_name = "NAME")]
    components: Vec<ComponentName>,
    /// Only what lies at or below this path; may be given several times [default: everything]
    #[arg(long = "path", value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The folder to restore into, absent or empty; everything is laid there at its absolute path
    #[arg(long, value_name = "DIR")]
    target: PathBuf,
    /// Run inside this command and show how far it is, instead of in the background
    #[arg(long)]
    wait: bool,
    #[command(flatten)]
    pace: PaceFlags,
}

/// Restores from a recovery point.
pub fn run(context: &Context, arguments: Arguments) -> Result<Exit, AgentError> {
    let Arguments { recovery_point, item, components, paths, target, wait, pace } = arguments;
    let agent = context.agent();
    let pace = pace.pace(agent.home(), JobKind::Restore)?;
    let listed = points::list_own(agent)?;
    let point = points::choose(&listed, &recovery_point, item.as_deref())?;
    let request = JobRequest::Restore {
        point: point.recovery_point,
        sequence: point.sequence,
        components,
        paths: paths.iter().map(|path| within_point(path)).collect::<Result<_, _>>()?,
        target: absolute(&target)?,
    };
    let reference = ItemReference { id: point.item, label: point.item_label.clone() };
    let make = || Ok(vec![jobs::queue(agent, request, Some(reference), pace)?]);
    run_jobs(context, wait.into(), make)
}
