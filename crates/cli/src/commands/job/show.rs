//! `stateward job show`

use super::vault;
use crate::context::Context;
use crate::job_screen::{Kept, print_warning, warning_text};
use crate::result_lines::{print_job, print_summary};
use crate::vault_choice::PerhapsInVault;
use clap::Args;
use serde_json::json;
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

/// Shows a job: its warnings, then itself.
pub fn run(context: &Context, Arguments { job, vault }: Arguments) -> Result<Exit, AgentError> {
    if let Some((client, vault)) = vault.find(context)? {
        vault::print(context.output(), &vault::find(&client, &vault, &job)?);
        return Ok(Exit::Done);
    }
    let (folder, output) = (JobFolder::of(context.agent().home()), context.output());
    let job = folder.find(&job)?;
    let kept = folder.warnings(job.id, usize::MAX)?;
    for warning in kept.iter().chain(JobFolder::lost_warnings(&job, kept.len()).as_ref()) {
        print_warning(output, Some(job.id), warning);
        output.line(warning_text(warning));
    }
    let log = Some(folder.log_path(job.id)).filter(|log| log.exists());
    if let Some(log) = &log {
        output.object(&json!({ "type": "log", "path": log.display().to_string() }));
    }
    print_job(output, &job);
    print_summary(output, &job, Kept::Record);
    if let Some(log) = &log {
        output.line(format_args!("  Log: {}", log.display()));
    }
    if let Some(failure) = &job.failure {
        output.line(format_args!("  {} [{}]", failure.message, failure.code));
        output.hint(format_args!("Hint: {}", failure.remedy));
    }
    Ok(Exit::Done)
}
