//! `stateward recovery-point show`

use crate::context::Context;
use crate::display::{Table, facts};
use crate::job_screen::{print_warning, warning_text};
use crate::output::Output;
use crate::units;
use clap::Args;
use stateward_agent::jobs::JobWarning;
use stateward_agent::points::{self, PointDescription};
use stateward_agent::{AgentError, Exit};

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Its id, the beginning of one, `latest`, a day (`2026-11-20`) or a moment (`2026-11-20T02:00`)
    #[arg(value_name = "ID")]
    recovery_point: String,
    /// The item, where `latest` or a time alone does not say which is meant
    #[arg(long, value_name = "NAME")]
    item: Option<String>,
}

/// Shows a recovery point: what was left out of it, then itself with its components.
pub fn run(context: &Context, arguments: Arguments) -> Result<Exit, AgentError> {
    let Arguments { recovery_point, item } = arguments;
    let point = points::open_own(context.agent(), &recovery_point, item.as_deref())?;
    let output = context.output();
    for warning in point.manifest.warnings.iter().map(JobWarning::from) {
        print_warning(output, None, &warning);
        output.line(warning_text(&warning));
    }
    let description = PointDescription::of(&point);
    let mut object = super::object("result", &description);
    object["components"] = serde_json::json!(description.components);
    object["moment"] = serde_json::json!(description.moment);
    object["prechecks"] = point
        .manifest
        .prechecks
        .iter()
        .map(|check| serde_json::json!({ "code": check.code, "outcome": check.outcome, "message": check.message }))
        .collect();
    output.object(&object);
    print(output, &description);
    for left_out in point.manifest.prechecks.iter().filter(|check| check.code == "exclusions") {
        output.line(&left_out.message);
    }
    Ok(Exit::Done)
}

fn print(output: &Output, point: &PointDescription) {
    output.line(format_args!("Recovery point {}", point.recovery_point));
    let time = match point.received_at {
        Some(received) => format!("{} (the vault's)", units::time(received)),
        None => format!("{} (the agent's; the vault has not confirmed it)", units::time(point.finished_at)),
    };
    facts(
        output,
        &[
            ("Item", format!("{} ({})", point.item_label, point.kind)),
            ("Time", time),
            ("Server", format!("{}, {}", point.host_name, point.operating_system)),
            ("Made by", point.made_by.clone()),
            ("Content", format!("{}, {}", units::counted(point.files, "file"), units::bytes(point.bytes))),
            ("Needs", format!("{} in the vault, shared with others", units::bytes(point.pack_bytes))),
            ("Warnings", units::count(point.warnings)),
            (
                "Moment",
                point.moment.as_ref().map_or_else(|| "not told".to_owned(), |known| known.text.clone()),
            ),
        ],
    );
    point
        .moment
        .iter()
        .flat_map(|known| &known.sources)
        .for_each(|source| output.line(format_args!("  {source}")));
    let mut table = Table::new(&["Component", "Result", ">Files", ">Bytes"]);
    for part in &point.components {
        let (files, bytes) = (units::count(part.files), units::bytes(part.bytes));
        table.row(vec![part.name.to_string(), part.result.clone(), files, bytes]);
    }
    table.print(output, "It has no components");
}
