//! `stateward cache …`: the folder that makes runs fast and may be lost at any time.

pub mod r#move;
pub mod show;

use crate::context::Context;
use crate::display::facts;
use crate::units;
use clap::Subcommand;
use serde_json::json;
use stateward_agent::cache::CacheState;
use stateward_agent::{AgentError, Exit};

/// The noun's verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show where the cache folder is, and how large
    Show(show::Arguments),
    /// Move the cache to another folder, absent or empty, while no job runs
    Move(r#move::Arguments),
}

/// Runs a verb.
pub fn run(context: &Context, command: Command) -> Result<Exit, AgentError> {
    match command {
        Command::Show(arguments) => show::run(context, arguments),
        Command::Move(arguments) => r#move::run(context, arguments),
    }
}

fn print(context: &Context, cache: &CacheState) {
    context.output().object(&json!({ "type": "result", "cache": cache.path, "bytes": cache.bytes }));
    let lines = [("Cache folder", cache.path.display().to_string()), ("Size", units::bytes(cache.bytes))];
    facts(context.output(), &lines);
}
