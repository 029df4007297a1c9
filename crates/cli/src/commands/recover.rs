//! `stateward recover`

use crate::commands::recovery_point::print_list;
use crate::context::Context;
use crate::job_runner::Watched;
use crate::job_screen::Kept;
use crate::laying_flags::LayingFlags;
use crate::result_lines::print_result;
use crate::secret_input::KnownSecret;
use clap::{ArgGroup, Args};
use stateward_agent::jobs::{Pace, lower_priority};
use stateward_agent::recover::{RecoverRequest, RecoveredServer, find_server};
use stateward_agent::{AgentError, Exit, platform, points};
use stateward_model::ComponentName;
use std::path::PathBuf;

/// The command's flags.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true).args(["list", "recovery_point"]))]
#[command(group = ArgGroup::new("where").args(["target", "original"]))]
pub struct Arguments {
    /// The vault's data folder, its store, or a copy of either; it is only read
    #[arg(long, value_name = "DIR")]
    store: PathBuf,
    /// The server, by its name or id, if there are several
    #[arg(long, value_name = "NAME")]
    server: Option<String>,
    #[command(flatten)]
    secret: KnownSecret,
    /// Show the recovery points and end
    #[arg(long, conflicts_with_all = ["where", "components", "paths"])]
    list: bool,
    /// The recovery point: its id, the beginning of one, `latest`; or the newest of a day (`2026-11-20`) or until a moment
    /// (`2026-11-20T02:00`)
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
    /// Let everything else on this machine go first
    #[arg(long)]
    low_priority: bool,
}

/// Restores straight from a vault's objects.
pub fn run(context: &Context, arguments: Arguments) -> Result<Exit, AgentError> {
    let found = find_server(&arguments.store, arguments.server.as_deref())?;
    let secret = arguments.secret.get()?;
    let server = RecoveredServer::open(&found, secret.borrow())?;
    let listed = server.points()?;
    let output = context.output();
    let (Some(text), Some((target, laying))) = (arguments.recovery_point, arguments.laying.wish()?) else {
        return Ok(print_list(output, &listed, "The server has no recovery point in this store"));
    };
    let point = points::choose(&listed, &text, arguments.item.as_deref())?;
    let pace = Pace { low_priority: arguments.low_priority, ..Pace::default() };
    let (components, paths) = (arguments.components, arguments.paths);
    lower_priority([&pace]);
    let request = RecoverRequest { components, paths, target, laying, pace };
    let watched = Watched::begin(output, Kept::Nothing, Some(platform::nowhere()))?;
    let surroundings = context.agent().surroundings();
    let done = server.recover(point, request, &*watched.screen, surroundings, &watched.cancellation)?;
    watched.screen.end();
    print_result(output, &done, Kept::Nothing);
    Ok(done.exit())
}
