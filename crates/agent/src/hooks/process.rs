//! One hook as a process: in a group of its own, with a time and a log.

use crate::platform::{self, Group};
use stateward_engine::Cancellation;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

/// How often a running hook is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// How often one that is busy is tried, for about a second.
const BUSY_TRIES: u32 = 20;

/// So much of what a hook says is kept.
const OUTPUT_BYTES_MAX: u64 = 1 << 20;

/// How long what a hook said is waited for once it has ended: something that it started may hold its output open.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// What is run, and how.
pub(super) struct Hook<'a> {
    pub path: &'a Path,
    pub environment: &'a [(&'static str, String)],
    pub time_out: Duration,
    /// Where its output is added.
    pub log: Option<&'a Path>,
    pub cancellation: &'a Cancellation,
}

/// Why a hook did not do it.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// It may not be run.
    #[error("The hook was not run: {0}")]
    Refused(String),
    /// It ended otherwise than with 0.
    #[error("The hook failed ({0}): the job's log has what it said")]
    Ended(ExitStatus),
    /// It took too long.
    #[error("The hook took longer than {} seconds and was stopped", .0.as_secs())]
    TimedOut(Duration),
    /// A person stopped the job.
    #[error("The hook was stopped with its job")]
    Cancelled,
    /// It can't be run.
    #[error("The hook can't be run: {0}")]
    Unusable(io::Error),
}

/// Runs a hook to its end, without a shell and with nothing of our environment but what is given.
pub(super) fn run(hook: Hook<'_>) -> Result<(), Failure> {
    let (output, input) = io::pipe().map_err(Failure::Unusable)?;
    let mut command = Command::new(hook.path);
    platform::make_bare(&mut command);
    command.envs(hook.environment.iter().map(|(name, value)| (name, value))).stdin(Stdio::null());
    command.stdout(input.try_clone().map_err(Failure::Unusable)?).stderr(input);
    let mut group = start(&mut command).map_err(Failure::Unusable)?;
    // It holds the pipe's other end, which must be the hook's alone.
    drop(command);
    let said = keep_output(output, open_log(hook.log, hook.path));
    let ended = end_of(&mut group, &hook);
    if ended.is_err() {
        group.stop();
    }
    // Nothing is lost when it does not come: whatever is said later still goes to the log.
    let _ = said.recv_timeout(LAST_WORDS);
    match ended? {
        status if status.success() => Ok(()),
        status => Err(Failure::Ended(status)),
    }
}

/// Starts it. One that somebody has open for writing at this moment, because it is just put there, is tried again.
fn start(command: &mut Command) -> io::Result<Group> {
    for _ in 0..BUSY_TRIES {
        match Group::start(command) {
            Err(cause) if platform::is_being_written(&cause) => thread::sleep(LOOK_EVERY),
            started => return started,
        }
    }
    Group::start(command)
}

fn end_of(group: &mut Group, hook: &Hook<'_>) -> Result<ExitStatus, Failure> {
    let began = Instant::now();
    loop {
        if let Some(status) = group.try_wait().map_err(Failure::Unusable)? {
            return Ok(status);
        }
        if hook.cancellation.is_cancelled() {
            return Err(Failure::Cancelled);
        }
        if began.elapsed() >= hook.time_out {
            return Err(Failure::TimedOut(hook.time_out));
        }
        thread::sleep(LOOK_EVERY);
    }
}

/// A log that can't be written must not keep the hook from running.
fn open_log(log: Option<&Path>, hook: &Path) -> Option<File> {
    let opened = platform::make_private_options().append(true).create(true).open(log?);
    let begun = opened.and_then(|mut file| {
        writeln!(file, "== {}", hook.display())?;
        Ok(file)
    });
    begun.inspect_err(|cause| tracing::warn!(%cause, "the job's log can't be written")).ok()
}

/// Adds what a hook says to the log, up to a bound. The hook is never held up: what is over the bound is read, too.
fn keep_output(output: io::PipeReader, log: Option<File>) -> Receiver<()> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut kept = output.take(OUTPUT_BYTES_MAX);
        let mut log: Box<dyn Write> =
            log.map_or_else(|| Box::new(io::sink()) as Box<dyn Write>, |log| Box::new(log));
        // What can't be kept is read all the same, so that the hook does not wait.
        let _ = io::copy(&mut kept, &mut log);
        let mut rest = kept.into_inner();
        if matches!(io::copy(&mut rest, &mut io::sink()), Ok(over) if over > 0) {
            let _ = writeln!(log, "\n== more than {} MiB: the rest is left out", OUTPUT_BYTES_MAX >> 20);
        }
        // Nobody waits any more when the hook's output outlived it.
        let _ = sender.send(());
    });
    receiver
}
