//! Running one job: the engine's progress becomes figures, the figures go into the record, to whoever listens, and to
//! the vault; a wish to stop or to wait that is left in the home reaches the engine.

use crate::jobs::figures::{Meter, remaining_seconds};
use crate::jobs::gate::Gate;
use crate::jobs::report::Reporter;
use crate::jobs::warnings::WarningWriter;
use crate::jobs::{Figures, JobFailure, JobFolder, JobOutcome, JobRecord, JobWarning};
use crate::{Agent, AgentError, RegisteredServer, platform};
use stateward_client::{HttpVault, Manner, Surroundings, Throttle};
use stateward_engine::{Advance, Cancellation, Progress, Tools};
use stateward_format::manifest::{Precheck, Warning};
use stateward_model::{JobId, JobState, Phase, Timestamp};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How often a running job looks at itself: whether it is asked to stop, and how far it is.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Every so many looks the record is written and the listener told: twice a second.
const LOOKS_PER_RECORD: u32 = 2;

/// Who watches a job. Called from the job's own threads, `warned` from several at a time.
pub trait JobListener: Send + Sync {
    /// The job is so far: at its start, at most twice a second from then on.
    fn progressed(&self, job: &JobRecord, now: Timestamp);
    /// Something was left out or is not as it should be.
    fn warned(&self, warning: &JobWarning);
    /// A precheck did not pass; the job goes on.
    fn prechecked(&self, precheck: &Precheck);
}

/// What a job's work comes to: an outcome, a failure, or both.
pub struct Worked {
    /// What came out.
    pub outcome: Option<JobOutcome>,
    /// Why it failed.
    pub error: Option<AgentError>,
}

impl From<Result<JobOutcome, AgentError>> for Worked {
    fn from(result: Result<JobOutcome, AgentError>) -> Self {
        match result {
            Ok(outcome) => Self { outcome: Some(outcome), error: None },
            Err(error) => Self { outcome: None, error: Some(error) },
        }
    }
}

/// A job while it runs.
pub struct RunningJob<'a> {
    record: Mutex<JobRecord>,
    folder: Option<&'a JobFolder>,
    warnings: Mutex<Option<WarningWriter>>,
    warned: AtomicU64,
    files: AtomicU64,
    bytes: AtomicU64,
    moved_bytes: AtomicU64,
    meter: Mutex<Meter>,
    gate: Gate,
    reporter: Reporter,
    listener: &'a dyn JobListener,
    surroundings: &'a Surroundings,
    cancellation: &'a Cancellation,
}

/// What a job is run with.
#[derive(Clone, Copy)]
pub struct JobContext<'a> {
    /// Where its record is kept; nowhere for a job without a home.
    pub folder: Option<&'a JobFolder>,
    /// Who watches.
    pub listener: &'a dyn JobListener,
    /// Time and randomness.
    pub surroundings: &'a Surroundings,
    /// Stops it.
    pub cancellation: &'a Cancellation,
}

/// Runs a job to its end and gives its record. The caller holds the home's job lock.
pub fn run(
    record: JobRecord,
    context: JobContext<'_>,
    work: impl FnOnce(&RunningJob<'_>, &Tools<'_>) -> Worked,
) -> JobRecord {
    let job = RunningJob::begin(record, context);
    let worked = std::thread::scope(|scope| {
        let (stop, stopped) = mpsc::channel();
        scope.spawn(|| job.watch(stopped));
        let reports = scope.spawn(|| {
            job.reporter.report_while_running(|| job.present().report(), context.cancellation);
        });
        let tools = Tools {
            clock: &*context.surroundings.clock,
            random: &*context.surroundings.random,
            progress: &job,
            cancellation: context.cancellation,
        };
        let worked = {
            // Dropped also when the work panics, so that neither thread waits for ever.
            let _ends = (stop, StopReports(&job.reporter));
            work(&job, &tools)
        };
        // A panic in it was told where it happened; the vault hears of the job's end below all the same.
        let _ = reports.join();
        worked
    });
    job.end(worked)
}

struct StopReports<'a>(&'a Reporter);

impl Drop for StopReports<'_> {
    fn drop(&mut self) {
        self.0.stop();
    }
}

impl<'a> RunningJob<'a> {
    fn begin(mut record: JobRecord, context: JobContext<'a>) -> Self {
        record.state = JobState::Running;
        record.failure = None;
        record.process = Some(platform::this_process());
        record.started_at = context.surroundings.clock.now();
        let warnings = context.folder.and_then(|folder| {
            let made = WarningWriter::create(&folder.warnings_path(record.id));
            made.inspect_err(|cause| tracing::warn!(%cause, "warnings can't be kept")).ok()
        });
        tracing::info!(job = %record.id, kind = %record.kind(), "job begins");
        let job = Self {
            record: Mutex::new(record),
            folder: context.folder,
            warnings: Mutex::new(warnings),
            warned: AtomicU64::new(0),
            files: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            moved_bytes: AtomicU64::new(0),
            meter: Mutex::new(Meter::default()),
            gate: Gate::default(),
            reporter: Reporter::default(),
            listener: context.listener,
            surroundings: context.surroundings,
            cancellation: context.cancellation,
        };
        let record = job.present();
        job.keep(|folder| folder.save(&record));
        job.listener.progressed(&record, record.started_at);
        job
    }

    /// Which job it is.
    pub fn id(&self) -> JobId {
        locked(&self.record).id
    }

    /// Signs in to the vault for this job. From now on the vault is told how the job stands.
    pub fn connect(&self, agent: &Agent, server: &RegisteredServer) -> Result<Arc<HttpVault>, AgentError> {
        let (manner, throttle) = self.way();
        Ok(self.connected(server.connect(agent, manner, throttle)?))
    }

    /// The same, and holds out while the vault is away.
    pub fn connect_patiently(
        &self,
        agent: &Agent,
        server: &RegisteredServer,
    ) -> Result<Arc<HttpVault>, AgentError> {
        let (manner, throttle) = self.way();
        Ok(self.connected(server.connect_patiently(agent, manner, throttle)?))
    }

    fn way(&self) -> (Manner, Option<Throttle>) {
        let throttle = locked(&self.record).pace.throttle(&self.surroundings.clock);
        (Manner::job(self.cancellation.clone()), throttle)
    }

    fn connected(&self, vault: HttpVault) -> Arc<HttpVault> {
        let vault = Arc::new(vault);
        self.reporter.connected(Arc::clone(&vault));
        vault
    }

    /// How much content is still to be done, in bytes, as far as it is known.
    pub fn bytes_left(&self) -> Option<u64> {
        let figures = self.present().figures;
        Some(figures.bytes_expected?.saturating_sub(figures.bytes))
    }

    /// Where what is said while it runs is kept, if anywhere.
    pub fn log_path(&self) -> Option<PathBuf> {
        self.folder.map(|folder| folder.log_path(self.id()))
    }

    /// Tells how far Windows Server Backup is with what is going to be read, in percent.
    pub fn staged(&self, percent: Option<u8>) {
        locked(&self.record).staged_percent = percent;
    }

    /// How it stands once its work has come to this.
    pub fn state_after(&self, error: Option<&AgentError>) -> JobState {
        match error {
            None if self.warned.load(Relaxed) == 0 => JobState::Completed,
            None => JobState::CompletedWithWarnings,
            Some(error) if error.code() == crate::codes::Code::Cancelled => JobState::Cancelled,
            Some(_) => JobState::Failed,
        }
    }

    /// Tells what was checked before the job, as far as it did not pass.
    pub fn prechecked(&self, prechecks: &[Precheck]) {
        for precheck in prechecks.iter().filter(|precheck| precheck.outcome > 0) {
            tracing::warn!(code = precheck.code, "{}", precheck.message);
            self.listener.prechecked(precheck);
        }
    }

    /// The record as it is now.
    fn present(&self) -> JobRecord {
        let mut record = locked(&self.record).clone();
        record.figures = self.figures(record.figures);
        record.warnings = self.warned.load(Relaxed);
        record.is_paused = self.gate.is_closed();
        record
    }

    fn figures(&self, before: Figures) -> Figures {
        let bytes = self.bytes.load(Relaxed);
        let (files, moved_bytes) = (self.files.load(Relaxed), self.moved_bytes.load(Relaxed));
        let eta_seconds = remaining_seconds(bytes, before.bytes_expected, before.rate);
        Figures { files, bytes, moved_bytes, eta_seconds, ..before }
    }

    /// Looks at the job until it ends, which hangs up `stopped`.
    fn watch(&self, stopped: Receiver<()>) {
        let mut looks = 0;
        while stopped.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
            self.obey();
            looks += 1;
            if looks % LOOKS_PER_RECORD == 0 {
                self.tell();
            }
        }
    }

    /// Does what was asked of it by marks in the home.
    fn obey(&self) {
        let (Some(folder), id) = (self.folder, self.id()) else { return };
        if folder.is_asked_to_cancel(id) {
            self.cancellation.cancel();
        }
        if self.gate.set_closed(folder.is_asked_to_pause(id) && !self.cancellation.is_cancelled()) {
            tracing::info!(job = %id, is_paused = self.gate.is_closed(), "job pauses or goes on");
            self.reporter.wake();
        }
    }

    fn tell(&self) {
        let now = self.surroundings.clock.now();
        let rate = locked(&self.meter).look(now, self.bytes.load(Relaxed));
        locked(&self.record).figures.rate = rate;
        let record = self.present();
        self.flush_warnings();
        self.keep(|folder| folder.save_soon(&record));
        self.listener.progressed(&record, now);
    }

    fn end(self, worked: Worked) -> JobRecord {
        let mut record = JobRecord { is_paused: false, ..self.present() };
        record.ended_at = Some(self.surroundings.clock.now());
        record.figures.eta_seconds = None;
        record.staged_percent = None;
        record.state = self.state_after(worked.error.as_ref());
        record.failure = worked.error.as_ref().map(JobFailure::from);
        record.outcome = worked.outcome;
        self.flush_warnings();
        self.keep(|folder| folder.save_last(&record));
        if let Some(folder) = self.folder {
            folder.forget_marks(record.id);
        }
        let code = record.failure.as_ref().map(|failure| failure.code.as_str());
        tracing::info!(job = %record.id, state = %record.state, code, warnings = record.warnings, "job ends");
        self.reporter.last_word(&record.report());
        record
    }

    /// A record that can't be written must not end the job: what the vault acknowledges counts, not the record.
    fn keep(&self, write: impl FnOnce(&JobFolder) -> Result<(), AgentError>) {
        if let Some(Err(error)) = self.folder.map(write) {
            tracing::warn!(%error, "the job's record can't be written");
        }
    }

    fn flush_warnings(&self) {
        if let Some(writer) = locked(&self.warnings).as_mut()
            && let Err(cause) = writer.flush()
        {
            tracing::warn!(%cause, "warnings can't be written");
        }
    }
}

impl Progress for RunningJob<'_> {
    fn phase(&self, phase: Phase) {
        locked(&self.record).phase = phase;
        tracing::info!(%phase, "phase begins");
    }

    fn expected(&self, files: u64, bytes: u64) {
        let mut record = locked(&self.record);
        record.figures.files_expected = Some(files);
        record.figures.bytes_expected = Some(bytes);
    }

    fn advanced(&self, advance: Advance) {
        self.files.fetch_add(advance.files, Relaxed);
        self.bytes.fetch_add(advance.bytes, Relaxed);
        self.moved_bytes.fetch_add(advance.moved_bytes, Relaxed);
        // The engine's threads pass by here between two files or packs, and hold nothing that others need.
        self.gate.pass(self.cancellation);
    }

    fn warning(&self, warning: &Warning) {
        let warning = JobWarning::from(warning);
        self.warned.fetch_add(1, Relaxed);
        if let Some(writer) = locked(&self.warnings).as_mut()
            && let Err(cause) = writer.write(&warning)
        {
            tracing::warn!(%cause, "a warning can't be written");
        }
        self.listener.warned(&warning);
    }
}

/// A thread that panicked while it held one of these left whole values behind.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
