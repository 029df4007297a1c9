//! `stateward item …`

pub mod list;

use crate::context::Context;
use clap::Subcommand;
use serde_json::{Value, json};
use stateward_agent::items::{Item, Selection};
use stateward_agent::{AgentError, Exit};

/// The noun's verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show all protected items of this server
    List(list::Arguments),
}

/// Runs a verb.
pub fn run(context: &Context, command: Command) -> Result<Exit, AgentError> {
    match command {
        Command::List(arguments) => list::run(context, arguments),
    }
}

/// An item as an object; `kind` is what the line is.
pub fn object(kind: &str, item: &Item) -> Value {
    let (components, root, paths) = match &item.selection {
        Selection::SystemState { components, root } => (json!(components), json!(root), Value::Null),
        Selection::Files { paths } => (Value::Null, Value::Null, json!(paths)),
    };
    json!({
        "type": kind, "item": item.label, "item_id": item.id, "kind": item.selection.kind(),
        "components": components, "root": root, "paths": paths,
    })
}

/// What an item holds, in a few words.
pub fn selection_text(selection: &Selection) -> String {
    match selection {
        Selection::SystemState { components, root } => {
            let components = match components {
                None => "all components".to_owned(),
                Some(names) => names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
            };
            match root.0.to_str() {
                Some("/") => components,
                _ => format!("{components} below {}", root.0.display()),
            }
        }
        Selection::Files { paths } => {
            paths.iter().map(|path| path.0.display().to_string()).collect::<Vec<_>>().join(", ")
        }
    }
}
