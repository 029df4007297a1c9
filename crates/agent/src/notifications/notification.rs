//! What is told of a job: codes, counts and labels. A path or a message that may hold one is never part of it.

use crate::jobs::{JobOutcome, JobRecord, JobWarning};
use crate::{Agent, Code, Registration};
use serde::{Deserialize, Serialize};
use stateward_model::{JobId, JobKind, JobState, Label, PointHash, ServerId, Timestamp, counted};
use std::collections::BTreeMap;
use std::fmt;

/// The ends of jobs that may be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Occasion {
    /// A job failed, or was lost.
    Failed,
    /// A job is done, and something was left out or is not as it should be.
    Warnings,
    /// A job is done, with nothing left out.
    Completed,
}

impl Occasion {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Failed, Self::Warnings, Self::Completed];

    /// What a job's state is; `None` for one that goes on, or that a person ended, who knows.
    pub fn of(state: JobState) -> Option<Self> {
        match state {
            JobState::Failed => Some(Self::Failed),
            JobState::CompletedWithWarnings => Some(Self::Warnings),
            JobState::Completed => Some(Self::Completed),
            JobState::Queued | JobState::Running | JobState::Cancelled => None,
        }
    }
}

impl fmt::Display for Occasion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Failed => "failed",
            Self::Warnings => "warnings",
            Self::Completed => "completed",
        })
    }
}

/// What is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    /// `job-ended` or `test`.
    pub event: String,
    /// The whole in a sentence: what chat services show.
    pub text: String,
    /// The program's name and version.
    pub program: String,
    /// This server's label, if it is registered.
    pub server: Option<Label>,
    /// Its id.
    pub server_id: Option<ServerId>,
    /// The label of its vault.
    pub vault: Option<Label>,
    /// The job.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub job: Option<ToldJob>,
}

/// A job as it is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToldJob {
    /// Its id.
    pub job: JobId,
    /// What it did.
    pub kind: JobKind,
    /// How it ended.
    pub state: JobState,
    /// The item's label, if it has one.
    pub item: Option<Label>,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended, if that is known.
    pub ended_at: Option<Timestamp>,
    /// Files and other entries done.
    pub files: u64,
    /// Bytes done.
    pub bytes: u64,
    /// Bytes moved.
    pub moved_bytes: u64,
    /// How many things were left out or are not as they should be.
    pub warnings: u64,
    /// How many of each code.
    pub warning_codes: BTreeMap<String, u64>,
    /// The error's stable code, if it failed.
    pub error_code: Option<String>,
    /// The recovery point that it made or used.
    pub recovery_point: Option<PointHash>,
}

impl Notification {
    /// Of a job that ended with these warnings.
    pub(crate) fn of(agent: &Agent, record: &JobRecord, warnings: &[JobWarning]) -> Self {
        let mut warning_codes = BTreeMap::new();
        warnings.iter().for_each(|warning| *warning_codes.entry(warning.code.clone()).or_default() += 1);
        let job = ToldJob {
            job: record.id,
            kind: record.kind(),
            state: record.state,
            item: record.item.as_ref().map(|item| item.label.clone()),
            started_at: record.started_at,
            ended_at: record.ended_at,
            files: record.figures.files,
            bytes: record.figures.bytes,
            moved_bytes: record.figures.moved_bytes,
            warnings: record.warnings,
            warning_codes,
            error_code: record.failure.as_ref().map(|failure| failure.code.clone()),
            recovery_point: record.outcome.as_ref().and_then(JobOutcome::recovery_point),
        };
        let mut told = Self::from(agent, "job-ended");
        told.text = told.sentence(&job);
        Self { job: Some(job), ..told }
    }

    /// One that only shows that it arrives.
    pub(crate) fn test(agent: &Agent) -> Self {
        let told = Self::from(agent, "test");
        let text = format!("Stateward on {} tells of its jobs here; this is a test", told.place());
        Self { text, ..told }
    }

    fn from(agent: &Agent, event: &str) -> Self {
        // Without a registration there is still something to tell.
        let registration = Registration::find(agent.home()).ok().flatten();
        let (server_id, (server, vault)) = (
            registration.as_ref().map(|found| found.server),
            registration.map(|found| (found.label, found.vault_name)).unzip(),
        );
        let (event, program) = (event.to_owned(), agent.program().to_owned());
        Self { event, text: String::new(), program, server, server_id, vault, job: None }
    }

    fn place(&self) -> String {
        self.server.as_ref().map_or_else(|| "this machine".to_owned(), |label| format!("`{label}`"))
    }

    fn sentence(&self, job: &ToldJob) -> String {
        let of = job.item.as_ref().map(|item| format!(" of `{item}`")).unwrap_or_default();
        let begin = format!("{}{of} on {}", job.kind, self.place());
        let id = job.job;
        match (Occasion::of(job.state), &job.error_code) {
            (Some(Occasion::Failed), Some(code)) => match code.parse::<Code>() {
                Ok(known) => format!("{begin} failed: {} [{code}], job {id}", known.meaning()),
                Err(_) => format!("{begin} failed [{code}], job {id}"),
            },
            (Some(Occasion::Warnings), _) => {
                let codes: Vec<String> =
                    job.warning_codes.iter().map(|(code, count)| format!("{count} {code}")).collect();
                let warnings = counted(job.warnings, "warning");
                format!("{begin} is done with {warnings} ({}), job {id}", codes.join(", "))
            }
            (Some(Occasion::Completed), _) => {
                format!("{begin} is done: {}, job {id}", counted(job.files, "file"))
            }
            _ => format!("{begin}: {}, job {id}", job.state),
        }
    }
}
