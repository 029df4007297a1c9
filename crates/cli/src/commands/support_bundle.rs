//! `stateward support-bundle`

use crate::context::Context;
use crate::units;
use clap::Args;
use serde_json::json;
use stateward_agent::{AgentError, Exit, support_bundle};
use std::path::PathBuf;

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The new file, such as `support.tar.gz`
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Leave the names and paths of files in, and what hooks said
    #[arg(long)]
    with_names: bool,
}

/// Makes a bundle.
pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit, AgentError> {
    let bundle = support_bundle::make(context.agent(), &arguments.out, arguments.with_names)?;
    let output = context.output();
    output.object(&json!({
        "type": "result", "path": bundle.path, "entries": bundle.entries, "with_names": arguments.with_names,
    }));
    output.line(format_args!(
        "Wrote {} into {}",
        units::counted(bundle.entries.len() as u64, "file"),
        bundle.path.display()
    ));
    output.hint("It holds no keys and passwords. Look into it before you send it away: `tar -xzf FILE`");
    Ok(Exit::Done)
}
