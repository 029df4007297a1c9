//! `stateward verify`

use crate::context::Context;
use crate::job_runner::{Wait, run_jobs};
use crate::pace::PaceFlags;
use clap::Args;
use stateward_agent::items::Items;
use stateward_agent::jobs::{self, ItemReference, JobRequest, VerifyExtent};
use stateward_agent::{AgentError, Exit, Registration, USUAL_PERCENT, points};
use stateward_model::JobKind;

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Only what this recovery point needs: its id, the beginning of one, or `latest`
    #[arg(long, value_name = "ID")]
    recovery_point: Option<String>,
    /// The item, where `latest` alone does not say which is meant
    #[arg(long, value_name = "NAME", requires = "recovery_point")]
    item: Option<String>,
    /// Read everything
    #[arg(long, conflicts_with = "percent")]
    full: bool,
    /// Read this share of the bytes; what waited longest comes first
    #[arg(long, value_name = "PERCENT", default_value_t = USUAL_PERCENT, value_parser = percent)]
    percent: f64,
    /// Restore the newest recovery point of this item on trial instead: whole, into a folder that is removed again
    #[arg(long, value_name = "ITEM", conflicts_with_all = ["recovery_point", "full", "percent"])]
    trial_restore: Option<String>,
    /// Verify always runs inside its command
    #[arg(long, hide = true)]
    wait: bool,
    #[command(flatten)]
    pace: PaceFlags,
}

fn percent(text: &str) -> Result<f64, String> {
    match text.trim_end_matches('%').parse::<f64>() {
        Ok(percent) if percent > 0.0 && percent <= 100.0 => Ok(percent),
        _ => Err("it must be more than 0 and at most 100".to_owned()),
    }
}

/// Proves, with this server's keys, that what the vault holds can be restored.
pub fn run(context: &Context, arguments: Arguments) -> Result<Exit, AgentError> {
    let agent = context.agent();
    Registration::load(agent.home())?;
    if let Some(text) = &arguments.trial_restore {
        return trial(context, text, &arguments.pace);
    }
    let point = match &arguments.recovery_point {
        None => None,
        Some(text) => {
            let listed = points::list_own(agent)?;
            let point = points::choose(&listed, text, arguments.item.as_deref())?;
            Some((point.sequence, point.recovery_point))
        }
    };
    let extent = match arguments.full {
        true => VerifyExtent::Full,
        false => VerifyExtent::Percent(arguments.percent),
    };
    let pace = arguments.pace.pace(agent.home(), JobKind::Verify)?;
    let make = || Ok(vec![jobs::queue(agent, JobRequest::Verify { point, extent }, None, pace)?]);
    run_jobs(context, Wait::Inside, make)
}

/// Restores an item on trial.
fn trial(context: &Context, text: &str, pace: &PaceFlags) -> Result<Exit, AgentError> {
    let agent = context.agent();
    let items = Items::load(agent.home())?;
    let item = items.find(text)?;
    let item = ItemReference { id: item.id, label: item.label.clone() };
    let pace = pace.pace(agent.home(), JobKind::Restore)?;
    run_jobs(context, Wait::Inside, || {
        Ok(vec![jobs::queue(agent, JobRequest::Trial { point: None }, Some(item), pace)?])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_more_than_nothing_and_at_most_all() {
        assert_eq!((percent("5"), percent("100%"), percent("0.5")), (Ok(5.0), Ok(100.0), Ok(0.5)));
        for wrong in ["0", "101", "-1", "x", "NaN"] {
            assert!(percent(wrong).is_err(), "{wrong}");
        }
    }
}
