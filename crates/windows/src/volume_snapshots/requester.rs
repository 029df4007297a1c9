//! The steps of a backup in the order that VSS asks for, each waited for no longer than it may take.
//!
//! Sources: Microsoft, "Overview of Processing a Backup Under VSS", "Requester Role in Backing Up Complex Stores", and the pages of the
//! functions.

use super::interfaces::{Components, Operation, WriterStatus};
use super::{Cause, FailedWriter, Failure};
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use windows_sys::core::{GUID, HRESULT};

/// `VSS_CTX_BACKUP` with `VSS_VOLSNAP_ATTR_NO_AUTORECOVERY`. Writers take part, and the snapshots go with the process at the latest. In
/// a snapshot with auto-recovery writers may change and delete files (those that the registry lists under `FilesNotToSnapshot`, such as
/// Outlook's caches): these would be missing from the backup, and nobody would be told.
const CONTEXT: i32 = 0x2;

/// `VSS_BT_COPY`: so no writer takes it for the backup after which it may cut its logs.
const COPY: i32 = 5;

/// `VSS_E_SNAPSHOT_SET_IN_PROGRESS`.
const IN_PROGRESS: Cause = Cause::Code(0x8004_2316);

/// `VSS_E_VOLUME_NOT_SUPPORTED`.
const NOT_SUPPORTED: Cause = Cause::Code(0x8004_230c);

/// `VSS_S_ASYNC_PENDING`.
const PENDING: HRESULT = 0x0004_2309;

/// `VSS_S_ASYNC_CANCELLED`.
const CANCELLED: HRESULT = 0x0004_230b;

/// `VSS_WS_FAILED_AT_IDENTIFY`, the first of the states of writers that failed; all behind it are, too.
const FIRST_FAILED_STATE: i32 = 6;

/// How long everything may take until the snapshots are there. Writers have a minute each to freeze; on a loaded server with many of
/// them preparing takes minutes.
const MAKING_MOST: Duration = Duration::from_secs(15 * 60);

/// How long the end of a backup may take.
const ENDING_MOST: Duration = Duration::from_secs(5 * 60);

/// How long it is waited for another's snapshots to be made, and how often it is tried.
const OTHERS_MOST: Duration = Duration::from_secs(5 * 60);
const OTHERS_PAUSE: Duration = Duration::from_secs(2);

/// How long an operation that was asked to end may go on before it is left alone.
const CANCELLING_MOST: Duration = Duration::from_secs(30);

/// How often it is asked how an operation stands: at first, and at most. `IVssAsync::Wait` isn't used: it can't be woken when somebody
/// stops the backup, and says less than the state does.
const LOOK_FIRST: Duration = Duration::from_millis(5);
const LOOK_LATER: Duration = Duration::from_millis(250);

/// What became of a volume: the id of its snapshot, or why it gets none.
pub(super) type Added = Result<GUID, Failure>;

/// A backup that goes on.
pub(super) struct Requester<'a> {
    components: Components,
    /// `None` once it ends: that isn't stopped.
    stop: Option<&'a AtomicBool>,
    until: Instant,
    /// Before that there is nothing to abort.
    is_initialized: Cell<bool>,
}

impl<'a> Requester<'a> {
    /// Of a backup of which nothing was said yet. `stop` ends whatever goes on.
    pub fn new(components: Components, stop: &'a AtomicBool) -> Self {
        Self {
            components,
            stop: Some(stop),
            until: Instant::now() + MAKING_MOST,
            is_initialized: Cell::new(false),
        }
    }

    /// Everything up to the moment before the snapshots: what was added of the volumes.
    pub fn prepare(&self, volumes: &[String]) -> Result<Vec<Added>, Failure> {
        self.components.initialize_for_backup()?;
        self.is_initialized.set(true);
        self.components.set_context(CONTEXT)?;
        self.components.set_backup_state(COPY)?;
        // What writers have is not chosen from, but without this they aren't known, and take no part.
        self.wait(self.components.gather_writer_metadata()?)?;
        self.start_set()?;
        let added: Vec<Added> = volumes.iter().map(|volume| self.add(volume)).collect();
        if added.iter().any(Result::is_ok) {
            self.wait(self.components.prepare_for_backup()?)?;
        }
        Ok(added)
    }

    /// One computer makes one set at a time.
    fn start_set(&self) -> Result<(), Failure> {
        let until = Instant::now() + OTHERS_MOST;
        loop {
            match self.components.start_snapshot_set() {
                Err(Failure { cause: IN_PROGRESS, .. }) if Instant::now() < until => {}
                started => return started,
            }
            let again = Instant::now() + OTHERS_PAUSE;
            while Instant::now() < again {
                self.go_on("StartSnapshotSet")?;
                thread::sleep(LOOK_LATER);
            }
        }
    }

    fn add(&self, volume: &str) -> Added {
        match self.components.is_volume_supported(volume)? {
            true => self.components.add_to_snapshot_set(volume),
            false => Err(Failure { step: "IsVolumeSupported", cause: NOT_SUPPORTED }),
        }
    }

    /// Makes the snapshots of all that were added, in one moment.
    pub fn make(&self) -> Result<(), Failure> {
        self.wait(self.components.do_snapshot_set()?)
    }

    /// The writers that failed, as things stand now.
    pub fn failed_writers(&self) -> Result<Vec<FailedWriter>, Failure> {
        self.wait(self.components.gather_writer_status()?)?;
        let all = self.components.take_writer_status()?;
        Ok(all.into_iter().filter_map(failed).collect())
    }

    /// The device of a snapshot.
    pub fn device(&self, snapshot: GUID) -> Result<String, Failure> {
        let device = self.components.device(snapshot)?;
        match device.is_empty() {
            true => Err(Failure { step: "GetSnapshotProperties", cause: Cause::Ended }),
            false => Ok(device),
        }
    }

    /// Tells writers that the backup has ended, and lets the snapshots go.
    pub fn complete(mut self) -> Result<(), Failure> {
        self.stop = None;
        self.until = Instant::now() + ENDING_MOST;
        self.wait(self.components.backup_complete()?)?;
        // Before Server 2008 R2 a writer's session ends only by this. What it says changes nothing any more.
        let _ = self.failed_writers();
        Ok(())
    }

    /// Ends it before its time.
    pub fn abort(self) {
        if self.is_initialized.get() {
            self.components.abort_backup();
        }
    }

    /// Fails if `step` may not go on.
    fn go_on(&self, step: &'static str) -> Result<(), Failure> {
        if self.stop.is_some_and(|stop| stop.load(Ordering::Relaxed)) {
            return Err(Failure { step, cause: Cause::Stopped });
        }
        match Instant::now() < self.until {
            true => Ok(()),
            false => Err(Failure { step, cause: Cause::TimedOut }),
        }
    }

    fn wait(&self, operation: Operation) -> Result<(), Failure> {
        let mut pause = LOOK_FIRST;
        loop {
            match operation.status()? {
                PENDING => {}
                CANCELLED => return Err(Failure { step: operation.step(), cause: Cause::Stopped }),
                _ => return Ok(()),
            }
            if let Err(failure) = self.go_on(operation.step()) {
                end(&operation);
                return Err(failure);
            }
            thread::sleep(pause);
            pause = (pause * 2).min(LOOK_LATER);
        }
    }
}

/// Asks an operation to end, and gives it the time to.
fn end(operation: &Operation) {
    operation.cancel();
    let until = Instant::now() + CANCELLING_MOST;
    while operation.status() == Ok(PENDING) && Instant::now() < until {
        thread::sleep(LOOK_LATER);
    }
}

fn failed(status: WriterStatus) -> Option<FailedWriter> {
    let WriterStatus { name, state, failure } = status;
    let has_failed = state >= FIRST_FAILED_STATE || failure < 0;
    has_failed.then(|| FailedWriter { name, code: failure.cast_unsigned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_writer_has_failed_by_its_state_or_by_its_code() {
        let status = |state, failure: u32| WriterStatus {
            name: "Writer".to_owned(),
            state,
            failure: failure.cast_signed(),
        };
        for well in [status(1, 0), status(5, 0), status(0, 0)] {
            assert_eq!(failed(well), None);
        }
        for bad in [status(9, 0x8004_23f2), status(6, 0), status(1, 0x8004_23f4)] {
            let code = bad.failure.cast_unsigned();
            assert_eq!(failed(bad), Some(FailedWriter { name: "Writer".to_owned(), code }));
        }
    }
}
