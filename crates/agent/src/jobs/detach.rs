//! Jobs in a process of their own, which no terminal can end.
//!
//! The child says on its standard output why it can't begin, or nothing and hangs up: then it has left the terminal's
//! session, holds the home's job lock, and writes into the job's log from now on.

use crate::codes::Code;
use crate::jobs::{self, JobFailure, JobRecord};
use crate::{Agent, AgentError, Home, disk, platform};
use stateward_model::JobId;
use std::ffi::OsStr;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// What a child says of its failure is shorter than this.
const WORDS_BYTES_MAX: u64 = 64 << 10;

/// Starts this very program again as `--home HOME --json job run ID…` and waits until it has begun. It need not be waited
/// for: it goes on when this process ends.
pub fn spawn(home: &Home, jobs: &[JobId]) -> Result<Child, AgentError> {
    let mut command = this_program(home)?;
    command.args(["job", "run"]).args(jobs.iter().map(JobId::to_string));
    begin(command)
}

/// Writes jobs down and starts them in a process of their own. `make` writes them down: it is called once it is sure that no
/// other job runs.
pub fn start(
    agent: &Agent,
    make: impl FnOnce() -> Result<Vec<JobRecord>, AgentError>,
) -> Result<(Vec<JobRecord>, Child), AgentError> {
    let home = agent.home();
    home.prepare()?;
    let lock = home.lock_for_job()?;
    let queued = make()?;
    // The child takes the lock itself. If somebody else is quicker, it says so.
    drop(lock);
    let ids: Vec<JobId> = queued.iter().map(|job| job.id).collect();
    match spawn(home, &ids) {
        Ok(child) => Ok((queued, child)),
        Err(error) => {
            queued.into_iter().for_each(|job| _ = jobs::abandon(agent, job, &error));
            Err(error)
        }
    }
}

/// Starts this very program as the agent of a home, and waits until it serves it. It need not be waited for.
pub fn spawn_service(home: &Home) -> Result<Child, AgentError> {
    let mut command = this_program(home)?;
    command.args(["agent", "run", "--background"]);
    begin(command)
}

/// This very program for that home, to which its command is to be added. It is read by a program.
pub(crate) fn this_program(home: &Home) -> Result<Command, AgentError> {
    let program = std::env::current_exe().map_err(AgentError::JobNotStarted)?;
    let mut command = Command::new(in_its_place(program));
    command.args([OsStr::new("--home"), home.path().as_os_str(), OsStr::new("--json")]);
    Ok(command)
}

/// Where a program lies that was replaced while it runs, as by an upgrade: Linux adds a word to the path then. What lies there
/// now is the newer one.
fn in_its_place(program: PathBuf) -> PathBuf {
    let before = program.to_str().and_then(|path| path.strip_suffix(" (deleted)")).map(PathBuf::from);
    before.filter(|_| !program.exists()).unwrap_or(program)
}

fn begin(mut command: Command) -> Result<Child, AgentError> {
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.spawn().map_err(AgentError::JobNotStarted)?;
    let mut words = String::new();
    let mut output =
        child.stdout.take().ok_or_else(|| AgentError::Internal("a child has no output".to_owned()))?;
    (&mut output).take(WORDS_BYTES_MAX).read_to_string(&mut words).map_err(AgentError::JobNotStarted)?;
    if words.is_empty() {
        return Ok(child);
    }
    child.wait().map_err(AgentError::JobNotStarted)?;
    let told = words.lines().last().and_then(|line| serde_json::from_str::<JobFailure>(line).ok());
    Err(match told {
        Some(failure) => AgentError::NotBegun {
            code: failure.code.parse().unwrap_or(Code::JobNotStarted),
            message: failure.message,
        },
        None => AgentError::JobNotStarted(io::Error::other("it said nothing that could be read")),
    })
}

/// The child's part, once it holds the lock: leaves the terminal, and hangs up.
pub fn leave_terminal(log: &Path) -> Result<(), AgentError> {
    platform::begin_own_session().map_err(AgentError::JobNotStarted)?;
    move_output(log)
}

/// From now on output goes to the job's log: also for a job that runs inside the calling process when its terminal is
/// closed.
pub fn move_output(log: &Path) -> Result<(), AgentError> {
    platform::make_private_options()
        .append(true)
        .create(true)
        .open(log)
        .and_then(|file| platform::move_output_to(&file))
        .map_err(|cause| AgentError::JobNotStarted(disk::explained(log, cause)))
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Result<Child, AgentError> {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        begin(command)
    }

    #[test]
    fn a_child_that_hangs_up_without_a_word_has_begun() {
        let mut child = shell("exec >/dev/null; exit 0").unwrap();
        assert!(child.wait().unwrap().success());
    }

    #[test]
    fn a_program_that_was_replaced_while_it_runs_is_started_from_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let (place, odd) = (folder.path().join("program"), folder.path().join("program (deleted)"));
        assert_eq!(in_its_place(odd.clone()), place);
        assert_eq!(in_its_place(place.clone()), place);
        std::fs::write(&odd, "").unwrap();
        assert_eq!(in_its_place(odd.clone()), odd);
    }

    #[test]
    fn a_child_that_can_not_begin_is_quoted() {
        let told = r#"echo '{"type":"error","code":"busy","message":"Another job runs","remedy":"Wait"}'"#;
        let error = shell(told).unwrap_err();
        assert_eq!((error.code(), error.to_string().as_str()), (Code::Busy, "Another job runs"));
        assert_eq!(shell("echo nonsense").unwrap_err().code(), Code::JobNotStarted);
    }
}
