//! `stateward job …`: jobs of this server or, with `--vault`, of all servers of a vault.

pub mod cancel;
pub mod list;
pub mod notify;
pub mod pause;
pub mod resume;
pub mod run;
pub mod show;
pub mod vault;

use crate::context::Context;
use clap::Subcommand;
use stateward_agent::{AgentError, Exit};

/// The noun's verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show all jobs, newest first: of this server, or of a vault
    List(list::Arguments),
    /// Show one job with its warnings; of a vault, with its phases
    Show(show::Arguments),
    /// Stop a job that goes on
    Cancel(cancel::Arguments),
    /// Make a job of this server wait
    Pause(pause::Arguments),
    /// Let a job that was paused go on
    Resume(resume::Arguments),
    /// Run queued jobs in this process, which was started for them
    #[command(hide = true)]
    Run(run::Arguments),
    /// Post what the webhook is to hear, in this process, which was started for that
    #[command(hide = true)]
    Notify(notify::Arguments),
}

/// Runs a verb.
pub fn run(context: &Context, command: Command) -> Result<Exit, AgentError> {
    match command {
        Command::List(arguments) => list::run(context, arguments),
        Command::Show(arguments) => show::run(context, arguments),
        Command::Cancel(arguments) => cancel::run(context, arguments),
        Command::Pause(arguments) => pause::run(context, arguments),
        Command::Resume(arguments) => resume::run(context, arguments),
        Command::Run(arguments) => run::run(context, arguments),
        Command::Notify(arguments) => notify::run(context, arguments),
    }
}
