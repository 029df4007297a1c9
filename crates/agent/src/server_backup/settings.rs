//! What a person may choose of it.

use crate::items::StoredPath;
use serde::{Deserialize, Serialize};
use stateward_system_state::server_backup::backup::TIME_OUT;

/// How often one can be tried again at most.
pub const RETRIES_MAX: u32 = 10;

/// What holds for backups by Windows Server Backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ServerBackupSettings {
    /// Where the image is staged: a volume, or a folder for a virtual disk; none for a disk in the home.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub staging: Option<StoredPath>,
    /// How long one may take.
    pub time_out_seconds: u64,
    /// How often one that failed for a reason that may pass is tried again.
    pub retries: u32,
}

impl Default for ServerBackupSettings {
    fn default() -> Self {
        Self { staging: None, time_out_seconds: TIME_OUT.as_secs(), retries: 3 }
    }
}

/// A wish about them; what it does not mention stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerBackupWish {
    /// Where to stage, or the usual place.
    pub staging: Option<Option<StoredPath>>,
    /// How long one may take.
    pub time_out_seconds: Option<u64>,
    /// How often to try again.
    pub retries: Option<u32>,
}

impl ServerBackupWish {
    /// The settings that come of it.
    pub fn over(self, settings: ServerBackupSettings) -> ServerBackupSettings {
        ServerBackupSettings {
            staging: self.staging.unwrap_or(settings.staging),
            time_out_seconds: self.time_out_seconds.unwrap_or(settings.time_out_seconds),
            retries: self.retries.unwrap_or(settings.retries),
        }
    }
}
