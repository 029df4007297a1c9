//! `stateward settings …`

pub mod set;
pub mod show;

use crate::context::Context;
use crate::display::facts;
use crate::pace;
use clap::Subcommand;
use stateward_agent::settings::Settings;
use stateward_agent::{AgentError, Exit};

/// The noun's verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show what holds for all jobs of this server
    Show(show::Arguments),
    /// Change what holds for all jobs of this server
    Set(set::Arguments),
}

/// Runs a verb.
pub fn run(context: &Context, command: Command) -> Result<Exit, AgentError> {
    match command {
        Command::Show(arguments) => show::run(context, arguments),
        Command::Set(arguments) => set::run(context, arguments),
    }
}

fn print(context: &Context, settings: Settings) {
    let mut object = pace::object("result", settings.pace);
    object["source_snapshot"] = settings.source_snapshot.into();
    context.output().object(&object);
    let mut shown = pace::facts(settings.pace).to_vec();
    shown.push(("Source snapshot", pace::switch_text(settings.source_snapshot)));
    facts(context.output(), &shown);
}
