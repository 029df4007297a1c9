//! `stateward job cancel`

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

/// Asks a job to stop.
pub fn run(context: &Context, Arguments { job }: Arguments) -> Result<Exit, AgentError> {
    let folder = JobFolder::of(context.agent().home());
    let job = folder.find(&job)?;
    folder.ask_to_cancel(job.id)?;
    let output = context.output();
    output.object(&serde_json::json!({ "type": "result", "job": job.id, "status": "Cancelling" }));
    output.line(format_args!("Job {} was asked to stop", job.id));
    output.hint(format_args!("`stateward job show {}` tells when it has", job.id));
    Ok(Exit::Done)
}
