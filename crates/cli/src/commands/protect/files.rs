//! `stateward protect files`

use crate::context::Context;
use clap::Args;
use stateward_agent::items::{Selection, absolute};
use stateward_agent::{AgentError, Exit};
use stateward_model::Label;
use std::path::PathBuf;

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Files and folders, with all they hold
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// The item's name [default: files, then files-2 and so on]
    #[arg(long, value_name = "LABEL")]
    name: Option<Label>,
}

/// Protects files and folders.
pub fn run(context: &Context, Arguments { paths, name }: Arguments) -> Result<Exit, AgentError> {
    let paths = paths.iter().map(|path| absolute(path)).collect::<Result<_, _>>()?;
    super::protect_and_print(context, Selection::Files { paths }, name)
}
