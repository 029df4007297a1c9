//! `stateward job cancel`

use super::vault;
use crate::context::Context;
use crate::vault_choice::PerhapsInVault;
use clap::Args;
use stateward_agent::jobs::JobFolder;
use stateward_agent::{AgentError, Exit};

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The job's id, or its beginning
    #[arg(value_name = "JOB")]
    job: String,
    #[command(flatten)]
    vault: PerhapsInVault,
}

/// Asks a job to stop.
pub fn run(context: &Context, Arguments { job, vault }: Arguments) -> Result<Exit, AgentError> {
    let (id, of_vault) = match vault.find(context)? {
        Some((client, vault)) => {
            let job = vault::find(&client, &vault, &job)?;
            client.cancel_job(&vault, &job.name)?;
            (job.name, format!(" --vault {}", vault.name))
        }
        None => {
            let folder = JobFolder::of(context.agent().home());
            let job = folder.find(&job)?;
            folder.ask_to_cancel(job.id)?;
            (job.id.to_string(), String::new())
        }
    };
    let output = context.output();
    output.object(&serde_json::json!({ "type": "result", "job": id, "status": "Cancelling" }));
    output.line(format_args!("Job {id} was asked to stop"));
    output.hint(format_args!("`stateward job show {id}{of_vault}` tells when it has"));
    Ok(Exit::Done)
}
