//! `stateward recovery-point …`

pub mod browse;
pub mod calendar;
pub mod list;
pub mod restore;
pub mod show;

use crate::context::Context;
use crate::display::{Table, short, yes_or_no};
use crate::output::Output;
use crate::units;
use clap::Subcommand;
use serde_json::{Value, json};
use stateward_agent::points::{ListedPoint, PointDescription};
use stateward_agent::{AgentError, Exit};

/// The noun's verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show all recovery points, newest first: of this server, or of a vault
    List(list::Arguments),
    /// Show what one recovery point holds
    Show(show::Arguments),
    /// List a folder of a recovery point
    Browse(browse::Arguments),
    /// Ask the server of a recovery point to restore it into a new folder of its own, as an administrator
    Restore(restore::Arguments),
}

/// Runs a verb.
pub fn run(context: &Context, command: Command) -> Result<Exit, AgentError> {
    match command {
        Command::List(arguments) => list::run(context, arguments),
        Command::Show(arguments) => show::run(context, arguments),
        Command::Browse(arguments) => browse::run(context, arguments),
        Command::Restore(arguments) => restore::run(context, arguments),
    }
}

/// A recovery point as an object; `kind` is what the line is.
pub fn object(kind: &str, point: &PointDescription) -> Value {
    json!({
        "type": kind, "recovery_point": point.recovery_point, "sequence": point.sequence,
        "item": point.item_label, "item_id": point.item, "kind": point.kind,
        "time": point.received_at.unwrap_or(point.finished_at), "is_confirmed": point.received_at.is_some(),
        "files": point.files, "bytes": point.bytes, "pack_bytes": point.pack_bytes, "warnings": point.warnings,
        "one_moment": point.moment.as_ref().map(|moment| moment.is_one),
        "host_name": point.host_name, "operating_system": point.operating_system, "made_by": point.made_by,
    })
}

/// Prints a list; says so when one can't be used.
pub fn print_list(output: &Output, listed: &[ListedPoint], empty: &str) -> Exit {
    let mut table =
        Table::new(&["Recovery point", "Item", "Time", ">Files", ">Bytes", ">Warnings", "One moment"]);
    let mut exit = Exit::Done;
    for point in listed {
        match point {
            ListedPoint::Usable(point) => {
                output.object(&object("recovery-point", point));
                table.row(vec![
                    short(point.recovery_point),
                    point.item_label.to_string(),
                    units::time(point.received_at.unwrap_or(point.finished_at)),
                    units::count(point.files),
                    units::bytes(point.bytes),
                    units::count(point.warnings),
                    yes_or_no(point.moment.as_ref().map(|moment| moment.is_one)),
                ]);
            }
            ListedPoint::Unusable { summary, failure } => {
                exit = Exit::Warnings;
                output.object(&json!({
                    "type": "recovery-point", "recovery_point": summary.hash, "sequence": summary.sequence,
                    "code": failure.code, "message": failure.message, "remedy": failure.remedy,
                }));
                table.row(vec![short(summary.hash), format!("unusable ({})", failure.code)]);
                output.hint(format_args!("Warning: {}", failure.message));
            }
        }
    }
    table.print(output, empty);
    exit
}
