//! How VSS writers stand: `vssadmin list writers`, read by ids and the numbers in `[ ]`, which no language changes.

use crate::server_backup::machine::{Commands, Invocation};
use crate::server_backup::prechecks::{PASS, WARN, precheck};
use crate::server_backup::roles::{WriterId, writer};
use stateward_engine::Cancellation;
use stateward_format::manifest::Precheck;
use std::time::Duration;

/// Writers that don't answer hold it up.
const TIME_OUT: Duration = Duration::from_secs(5 * 60);

/// A writer as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriterState {
    /// Which.
    pub id: WriterId,
    /// As it names itself.
    pub name: String,
    /// `VSS_WS_STABLE` is 1.
    pub state: u32,
}

impl WriterState {
    /// Whether it failed and stays so until its service starts again.
    pub fn has_failed(&self) -> bool {
        // `VSS_WS_FAILED_AT_IDENTIFY` and those after it.
        (6..=15).contains(&self.state)
    }
}

/// Reads the list. A writer's name stands in quotes, its id is the first after it, its state the number in `[ ]`.
pub fn parse_writers(text: &str) -> Vec<WriterState> {
    let (mut writers, mut name, mut id) = (Vec::new(), None, None);
    for line in text.lines() {
        let value = line.split_once(':').map_or("", |(_, value)| value.trim());
        if let Some(quoted) = quoted(value) {
            (name, id) = (Some(quoted.to_owned()), None);
        } else if let Some(found) = WriterId::in_text(value) {
            id = id.or(Some(found));
        } else if let (Some(state), Some(of), Some(named)) = (bracketed(value), id, name.clone()) {
            writers.push(WriterState { id: of, name: named, state });
            (name, id) = (None, None);
        }
    }
    writers
}

fn quoted(value: &str) -> Option<&str> {
    value.strip_prefix('\'')?.strip_suffix('\'')
}

fn bracketed(value: &str) -> Option<u32> {
    value.strip_prefix('[')?.split(']').next()?.parse().ok()
}

/// The precheck `writers`.
pub fn writers(commands: &dyn Commands, cancellation: &Cancellation) -> Precheck {
    let code = "writers";
    let invocation = Invocation::new("vssadmin", &["list", "writers"], TIME_OUT);
    let text = match commands.run(&invocation, &mut |_| {}, cancellation) {
        Ok(ended) => ended.text(),
        Err(error) => {
            return precheck(code, WARN, format!("It can't be told how VSS writers stand: {error}"));
        }
    };
    let found = parse_writers(&text);
    let failed: Vec<String> = found
        .iter()
        .filter(|writer| writer.has_failed())
        .map(|found| match writer(found.id).and_then(|known| known.service) {
            Some(service) => format!("`{}` (restart the service `{service}`)", found.name),
            None => format!("`{}`", found.name),
        })
        .collect();
    if !failed.is_empty() {
        return precheck(
            code,
            WARN,
            format!(
                "VSS writers have failed, and a backup may too: {}; or restart the server",
                failed.join(", ")
            ),
        );
    }
    match found.is_empty() {
        true => precheck(
            code,
            WARN,
            "VSS names no writers: restart the services `VSS` and `EventSystem`, and see `vssadmin list writers`",
        ),
        false => precheck(code, PASS, format!("{} VSS writers stand ready", found.len())),
    }
}
