//! Snapshots of volumes by VSS, all of one moment, for as long as somebody holds them.
//!
//! They belong to this process: whoever reads them holds a [`VolumeSnapshots`], and if the process dies Windows removes them. Writers
//! (databases, registry, directory services) take part, as in any backup; which of them fail is told.
//!
//! COM objects stay on the thread that made them, so one thread does everything, step by step as it is asked. It is asked twice, since
//! the caller must know what the time is *before* the snapshots are made.

mod com;
mod interfaces;
mod requester;

use com::Apartment;
use requester::{Added, Requester};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use windows_sys::core::GUID;

/// How often it is looked whether somebody stops the backup.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Why VSS doesn't do something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The function that was called.
    pub step: &'static str,
    /// Why.
    pub cause: Cause,
}

/// See [`Failure`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// It answered with this code (an `HRESULT`).
    Code(u32),
    /// It went on for too long.
    TimedOut,
    /// Somebody stopped it.
    Stopped,
    /// It ended without what it was to give.
    Ended,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let step = self.step;
        match self.cause {
            Cause::Code(code) => write!(f, "`{step}` answers {code:#010x}"),
            Cause::TimedOut => write!(f, "`{step}` takes too long"),
            Cause::Stopped => write!(f, "`{step}` was stopped"),
            Cause::Ended => write!(f, "`{step}` gives nothing"),
        }
    }
}

impl std::error::Error for Failure {}

/// A writer that did not do its part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedWriter {
    /// Its name, which Windows doesn't translate.
    pub name: String,
    /// Why (an `HRESULT`); 0 if it doesn't say.
    pub code: u32,
}

/// What the thread tells.
enum Report {
    Prepared(Vec<Added>),
    Made(Made),
    Failed(Failure),
    Ended(Result<(), Failure>),
}

/// Snapshots that were made.
struct Made {
    devices: Vec<String>,
    writers: Result<Vec<FailedWriter>, Failure>,
}

/// The thread that speaks with VSS. When this is dropped it ends what it is at, and then itself.
struct Worker {
    reports: Receiver<Report>,
    /// Each word says: go on. Without it, what was begun is ended.
    go: Option<Sender<()>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// Volumes of which snapshots can be made at once.
pub struct Prepared {
    worker: Worker,
    volumes: Vec<String>,
}

/// Snapshots that are there as long as this is held.
pub struct VolumeSnapshots {
    worker: Worker,
    /// Each volume by its id, with the folder at which its snapshot is read.
    pub roots: Vec<(String, PathBuf)>,
    /// Writers that did not do their part, or why they can't be asked.
    pub writers: Result<Vec<FailedWriter>, Failure>,
}

/// Prepares snapshots of volumes (`\\?\Volume{GUID}\`), all in one set. Gives what can be made of them, and of each volume that can't be
/// in it why. Whether somebody stops it is looked at meanwhile.
pub fn prepare(
    volumes: Vec<String>,
    is_stopped: &dyn Fn() -> bool,
) -> (Option<Prepared>, Vec<(String, Failure)>) {
    let all = |failure: Failure| volumes.iter().map(|volume| (volume.clone(), failure.clone())).collect();
    let worker = match Worker::start(volumes.clone()) {
        Ok(worker) => worker,
        Err(failure) => return (None, all(failure)),
    };
    let added = match worker.report(is_stopped) {
        Ok(Report::Prepared(added)) => added,
        Ok(Report::Failed(failure)) | Err(failure) => return (None, all(failure)),
        Ok(_) => return (None, all(worker.is_gone())),
    };
    let (mut prepared, mut refused) = (Vec::new(), Vec::new());
    for (volume, added) in volumes.iter().cloned().zip(added) {
        match added {
            Ok(_) => prepared.push(volume),
            Err(failure) => refused.push((volume, failure)),
        }
    }
    let is_any = !prepared.is_empty();
    (is_any.then_some(Prepared { worker, volumes: prepared }), refused)
}

impl Prepared {
    /// Makes the snapshots: nothing that is written after this has returned is in them.
    pub fn make(self, is_stopped: &dyn Fn() -> bool) -> Result<VolumeSnapshots, Failure> {
        let Self { worker, volumes } = self;
        worker.go_on();
        match worker.report(is_stopped)? {
            Report::Made(Made { devices, writers }) => {
                // The device alone would be opened as such, not as the folder at its root.
                let root = |device: String| PathBuf::from(format!(r"{device}\"));
                let roots = volumes.into_iter().zip(devices.into_iter().map(root)).collect();
                Ok(VolumeSnapshots { worker, roots, writers })
            }
            Report::Failed(failure) => Err(failure),
            _ => Err(worker.is_gone()),
        }
    }

    /// The volumes, by their ids.
    pub fn volumes(&self) -> &[String] {
        &self.volumes
    }
}

impl VolumeSnapshots {
    /// Lets them go, and tells VSS that the backup has ended. Nothing may read them any more.
    ///
    /// # Errors
    /// If it can't be told well; they are gone all the same.
    pub fn release(mut self) -> Result<(), Failure> {
        self.worker.go = None;
        match self.worker.report(&|| false)? {
            Report::Ended(ended) => ended,
            _ => Err(self.worker.is_gone()),
        }
    }
}

impl Worker {
    fn start(volumes: Vec<String>) -> Result<Self, Failure> {
        let (told, reports) = mpsc::channel();
        let (go, asked) = mpsc::channel();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let work = move || {
            let ended = work(&volumes, &told, &asked, &stopped);
            let report = ended.map_or_else(Report::Failed, Report::Ended);
            // Nobody may wait for it any more.
            let _ = told.send(report);
        };
        let thread = thread::Builder::new().name("volume-snapshots".to_owned()).spawn(work);
        let thread = thread.map_err(|error| Failure::of_error("CreateThread", &error))?;
        Ok(Self { reports, go: Some(go), stop, thread: Some(thread) })
    }

    fn go_on(&self) {
        // A thread that has ended has told why.
        let _ = self.go.as_ref().map(|go| go.send(()));
    }

    /// What it tells next.
    fn report(&self, is_stopped: &dyn Fn() -> bool) -> Result<Report, Failure> {
        loop {
            match self.reports.recv_timeout(LOOK_EVERY) {
                Ok(report) => return Ok(report),
                Err(RecvTimeoutError::Timeout) if is_stopped() => self.stop.store(true, Ordering::Relaxed),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(self.is_gone()),
            }
        }
    }

    /// It has not told what it should have.
    fn is_gone(&self) -> Failure {
        Failure { step: "IVssBackupComponents", cause: Cause::Ended }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.go = None;
        if let Some(thread) = self.thread.take() {
            // If it has panicked, so much was told.
            let _ = thread.join();
        }
    }
}

/// What the thread does from its beginning to its end: the inner result is that of a backup's end, the outer that of what led there.
fn work(
    volumes: &[String],
    told: &Sender<Report>,
    go: &Receiver<()>,
    stop: &AtomicBool,
) -> Result<Result<(), Failure>, Failure> {
    let apartment = Apartment::begin()?;
    let requester = Requester::new(apartment.components()?, stop);
    let made = advance(&requester, volumes, told, go);
    match made {
        Ok(true) => Ok(requester.complete()),
        Ok(false) => {
            requester.abort();
            Ok(Ok(()))
        }
        Err(failure) => {
            requester.abort();
            Err(failure)
        }
    }
}

/// Goes on as long as it is asked to; whether there were snapshots, which nobody needs any more.
fn advance(
    requester: &Requester<'_>,
    volumes: &[String],
    told: &Sender<Report>,
    go: &Receiver<()>,
) -> Result<bool, Failure> {
    let added = requester.prepare(volumes)?;
    let ids: Vec<GUID> = added.iter().filter_map(|added| added.as_ref().ok().copied()).collect();
    // Whoever doesn't listen any more doesn't ask to go on either.
    let _ = told.send(Report::Prepared(added));
    if ids.is_empty() || go.recv().is_err() {
        return Ok(false);
    }
    requester.make()?;
    let writers = requester.failed_writers();
    let devices = ids.into_iter().map(|id| requester.device(id)).collect::<Result<_, _>>()?;
    let _ = told.send(Report::Made(Made { devices, writers }));
    // Until it is let go; nothing is ever said then.
    let _ = go.recv();
    Ok(true)
}

#[cfg(test)]
mod tests;
