//! The staging itself, tried again where the reason of a failure may pass.

use super::place::Attached;
use super::settings::ServerBackupSettings;
use crate::AgentError;
use stateward_engine::Cancellation;
use stateward_system_state::server_backup::Commands;
use stateward_system_state::server_backup::backup::{BackupWish, StagedBackup, back_up};
use stateward_system_state::server_backup::staging;
use std::time::Duration;

/// How long one attempt may take, and how long to wait before each further one.
#[derive(Debug, Clone)]
pub(super) struct Attempts {
    pub time_out: Duration,
    pub waits: Vec<Duration>,
}

/// The first wait; each further one is four times as long, up to an hour.
const FIRST_WAIT: Duration = Duration::from_secs(30);
const LONGEST_WAIT: Duration = Duration::from_secs(60 * 60);

impl Attempts {
    pub fn of(settings: &ServerBackupSettings) -> Self {
        let wait = |number: u32| FIRST_WAIT.saturating_mul(4_u32.saturating_pow(number)).min(LONGEST_WAIT);
        Self {
            time_out: Duration::from_secs(settings.time_out_seconds),
            waits: (0..settings.retries).map(wait).collect(),
        }
    }
}

/// Stages a backup.
pub(super) fn stage(
    commands: &dyn Commands,
    attached: &Attached,
    machine: &str,
    attempts: &Attempts,
    told: &mut dyn FnMut(u8),
    cancellation: &Cancellation,
) -> Result<StagedBackup, AgentError> {
    let wish = BackupWish {
        target: attached.target.clone(),
        root: attached.root.clone(),
        machine: machine.to_owned(),
        time_out: attempts.time_out,
    };
    let mut waits = attempts.waits.iter();
    loop {
        let error = match back_up(commands, &wish, told, cancellation) {
            Ok(staged) => return Ok(staged),
            Err(error) => error,
        };
        let Some(wait) = waits.next().filter(|_| error.may_pass()) else { return Err(error.into()) };
        tracing::warn!(%error, wait = wait.as_secs(), "the backup is tried again after a while");
        super::pause(*wait, cancellation)?;
        staging::clear(commands, &wish.target, &wish.root, machine, cancellation)?;
    }
}
