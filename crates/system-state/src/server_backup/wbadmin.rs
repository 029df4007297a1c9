//! `wbadmin`: what it is asked, and what can be read from its answers whatever language it speaks.

pub mod failure;
pub mod progress;
pub mod version;

use crate::server_backup::machine::{CommandError, Commands, Ended, Invocation};
use stateward_engine::Cancellation;
use std::collections::BTreeSet;
use std::time::Duration;
use version::{VersionId, parse_versions};

const PROGRAM: &str = "wbadmin";

/// Everything but a backup and a recovery is short.
const SHORT: Duration = Duration::from_secs(5 * 60);

/// What lists the versions in a place, of all machines if none is named.
pub fn get_versions(target: &str, machine: Option<&str>) -> Invocation {
    let mut arguments = vec!["get".to_owned(), "versions".to_owned(), format!("-backupTarget:{target}")];
    arguments.extend(machine.map(|machine| format!("-machine:{machine}")));
    Invocation { program: PROGRAM, arguments, time_out: SHORT }
}

/// What makes a backup of the System State.
pub fn start_backup(target: &str, time_out: Duration) -> Invocation {
    let target = format!("-backupTarget:{target}");
    Invocation::new(PROGRAM, &["start", "systemstatebackup", &target, "-quiet"], time_out)
}

/// What stops a backup that runs: the engine goes on when the program that asked it is gone.
pub fn stop_job() -> Invocation {
    Invocation::new(PROGRAM, &["stop", "job", "-quiet"], SHORT)
}

/// What removes all backups of the System State from a place.
pub fn delete_all(target: &str, machine: &str) -> Invocation {
    let (target, machine) = (format!("-backupTarget:{target}"), format!("-machine:{machine}"));
    let arguments = ["delete", "systemstatebackup", "-keepVersions:0", &target, &machine, "-quiet"];
    Invocation::new(PROGRAM, &arguments, SHORT)
}

/// The versions in a place. That there is none is told by words and a code that nobody documents, so it's an empty list.
pub fn versions(
    commands: &dyn Commands,
    target: &str,
    machine: Option<&str>,
    cancellation: &Cancellation,
) -> Result<(BTreeSet<VersionId>, Ended), CommandError> {
    let ended = commands.run(&get_versions(target, machine), &mut |_| {}, cancellation)?;
    Ok((parse_versions(&ended.text()), ended))
}
