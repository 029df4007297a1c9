//! `stateward job list`

use crate::context::Context;
use crate::display::{Table, short};
use crate::result_lines::print_job;
use crate::units;
use clap::Args;
use stateward_agent::jobs::{JobFolder, JobRecord};
use stateward_agent::{AgentError, Exit};
use stateward_model::JobState;

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {}

/// Shows all jobs.
pub fn run(context: &Context, _: Arguments) -> Result<Exit, AgentError> {
    let mut table =
        Table::new(&["Job", "Kind", "Item", "Status", "Started", ">Files", ">Bytes", ">Warnings"]);
    for job in JobFolder::of(context.agent().home()).list()? {
        print_job(context.output(), &job);
        table.row(vec![
            short(job.id),
            job.kind().to_string(),
            job.item.as_ref().map(|item| item.label.to_string()).unwrap_or_default(),
            status(&job),
            units::time(job.started_at),
            units::count(job.figures.files),
            units::bytes(job.figures.bytes),
            units::count(job.warnings),
        ]);
    }
    table.print(context.output(), "There was no job yet. Next: `stateward backup now`");
    Ok(Exit::Done)
}

/// How a job stands, with what it is at or why it failed.
fn status(job: &JobRecord) -> String {
    match (&job.state, &job.failure) {
        (JobState::Running, _) => format!("{} ({})", job.state, job.phase),
        (JobState::Failed, Some(failure)) => format!("{} ({})", job.state, failure.code),
        (state, _) => state.to_string(),
    }
}
