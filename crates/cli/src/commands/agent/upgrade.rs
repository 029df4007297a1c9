//! `stateward agent upgrade`

use crate::context::Context;
use crate::units;
use clap::Args;
use serde_json::json;
use stateward_agent::platform::{self, Signal};
use stateward_agent::upgrade::{self, Found, Step, UpgradeWish, Upgraded};
use stateward_agent::{AgentError, Cancellation, Exit};
use stateward_model::AgentVersion;

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Only tell what would be installed
    #[arg(long)]
    check: bool,
    /// This version instead of the newest, such as `0.2.0` or `0.2.0-1`
    #[arg(long, value_name = "VERSION")]
    version: Option<AgentVersion>,
    /// Also a version that is older than what is installed
    #[arg(long, requires = "version")]
    allow_downgrade: bool,
}

/// Looks for a package, and installs it.
pub fn run(context: &Context, arguments: Arguments) -> Result<Exit, AgentError> {
    let Arguments { check, version, allow_downgrade } = arguments;
    let wish = UpgradeWish { version, allow_downgrade };
    let stop = Cancellation::default();
    let asked = stop.clone();
    // What installs the package is not stopped by it.
    let told = move |signal| {
        if signal == Signal::Stop {
            asked.cancel();
        }
    };
    platform::signals(told).map_err(AgentError::JobNotStarted)?;
    let agent = context.agent();
    let (found, upgraded) = match check {
        true => (upgrade::look(agent, wish, &stop)?, None),
        false => upgrade::upgrade(agent, wish, &stop, &|step| tell(context, &step))?,
    };
    print(context, &found, upgraded.as_ref());
    Ok(Exit::Done)
}

fn tell(context: &Context, step: &Step<'_>) {
    match step {
        Step::Downloading(package) => {
            let size = units::bytes(package.size_bytes);
            context.output().hint(format_args!("Downloading {} ({size})", package.file));
        }
        Step::Installing(package) => {
            context
                .output()
                .hint(format_args!("Signature and checksum are right; installing {}", package.file));
        }
    }
}

fn print(context: &Context, found: &Found, upgraded: Option<&Upgraded>) {
    let output = context.output();
    let offered = found.package.as_ref().map(|package| &package.file);
    let installed = upgraded.map_or(found.installed.version, |upgraded| upgraded.after);
    output.object(&json!({
        "type": "result", "installed": installed, "before": upgraded.map(|upgraded| upgraded.before),
        "package": offered, "upgraded": upgraded.is_some(),
    }));
    output.line(match (upgraded, offered) {
        (Some(Upgraded { before, after }), _) => {
            format!("Version {after} of the agent is installed, in place of {before}")
        }
        (None, Some(file)) => format!("Version {installed} is installed, and {file} is offered and signed"),
        (None, None) => format!("Version {installed} is installed; there is nothing to install in its place"),
    });
    if upgraded.is_none() && offered.is_some() {
        output.hint("Install it with `stateward agent upgrade`");
    }
}
