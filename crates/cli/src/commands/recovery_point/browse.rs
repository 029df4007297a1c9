//! `stateward recovery-point browse`

use crate::context::Context;
use crate::display::{Table, one_line};
use crate::units;
use clap::Args;
use serde_json::json;
use stateward_agent::browse::{self, Listed, kind_name};
use stateward_agent::jobs::warnings::path_fields;
use stateward_agent::{AgentError, Exit};
use std::path::PathBuf;

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Its id, the beginning of one, `latest`, a day (`2026-11-20`) or a moment (`2026-11-20T02:00`)
    #[arg(value_name = "POINT")]
    recovery_point: String,
    /// What to look into
    #[arg(value_name = "PATH", default_value = "/")]
    path: PathBuf,
    /// The item, where `latest` or a time alone does not say which is meant
    #[arg(long, value_name = "NAME")]
    item: Option<String>,
}

/// Lists a folder of a recovery point.
pub fn run(context: &Context, arguments: Arguments) -> Result<Exit, AgentError> {
    let Arguments { recovery_point, path, item } = arguments;
    let folder = browse::folder(context.agent(), &recovery_point, item.as_deref(), &path)?;
    let output = context.output();
    let mut table = Table::new(&["Mode", "Owner", ">Bytes", "Time", "Name"]);
    for entry in &folder.entries {
        let (name, name_base64) = path_fields(&entry.name);
        let leads_to = entry.leads_to.as_deref().map(|target| path_fields(target).0);
        output.object(&json!({
            "type": "entry", "name": name, "name_base64": name_base64, "kind": kind_name(entry.kind),
            "mode": format!("{:04o}", entry.mode & 0o7777), "user": entry.user, "group": entry.group,
            "bytes": entry.size, "modified_at": entry.modified_at, "leads_to": leads_to,
        }));
        table.row(row(entry, name, leads_to));
    }
    let point = &folder.point;
    output.object(&json!({
        "type": "result", "recovery_point": point.recovery_point, "item": point.item_label,
        "path": folder.path.0.to_string_lossy(), "entries": folder.entries.len(), "is_cut": folder.is_cut,
        "gaps": folder.gaps,
    }));
    table.print(output, "The folder is empty");
    for why in &folder.gaps {
        output.hint(format_args!("Warning: Entries may be missing: {why}"));
    }
    if folder.is_cut {
        output.hint("Warning: There are more entries than are listed");
    }
    Ok(if folder.gaps.is_empty() && !folder.is_cut { Exit::Done } else { Exit::Warnings })
}

fn row(entry: &Listed, name: String, leads_to: Option<String>) -> Vec<String> {
    vec![
        mode_text(entry.kind, entry.mode),
        format!("{}:{}", entry.user, entry.group),
        entry.size.map(units::count).unwrap_or_default(),
        units::time(entry.modified_at),
        match leads_to {
            Some(target) => one_line(&format!("{name} -> {target}")),
            None => one_line(&name),
        },
    ]
}

/// `-rw-r--r--`.
pub fn mode_text(kind: char, mode: u32) -> String {
    let mut text = String::from(kind);
    for (shift, special, with, without) in
        [(6, 0o4000, 's', 'S'), (3, 0o2000, 's', 'S'), (0, 0o1000, 't', 'T')]
    {
        let bits = mode >> shift;
        text.push(if bits & 4 == 0 { '-' } else { 'r' });
        text.push(if bits & 2 == 0 { '-' } else { 'w' });
        text.push(match (mode & special != 0, bits & 1 != 0) {
            (true, true) => with,
            (true, false) => without,
            (false, true) => 'x',
            (false, false) => '-',
        });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_shown_as_ls_shows_them() {
        assert_eq!(mode_text('-', 0o644), "-rw-r--r--");
        assert_eq!(mode_text('d', 0o1777), "drwxrwxrwt");
        assert_eq!(mode_text('-', 0o6711), "-rws--s--x");
        assert_eq!(mode_text('-', 0o7000), "---S--S--T");
    }
}
