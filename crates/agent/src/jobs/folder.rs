//! The home's folder of jobs.

use crate::document;
use crate::jobs::{JobRecord, JobWarning, warnings};
use crate::{AgentError, Home, disk, platform};
use stateward_model::JobId;
use std::fs::File;
use std::io;
use std::path::PathBuf;

/// So many jobs are kept; older ones that have ended are forgotten.
const JOBS_KEPT: usize = 200;

/// The jobs of a home.
#[derive(Debug, Clone)]
pub struct JobFolder {
    path: PathBuf,
}

impl JobFolder {
    /// The jobs of `home`.
    pub fn of(home: &Home) -> Self {
        Self { path: home.jobs() }
    }

    fn file(&self, id: JobId, kind: &str) -> PathBuf {
        self.path.join(format!("{id}.{kind}"))
    }

    /// Where a job's warnings stand.
    pub fn warnings_path(&self, id: JobId) -> PathBuf {
        self.file(id, "warnings")
    }

    /// Where a detached job's output goes, and what hooks say.
    pub fn log_path(&self, id: JobId) -> PathBuf {
        self.file(id, "log")
    }

    /// Keeps a record, durably.
    pub fn save(&self, record: &JobRecord) -> Result<(), AgentError> {
        Ok(document::write(&self.file(record.id, "json"), record)?)
    }

    /// Keeps a record that is soon written again.
    pub fn save_soon(&self, record: &JobRecord) -> Result<(), AgentError> {
        Ok(document::write_soon(&self.file(record.id, "json"), record)?)
    }

    /// Keeps the record of a job that is to run, and sets space aside for its last one: a job that can't say how it ended
    /// does not begin.
    pub fn begin(&self, record: &JobRecord) -> Result<(), AgentError> {
        let path = self.file(record.id, "json");
        let kept = document::set_aside(&path, record).and_then(|()| document::write(&path, record));
        kept.inspect_err(|_| remove(self.file(record.id, "json.spare")))?;
        Ok(())
    }

    /// Keeps the record of a job that has ended, on a full disk too.
    pub fn save_last(&self, record: &JobRecord) -> Result<(), AgentError> {
        Ok(document::write_last(&self.file(record.id, "json"), record)?)
    }

    /// A job's record, as it is true now.
    pub fn load(&self, id: JobId) -> Result<JobRecord, AgentError> {
        let mut written = self.read(id)?;
        loop {
            let present = written.clone().as_of_now();
            if present == written {
                return Ok(present);
            }
            // Its process is gone. What it wrote last may be newer than what was read before it went.
            let newest = self.read(id)?;
            if newest == written {
                return Ok(present);
            }
            written = newest;
        }
    }

    /// Writes down that jobs were lost whose process is gone; gives those of which nobody had.
    pub fn settle_lost(&self) -> Result<Vec<JobRecord>, AgentError> {
        let mut lost = Vec::new();
        for id in self.ids()? {
            if self.read(id).is_ok_and(|written| !written.state.is_ended())
                && let Ok(present) = self.load(id)
                && present.state.is_ended()
                && self.read(id).is_ok_and(|written| !written.state.is_ended())
            {
                self.save_last(&present)?;
                lost.push(present);
            }
        }
        Ok(lost)
    }

    fn read(&self, id: JobId) -> Result<JobRecord, AgentError> {
        document::read(&self.file(id, "json"))?.ok_or_else(|| AgentError::UnknownJob(id.to_string()))
    }

    /// Makes this process the one that runs the jobs: from now on they are lost when it ends, not before.
    pub fn take_over(&self, jobs: &mut [JobRecord]) -> Result<(), AgentError> {
        for job in jobs {
            job.process = Some(platform::this_process());
            self.save(job)?;
        }
        Ok(())
    }

    /// All jobs as they are true now, newest first. A record that can't be read is left out: it is only a record.
    pub fn list(&self) -> Result<Vec<JobRecord>, AgentError> {
        let mut records: Vec<JobRecord> =
            self.ids()?.into_iter().filter_map(|id| self.load(id).ok()).collect();
        records.sort_by_key(|record| std::cmp::Reverse((record.started_at, record.id)));
        Ok(records)
    }

    /// The job that `text` names: a whole id, or a beginning of one that only one job has.
    pub fn find(&self, text: &str) -> Result<JobRecord, AgentError> {
        let fitting: Vec<JobId> =
            self.ids()?.into_iter().filter(|id| id.to_string().starts_with(text)).collect();
        match fitting.as_slice() {
            [id] if !text.is_empty() => self.load(*id),
            _ => Err(AgentError::UnknownJob(text.to_owned())),
        }
    }

    /// The first `most` warnings of a job.
    pub fn warnings(&self, id: JobId, most: usize) -> Result<Vec<JobWarning>, AgentError> {
        let path = self.warnings_path(id);
        warnings::read(&path, most).map_err(|cause| unusable(path, cause))
    }

    /// A word about warnings that the home could not keep, if it could not keep all: `kept` of them are there.
    pub fn lost_warnings(job: &JobRecord, kept: usize) -> Option<JobWarning> {
        let lost = job.warnings.saturating_sub(kept as u64);
        (job.state.is_ended() && lost > 0).then(|| JobWarning {
            code: "warnings-not-kept".to_owned(),
            path: String::new(),
            path_base64: None,
            message: format!(
                "{lost} more warnings could not be written down, for the home's disk was full or failed"
            ),
        })
    }

    /// Asks the process that runs the job to stop.
    pub fn ask_to_cancel(&self, id: JobId) -> Result<(), AgentError> {
        if self.load(id)?.state.is_ended() {
            return Err(AgentError::JobEnded(id));
        }
        self.mark(id, "cancel")
    }

    /// Whether somebody asked the job to stop.
    pub fn is_asked_to_cancel(&self, id: JobId) -> bool {
        self.file(id, "cancel").exists()
    }

    /// Makes the job wait, or go on.
    pub fn set_paused(&self, id: JobId, is_paused: bool) -> Result<(), AgentError> {
        if self.load(id)?.state.is_ended() {
            return Err(AgentError::JobEnded(id));
        }
        match is_paused {
            true => self.mark(id, "pause"),
            false => {
                remove(self.file(id, "pause"));
                Ok(())
            }
        }
    }

    /// Whether somebody has paused the job.
    pub fn is_asked_to_pause(&self, id: JobId) -> bool {
        self.file(id, "pause").exists()
    }

    /// Removes the marks of a job that has ended.
    pub fn forget_marks(&self, id: JobId) {
        ["cancel", "pause"].iter().for_each(|kind| remove(self.file(id, kind)));
    }

    fn mark(&self, id: JobId, kind: &str) -> Result<(), AgentError> {
        let path = self.file(id, kind);
        let made = platform::make_private_options().create(true).truncate(true).open(&path);
        made.map(|_: File| ()).map_err(|cause| unusable(path, cause))
    }

    /// Forgets old jobs that have ended.
    pub fn tidy(&self) -> Result<(), AgentError> {
        for record in self.list()?.iter().skip(JOBS_KEPT).filter(|record| record.state.is_ended()) {
            ["cancel", "pause", "warnings", "log", "json.spare", "json"]
                .iter()
                .for_each(|kind| remove(self.file(record.id, kind)));
        }
        Ok(())
    }

    fn ids(&self) -> Result<Vec<JobId>, AgentError> {
        let unusable = |cause| unusable(self.path.clone(), cause);
        let entries = match std::fs::read_dir(&self.path) {
            Ok(entries) => entries,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(cause) => return Err(unusable(cause)),
        };
        let mut ids = Vec::new();
        for entry in entries {
            let name = entry.map_err(unusable)?.file_name();
            ids.extend(name.to_str().and_then(|name| name.strip_suffix(".json")?.parse::<JobId>().ok()));
        }
        Ok(ids)
    }
}

fn unusable(path: PathBuf, cause: io::Error) -> AgentError {
    AgentError::HomeUnusable { cause: disk::explained(&path, cause), path }
}

/// A file that stays behind does no harm; the next tidying tries again.
fn remove(path: PathBuf) {
    match std::fs::remove_file(&path) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
            tracing::warn!(%cause, "a file of a job can't be removed");
        }
        _ => (),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::{JobRequest, VerifyExtent};
    use stateward_model::{JobState, SystemRandom, Timestamp};

    fn folder() -> (tempfile::TempDir, JobFolder) {
        let temporary = tempfile::tempdir().unwrap();
        let home = Home::at(Some(temporary.path())).unwrap();
        home.prepare().unwrap();
        let folder = JobFolder::of(&home);
        (temporary, folder)
    }

    fn job(state: JobState, started_at: i64) -> JobRecord {
        let request = JobRequest::Verify { point: None, extent: VerifyExtent::Full };
        let id = JobId::new(&SystemRandom);
        JobRecord { state, ..JobRecord::queued(id, request, None, Timestamp(started_at)) }
    }

    #[test]
    fn jobs_are_listed_newest_first_and_found_by_a_beginning() {
        let (_temporary, folder) = folder();
        assert!(folder.list().unwrap().is_empty());
        let jobs = [job(JobState::Completed, 1), job(JobState::Failed, 3), job(JobState::Completed, 2)];
        jobs.iter().for_each(|job| folder.save(job).unwrap());
        let listed: Vec<i64> = folder.list().unwrap().iter().map(|job| job.started_at.0).collect();
        assert_eq!(listed, [3, 2, 1]);
        let text = jobs[0].id.to_string();
        assert_eq!(folder.find(&text[..13]).unwrap(), jobs[0]);
        assert!(matches!(folder.find("zz"), Err(AgentError::UnknownJob(_))));
        assert!(matches!(folder.find(""), Err(AgentError::UnknownJob(_))));
    }

    #[test]
    fn jobs_that_are_taken_over_live_on_when_the_process_that_asked_for_them_ends() {
        let (_temporary, folder) = folder();
        let mut queued = job(JobState::Queued, 1);
        queued.process = None;
        folder.save(&queued).unwrap();
        assert_eq!(folder.load(queued.id).unwrap().state, JobState::Failed);
        folder.take_over(std::slice::from_mut(&mut queued)).unwrap();
        assert_eq!(folder.load(queued.id).unwrap(), queued);
    }

    #[test]
    fn only_a_job_that_goes_on_can_be_cancelled_or_paused() {
        let (_temporary, folder) = folder();
        let (running, ended) = (job(JobState::Running, 1), job(JobState::Completed, 2));
        [&running, &ended].iter().for_each(|job| folder.save(job).unwrap());
        assert!(matches!(folder.ask_to_cancel(ended.id), Err(AgentError::JobEnded(_))));
        assert!(!folder.is_asked_to_cancel(running.id));
        folder.ask_to_cancel(running.id).unwrap();
        assert!(folder.is_asked_to_cancel(running.id));
        folder.set_paused(running.id, true).unwrap();
        assert!(folder.is_asked_to_pause(running.id));
        folder.set_paused(running.id, false).unwrap();
        folder.set_paused(running.id, false).unwrap();
        assert!(!folder.is_asked_to_pause(running.id));
        assert!(matches!(folder.set_paused(ended.id, true), Err(AgentError::JobEnded(_))));
        folder.set_paused(running.id, true).unwrap();
        folder.forget_marks(running.id);
        assert!(!folder.is_asked_to_cancel(running.id) && !folder.is_asked_to_pause(running.id));
    }

    #[test]
    fn old_jobs_are_forgotten_but_never_one_that_goes_on() {
        let (_temporary, folder) = folder();
        let running = job(JobState::Running, 0);
        folder.save(&running).unwrap();
        (1..=JOBS_KEPT as i64 + 5).for_each(|at| folder.save_soon(&job(JobState::Completed, at)).unwrap());
        folder.tidy().unwrap();
        assert_eq!(folder.list().unwrap().len(), JOBS_KEPT + 1);
        assert_eq!(folder.load(running.id).unwrap().id, running.id);
    }
}
