//! `stateward protect …`

pub mod files;
pub mod system_state;

use crate::context::Context;
use clap::Subcommand;
use stateward_agent::items::{Protected, Selection};
use stateward_agent::protect::{ProtectOutcome, protect};
use stateward_agent::{AgentError, Exit};
use stateward_model::Label;

/// What is protected.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Protect this server's System State
    SystemState(system_state::Arguments),
    /// Protect files and folders
    Files(files::Arguments),
}

/// Runs a verb.
pub fn run(context: &Context, command: Command) -> Result<Exit, AgentError> {
    match command {
        Command::SystemState(arguments) => system_state::run(context, arguments),
        Command::Files(arguments) => files::run(context, arguments),
    }
}

/// Protects a selection and says so.
fn protect_and_print(
    context: &Context,
    selection: Selection,
    label: Option<Label>,
) -> Result<Exit, AgentError> {
    let ProtectOutcome { item, done, untold } = protect(context.agent(), selection, label)?;
    let output = context.output();
    let (state, words) = match done {
        Protected::Added => ("Added", "is protected from now on"),
        Protected::Changed => ("Changed", "is protected as chosen now"),
        Protected::Unchanged => ("Unchanged", "was protected just so already"),
    };
    let mut object = super::item::object("result", &item);
    object["change"] = state.into();
    output.object(&object);
    output.line(format_args!("Item {} {words}", item.label));
    if let Some(error) = untold {
        output.say(format_args!("The vault does not know of it yet, the next backup tells it: {error}"));
    }
    output.hint(format_args!("Next: `stateward backup now --item {} --wait`", item.label));
    Ok(Exit::Done)
}
