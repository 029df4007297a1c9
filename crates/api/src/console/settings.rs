//! *Change Properties*: what holds for all jobs.

use super::{FilePath, ProxyWish, Rate};
use serde::{Deserialize, Deserializer, Serialize};
use stateward_model::policy::{TimeOfDay, Weekday, Zone};
use std::collections::{BTreeMap, BTreeSet};

/// What a finding before a backup does to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PrecheckAction {
    /// The backup is made, and nothing is said.
    Pass,
    /// It is made, and the finding is told.
    Warn,
    /// It is not made.
    Block,
}

/// When people need the line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WorkHours {
    /// On which days they begin.
    pub days: BTreeSet<Weekday>,
    /// From when on.
    pub from: TimeOfDay,
    /// Until when.
    pub until: TimeOfDay,
    /// Whose clocks count.
    pub zone: Zone,
}

/// What holds for all jobs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    /// Whether everything else on the machine goes first.
    pub low_priority: bool,
    /// How fast jobs may move packs.
    pub limit_rate: Rate,
    /// When people need the line.
    pub work_hours: Option<WorkHours>,
    /// The rate in work hours.
    pub work_limit_rate: Rate,
    /// The rate of restores.
    pub restore_limit_rate: Rate,
    /// The rate of restores in work hours.
    pub restore_work_limit_rate: Rate,
    /// What findings do, by their codes.
    pub prechecks: BTreeMap<String, PrecheckAction>,
    /// Whether backups read from snapshots of the file systems that give them.
    pub source_snapshot: bool,
    /// Whether installed files are compared with their packages before each backup of System State.
    pub verify_packages: bool,
    /// Where Windows Server Backup writes its image before it is sent: a volume, or a folder for a virtual disk that is made for each
    /// backup; `null`: a virtual disk in the home.
    pub staging: Option<FilePath>,
    /// After so many seconds Windows Server Backup is stopped.
    pub server_backup_time_out: u64,
    /// So often what failed for a reason that may pass is tried again.
    pub server_backup_retries: u32,
    /// Every so many days a share is verified; `null`: never.
    pub verify_every_days: Option<u32>,
    /// Every so many days each item is restored on trial; `null`: never.
    pub trial_restore_every_days: Option<u32>,
    /// Where trial restores make their folder; `null`: in the home.
    pub trial_folder: Option<FilePath>,
    /// Below which folder restores go that are asked for at the vault; `null`: there are none.
    pub restore_root: Option<FilePath>,
    /// The proxy's address, without its password.
    pub proxy: Option<String>,
    /// The folder of hooks. It is set at the command line only, as is everything that lets programs run.
    pub hooks: Option<FilePath>,
}

/// Changes settings: what is left out stays, what is `null` is as it was before anybody set it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SettingsRequest {
    /// Whether everything else on the machine goes first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low_priority: Option<bool>,
    /// How fast jobs may move packs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_rate: Option<Rate>,
    /// When people need the line; `null`: no such hours.
    #[serde(default, deserialize_with = "said", skip_serializing_if = "Option::is_none")]
    pub work_hours: Option<Option<WorkHours>>,
    /// The rate in work hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work_limit_rate: Option<Rate>,
    /// The rate of restores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restore_limit_rate: Option<Rate>,
    /// The rate of restores in work hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restore_work_limit_rate: Option<Rate>,
    /// What findings of these codes do.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub prechecks: BTreeMap<String, PrecheckAction>,
    /// Whether backups read from snapshots.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_snapshot: Option<bool>,
    /// Whether installed files are compared with their packages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify_packages: Option<bool>,
    /// Where Windows Server Backup writes its image before it is sent: a volume (`E:`), or a folder for a virtual disk that is made for
    /// each backup; `null`: a virtual disk in the home.
    #[serde(default, deserialize_with = "said", skip_serializing_if = "Option::is_none")]
    pub staging: Option<Option<FilePath>>,
    /// After so many seconds Windows Server Backup is stopped; 1 at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_backup_time_out: Option<u64>,
    /// So often what failed for a reason that may pass is tried again; 10 at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_backup_retries: Option<u32>,
    /// Every so many days a share is verified; `null`: never.
    #[serde(default, deserialize_with = "said", skip_serializing_if = "Option::is_none")]
    pub verify_every_days: Option<Option<u32>>,
    /// Every so many days each item is restored on trial; `null`: never.
    #[serde(default, deserialize_with = "said", skip_serializing_if = "Option::is_none")]
    pub trial_restore_every_days: Option<Option<u32>>,
    /// Where trial restores make their folder; `null`: in the home.
    #[serde(default, deserialize_with = "said", skip_serializing_if = "Option::is_none")]
    pub trial_folder: Option<Option<FilePath>>,
    /// Below which folder restores go that are asked for at the vault; `null`: there are none.
    #[serde(default, deserialize_with = "said", skip_serializing_if = "Option::is_none")]
    pub restore_root: Option<Option<FilePath>>,
    /// The proxy; `null`: none.
    #[serde(default, deserialize_with = "said", skip_serializing_if = "Option::is_none")]
    pub proxy: Option<Option<ProxyWish>>,
}

/// `null` is said, too: only what is left out is not.
fn said<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(deserializer).map(Some)
}
