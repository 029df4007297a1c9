//! `stateward job resume`

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

/// Lets a paused job go on.
pub fn run(context: &Context, Arguments { job }: Arguments) -> Result<Exit, AgentError> {
    let folder = JobFolder::of(context.agent().home());
    let job = folder.find(&job)?;
    folder.set_paused(job.id, false)?;
    let output = context.output();
    output.object(&serde_json::json!({ "type": "result", "job": job.id, "status": "Running" }));
    output.line(format_args!("Job {} goes on", job.id));
    Ok(Exit::Done)
}
