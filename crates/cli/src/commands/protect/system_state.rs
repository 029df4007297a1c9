//! `stateward protect system-state`

use crate::context::Context;
use clap::Args;
use stateward_agent::items::{Selection, StoredPath, absolute};
use stateward_agent::{AgentError, Exit};
use stateward_model::{ComponentName, Label};
use std::path::{Path, PathBuf};

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Only this component; may be given several times [default: all]
    #[arg(long = "component", value_name = "NAME")]
    components: Vec<ComponentName>,
    /// The root of another system's tree, which does not run here
    #[arg(long, value_name = "DIR", default_value = "/")]
    root: PathBuf,
    /// The item's name [default: system-state]
    #[arg(long, value_name = "LABEL")]
    name: Option<Label>,
}

/// Protects System State.
pub fn run(context: &Context, arguments: Arguments) -> Result<Exit, AgentError> {
    let Arguments { mut components, root, name } = arguments;
    components.sort();
    components.dedup();
    let components = (!components.is_empty()).then_some(components);
    // This system's own, which on Windows lies on no one drive.
    let root = if root == Path::new("/") { StoredPath(root) } else { absolute(&root)? };
    let selection = Selection::SystemState { components, root };
    super::protect_and_print(context, selection, name)
}
