//! Recovery points: by calendar, one by one, and what is in them.

use super::{FilePath, JobError, Warning};
use serde::{Deserialize, Serialize};
use stateward_model::{ComponentName, ItemId, ItemKind, Label, PointHash, Sequence, Timestamp};

/// Recovery points, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PointList {
    /// Those that can be used.
    pub value: Vec<Point>,
    /// Those that can't.
    pub unusable: Vec<UnusablePoint>,
}

/// A recovery point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Point {
    /// Its id.
    pub recovery_point: PointHash,
    /// Its place in the chain.
    pub sequence: Sequence,
    /// What people called the item.
    pub item: Label,
    /// The item.
    pub item_id: ItemId,
    /// What kind of item.
    pub kind: ItemKind,
    /// The vault's time, or the agent's if the vault has not confirmed it.
    pub time: Timestamp,
    /// Whether the time is the vault's.
    pub is_confirmed: bool,
    /// Files in it.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Bytes of all packs that it needs, shared ones included.
    pub pack_bytes: u64,
    /// How many things were left out.
    pub warnings: u64,
    /// Whether its files are of one moment; left out if it does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub one_moment: Option<bool>,
    /// The host name at the time.
    pub host_name: String,
    /// The operating system at the time.
    pub operating_system: String,
    /// The program that made it.
    pub made_by: String,
    /// Its components.
    pub components: Vec<PointComponent>,
}

/// A recovery point that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UnusablePoint {
    /// Its id.
    pub recovery_point: PointHash,
    /// Its place in the chain.
    pub sequence: Sequence,
    /// Why.
    pub error: JobError,
}

/// A component of a recovery point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PointComponent {
    /// Its name.
    pub name: ComponentName,
    /// `Completed`, `CompletedWithWarnings` or `NotPresent`.
    pub result: String,
    /// Files in it.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// A recovery point with all that it tells of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PointDetail {
    /// The recovery point.
    #[serde(flatten)]
    pub point: Point,
    /// Of which moment its files are, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moment: Option<String>,
    /// Each file system: from a snapshot and of when, or live and why.
    pub sources: Vec<String>,
    /// What was checked before it was made.
    pub prechecks: Vec<PointPrecheck>,
    /// What was left out.
    pub warning_list: Vec<Warning>,
}

/// What was checked before a recovery point was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PointPrecheck {
    /// The stable code.
    pub code: String,
    /// 0: as it should be, 1: a warning, 2: it would have blocked the backup.
    pub outcome: u8,
    /// One sentence.
    pub message: String,
}

/// A month of recovery points.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PointCalendar {
    /// The month, such as `2026-11`.
    pub month: String,
    /// Whose days they are, by its IANA name, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// The days that have any.
    pub days: Vec<CalendarDay>,
}

/// A day of the calendar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CalendarDay {
    /// The day, such as `2026-11-20`.
    pub day: String,
    /// Its recovery points, newest first.
    pub recovery_points: Vec<CalendarPoint>,
}

/// A recovery point in the calendar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CalendarPoint {
    /// Its id.
    pub recovery_point: PointHash,
    /// What people called the item.
    pub item: Label,
    /// Its time.
    pub time: Timestamp,
}

/// What a recovery point holds at a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FolderContent {
    /// The recovery point.
    pub recovery_point: PointHash,
    /// The item.
    pub item: Label,
    /// The path, from the root.
    pub path: FilePath,
    /// What a folder holds; of anything else itself.
    pub value: Vec<FolderEntry>,
    /// Whether there are more than are listed.
    pub is_cut: bool,
    /// Why entries may be missing.
    pub gaps: Vec<String>,
}

/// Something in a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FolderEntry {
    /// Its name; what is no UTF-8 in it is replaced.
    pub name: String,
    /// Its path, from the root, as a restore takes it.
    pub path: FilePath,
    /// `file`, `folder`, `symbolic-link`, `block-device`, `character-device`, `fifo` or `socket`.
    pub kind: String,
    /// Its mode, such as `0644`.
    pub mode: String,
    /// Its owner's number.
    pub user: u32,
    /// Its group's number.
    pub group: u32,
    /// The size of a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// When it was changed.
    pub modified_at: Timestamp,
    /// Where a symbolic link leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leads_to: Option<String>,
}

/// What was found by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FoundList {
    /// The versions, by item and path.
    pub value: Vec<FoundVersion>,
    /// How many recovery points were searched.
    pub recovery_points: u64,
    /// Whether there are more than are listed.
    pub is_cut: bool,
    /// How many parts of recovery points could not be read.
    pub parts_lost: u64,
}

/// One version of something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FoundVersion {
    /// The item.
    pub item: Label,
    /// Its path, from the root, as a restore takes it.
    pub path: FilePath,
    /// As with [`FolderEntry::kind`].
    pub kind: String,
    /// Its mode.
    pub mode: String,
    /// The size of a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// When it was changed; not told of folders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified_at: Option<Timestamp>,
    /// In how many recovery points it is.
    pub recovery_points: u64,
    /// The oldest that holds it.
    pub oldest: PointHash,
    /// Its time.
    pub oldest_time: Timestamp,
    /// The newest that holds it.
    pub newest: PointHash,
    /// Its time.
    pub newest_time: Timestamp,
}
