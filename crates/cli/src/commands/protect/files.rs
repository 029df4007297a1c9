//! `stateward protect files`

use crate::context::Context;
use clap::Args;
use stateward_agent::items::{Selection, absolute, exclusion};
use stateward_agent::{AgentError, Exit};
use stateward_model::Label;
use std::path::PathBuf;

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Files and folders, with all they hold
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// Leave this out: a path with all below it, names such as `/srv/*.mp3` in one folder, or names such as `*.mp3` anywhere; may
    /// be given several times
    #[arg(long = "exclude", value_name = "PATH|NAME")]
    exclusions: Vec<PathBuf>,
    /// The item's name [default: files, then files-2 and so on]
    #[arg(long, value_name = "LABEL")]
    name: Option<Label>,
}

/// Protects files and folders.
pub fn run(context: &Context, Arguments { paths, exclusions, name }: Arguments) -> Result<Exit, AgentError> {
    let paths = paths.iter().map(|path| absolute(path)).collect::<Result<_, _>>()?;
    let exclusions = exclusions.iter().map(|given| exclusion(given)).collect::<Result<_, _>>()?;
    super::protect_and_print(context, Selection::Files { paths, exclusions }, name)
}
