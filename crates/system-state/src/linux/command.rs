//! Programs of the system that are asked for what no file says.
//!
//! They run without a shell, with nothing of our environment, the system's own folders as their path and a time-out.

use std::ffi::OsStr;
use std::io::{self, Read};
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
    let unusable = |cause| CommandError::Unusable { program: program.to_owned(), cause };
    let mut process = Process::new(program);
    process.args(arguments).env_clear().env("PATH", PATH).env("LC_ALL", "C").current_dir("/");
    process.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = match process.spawn() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(CommandError::Missing { program: program.to_owned() });
        }
        child => child.map_err(unusable)?,
    };
    let output = child.stdout.take().ok_or_else(|| unusable(io::ErrorKind::BrokenPipe.into()))?;
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = output.take(OUTPUT_BYTES_MAX).read_to_end(&mut bytes);
        // Nobody listens any more when it took too long.
        let _ = sender.send(read.map(|_| bytes));
    });
    let bytes = receiver.recv_timeout(time_out);
    let status = bytes.is_ok().then(|| end_of(&mut child, time_out)).flatten();
    let (Ok(bytes), Some(status)) = (bytes, status) else {
        // It may have ended by now; then there is nothing to stop.
        let _ = child.kill();
        let _ = child.wait();
        return Err(CommandError::TimedOut { program: program.to_owned(), seconds: time_out.as_secs() });
    };
    match status.code() {
        Some(code) if fine.contains(&code) => bytes.map_err(unusable),
        _ => Err(CommandError::Failed { program: program.to_owned(), status }),
    }
}

/// How a program that has closed its output ended; `None` if it does not.
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
    fn nothing_of_our_environment_is_handed_on() {
        let environment = String::from_utf8(run("env", &[""; 0], &[0], TIME_OUT).unwrap()).unwrap();
        let mut names: Vec<&str> = environment.lines().filter_map(|line| line.split('=').next()).collect();
        names.sort_unstable();
        assert_eq!(names, ["LC_ALL", "PATH"]);
    }
}
