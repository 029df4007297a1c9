use super::*;
use crate::Home;
use crate::jobs::{JobRequest, VerifyExtent};
use stateward_engine::{EngineError, VaultError};
use stateward_model::{JobId, SystemClock, SystemRandom};
use std::sync::Condvar;

/// Remembers what it is told.
#[derive(Default)]
struct Witness {
    seen: Mutex<Vec<JobRecord>>,
    warned: Mutex<Vec<JobWarning>>,
    told: Condvar,
}

impl Witness {
    /// Waits until a record is as it should be.
    fn wait_for(&self, is_it: impl Fn(&JobRecord) -> bool) {
        let limit = Duration::from_secs(30);
        let waited = self
            .told
            .wait_timeout_while(locked(&self.seen), limit, |seen| !seen.iter().any(&is_it))
            .unwrap_or_else(PoisonError::into_inner);
        assert!(!waited.1.timed_out(), "it was not told in time");
    }

    /// Waits until so many records were told.
    fn wait_for_more(&self, number: usize) {
        let limit = Duration::from_secs(30);
        let waited = self
            .told
            .wait_timeout_while(locked(&self.seen), limit, |seen| seen.len() < number)
            .unwrap_or_else(PoisonError::into_inner);
        assert!(!waited.1.timed_out(), "it was not told in time");
    }
}

impl JobListener for Witness {
    fn progressed(&self, job: &JobRecord, _: Timestamp) {
        locked(&self.seen).push(job.clone());
        self.told.notify_all();
    }
    fn warned(&self, warning: &JobWarning) {
        locked(&self.warned).push(warning.clone());
    }
    fn prechecked(&self, _: &Precheck) {}
}

struct Rig {
    _temporary: tempfile::TempDir,
    folder: JobFolder,
    surroundings: Surroundings,
    cancellation: Cancellation,
    witness: Witness,
}

impl Rig {
    fn new() -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let home = Home::at(Some(temporary.path())).unwrap();
        home.prepare().unwrap();
        Self {
            folder: JobFolder::of(&home),
            _temporary: temporary,
            surroundings: Surroundings { clock: Arc::new(SystemClock), random: Arc::new(SystemRandom) },
            cancellation: Cancellation::default(),
            witness: Witness::default(),
        }
    }

    fn run(&self, work: impl FnOnce(&RunningJob<'_>, &Tools<'_>) -> Worked) -> JobRecord {
        let request = JobRequest::Verify { point: None, extent: VerifyExtent::Full };
        let record = JobRecord::queued(JobId::new(&SystemRandom), request, None, Timestamp(0));
        let context = JobContext {
            folder: Some(&self.folder),
            listener: &self.witness,
            surroundings: &self.surroundings,
            cancellation: &self.cancellation,
        };
        run(record, context, work)
    }
}

fn done() -> Worked {
    Ok(JobOutcome::Verify {
        recovery_points: 1,
        packs: 1,
        packs_in_all: 1,
        bytes: 1,
        bytes_in_all: 1,
        problems: 0,
    })
    .into()
}

fn warning(path: &str) -> Warning {
    Warning {
        code: "unreadable".to_owned(),
        path: path.as_bytes().to_vec(),
        message: "It can't be read".to_owned(),
    }
}

#[test]
fn progress_reaches_the_listener_and_the_record_while_the_job_runs() {
    let rig = Rig::new();
    let ended = rig.run(|_, tools| {
        tools.progress.phase(Phase::Transferring);
        tools.progress.expected(10, 1000);
        tools.progress.advanced(Advance { files: 2, bytes: 200, moved_bytes: 20 });
        rig.witness.wait_for(|job| job.figures.files == 2 && job.phase == Phase::Transferring);
        let kept = rig.folder.list().unwrap().remove(0);
        assert_eq!((kept.state, kept.figures.bytes), (JobState::Running, 200));
        assert_eq!(kept.figures.bytes_expected, Some(1000));
        done()
    });
    assert_eq!((ended.state, ended.figures.moved_bytes), (JobState::Completed, 20));
    assert_eq!(rig.folder.load(ended.id).unwrap(), ended);
}

#[test]
fn what_was_left_out_is_never_hidden_by_a_plain_completed() {
    let rig = Rig::new();
    let ended = rig.run(|_, tools| {
        ["/a", "/b"].iter().for_each(|path| tools.progress.warning(&warning(path)));
        done()
    });
    assert_eq!((ended.state, ended.warnings), (JobState::CompletedWithWarnings, 2));
    let kept = rig.folder.warnings(ended.id, 9).unwrap();
    assert_eq!(kept, *locked(&rig.witness.warned));
    assert_eq!(kept[1].path, "/b");
}

#[test]
fn a_mark_in_the_home_stops_the_job() {
    let rig = Rig::new();
    let ended = rig.run(|_, tools| {
        let id = rig.folder.list().unwrap().remove(0).id;
        rig.folder.ask_to_cancel(id).unwrap();
        rig.witness.wait_for(|_| tools.cancellation.is_cancelled());
        Err(AgentError::from(EngineError::Cancelled)).into()
    });
    assert_eq!((ended.state, ended.exit().number()), (JobState::Cancelled, 130));
    assert!(!rig.folder.is_asked_to_cancel(ended.id));
}

#[test]
fn a_paused_job_waits_until_it_is_resumed() {
    let rig = Rig::new();
    let passed = AtomicU64::new(0);
    let ended = rig.run(|_, tools| {
        let id = rig.folder.list().unwrap().remove(0).id;
        rig.folder.set_paused(id, true).unwrap();
        rig.witness.wait_for(|job| job.is_paused);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                tools.progress.advanced(Advance { files: 1, bytes: 1, moved_bytes: 0 });
                passed.store(1, Relaxed);
            });
            // It has come to the gate, and the job is looked at again twice.
            rig.witness.wait_for(|job| job.figures.files == 1);
            let looks = locked(&rig.witness.seen).len();
            rig.witness.wait_for_more(looks + 2);
            assert_eq!(passed.load(Relaxed), 0);
            assert!(rig.folder.load(id).unwrap().is_paused);
            rig.folder.set_paused(id, false).unwrap();
        });
        done()
    });
    assert_eq!((passed.load(Relaxed), ended.state, ended.is_paused), (1, JobState::Completed, false));
}

#[test]
fn a_paused_job_that_is_stopped_ends() {
    let rig = Rig::new();
    let ended = rig.run(|_, tools| {
        let id = rig.folder.list().unwrap().remove(0).id;
        rig.folder.set_paused(id, true).unwrap();
        rig.witness.wait_for(|job| job.is_paused);
        rig.folder.ask_to_cancel(id).unwrap();
        tools.progress.advanced(Advance { files: 1, bytes: 1, moved_bytes: 0 });
        Err(AgentError::from(EngineError::Cancelled)).into()
    });
    assert_eq!(ended.state, JobState::Cancelled);
    assert!(!rig.folder.is_asked_to_pause(ended.id));
}

#[test]
fn a_failed_job_keeps_its_code_and_what_it_did_all_the_same() {
    let rig = Rig::new();
    let ended = rig.run(|_, _| Worked {
        outcome: done().outcome,
        error: Some(VaultError::Full("No".to_owned()).into()),
    });
    assert_eq!(ended.state, JobState::Failed);
    assert_eq!(ended.failure.as_ref().unwrap().code, "vault-full");
    assert!(ended.outcome.is_some());
}

#[test]
fn work_that_panics_does_not_hang() {
    let rig = Rig::new();
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        rig.run(|_, _| panic!("as this test asks for"));
    }));
    assert!(ended.is_err());
}
