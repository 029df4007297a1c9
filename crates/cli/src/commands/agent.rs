//! `stateward agent …`

pub mod install;
pub mod run;
pub mod start;
pub mod status;
pub mod stop;
pub mod uninstall;
pub mod upgrade;

use crate::context::Context;
use clap::Subcommand;
use stateward_agent::{AgentError, Exit};

/// The noun's verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Back up as the policies say, and do what administrators ask of this server at its vault, until it is stopped
    Run(run::Arguments),
    /// Have it started with the machine, as a service (systemd)
    Install(install::Arguments),
    /// Take it back from the services of the machine; home and recovery points stay
    Uninstall(uninstall::Arguments),
    /// Start it: as a service if it is one, else until the machine ends
    Start(start::Arguments),
    /// Stop it, however it was started; a job that runs goes on
    Stop(stop::Arguments),
    /// Show whether it runs, and how it stands
    Status(status::Arguments),
    /// Install a newer agent from the vault, if a release key that is trusted here signed it
    Upgrade(upgrade::Arguments),
}

/// Runs a verb.
pub fn run(context: &Context, command: Command) -> Result<Exit, AgentError> {
    match command {
        Command::Run(arguments) => run::run(context, arguments),
        Command::Install(arguments) => install::run(context, arguments),
        Command::Uninstall(arguments) => uninstall::run(context, arguments),
        Command::Start(arguments) => start::run(context, arguments),
        Command::Stop(arguments) => stop::run(context, arguments),
        Command::Status(arguments) => status::run(context, arguments),
        Command::Upgrade(arguments) => upgrade::run(context, arguments),
    }
}
