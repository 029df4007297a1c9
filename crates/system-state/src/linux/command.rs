//! Programs of the system that are asked for what no file says.
//!
//! They run without a shell, with nothing of our environment, the system's own folders as their path and a time-out.

use rustix::process::{Pid, Signal, kill_process_group};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command as Process, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// How long a program may take.
pub(crate) const TIME_OUT: Duration = Duration::from_secs(30);

/// More than any of these programs has to say.
const OUTPUT_BYTES_MAX: u64 = 64 << 20;

const PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";

/// How often a program that has closed its output is looked at until it has ended.
const END_LOOK: Duration = Duration::from_millis(5);

/// Why a program gave nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    /// It is not installed.
    #[error("`{program}` isn't installed")]
    Missing {
        /// Which.
        program: String,
    },
    /// It did not end in time.
    #[error("`{program}` took longer than {seconds} seconds and was stopped")]
    TimedOut {
        /// Which.
        program: String,
        /// How long it had.
        seconds: u64,
    },
    /// It ended in another way than expected. What it said may hold anything and is not passed on.
    #[error("`{program}` failed ({status})")]
    Failed {
        /// Which.
        program: String,
        /// How.
        status: ExitStatus,
    },
    /// It said more than any of these programs has to say.
    #[error("`{program}` said more than {} MiB and was stopped", OUTPUT_BYTES_MAX >> 20)]
    TooLong {
        /// Which.
        program: String,
    },
    /// It could not be started or read.
    #[error("`{program}` can't be run: {cause}")]
    Unusable {
        /// Which.
        program: String,
        /// Why.
        cause: io::Error,
    },
}

/// Runs a program and gives what it wrote to its output. `fine` are the exit codes that are no failure.
pub(crate) fn run(
    program: &str,
    arguments: &[impl AsRef<OsStr>],
    fine: &[i32],
    time_out: Duration,
) -> Result<Vec<u8>, CommandError> {
    run_telling_code(program, arguments, fine, time_out).map(|(_, output)| output)
}

/// As [`run`], and gives the exit code that it ended with.
pub(crate) fn run_telling_code(
    program: &str,
    arguments: &[impl AsRef<OsStr>],
    fine: &[i32],
    time_out: Duration,
) -> Result<(i32, Vec<u8>), CommandError> {
    let unusable = |cause| CommandError::Unusable { program: program.to_owned(), cause };
    let mut child = spawn(program, arguments, Stdio::piped())?;
    let output = child.stdout.take().ok_or_else(|| unusable(io::ErrorKind::BrokenPipe.into()))?;
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = output.take(OUTPUT_BYTES_MAX + 1).read_to_end(&mut bytes);
        // Nobody listens any more when it took too long.
        let _ = sender.send(read.map(|_| bytes));
    });
    let bytes = receiver.recv_timeout(time_out);
    let is_too_long = matches!(&bytes, Ok(Ok(bytes)) if bytes.len() as u64 > OUTPUT_BYTES_MAX);
    // One that is cut off may write for ever.
    let status = (bytes.is_ok() && !is_too_long).then(|| end_of(&mut child, time_out)).flatten();
    let (Ok(bytes), Some(status)) = (bytes, status) else {
        stop(&mut child);
        return Err(match is_too_long {
            true => CommandError::TooLong { program: program.to_owned() },
            false => timed_out(program, time_out),
        });
    };
    let code = fine_code(program, status, fine)?;
    bytes.map(|bytes| (code, bytes)).map_err(unusable)
}

/// Runs a program whose output goes to `output`, as long as it may be. Only the exit code 0 is no failure.
pub(crate) fn run_into(
    program: &str,
    arguments: &[impl AsRef<OsStr>],
    output: File,
    time_out: Duration,
) -> Result<(), CommandError> {
    let mut child = spawn(program, arguments, Stdio::from(output))?;
    match end_of(&mut child, time_out) {
        Some(status) => fine_code(program, status, &[0]).map(|_| ()),
        None => {
            stop(&mut child);
            Err(timed_out(program, time_out))
        }
    }
}

fn spawn(program: &str, arguments: &[impl AsRef<OsStr>], output: Stdio) -> Result<Child, CommandError> {
    let mut process = Process::new(program);
    process.args(arguments).env_clear().env("PATH", PATH).env("LC_ALL", "C").current_dir("/");
    // A group of its own, so that what it starts is stopped with it.
    process.process_group(0).stdin(Stdio::null()).stdout(output).stderr(Stdio::null());
    process.spawn().map_err(|cause| match cause.kind() {
        io::ErrorKind::NotFound => CommandError::Missing { program: program.to_owned() },
        _ => CommandError::Unusable { program: program.to_owned(), cause },
    })
}

fn fine_code(program: &str, status: ExitStatus, fine: &[i32]) -> Result<i32, CommandError> {
    match status.code() {
        Some(code) if fine.contains(&code) => Ok(code),
        _ => Err(CommandError::Failed { program: program.to_owned(), status }),
    }
}

fn timed_out(program: &str, time_out: Duration) -> CommandError {
    CommandError::TimedOut { program: program.to_owned(), seconds: time_out.as_secs() }
}

/// Stops a program and what it started. They may have ended by now; then there is nothing to stop.
fn stop(child: &mut Child) {
    if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        let _ = kill_process_group(group, Signal::KILL);
    }
    let _ = child.wait();
}

/// How a program ended; `None` if it does not.
fn end_of(child: &mut Child, time_out: Duration) -> Option<ExitStatus> {
    let looks = time_out.as_millis() / END_LOOK.as_millis();
    for _ in 0..=looks {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        thread::sleep(END_LOOK);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Seek;

    #[test]
    fn output_and_each_kind_of_failure_are_told_apart() {
        assert_eq!(run("echo", &["a b", "$HOME"], &[0], TIME_OUT).unwrap(), b"a b $HOME\n");
        assert!(run("sh", &["-c", "exit 2"], &[0, 2], TIME_OUT).unwrap().is_empty());
        let failed = run("sh", &["-c", "echo secret; exit 3"], &[0], TIME_OUT).unwrap_err();
        assert!(matches!(failed, CommandError::Failed { .. }) && !failed.to_string().contains("secret"));
        let missing = run("no-such-program-here", &[""; 0], &[0], TIME_OUT).unwrap_err();
        assert!(matches!(missing, CommandError::Missing { .. }));
    }

    #[test]
    fn a_program_that_does_not_end_is_stopped() {
        for script in ["exec sleep 600", "exec >&-; exec sleep 600"] {
            let error = run("sh", &["-c", script], &[0], Duration::from_millis(50)).unwrap_err();
            assert!(matches!(error, CommandError::TimedOut { .. }), "{script}");
        }
    }

    #[test]
    fn output_without_an_end_is_an_error_and_not_cut_off() {
        let error = run("yes", &[""; 0], &[0], TIME_OUT).unwrap_err();
        assert!(matches!(error, CommandError::TooLong { .. }), "{error}");
    }

    #[test]
    fn output_may_go_to_a_file_and_the_exit_code_is_told() {
        let file = tempfile::tempfile().unwrap();
        run_into("echo", &["a dump"], file.try_clone().unwrap(), TIME_OUT).unwrap();
        let mut content = String::new();
        (&file).seek(io::SeekFrom::Start(0)).unwrap();
        (&file).read_to_string(&mut content).unwrap();
        assert_eq!(content, "a dump\n");
        let failed = run_into("sh", &["-c", "exit 1"], file, TIME_OUT).unwrap_err();
        assert!(matches!(failed, CommandError::Failed { .. }));
        assert_eq!(run_telling_code("sh", &["-c", "exit 2"], &[0, 2], TIME_OUT).unwrap(), (2, vec![]));
    }

    #[test]
    fn nothing_of_our_environment_is_handed_on() {
        let environment = String::from_utf8(run("env", &[""; 0], &[0], TIME_OUT).unwrap()).unwrap();
        let mut names: Vec<&str> = environment.lines().filter_map(|line| line.split('=').next()).collect();
        names.sort_unstable();
        assert_eq!(names, ["LC_ALL", "PATH"]);
    }
}
