//! `stateward policy …`: when servers are backed up, and how long their recovery points are kept. Needs `stateward login`.

pub mod create;
pub mod delete;
pub(crate) mod flags;
pub mod list;
pub mod preview;
pub mod show;
pub mod update;
pub(crate) mod words;

use crate::context::Context;
use crate::output::Output;
use clap::Subcommand;
use serde_json::{Value, json};
use stateward_agent::{AgentError, Exit};
use stateward_api::arm::policies::Policy;

/// The noun's verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a policy
    Create(create::Arguments),
    /// Show all policies
    List(list::Arguments),
    /// Show one policy
    Show(show::Arguments),
    /// Put another schedule and retention into a policy
    Update(update::Arguments),
    /// Delete a policy that no item has
    Delete(delete::Arguments),
    /// Show what a policy would come to keep, without making or changing it
    Preview(preview::Arguments),
}

/// Runs a verb.
pub fn run(context: &Context, command: Command) -> Result<Exit, AgentError> {
    match command {
        Command::Create(arguments) => create::run(context, arguments),
        Command::List(arguments) => list::run(context, arguments),
        Command::Show(arguments) => show::run(context, arguments),
        Command::Update(arguments) => update::run(context, arguments),
        Command::Delete(arguments) => delete::run(context, arguments),
        Command::Preview(arguments) => preview::run(context, arguments),
    }
}

/// A policy as an object; `kind` is what the line is. Schedule and retention stand in it in ARM's form, as `--from-file` takes
/// them.
fn object(kind: &str, policy: &Policy) -> Value {
    json!({
        "type": kind, "name": policy.name, "items": policy.properties.protected_items_count,
        "properties": policy.properties,
    })
}

/// Prints a policy, with a sentence before it.
fn print_result(output: &Output, headline: &str, policy: &Policy) {
    output.object(&object("result", policy));
    output.line(headline);
    crate::display::facts(output, &words::facts_of(&policy.properties));
}
