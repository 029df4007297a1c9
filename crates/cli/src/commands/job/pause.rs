//! `stateward job pause`

use crate::context::Context;
use clap::Args;
use stateward_agent::jobs::JobFolder;
use stateward_agent::{AgentError, Exit};

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The job's id, or its beginning
    #[arg(value_name = "JOB")]
    job: String,
}

/// Makes a job wait before its next file or pack.
pub fn run(context: &Context, Arguments { job }: Arguments) -> Result<Exit, AgentError> {
    let folder = JobFolder::of(context.agent().home());
    let job = folder.find(&job)?;
    folder.set_paused(job.id, true)?;
    let output = context.output();
    output.object(&serde_json::json!({ "type": "result", "job": job.id, "status": "Pausing" }));
    output.line(format_args!("Job {} waits before its next file", job.id));
    output.hint(format_args!("It goes on after `stateward job resume {}`", job.id));
    Ok(Exit::Done)
}
