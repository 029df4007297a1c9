//! `stateward verify`

use crate::context::Context;
use crate::job_runner::{Wait, run_jobs};
use crate::pace::PaceFlags;
use clap::Args;
use stateward_agent::jobs::VerifyExtent;
use stateward_agent::verify::{self, VerifyWish};
use stateward_agent::{AgentError, Exit, USUAL_PERCENT};

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
    let extent = match arguments.full {
        true => VerifyExtent::Full,
        false => VerifyExtent::Percent(arguments.percent),
    };
    let wish = VerifyWish {
        recovery_point: arguments.recovery_point.as_deref(),
        item: arguments.item.as_deref(),
        extent,
        trial_restore: arguments.trial_restore.as_deref(),
        pace: arguments.pace.wish(),
    };
    run_jobs(context, Wait::Inside, vec![verify::plan(context.agent(), &wish)?])
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
