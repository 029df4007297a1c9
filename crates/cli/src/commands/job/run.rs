//! `stateward job run`: what a detached job's own process is started with.

use crate::context::Context;
use crate::job_runner::run_detached;
use clap::Args;
use stateward_agent::jobs::JobFolder;
use stateward_agent::{AgentError, Exit};
use stateward_model::JobId;

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The jobs' ids
    #[arg(value_name = "JOB", required = true)]
    jobs: Vec<JobId>,
}

/// Runs queued jobs to their end.
pub fn run(context: &Context, Arguments { jobs }: Arguments) -> Result<Exit, AgentError> {
    let folder = JobFolder::of(context.agent().home());
    let queued = jobs.iter().map(|job| folder.load(*job)).collect::<Result<_, _>>()?;
    run_detached(context, queued)
}
