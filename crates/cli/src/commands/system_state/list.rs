//! `stateward system-state list`

use crate::context::Context;
use crate::display::Table;
use crate::units;
use clap::Args;
use serde_json::json;
use stateward_agent::items::absolute;
use stateward_agent::system_state;
use stateward_agent::{AgentError, Exit};
use std::path::PathBuf;

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The root of another system's tree, which does not run here
    #[arg(long, value_name = "DIR", default_value = "/")]
    root: PathBuf,
    /// Show the paths of each component, too
    #[arg(long)]
    paths: bool,
}

/// Shows the components of System State and what is left out. Walks all of it to count.
pub fn run(context: &Context, arguments: Arguments) -> Result<Exit, AgentError> {
    let root = absolute(&arguments.root)?;
    let output = context.output();
    let components = system_state::describe(context.agent(), &root.0)?;
    let mut table = Table::new(&["Component", ">Files", ">Bytes", "What it is"]);
    let (mut files, mut bytes) = (0, 0);
    for part in &components {
        output.object(&json!({
            "type": "component", "component": part.name, "purpose": part.purpose, "present": part.present,
            "files": part.files, "bytes": part.bytes, "paths": part.paths,
        }));
        let absent = if part.present { "" } else { " (not present here)" };
        let purpose = format!("{}{absent}", part.purpose);
        table.row(vec![part.name.to_string(), units::count(part.files), units::bytes(part.bytes), purpose]);
        (files, bytes) = (files + part.files, bytes + part.bytes);
    }
    table.row(vec!["all".to_owned(), units::count(files), units::bytes(bytes), String::new()]);
    table.print(output, "");
    if arguments.paths {
        for part in &components {
            output.line(format_args!("\n{}:", part.name));
            part.paths.iter().for_each(|path| output.line(format_args!("  {path}")));
        }
    }
    output.line("\nLeft out:");
    for rule in system_state::left_out() {
        output.object(&json!({ "type": "left-out", "paths": rule.paths, "why": rule.why }));
        output.line(format_args!("  {}\n      {}", rule.paths.join(", "), rule.why));
    }
    output.object(&json!({ "type": "left-out", "paths": [], "why": system_state::EVERYTHING_ELSE }));
    output.line(format_args!("  everything else\n      {}", system_state::EVERYTHING_ELSE));
    Ok(Exit::Done)
}
