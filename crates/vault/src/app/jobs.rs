//! Jobs: as agents report them, and what the vault does itself.
//!
//! How a job stands is judged when it is looked at, from the last report and what else is known: an agent that was killed
//! reports nothing more, and nobody would write down that its job failed.

use super::audit::{Actor, Change};
use super::principals::Place;
use super::tokens::ServerCaller;
use super::{App, Error, vaults};
use crate::db::jobs::Job;
use crate::db::{self, Scope};
use serde_json::json;
use stateward_api::ErrorCode;
use stateward_api::agent::{JobAnswer, JobReport};
use stateward_model::{ItemId, JobId, JobKind, JobState, Phase, ServerId, Timestamp, VaultId};
use std::ops::RangeInclusive;

/// How many jobs are listed: the newest.
const LISTED_JOBS: u32 = 10_000;

/// The longest error code, in bytes.
const CODE_BYTES_MAX: usize = 64;

/// A job of which nothing was heard for so long is lost, unless its server holds a session. Agents report every five
/// seconds.
const SILENT_SECONDS: i64 = 120;

/// How a job stands, in Azure's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It waits to begin, or goes on.
    InProgress,
    /// Somebody asked for its end, and its agent has not ended it yet.
    Cancelling,
    /// Done, with nothing left out.
    Completed,
    /// Done, but something was left out.
    CompletedWithWarnings,
    /// Ended without its result.
    Failed,
    /// Ended because a person asked for it.
    Cancelled,
}

impl Standing {
    /// The word.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "InProgress",
            Self::Cancelling => "Cancelling",
            Self::Completed => "Completed",
            Self::CompletedWithWarnings => "CompletedWithWarnings",
            Self::Failed => "Failed",
            Self::Cancelled => "Cancelled",
        }
    }
}

/// Why a job failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum JobFault {
    /// Its agent says so, by this code.
    Reported(String),
    /// Its agent has gone silent.
    Lost,
    /// No agent took it in time.
    NotTaken,
}

/// A job, and how it stands at a moment.
pub(crate) struct JudgedJob {
    /// The job.
    pub(crate) job: Job,
    /// How it stands.
    pub(crate) standing: Standing,
    /// Why it failed, if it did.
    pub(crate) fault: Option<JobFault>,
    /// When it ended, or was given up.
    pub(crate) ended_at: Option<Timestamp>,
    /// The moment.
    pub(crate) now: Timestamp,
}

fn judge(job: Job, now: Timestamp) -> JudgedJob {
    let report = &job.report;
    let is_silent = job.reported_at.plus_seconds(SILENT_SECONDS) <= now && !job.has_session;
    let (standing, fault) = match report.state {
        JobState::Completed => (Standing::Completed, None),
        JobState::CompletedWithWarnings => (Standing::CompletedWithWarnings, None),
        JobState::Cancelled => (Standing::Cancelled, None),
        JobState::Failed => {
            let code = report.error_code.clone().unwrap_or_else(|| "internal".to_owned());
            (Standing::Failed, Some(JobFault::Reported(code)))
        }
        JobState::Queued | JobState::Running => match job.takeable_until {
            Some(until) if until > now => (Standing::InProgress, None),
            Some(_) => (Standing::Failed, Some(JobFault::NotTaken)),
            None if is_silent => (Standing::Failed, Some(JobFault::Lost)),
            None if job.cancel_requested_at.is_some() => (Standing::Cancelling, None),
            None => (Standing::InProgress, None),
        },
    };
    let ended_at = match fault {
        Some(JobFault::Lost) => Some(job.reported_at),
        Some(JobFault::NotTaken) => job.takeable_until,
        _ => report.ended_at.filter(|_| report.state.is_ended()),
    };
    JudgedJob { job, standing, fault, ended_at, now }
}

impl App {
    /// Takes a report; tells whether the job is to end. Names must stay on the server, so an error's code may look like a
    /// code only.
    pub(crate) async fn put_job(
        &self,
        caller: ServerCaller,
        job: JobId,
        report: &JobReport,
    ) -> Result<JobAnswer, Error> {
        if report.job != job {
            return Err(Error::invalid("The report is of another job"));
        }
        if !report.kind.is_of_agents() {
            return Err(Error::invalid(format!("A job `{}` is the vault's own", report.kind)));
        }
        if report.error_code.as_deref().is_some_and(|code| !is_code(code)) {
            return Err(Error::invalid("An error's code has 1 to 64 letters, digits and `-`"));
        }
        let now = self.now();
        let mut transaction = self.write_in(Scope::Domain(caller.domain)).await?;
        db::jobs::upsert(&mut transaction, caller.server, report, now).await?;
        db::servers::see(&mut transaction, caller.server, now).await?;
        let is_asked = db::jobs::is_asked_to_cancel(&mut transaction, caller.server, job).await?;
        transaction.commit().await?;
        Ok(JobAnswer { cancel_requested: is_asked })
    }

    /// Notes a job of the vault's own, which is done by then.
    pub(super) async fn note_job(
        &self,
        transaction: &mut db::Write,
        server: ServerId,
        item: Option<ItemId>,
        kind: JobKind,
    ) -> Result<JobId, Error> {
        let now = self.now();
        let ended = Some(now);
        let report =
            JobReport { ended_at: ended, ..JobReport::queued(JobId::new(&*self.random), kind, item, now) };
        let report = JobReport { state: JobState::Completed, phase: Phase::Finishing, ..report };
        db::jobs::upsert(transaction, server, &report, now).await?;
        Ok(report.job)
    }

    /// Notes a job that an agent is to do.
    pub(super) async fn queue_job(
        &self,
        transaction: &mut db::Write,
        server: ServerId,
        item: ItemId,
        kind: JobKind,
    ) -> Result<JobId, Error> {
        let now = self.now();
        let report = JobReport::queued(JobId::new(&*self.random), kind, Some(item), now);
        db::jobs::upsert(transaction, server, &report, now).await?;
        Ok(report.job)
    }

    /// The newest jobs of a vault that began within a time, newest first.
    pub(crate) async fn jobs_of(
        &self,
        vault: VaultId,
        began: RangeInclusive<Timestamp>,
    ) -> Result<Vec<JudgedJob>, Error> {
        let now = self.now();
        let mut connection = self.database.read().await?;
        let jobs = db::jobs::list(&mut connection, vault, now, began, LISTED_JOBS).await?;
        Ok(jobs.into_iter().map(|job| judge(job, now)).collect())
    }

    /// A job of a vault.
    pub(crate) async fn job(&self, vault: VaultId, id: JobId) -> Result<JudgedJob, Error> {
        find(&mut *self.database.read().await?, vault, self.now(), id).await
    }

    /// Asks for a job's end. Its agent learns it with the answer to its next report; a job that no agent has taken ends at
    /// once.
    pub(crate) async fn cancel_job(&self, actor: &Actor, place: &Place, id: JobId) -> Result<(), Error> {
        let now = self.now();
        let mut transaction = self.write().await?;
        let vault = vaults::find(&mut transaction, place).await?;
        let JudgedJob { job, standing, .. } = find(&mut transaction, vault.id, now, id).await?;
        match standing {
            Standing::InProgress => {}
            Standing::Cancelling | Standing::Cancelled => return Ok(()),
            ended => {
                let why = format!("The job `{id}` can't be cancelled, for it has ended: {}", ended.as_str());
                return Err(Error::refused(ErrorCode::InvalidState, why));
            }
        }
        if db::commands::withdraw(&mut transaction, job.server, id).await? {
            let report = JobReport { state: JobState::Cancelled, ended_at: Some(now), ..job.report };
            db::jobs::upsert(&mut transaction, job.server, &report, now).await?;
        } else {
            db::jobs::ask_to_cancel(&mut transaction, (job.server, id), now).await?;
        }
        let subject = id.to_string();
        let detail = json!({ "server": job.server });
        let change = Change { vault: Some(vault.id), actor, act: "job.cancel", subject: &subject, detail };
        self.record(&mut transaction, change).await?;
        Ok(transaction.commit().await?)
    }
}

async fn find(
    connection: &mut db::Connection,
    vault: VaultId,
    now: Timestamp,
    id: JobId,
) -> Result<JudgedJob, Error> {
    let found = db::jobs::find(connection, vault, now, id).await?;
    found.map(|job| judge(job, now)).ok_or_else(|| Error::not_found(format!("job `{id}`")))
}

/// A report of a backup: for tests.
#[cfg(test)]
pub(super) fn report_of(job: JobId, item: ItemId, state: JobState, started_at: Timestamp) -> JobReport {
    JobReport { state, ..JobReport::queued(job, JobKind::Backup, Some(item), started_at) }
}

fn is_code(code: &str) -> bool {
    (1..=CODE_BYTES_MAX).contains(&code.len())
        && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests;
