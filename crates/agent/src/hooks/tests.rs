use super::*;
use crate::Home;
use crate::items::Selection;
use crate::jobs::run::{self, JobContext};
use crate::jobs::{JobFolder, JobListener, JobOutcome, JobRecord, JobRequest, JobWarning, Precheck};
use crate::settings::SettingsWish;
use stateward_client::Surroundings;
use stateward_model::{ItemId, JobId, JobState, PointHash, SystemClock, SystemRandom, Timestamp};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

struct Silence;

impl JobListener for Silence {
    fn progressed(&self, _: &JobRecord, _: Timestamp) {}
    fn warned(&self, _: &JobWarning) {}
    fn prechecked(&self, _: &Precheck) {}
}

/// A home with hooks of its own, and what they wrote.
struct Rig {
    folder: tempfile::TempDir,
    agent: Agent,
    cancellation: Cancellation,
}

impl Rig {
    fn new(wish: SettingsWish) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for moment in ["before.d", "after.d"] {
            fs::create_dir_all(folder.path().join("hooks").join(moment)).unwrap();
        }
        let home = Home::at(Some(&folder.path().join("home"))).unwrap();
        let hooks = Some(Some(StoredPath(folder.path().join("hooks"))));
        Settings::change(&home, SettingsWish { hooks, ..wish }).unwrap();
        let surroundings = Surroundings { clock: Arc::new(SystemClock), random: Arc::new(SystemRandom) };
        Self { agent: Agent::new(home, surroundings, "test"), folder, cancellation: Cancellation::default() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A hook that is a shell script; `$OUT` is a file that all of them add to.
    fn hook(&self, name: &str, script: &str) -> PathBuf {
        let path = self.path("hooks").join(name);
        let out = self.path("out");
        fs::write(&path, format!("#!/bin/sh\nOUT={}\n{script}\n", out.display())).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    fn out(&self) -> String {
        fs::read_to_string(self.path("out")).unwrap_or_default()
    }

    /// Runs a backup that does only what `work` does.
    fn run(&self, work: impl FnOnce() -> Worked) -> (JobRecord, Vec<JobWarning>) {
        let item = Item {
            id: ItemId::new(&SystemRandom),
            label: "web".parse().unwrap(),
            selection: Selection::Files { paths: Vec::new(), exclusions: Vec::new() },
        };
        let folder = JobFolder::of(self.agent.home());
        let record =
            JobRecord::queued(JobId::new(&SystemRandom), JobRequest::backup(None), None, Timestamp(0));
        let context = JobContext {
            folder: Some(&folder),
            listener: &Silence,
            surroundings: self.agent.surroundings(),
            cancellation: &self.cancellation,
        };
        let ended =
            run::run(record, context, |job, tools| around(&self.agent, &item, job, tools.cancellation, work));
        let warnings = folder.warnings(ended.id, 99).unwrap();
        (ended, warnings)
    }
}

fn done() -> Worked {
    Ok(JobOutcome::Backup {
        recovery_point: PointHash([1; 32]),
        sequence: 1,
        received_at: Timestamp(0),
        files: 0,
        bytes: 0,
        bytes_uploaded: 0,
        files_unchanged: 0,
    })
    .into()
}

fn codes(warnings: &[JobWarning]) -> Vec<&str> {
    warnings.iter().map(|warning| &*warning.code).collect()
}

#[test]
fn hooks_run_in_order_around_the_backup_and_what_they_say_is_in_the_jobs_log() {
    let rig = Rig::new(SettingsWish::default());
    rig.hook("before.d/20-second", "echo second >> $OUT");
    rig.hook("before.d/10-first", "echo first >> $OUT; echo dumped; echo trouble >&2");
    rig.hook("before.d/15-old.bak", "echo old >> $OUT");
    rig.hook(
        "after.d/undo",
        "echo $STATEWARD_MOMENT $STATEWARD_ITEM $STATEWARD_KIND $STATEWARD_RESULT >> $OUT",
    );
    let (ended, warnings) = rig.run(|| {
        fs::write(rig.path("out"), rig.out() + "backup\n").unwrap();
        done()
    });
    assert_eq!(rig.out(), "first\nsecond\nbackup\nafter web Files Completed\n");
    assert_eq!((ended.state, warnings), (JobState::Completed, vec![]));
    let log = fs::read_to_string(JobFolder::of(rig.agent.home()).log_path(ended.id)).unwrap();
    assert!(log.contains("10-first\ndumped\ntrouble\n== "), "{log}");
}

#[test]
fn a_hook_that_fails_warns_or_blocks_and_those_after_the_backup_run_in_any_case() {
    for (failure, state, made) in [
        (HookFailure::Warn, JobState::CompletedWithWarnings, true),
        (HookFailure::Block, JobState::Failed, false),
    ] {
        let rig = Rig::new(SettingsWish { hook_failure: Some(failure), ..SettingsWish::default() });
        rig.hook("before.d/1", "exit 7");
        rig.hook("before.d/2", "echo two >> $OUT");
        rig.hook("after.d/1", "echo $STATEWARD_RESULT >> $OUT; exit 1");
        rig.hook("after.d/2", "echo last >> $OUT");
        let was_made = AtomicBool::new(false);
        let (ended, warnings) = rig.run(|| {
            was_made.store(true, Ordering::Relaxed);
            done()
        });
        assert_eq!((ended.state, was_made.into_inner()), (state, made));
        match failure {
            HookFailure::Warn => {
                assert_eq!(rig.out(), "two\nCompletedWithWarnings\nlast\n");
                assert_eq!(codes(&warnings), ["hook-failed", "hook-failed"]);
            }
            HookFailure::Block => {
                assert_eq!(rig.out(), "Failed\nlast\n");
                let failure = ended.failure.as_ref().unwrap();
                assert_eq!((&*failure.code, ended.exit().number()), ("hook-blocked", 14));
                assert!(failure.message.contains("before.d/1") && failure.message.contains("exit status: 7"));
            }
        }
    }
}

#[test]
fn hooks_after_a_backup_hear_that_it_failed_or_panicked() {
    let rig = Rig::new(SettingsWish::default());
    rig.hook("after.d/1", "echo \"<$STATEWARD_RESULT>\" >> $OUT");
    rig.run(|| Err(AgentError::NoItems).into());
    assert_eq!(rig.out(), "<Failed>\n");
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| rig.run(|| panic!("in a test"))));
    assert!(panicked.is_err());
    assert_eq!(rig.out(), "<Failed>\n<>\n");
}

#[test]
fn a_job_that_is_stopped_stops_its_hook_with_all_that_it_started() {
    let rig = Rig::new(SettingsWish::default());
    let started = rig.path("out");
    rig.hook("before.d/1", "sleep 600 & echo $! >> $OUT; wait");
    rig.hook("after.d/1", "echo $STATEWARD_RESULT >> $OUT");
    let cancellation = rig.cancellation.clone();
    let canceller = std::thread::spawn(move || {
        // Until the hook has begun.
        while fs::read_to_string(&started).unwrap_or_default().lines().count() == 0 {
            std::thread::yield_now();
        }
        cancellation.cancel();
    });
    let (ended, _) = rig.run(done);
    canceller.join().unwrap();
    assert_eq!(ended.state, JobState::Cancelled);
    let out = rig.out();
    let (sleeper, result) = out.split_once('\n').unwrap();
    assert_eq!(result, "Cancelled\n");
    assert!(platform::process(sleeper.parse().unwrap()).is_none(), "what the hook started goes on");
}

#[test]
fn a_hook_that_takes_too_long_is_stopped() {
    let rig = Rig::new(SettingsWish { hook_time_out_seconds: Some(0), ..SettingsWish::default() });
    rig.hook("before.d/1", "exec sleep 600");
    let (ended, warnings) = rig.run(done);
    assert_eq!((ended.state, codes(&warnings)), (JobState::CompletedWithWarnings, vec!["hook-failed"]));
    assert!(warnings[0].message.contains("longer than 0 seconds"));
}

#[test]
fn much_output_is_cut_off_and_a_process_left_behind_holds_nothing_up() {
    let rig = Rig::new(SettingsWish::default());
    rig.hook("before.d/1", "head -c 3000000 /dev/zero | tr '\\0' x; exit 0");
    let (ended, warnings) = rig.run(done);
    assert_eq!((ended.state, warnings), (JobState::Completed, vec![]));
    let log = fs::read(JobFolder::of(rig.agent.home()).log_path(ended.id)).unwrap();
    assert!(log.len() < 1_100_000 && log.ends_with(b"the rest is left out\n"), "{}", log.len());
}

/// Files are given away only by root; as another user the parts that need that are not tried.
#[test]
fn a_hook_that_others_could_change_is_refused_and_says_what_to_do() {
    let rig = Rig::new(SettingsWish::default());
    let set = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let hook = rig.hook("before.d/1", "echo ran >> $OUT");
    let folder = rig.path("hooks/before.d");
    let refused = |why: &str| {
        let (ended, warnings) = rig.run(done);
        assert_eq!((ended.state, codes(&warnings)), (JobState::CompletedWithWarnings, vec!["hook-refused"]));
        assert!(warnings[0].message.contains(why), "{}", warnings[0].message);
        assert_eq!(rig.out(), "");
    };
    set(&hook, 0o777);
    refused("mode 777");
    set(&hook, 0o775);
    refused("chmod go-w");
    set(&hook, 0o644);
    refused("chmod +x");
    set(&hook, 0o755);
    set(&folder, 0o777);
    refused("hooks/before.d` (mode 777)");
    set(&folder, 0o755);
    // A link from a safe place to one that is not.
    let elsewhere = rig.path("elsewhere");
    fs::rename(&hook, &elsewhere).unwrap();
    symlink(&elsewhere, &hook).unwrap();
    set(&elsewhere, 0o757);
    refused("elsewhere` (mode 757)");
    set(&elsewhere, 0o755);
    if std::os::unix::fs::chown(&elsewhere, Some(1234), None).is_ok() {
        refused("another user (1234)");
        std::os::unix::fs::chown(&elsewhere, Some(0), None).unwrap();
    }
    let (ended, _) = rig.run(done);
    assert_eq!((ended.state, &*rig.out()), (JobState::Completed, "ran\n"));
}
