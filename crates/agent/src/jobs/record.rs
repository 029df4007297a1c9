//! What is known of a job: asked for, how it stands, what came out.

use crate::codes::Code;
use crate::document::Document;
use crate::items::StoredPath;
use crate::jobs::{Figures, Pace};
use crate::platform::{self, ProcessIdentity};
use crate::restore::{Conflicts, LayingWish};
use crate::{AgentError, Exit};
use serde::{Deserialize, Serialize};
use stateward_api::agent::JobReport;
use stateward_model::{
    ComponentName, ItemId, JobId, JobKind, JobState, Label, OnDemand, Phase, PointHash, Sequence, Timestamp,
};

/// What a job is to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
pub enum JobRequest {
    /// Make a recovery point of the job's item.
    Backup {
        /// That somebody asked for it now, and until when it is to be kept.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        on_demand: Option<OnDemand>,
        /// Whether it is made though what is found before would block it.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        despite_prechecks: bool,
    },
    /// Lay a recovery point into a folder.
    Restore {
        /// The recovery point.
        point: PointHash,
        /// Its place in the chain.
        sequence: Sequence,
        /// Only these components; empty means all.
        components: Vec<ComponentName>,
        /// Only what lies at or below these absolute paths; empty means everything.
        paths: Vec<StoredPath>,
        /// The folder.
        target: StoredPath,
        /// How it is laid there.
        #[serde(default, skip_serializing_if = "LayingWish::is_usual")]
        laying: LayingWish,
    },
    /// Lay the newest recovery point of the job's item into a folder of the home's own, and remove it again.
    Trial {
        /// That recovery point, if it was looked up before the job began.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        point: Option<TrialPoint>,
    },
    /// Prove what the vault holds.
    Verify {
        /// Only what this recovery point needs.
        point: Option<(Sequence, PointHash)>,
        /// How much of it.
        extent: VerifyExtent,
    },
}

/// A recovery point for a trial restore, and the room that it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrialPoint {
    /// Its hash.
    pub recovery_point: PointHash,
    /// Its place in the chain.
    pub sequence: Sequence,
    /// Files in it.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// How much a verify reads.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum VerifyExtent {
    /// Everything.
    Full,
    /// So many percent of the bytes, the longest unverified first.
    Percent(f64),
}

impl JobRequest {
    /// A backup as everybody asks for it.
    pub fn backup(on_demand: Option<OnDemand>) -> Self {
        Self::Backup { on_demand, despite_prechecks: false }
    }

    /// What kind of job it makes.
    pub fn kind(&self) -> JobKind {
        match self {
            Self::Backup { .. } => JobKind::Backup,
            Self::Restore { .. } | Self::Trial { .. } => JobKind::Restore,
            Self::Verify { .. } => JobKind::Verify,
        }
    }
}

/// A job's item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemReference {
    /// Its id.
    pub id: ItemId,
    /// What people call it.
    pub label: Label,
}

/// What came out of a job. A failed one may have an outcome too: what it did all the same.
///
/// Written without a tag: no two of them have the same fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum JobOutcome {
    /// A backup's.
    Backup {
        /// The recovery point.
        recovery_point: PointHash,
        /// Its place in the chain.
        sequence: Sequence,
        /// The vault's time of it.
        received_at: Timestamp,
        /// Files in it.
        files: u64,
        /// Bytes of its files, holes included.
        bytes: u64,
        /// Bytes that were sent to the vault.
        bytes_uploaded: u64,
        /// Files that were taken over from the recovery point before without opening them.
        files_unchanged: u64,
    },
    /// A restore's.
    Restore {
        /// The recovery point.
        recovery_point: PointHash,
        /// Files put back, whole.
        files: u64,
        /// Their bytes.
        bytes: u64,
        /// Bytes read from the vault.
        bytes_downloaded: u64,
        /// Files that could not be put back whole.
        files_lost: u64,
        /// Whether the recovery point's files are of one moment; `None` if it does not tell.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        one_moment: Option<bool>,
        /// What became of what lay at the target already; `None` if there could be nothing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        conflicts: Option<Conflicts>,
    },
    /// A verify's.
    Verify {
        /// Recovery points that were read.
        recovery_points: u64,
        /// Packs that were read whole.
        packs: u64,
        /// All packs that are needed.
        packs_in_all: u64,
        /// Bytes of packs read.
        bytes: u64,
        /// Bytes of all packs needed.
        bytes_in_all: u64,
        /// What was found wrong.
        problems: u64,
    },
}

impl JobOutcome {
    /// The recovery point that it made or used.
    pub fn recovery_point(&self) -> Option<PointHash> {
        match self {
            Self::Backup { recovery_point, .. } | Self::Restore { recovery_point, .. } => {
                Some(*recovery_point)
            }
            Self::Verify { .. } => None,
        }
    }
}

/// Why a job failed, as it was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobFailure {
    /// The stable code.
    pub code: String,
    /// What happened.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

impl From<&AgentError> for JobFailure {
    fn from(error: &AgentError) -> Self {
        let code = error.code();
        Self { code: code.to_string(), message: error.to_string(), remedy: code.remedy().to_owned() }
    }
}

/// A job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobRecord {
    /// Its id.
    pub id: JobId,
    /// What it is to do.
    pub request: JobRequest,
    /// Its item, if it has one.
    pub item: Option<ItemReference>,
    /// How much of the machine and of the line it may take.
    #[serde(default)]
    pub pace: Pace,
    /// How it stands.
    pub state: JobState,
    /// Whether a person has paused it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_paused: bool,
    /// What it is at.
    pub phase: Phase,
    /// How far Windows Server Backup is with what is going to be read, in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staged_percent: Option<u8>,
    /// When it was asked for, then: when it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// The process that runs it.
    pub process: Option<ProcessIdentity>,
    /// How far it is.
    pub figures: Figures,
    /// How many things were left out or are not as they should be.
    pub warnings: u64,
    /// What came out.
    pub outcome: Option<JobOutcome>,
    /// Why it failed.
    pub failure: Option<JobFailure>,
}

impl Document for JobRecord {
    const VERSION: u32 = 1;
}

impl JobRecord {
    /// A job that waits to begin.
    pub fn queued(id: JobId, request: JobRequest, item: Option<ItemReference>, now: Timestamp) -> Self {
        Self {
            id,
            request,
            item,
            pace: Pace::default(),
            state: JobState::Queued,
            is_paused: false,
            phase: Phase::Preparing,
            staged_percent: None,
            started_at: now,
            ended_at: None,
            process: Some(platform::this_process()),
            figures: Figures::default(),
            warnings: 0,
            outcome: None,
            failure: None,
        }
    }

    /// The same, at that pace.
    #[must_use]
    pub fn at(self, pace: Pace) -> Self {
        Self { pace, ..self }
    }

    /// What it does.
    pub fn kind(&self) -> JobKind {
        self.request.kind()
    }

    /// The record as it is true now: a job whose process is gone has failed, whatever its file says.
    pub fn as_of_now(mut self) -> Self {
        let is_alive = |process: &ProcessIdentity| platform::process(process.pid).as_ref() == Some(process);
        if !self.state.is_ended() && !self.process.as_ref().is_some_and(is_alive) {
            self.state = JobState::Failed;
            self.failure = Some(JobFailure::from(&AgentError::JobLost));
        }
        self
    }

    /// How a program ends that ran this job.
    pub fn exit(&self) -> Exit {
        match self.state {
            JobState::Queued | JobState::Running | JobState::Completed => Exit::Done,
            JobState::CompletedWithWarnings => Exit::Warnings,
            JobState::Cancelled => Exit::Cancelled,
            JobState::Failed => {
                let code = self.failure.as_ref().and_then(|failure| failure.code.parse::<Code>().ok());
                code.map_or(Exit::Failed, Code::exit)
            }
        }
    }

    /// What the vault is told of it: codes and counts, never a name or a path.
    pub fn report(&self) -> JobReport {
        JobReport {
            job: self.id,
            kind: self.kind(),
            item: self.item.as_ref().map(|item| item.id),
            state: self.state,
            is_paused: self.is_paused,
            phase: self.phase,
            started_at: self.started_at,
            ended_at: self.ended_at,
            files: self.figures.files,
            bytes: self.figures.bytes,
            moved_bytes: self.figures.moved_bytes,
            warnings: self.warnings,
            error_code: self.failure.as_ref().map(|failure| failure.code.clone()),
            point: self.outcome.as_ref().and_then(JobOutcome::recovery_point),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stateward_model::SystemRandom;

    fn record() -> JobRecord {
        let request = JobRequest::Verify { point: None, extent: VerifyExtent::Percent(5.0) };
        JobRecord::queued(JobId::new(&SystemRandom), request, None, Timestamp(0))
    }

    #[test]
    fn each_outcome_survives_its_file_as_what_it_is() {
        let (recovery_point, files, bytes) = (PointHash([1; 32]), 1, 2);
        let outcomes = [
            JobOutcome::Backup {
                recovery_point,
                sequence: 3,
                received_at: Timestamp(4),
                files,
                bytes,
                bytes_uploaded: 5,
                files_unchanged: 6,
            },
            JobOutcome::Restore {
                recovery_point,
                files,
                bytes,
                bytes_downloaded: 7,
                files_lost: 8,
                one_moment: None,
                conflicts: Some(Conflicts { identical: 1, copied: 2, overwritten: 3, skipped: 4 }),
            },
            JobOutcome::Verify {
                recovery_points: 1,
                packs: 2,
                packs_in_all: 3,
                bytes,
                bytes_in_all: 4,
                problems: 5,
            },
        ];
        for outcome in outcomes {
            let text = serde_json::to_string(&outcome).unwrap();
            assert_eq!(serde_json::from_str::<JobOutcome>(&text).unwrap(), outcome, "{text}");
        }
    }

    #[test]
    fn the_record_of_an_earlier_version_has_no_limit_and_a_new_one_keeps_its_own() {
        let rate = std::num::NonZeroU64::new(5000);
        let pace = Pace { low_priority: true, bytes_per_second: rate, work: None };
        let mut text = serde_json::to_value(record().at(pace.clone())).unwrap();
        assert_eq!(serde_json::from_value::<JobRecord>(text.clone()).unwrap().pace, pace);
        text.as_object_mut().unwrap().remove("pace");
        assert!(serde_json::from_value::<JobRecord>(text).unwrap().pace.is_full());
    }

    #[test]
    fn a_job_whose_process_is_gone_has_failed_as_lost() {
        let alive = JobRecord { state: JobState::Running, ..record() };
        assert_eq!(alive.clone().as_of_now(), alive);
        let mut process = platform::this_process();
        process.started += 1;
        let lost = JobRecord { process: Some(process), ..alive }.as_of_now();
        assert_eq!((lost.state, lost.failure.unwrap().code.as_str()), (JobState::Failed, "job-lost"));
    }

    #[test]
    fn a_trial_that_an_earlier_version_queued_looks_its_recovery_point_up() {
        let read: JobRequest = serde_json::from_str(r#"{"kind":"Trial"}"#).unwrap();
        assert_eq!(read, JobRequest::Trial { point: None });
        assert_eq!(serde_json::to_string(&read).unwrap(), r#"{"kind":"Trial"}"#);
    }

    #[test]
    fn an_ended_job_stays_as_it_ended() {
        let ended = JobRecord { state: JobState::Completed, process: None, ..record() };
        assert_eq!(ended.clone().as_of_now(), ended);
    }

    #[test]
    fn the_exit_code_of_a_failed_job_is_its_errors() {
        let failure = JobFailure::from(&AgentError::Busy { holder: 1 });
        let failed = JobRecord { state: JobState::Failed, failure: Some(failure), ..record() };
        assert_eq!(failed.exit(), Exit::Busy);
    }

    #[test]
    fn the_vault_is_told_no_path_and_no_message() {
        let request = JobRequest::Restore {
            point: PointHash([7; 32]),
            sequence: 1,
            components: vec!["boot".parse().unwrap()],
            paths: vec![StoredPath("/secret-path".into())],
            target: StoredPath("/secret-target".into()),
            laying: LayingWish::default(),
        };
        let failure = JobFailure {
            code: "target-full".to_owned(),
            message: "No space at /secret-target".to_owned(),
            remedy: String::new(),
        };
        let item = ItemReference { id: ItemId([1; 16]), label: "secret-label".parse().unwrap() };
        let record = JobRecord { request, item: Some(item), failure: Some(failure), ..record() };
        let told = serde_json::to_string(&record.report()).unwrap();
        assert!(!told.contains("secret"), "{told}");
        assert!(told.contains("target-full"));
    }
}
