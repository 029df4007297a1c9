//! `stateward completion`

use crate::arguments;
use crate::context::Context;
use clap::{Args, CommandFactory};
use clap_complete::Shell;
use stateward_agent::{AgentError, Exit};

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    shell: Shell,
}

/// Prints the completion script.
pub fn run(context: &Context, Arguments { shell }: Arguments) -> Result<Exit, AgentError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut arguments::Arguments::command(), "stateward", &mut script);
    context.output().raw(&script);
    Ok(Exit::Done)
}
