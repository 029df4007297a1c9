//! `stateward man`

use crate::arguments;
use crate::context::Context;
use clap::{Args, CommandFactory};
use clap_mangen::Man;
use stateward_agent::{AgentError, Exit};

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {}

/// Prints the manual page of the program and of each command, one after another.
pub fn run(context: &Context, _: Arguments) -> Result<Exit, AgentError> {
    let mut pages = Vec::new();
    let mut command = arguments::Arguments::command();
    // Gives each command its whole name, such as `stateward vault create`.
    command.build();
    render(&command, &mut pages).map_err(|error| AgentError::Internal(error.to_string()))?;
    context.output().raw(&pages);
    Ok(Exit::Done)
}

fn render(command: &clap::Command, pages: &mut Vec<u8>) -> std::io::Result<()> {
    Man::new(command.clone()).render(pages)?;
    command.get_subcommands().filter(|sub| !sub.is_hide_set()).try_for_each(|sub| render(sub, pages))
}
