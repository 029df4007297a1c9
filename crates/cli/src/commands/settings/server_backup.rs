//! How Windows Server Backup is driven.

use clap::Args;
use serde_json::{Value, json};
use stateward_agent::AgentError;
use stateward_agent::server_backup::{RETRIES_MAX, ServerBackupWish};
use stateward_agent::settings::{Settings, folder_that_is_there};
use std::path::PathBuf;

/// The flags.
#[derive(Debug, Args)]
#[command(next_help_heading = "System State of Windows")]
pub struct ServerBackupFlags {
    /// Where Windows Server Backup writes its image before it is sent: a volume (`E:`), or a folder for a virtual disk that is made for
    /// each backup; `usual` for one in the home
    #[arg(long, value_name = "PLACE")]
    staging: Option<PathBuf>,
    /// Stop Windows Server Backup after so many seconds
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    server_backup_time_out: Option<u64>,
    /// Try again so often, after longer and longer waits, what failed for a reason that may pass
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(0..=RETRIES_MAX as i64))]
    server_backup_retries: Option<u32>,
}

/// The names of the flags, for the group of those of which one must be given.
pub const FLAGS: [&str; 3] = ["staging", "server_backup_time_out", "server_backup_retries"];

impl ServerBackupFlags {
    /// What they ask for.
    pub fn wish(self) -> Result<ServerBackupWish, AgentError> {
        let place = |path: PathBuf| match path.as_os_str() == "usual" {
            true => Ok(None),
            false => folder_that_is_there(&path).map(Some),
        };
        Ok(ServerBackupWish {
            staging: self.staging.map(place).transpose()?,
            time_out_seconds: self.server_backup_time_out,
            retries: self.server_backup_retries,
        })
    }
}

/// Adds them to the settings as JSON.
pub fn put(object: &mut Value, settings: &Settings) {
    let kept = &settings.server_backup;
    object["staging"] = json!(kept.staging.as_ref().map(|place| place.0.display().to_string()));
    object["server_backup_time_out"] = json!(kept.time_out_seconds);
    object["server_backup_retries"] = json!(kept.retries);
}

/// Where the image is staged, for people.
pub fn text(settings: &Settings) -> String {
    let staging = &settings.server_backup.staging;
    staging
        .as_ref()
        .map_or_else(|| "a virtual disk in the home".to_owned(), |place| place.0.display().to_string())
}
