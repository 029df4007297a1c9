//! Jobs as a vault knows them: of all its servers, and its own.

use crate::display::facts;
use crate::output::Output;
use crate::units;
use serde_json::{Value, json};
use stateward_agent::AgentError;
use stateward_api::arm::jobs::{Job, PAUSED};
use stateward_api::arm::vaults::Vault;
use stateward_client::AdminClient;
use stateward_model::JobId;

/// A job as an object; `kind` is what the line is.
pub fn object(kind: &str, job: &Job) -> Value {
    let properties = &job.properties;
    json!({
        "type": kind, "job": job.name, "operation": properties.operation, "status": properties.status,
        "is_paused": properties.is_paused(),
        "server": properties.mab_server_name, "server_id": properties.server_id,
        "item": properties.entity_friendly_name, "started_at": properties.start_time, "reported_at": properties.reported_at,
        "ended_at": properties.end_time, "duration": properties.duration, "errors": properties.error_details,
        "tasks": properties.extended_info.tasks_list, "figures": properties.extended_info.property_bag,
    })
}

/// How a job stands, with the code of what went wrong.
pub fn status_word(job: &Job) -> String {
    let codes = job.properties.error_details.iter().flatten().map(|error| error.code.as_str());
    let codes = codes.collect::<Vec<_>>().join(", ");
    match codes.is_empty() {
        true if job.properties.is_paused() => PAUSED.to_owned(),
        true => job.properties.status.clone(),
        false => format!("{} ({codes})", job.properties.status),
    }
}

/// A job of a vault by its id or the beginning of one.
pub fn find(client: &AdminClient, vault: &Vault, asked: &str) -> Result<Job, AgentError> {
    let name = match asked.parse::<JobId>() {
        Ok(id) => id.to_string(),
        Err(_) => {
            let jobs = client.jobs(vault, None)?;
            let mut meant = jobs.iter().filter(|job| !asked.is_empty() && job.name.starts_with(asked));
            match (meant.next(), meant.next()) {
                (Some(job), None) => job.name.clone(),
                _ => return Err(AgentError::UnknownJob(asked.to_owned())),
            }
        }
    };
    Ok(client.job(vault, &name)?)
}

/// Prints a job with its phases and what went wrong.
pub fn print(output: &Output, job: &Job) {
    output.object(&object("result", job));
    let properties = &job.properties;
    output.line(format_args!(
        "{}: {} of {} on {}",
        if properties.is_paused() { PAUSED } else { &properties.status },
        properties.operation.to_lowercase(),
        properties.entity_friendly_name,
        properties.mab_server_name
    ));
    let mut lines = vec![("Started", units::time(properties.start_time))];
    lines.extend(properties.end_time.map(|end| ("Ended", units::time(end))));
    let figures = &properties.extended_info.property_bag;
    lines.extend(figures.iter().map(|(name, figure)| (name.as_str(), figure.clone())));
    lines.push(("Job", job.name.clone()));
    facts(output, &lines);
    for task in &properties.extended_info.tasks_list {
        output.line(format_args!("  {}: {}", task.task_id, task.status));
    }
    for error in properties.error_details.iter().flatten() {
        output.line(format_args!("  {} [{}]", error.error_string, error.code));
        error.recommendations.iter().for_each(|what| output.hint(format_args!("Hint: {what}")));
    }
}

/// Says that a server was asked for a job, and where that is seen.
pub fn print_asked(output: &Output, vault: &Vault, job: Option<JobId>, headline: &str) {
    output.object(&json!({ "type": "result", "job": job, "status": "InProgress" }));
    output.line(headline);
    if let Some(job) = job {
        output.hint(format_args!(
            "`stateward job show {job} --vault {}` tells how far it is; its agent takes it within a minute",
            vault.name
        ));
    }
}
