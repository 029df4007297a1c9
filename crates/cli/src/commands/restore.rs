//! `stateward restore`: the wizard *Recover Data*, and the same by flags.

mod wizard;

use crate::context::Context;
use crate::job_runner::{Watched, run_jobs};
use crate::job_screen::Kept;
use crate::laying_flags::LayingFlags;
use crate::pace::PaceFlags;
use crate::result_lines::print_result;
use crate::secret_input::KnownSecret;
use clap::{ArgGroup, Args};
use stateward_agent::jobs::{Pace, lower_priority};
use stateward_agent::recover::{RecoverRequest, RecoveredServer};
use stateward_agent::restore::{self, RestoreWish};
use stateward_agent::{AgentError, Exit, platform, points};
use stateward_model::ComponentName;
use std::path::{Path, PathBuf};

/// The command's flags.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("where").requires("recovery_point").args(["target", "original"]))]
pub struct Arguments {
    /// The recovery point: its id, the beginning of one, `latest`; or the newest of a day (`2026-11-20`) or until a moment
    /// (`2026-11-20T02:00`). Without this, everything is asked for
    #[arg(long, value_name = "ID", requires = "where")]
    recovery_point: Option<String>,
    /// The item, where `latest` or a time alone does not say which is meant
    #[arg(long, value_name = "NAME")]
    item: Option<String>,
    /// Only this component; may be given several times [default: all]
    #[arg(long = "component", value_name = "NAME")]
    components: Vec<ComponentName>,
    /// Only what lies at or below this path; may be given several times [default: everything]
    #[arg(long = "path", value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    laying: LayingFlags,
    /// What another server backed up: vault credentials for restoring it. This machine need not be registered; the other
    /// server's passphrase is asked for. Runs inside this command
    #[arg(long, value_name = "FILE")]
    credentials: Option<PathBuf>,
    #[command(flatten)]
    secret: KnownSecret,
    /// Run inside this command and show how far it is, instead of in the background
    #[arg(long)]
    wait: bool,
    #[command(flatten)]
    pace: PaceFlags,
}

impl Arguments {
    fn asked_point(&self) -> Result<&str, AgentError> {
        self.recovery_point.as_deref().ok_or(AgentError::NothingAsked("`--recovery-point ID`"))
    }
}

/// Restores from a recovery point.
pub fn run(context: &Context, arguments: Arguments) -> Result<Exit, AgentError> {
    match arguments.credentials.clone() {
        Some(file) => run_for_other(context, &file, arguments),
        None => run_own(context, arguments),
    }
}

/// What this server backed up.
fn run_own(context: &Context, arguments: Arguments) -> Result<Exit, AgentError> {
    if arguments.secret.is_given() {
        return Err(AgentError::SecretNotNeeded);
    }
    let arguments = match arguments.recovery_point {
        Some(_) => arguments,
        None => wizard::ask(context, arguments)?,
    };
    let recovery_point = arguments.asked_point()?.to_owned();
    let Arguments { item, components, paths, laying, wait, pace, .. } = arguments;
    let agent = context.agent();
    let (target, laying) = laying.wish()?.ok_or(AgentError::NothingAsked("`--target DIR`"))?;
    let wish = RestoreWish {
        recovery_point: &recovery_point,
        item: item.as_deref(),
        components,
        paths,
        target,
        laying,
        pace: pace.wish(),
    };
    run_jobs(context, wait.into(), vec![restore::plan(agent, wish)?])
}

/// What another server backed up.
fn run_for_other(context: &Context, file: &Path, arguments: Arguments) -> Result<Exit, AgentError> {
    let (target, laying) = arguments.laying.wish()?.ok_or(AgentError::NothingAsked("`--target DIR`"))?;
    let pace = arguments.pace.wish().over(Pace::default());
    lower_priority([&pace]);
    let secret = arguments.secret.get()?;
    let (agent, output) = (context.agent(), context.output());
    // From now on, so that Ctrl-C ends a call to a vault that does not answer, too.
    let watched = Watched::begin(output, Kept::Nothing, Some(platform::nowhere()))?;
    let server = RecoveredServer::at_vault(agent, file, secret.borrow(), &pace, &watched.cancellation)?;
    let listed = server.points()?;
    let point = points::choose(&listed, arguments.asked_point()?, arguments.item.as_deref())?;
    let Arguments { components, paths, .. } = arguments;
    let request = RecoverRequest { components, paths, target, laying, pace };
    let done =
        server.recover(point, request, &*watched.screen, agent.surroundings(), &watched.cancellation)?;
    watched.screen.end();
    print_result(output, &done, Kept::Nothing);
    Ok(done.exit())
}
