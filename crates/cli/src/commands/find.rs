//! `stateward find`

use crate::commands::recovery_point::browse::mode_text;
use crate::context::Context;
use crate::display::{Table, one_line, short};
use crate::output::Output;
use crate::units;
use clap::Args;
use serde_json::json;
use stateward_agent::browse::{self, Found, FoundVersion, Pattern, Search, kind_name};
use stateward_agent::jobs::warnings::path_fields;
use stateward_agent::points::{self, PointDescription, When};
use stateward_agent::{AgentError, Exit};

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    /// A name, or one with wildcards (`*.conf`); with a `/` in it, a whole path (`/etc/*.conf`)
    #[arg(value_name = "NAME")]
    name: String,
    /// Only in this item's recovery points
    #[arg(long, value_name = "NAME")]
    item: Option<String>,
    /// Only in recovery points since this day (`2026-11-20`) or moment
    #[arg(long, value_name = "DAY")]
    since: Option<String>,
    /// Show all versions of each path, not the newest alone
    #[arg(long)]
    all_versions: bool,
}

/// Searches names in this server's recovery points.
pub fn run(context: &Context, arguments: Arguments) -> Result<Exit, AgentError> {
    let Arguments { name, item, since, all_versions } = arguments;
    let since = since.as_deref().map(When::begin_of).transpose()?;
    let pattern = Pattern::new(&name);
    let search = Search { pattern: &pattern, item: item.as_deref(), since };
    let found = browse::find(context.agent(), &search)?;
    let output = context.output();
    let mut table =
        Table::new(&["Item", "Path", "Mode", ">Bytes", "Changed", ">Points", "From", "To", "Newest"]);
    let mut shown = 0u64;
    for found in &found {
        for version in found.chosen(all_versions) {
            shown += 1;
            show(output, &mut table, found, version);
        }
    }
    let (is_cut, parts_lost) =
        (found.iter().any(|found| found.is_cut), found.iter().map(|found| found.parts_lost).sum::<u64>());
    let searched: usize = found.iter().map(|found| found.points.len()).sum();
    output.object(&json!({
        "type": "result", "versions": shown, "recovery_points": searched, "is_cut": is_cut,
        "parts_lost": parts_lost,
    }));
    table.print(output, "Nothing of that name is in the recovery points. `*` stands for anything: `*name*`");
    if shown > 0 {
        output.hint("Next: `stateward restore --recovery-point ID --path PATH --target DIR --wait`");
    }
    if is_cut {
        output.hint("Warning: There is more than is shown; give more of the name, or `--item` and `--since`");
    }
    if parts_lost > 0 {
        output.hint(format_args!(
            "Warning: {} of recovery points can't be read; something may be missing",
            units::counted(parts_lost, "part")
        ));
    }
    Ok(if is_cut || parts_lost > 0 { Exit::Warnings } else { Exit::Done })
}

fn show(output: &Output, table: &mut Table, found: &Found, FoundVersion { version, ranges }: &FoundVersion) {
    let (Some((first, _)), Some((_, last))) = (ranges.first(), ranges.last()) else { return };
    let (first, last) = (&found.points[*first], &found.points[*last]);
    let (path, path_base64) = path_fields(&version.path);
    let is_folder = version.kind == 'd';
    let range = |(from, to): &(usize, usize)| {
        let (from, to) = (&found.points[*from], &found.points[*to]);
        json!({
            "from": from.recovery_point, "from_time": points::time(from),
            "to": to.recovery_point, "to_time": points::time(to),
        })
    };
    let count: usize = ranges.iter().map(|(from, to)| to - from + 1).sum();
    output.object(&json!({
        "type": "version", "item": last.item_label, "path": path, "path_base64": path_base64,
        "kind": kind_name(version.kind), "mode": format!("{:04o}", version.mode & 0o7777),
        "bytes": version.size, "modified_at": (!is_folder).then_some(version.modified_at),
        "recovery_points": count, "ranges": ranges.iter().map(range).collect::<Vec<_>>(),
    }));
    let day =
        |point: &PointDescription| units::time(points::time(point)).chars().take(16).collect::<String>();
    table.row(vec![
        last.item_label.to_string(),
        one_line(&path),
        mode_text(version.kind, version.mode),
        version.size.map(units::count).unwrap_or_default(),
        if is_folder { String::new() } else { units::time(version.modified_at).chars().take(19).collect() },
        units::count(count as u64),
        day(first),
        day(last),
        short(last.recovery_point),
    ]);
}
