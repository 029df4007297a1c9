//! Jobs: asked for, watched, paused, stopped.

use super::FilePath;
use serde::{Deserialize, Serialize};
use stateward_model::{
    ComponentName, ItemId, JobId, JobKind, JobState, Label, Phase, PointHash, Sequence, Timestamp,
};
use std::num::NonZeroU64;

/// A rate: bytes a second, or a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(untagged)]
pub enum Rate {
    /// So many bytes of packs a second.
    BytesPerSecond(NonZeroU64),
    /// No number.
    Word(RateWord),
}

/// A rate that is no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RateWord {
    /// As fast as the line is.
    Off,
    /// As what is more general says.
    Same,
}

/// How much of the machine and of the line a job may take; what is left out is as the settings say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PaceWish {
    /// Whether everything else on the machine goes first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low_priority: Option<bool>,
    /// How fast it may move packs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_rate: Option<Rate>,
}

/// *Back Up Now*.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BackupRequest {
    /// Only the item of that name or id; left out: all, one after another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
    /// Until when the recovery points are to be kept at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retain_until: Option<Timestamp>,
    /// Whether to go on though a check finds what the settings let block it.
    #[serde(default)]
    pub despite_prechecks: bool,
    /// How much of the machine it may take.
    #[serde(default)]
    pub pace: PaceWish,
}

/// What becomes of what lies at the target already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Conflict {
    /// Nothing may lie there.
    #[default]
    Fail,
    /// Lay it beside what is there.
    Copy,
    /// Put it in the place of what is there.
    Overwrite,
    /// Leave what is there, and name what was left out.
    Skip,
}

/// *Recover Data*.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RestoreRequest {
    /// The recovery point: its id, the beginning of one, `latest`, a day, or a moment.
    pub recovery_point: String,
    /// The item, where `latest` or a time alone does not say which is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
    /// Only these components; empty: all.
    #[serde(default)]
    pub components: Vec<ComponentName>,
    /// Only what lies at or below these paths; empty: everything.
    #[serde(default)]
    pub paths: Vec<FilePath>,
    /// The folder to restore into, from the root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<FilePath>,
    /// Whether it goes back to where it came from.
    #[serde(default)]
    pub original: bool,
    /// What becomes of what lies there already.
    #[serde(default)]
    pub conflict: Conflict,
    /// Whether owners, modes, access lists and extended attributes are left off.
    #[serde(default)]
    pub no_acl: bool,
    /// Whether it goes back to where it came from though this is another system.
    #[serde(default)]
    pub despite_other_system: bool,
    /// How much of the machine it may take.
    #[serde(default)]
    pub pace: PaceWish,
}

/// Proves that what the vault holds can be restored.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VerifyRequest {
    /// Only what this recovery point needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery_point: Option<String>,
    /// The item, where the recovery point's name alone does not say which is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
    /// Whether everything is read.
    #[serde(default)]
    pub full: bool,
    /// Which share of the bytes is read otherwise; left out: the usual one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<f64>,
    /// Restore the newest recovery point of this item on trial instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial_restore: Option<String>,
    /// How much of the machine it may take.
    #[serde(default)]
    pub pace: PaceWish,
}

/// Jobs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobList {
    /// They; those that were just begun in the order in which they run, all others newest first.
    pub value: Vec<Job>,
}

/// A job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Job {
    /// Its id.
    pub job: JobId,
    /// What it does.
    pub kind: JobKind,
    /// How it stands.
    pub status: JobState,
    /// What it is at.
    pub phase: Phase,
    /// Whether a person has paused it.
    pub is_paused: bool,
    /// Its item, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<Label>,
    /// Its item's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item_id: Option<ItemId>,
    /// Files and other entries done.
    pub files: u64,
    /// Bytes of content done.
    pub bytes: u64,
    /// Bytes moved to or from the vault.
    pub moved_bytes: u64,
    /// How many files there are in all, as far as it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files_expected: Option<u64>,
    /// How many bytes there are in all, as far as it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_expected: Option<u64>,
    /// Bytes of content in a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<u64>,
    /// Seconds until the end, at this rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eta_seconds: Option<u64>,
    /// How many things were left out or are not as they should be.
    pub warnings: u64,
    /// Whether everything else on the machine goes first.
    pub low_priority: bool,
    /// How fast it may move packs, if there is a limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_rate: Option<NonZeroU64>,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// What came out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<JobOutcome>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<JobError>,
}

/// Why a job failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobError {
    /// The stable code.
    pub code: String,
    /// What happened.
    pub message: String,
    /// What to do about it.
    pub recommendation: String,
}

/// What came out of a job, as far as its kind has it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobOutcome {
    /// The recovery point that was made or restored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery_point: Option<PointHash>,
    /// Of a backup: its place in the chain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<Sequence>,
    /// Of a backup: the vault's time of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received_at: Option<Timestamp>,
    /// Files in it, or put back whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<u64>,
    /// Their bytes; of a verify, bytes of packs read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Of a backup: bytes that were sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_uploaded: Option<u64>,
    /// Of a backup: files that were not opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files_unchanged: Option<u64>,
    /// Of a restore: bytes that were read from the vault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_downloaded: Option<u64>,
    /// Of a restore: files that could not be put back whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files_lost: Option<u64>,
    /// Of a restore: whether the files are of one moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub one_moment: Option<bool>,
    /// Of a restore: what became of what lay at the target already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conflicts: Option<Conflicts>,
    /// Of a verify: recovery points read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery_points: Option<u64>,
    /// Of a verify: packs read whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packs: Option<u64>,
    /// Of a verify: all packs that are needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packs_in_all: Option<u64>,
    /// Of a verify: their bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_in_all: Option<u64>,
    /// Of a verify: what was found wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problems: Option<u64>,
}

/// How often a restore met something that lay at its target already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Conflicts {
    /// The same already, and left.
    pub identical: u64,
    /// Laid beside what was there.
    pub copied: u64,
    /// Put in the place of what was there.
    pub overwritten: u64,
    /// Left out, because what was there stays.
    pub skipped: u64,
}

/// A job with what was left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobDetail {
    /// The job.
    #[serde(flatten)]
    pub job: Job,
    /// What was left out or is not as it should be.
    pub warning_list: Vec<Warning>,
    /// Whether there are more warnings than are listed.
    pub is_cut: bool,
    /// What hooks and the job's own process said is in this file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<FilePath>,
}

/// Something that was left out or is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Warning {
    /// The stable code.
    pub code: String,
    /// The path; what is no UTF-8 in it is replaced. Empty if it concerns none.
    pub path: String,
    /// The path's bytes in base64url, if they are no UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_base64: Option<String>,
    /// One sentence.
    pub message: String,
}
