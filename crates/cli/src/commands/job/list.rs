//! `stateward job list`

use super::vault::{object, status_word};
use crate::context::Context;
use crate::display::{Table, short};
use crate::result_lines::print_job;
use crate::units;
use crate::vault_choice::PerhapsInVault;
use clap::Args;
use stateward_agent::jobs::{JobFolder, JobRecord};
use stateward_agent::{AgentError, Exit};
use stateward_api::arm::jobs::Job;
use stateward_model::JobState;

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    vault: PerhapsInVault,
    /// Of a vault: only jobs that stand so, such as `Failed` or `InProgress`
    #[arg(long, value_name = "STATUS", requires = "vault", value_parser = word)]
    status: Option<String>,
    /// Of a vault: only jobs that do this, such as `Backup` or `DeleteBackupData`
    #[arg(long, value_name = "OPERATION", requires = "vault", value_parser = word)]
    operation: Option<String>,
}

/// A word of a filter: nothing that could end its quotes.
fn word(text: &str) -> Result<String, String> {
    match !text.is_empty() && text.bytes().all(|c| c.is_ascii_alphanumeric()) {
        true => Ok(text.to_owned()),
        false => Err("it must be one word".to_owned()),
    }
}

/// Shows all jobs.
pub fn run(context: &Context, arguments: Arguments) -> Result<Exit, AgentError> {
    let Arguments { vault, status, operation } = arguments;
    let Some((client, vault)) = vault.find(context)? else {
        return of_this_server(context);
    };
    let keys = [("status", status), ("operation", operation)];
    let asked = keys.into_iter().filter_map(|(key, value)| Some(format!("{key} eq '{}'", value?)));
    let filter = asked.collect::<Vec<_>>().join(" and ");
    of_vault(context, &client.jobs(&vault, Some(&*filter).filter(|filter| !filter.is_empty()))?);
    Ok(Exit::Done)
}

fn of_this_server(context: &Context) -> Result<Exit, AgentError> {
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

fn of_vault(context: &Context, jobs: &[Job]) {
    let mut table = Table::new(&["Job", "Server", "Operation", "Item", "Status", "Started", "Took"]);
    for job in jobs {
        context.output().object(&object("job", job));
        let properties = &job.properties;
        table.row(vec![
            short(&job.name),
            properties.mab_server_name.clone(),
            properties.operation.clone(),
            properties.entity_friendly_name.clone(),
            status_word(job),
            units::time(properties.start_time),
            properties.duration.trim_start_matches('P').trim_start_matches('T').to_lowercase(),
        ]);
    }
    table.print(context.output(), "There is no such job in this vault");
}

/// How a job stands, with what it is at or why it failed.
fn status(job: &JobRecord) -> String {
    match (&job.state, &job.failure) {
        (JobState::Running, _) if job.is_paused => "Paused".to_owned(),
        (JobState::Running, _) => format!("{} ({})", job.state, job.phase),
        (JobState::Failed, Some(failure)) => format!("{} ({})", job.state, failure.code),
        (state, _) => state.to_string(),
    }
}
