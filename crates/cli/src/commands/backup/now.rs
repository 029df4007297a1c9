//! `stateward backup now`

use crate::context::Context;
use crate::job_runner::run_jobs;
use crate::pace::PaceFlags;
use clap::Args;
use stateward_agent::items::{Item, Items};
use stateward_agent::jobs::{self, ItemReference, JobRequest};
use stateward_agent::{AgentError, Exit, Registration};
use stateward_model::policy::Date;
use stateward_model::{OnDemand, Timestamp};

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Only this item [default: all]
    #[arg(long, value_name = "NAME")]
    item: Option<String>,
    /// Run inside this command and show how far it is, instead of in the background
    #[arg(long)]
    wait: bool,
    /// Keep the recovery points at least to the end of that day (UTC), or until that moment; never less than 7 days
    #[arg(long, value_name = "DATE", value_parser = moment)]
    retain_until: Option<Timestamp>,
    #[command(flatten)]
    pace: PaceFlags,
}

/// Backs up all items, one after another, or one.
pub fn run(
    context: &Context,
    Arguments { item, wait, retain_until, pace }: Arguments,
) -> Result<Exit, AgentError> {
    let agent = context.agent();
    Registration::load(agent.home())?;
    let pace = pace.pace(agent.home())?;
    let items = chosen(&Items::load(agent.home())?, item.as_deref())?;
    let request = JobRequest::Backup { on_demand: Some(OnDemand { retain_until }) };
    let make = || {
        let queue = |item: &Item| {
            let reference = ItemReference { id: item.id, label: item.label.clone() };
            jobs::queue(agent, request.clone(), Some(reference), pace)
        };
        items.iter().map(queue).collect()
    };
    run_jobs(context, wait.into(), make)
}

fn chosen(items: &Items, name: Option<&str>) -> Result<Vec<Item>, AgentError> {
    match name {
        None if items.items.is_empty() => Err(AgentError::NoItems),
        None => Ok(items.items.clone()),
        Some(name) => match items.find(name) {
            Some(item) => Ok(vec![item.clone()]),
            None => Err(AgentError::UnknownItem {
                name: name.to_owned(),
                known: items.items.iter().map(|item| item.label.to_string()).collect(),
            }),
        },
    }
}

/// Reads `2027-01-31`, all of that day, or a moment as in RFC 3339.
fn moment(text: &str) -> Result<Timestamp, String> {
    if let Ok(date) = text.parse::<Date>() {
        let begins: Timestamp = format!("{date}T00:00:00Z").parse().map_err(|_| too_far(text))?;
        return Ok(begins.plus_seconds(86_400));
    }
    text.parse().map_err(|_| {
        format!("`{text}` is no date such as 2027-01-31 and no time such as 2027-01-31T18:00:00Z")
    })
}

fn too_far(text: &str) -> String {
    format!("`{text}` is further away than time is counted here; choose a year before 2262")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_meant_to_its_end_and_a_moment_as_it_is() {
        let read = |text: &str| moment(text).map(|moment| moment.to_string());
        assert_eq!(read("2027-01-31").as_deref(), Ok("2027-02-01T00:00:00Z"));
        assert_eq!(read("2027-01-31T18:00:00+01:00").as_deref(), Ok("2027-01-31T17:00:00Z"));
        for wrong in ["", "soon", "2027-02-29", "31.1.2027", "2027-01-31T18:00", "9999-01-01"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
