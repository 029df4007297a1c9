//! `stateward backup now`

use crate::context::Context;
use crate::job_runner::run_jobs;
use crate::pace::PaceFlags;
use crate::retain_flag::RetainFlag;
use clap::Args;
use stateward_agent::backup::{self, BackupWish};
use stateward_agent::{AgentError, Exit};

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Only this item [default: all]
    #[arg(long, value_name = "NAME")]
    item: Option<String>,
    /// Run inside this command and show how far it is, instead of in the background
    #[arg(long)]
    wait: bool,
    /// Back up though a check before it finds what the settings let block it
    #[arg(long)]
    despite_prechecks: bool,
    #[command(flatten)]
    retain: RetainFlag,
    #[command(flatten)]
    pace: PaceFlags,
}

/// Backs up all items, one after another, or one.
pub fn run(context: &Context, arguments: Arguments) -> Result<Exit, AgentError> {
    let Arguments { item, wait, despite_prechecks, retain, pace } = arguments;
    let wish = BackupWish {
        item: item.as_deref(),
        retain_until: retain.until,
        despite_prechecks,
        pace: pace.wish(),
    };
    run_jobs(context, wait.into(), backup::plan(context.agent(), &wish)?)
}
