//! Jobs (`MabJob`): backups, restores and proofs as agents report them, and what the vault does itself.

use super::Resource;
use serde::{Deserialize, Serialize};
use stateward_model::{JobId, ServerId, Timestamp};
use std::collections::BTreeMap;

/// A job.
pub type Job = Resource<JobProperties>;

/// What there is to know of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobProperties {
    /// `MabJob`.
    pub job_type: String,
    /// `MAB`.
    pub backup_management_type: String,
    /// What it does: `Backup`, `Restore`, `Verify`, `ConfigureBackup`, `DisableBackup`, `DeleteBackupData`, `Undelete`,
    /// `UnRegister`.
    pub operation: String,
    /// `InProgress`, `Cancelling`, `Completed`, `CompletedWithWarnings`, `Failed` or `Cancelled`.
    pub status: String,
    /// When it began.
    pub start_time: Timestamp,
    /// When it ended.
    pub end_time: Option<Timestamp>,
    /// How long it took, or has taken so far, as an ISO 8601 duration.
    pub duration: String,
    /// What people call its item, or the server where it has none.
    pub entity_friendly_name: String,
    /// Its id.
    pub activity_id: JobId,
    /// `Cancellable` while it goes on.
    pub actions_info: Vec<String>,
    /// What people call the server.
    pub mab_server_name: String,
    /// `Windows`, whatever the server's operating system is.
    pub mab_server_type: String,
    /// `SystemState` or `FileFolder`.
    pub workload_type: Option<String>,
    /// Why it failed.
    pub error_details: Option<Vec<JobError>>,
    /// More of it. Without it, or its list of tasks, `az backup job show` fails.
    pub extended_info: JobExtendedInfo,
    /// The server's id. Not Azure's.
    pub server_id: ServerId,
    /// When the vault last heard of it. Not Azure's.
    pub reported_at: Timestamp,
}

/// The figure that says how a job stands on its server: the agent's word, or [`PAUSED`].
pub const STATE_ON_SERVER: &str = "State on the server";

/// Of a job that a person on its server has made wait. For Azure's clients it is `InProgress`, which has no such word.
pub const PAUSED: &str = "Paused";

impl JobProperties {
    /// Whether a person on its server has made it wait.
    pub fn is_paused(&self) -> bool {
        self.status == "InProgress"
            && self.extended_info.property_bag.get(STATE_ON_SERVER).is_some_and(|state| state == PAUSED)
    }
}

/// Why a job failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobError {
    /// In a sentence. What it was about in particular stays on the server.
    pub error_string: String,
    /// What to do about it.
    pub recommendations: Vec<String>,
    /// The stable code, as `stateward explain` knows it. Not Azure's.
    pub code: String,
}

/// More of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobExtendedInfo {
    /// Its phases.
    pub tasks_list: Vec<JobTask>,
    /// Its figures, as texts.
    pub property_bag: BTreeMap<String, String>,
    /// Why it failed; empty if it did not.
    pub dynamic_error_message: String,
}

/// A phase of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobTask {
    /// Its name.
    pub task_id: String,
    /// When it began, where the vault knows.
    pub start_time: Option<Timestamp>,
    /// When it ended, where the vault knows.
    pub end_time: Option<Timestamp>,
    /// How long it took, as an ISO 8601 duration; with its two times only.
    pub duration: Option<String>,
    /// `NotStarted`, `InProgress`, `Completed`, `Failed` or `Cancelled`.
    pub status: String,
}

/// A time in seconds as an ISO 8601 duration: `P1DT2H3M4S`.
pub fn duration_text(seconds: i64) -> String {
    let seconds = seconds.max(0);
    let (days, hours, minutes, rest) =
        (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    let mut text = "P".to_owned();
    if days > 0 {
        text += &format!("{days}D");
    }
    text.push('T');
    for (count, unit) in [(hours, 'H'), (minutes, 'M')] {
        if count > 0 {
            text += &format!("{count}{unit}");
        }
    }
    text + &format!("{rest}S")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_as_clients_read_them() {
        let told = [0, 59, 60, 3_600, 93_784, -5].map(duration_text);
        assert_eq!(told, ["PT0S", "PT59S", "PT1M0S", "PT1H0S", "P1DT2H3M4S", "PT0S"]);
    }
}
