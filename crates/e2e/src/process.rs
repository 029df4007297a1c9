//! The two programs as processes: found, started, waited for with a deadline, killed, and what they said.

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long any one command may take before the test fails.
pub const DEADLINE: Duration = Duration::from_secs(240);

/// [`DEADLINE`], or an hour in the long form of the tests.
pub(crate) fn deadline() -> Duration {
    if crate::is_long() { Duration::from_secs(3600) } else { DEADLINE }
}

/// How often a condition is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Waits until `condition` gives something; panics when `what` does not happen by the deadline.
pub fn wait_until<T>(what: &str, deadline: Duration, mut condition: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(begin.elapsed() < deadline, "{what}: not within {deadline:?}");
        std::thread::sleep(LOOK_EVERY);
    }
}

/// Where a program of ours lies: beside the test's own folder in the target folder.
pub fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test knows where it lies");
    let folder =
        test.parent().and_then(|deps| deps.parent()).expect("tests lie in `deps` of a profile's folder");
    let path = folder.join(name);
    assert!(
        path.is_file(),
        "{} is missing: build the programs first, in the profile of the tests (`cargo build --release --bins`)",
        path.display()
    );
    path
}

/// What a process said and how it ended.
#[derive(Debug)]
pub struct Outcome {
    /// How it was called.
    pub line: String,
    /// How it ended.
    pub status: ExitStatus,
    /// All of it.
    pub stdout: String,
    /// All of it.
    pub stderr: String,
    /// How long it ran.
    pub took: Duration,
}

impl Outcome {
    /// Its exit code; `None` if a signal ended it.
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// Panics with all that it said unless it ended with that code.
    #[track_caller]
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code(), Some(code), "{self:#?}");
        self
    }

    /// Panics with all that it said unless it succeeded.
    #[track_caller]
    pub fn done(self) -> Self {
        self.expect_code(0)
    }

    /// Its JSON lines.
    #[track_caller]
    pub fn json(&self) -> Vec<Value> {
        let read = |line| serde_json::from_str(line).unwrap_or_else(|e| panic!("`{line}`: {e}\n{self:#?}"));
        self.stdout.lines().map(read).collect()
    }

    /// Its last JSON line: the result or the error.
    #[track_caller]
    pub fn last(&self) -> Value {
        self.json().pop().unwrap_or_else(|| panic!("it said nothing: {self:#?}"))
    }

    /// Its error, which must have a code, a message that is known ([`crate::said`]) and a remedy: the code.
    #[track_caller]
    pub fn error_code(&self) -> String {
        let code = self.error_code_by_chance();
        crate::said::check(&code, self.last()["message"].as_str().unwrap_or_default());
        code
    }

    /// The same where chance decides which error it is, so that its message need not be known.
    #[track_caller]
    pub fn error_code_by_chance(&self) -> String {
        let last = self.last();
        for field in ["code", "message", "remedy"] {
            let text = last[field].as_str().unwrap_or_else(|| panic!("no `{field}`: {self:#?}"));
            assert!(!text.is_empty(), "empty `{field}`: {self:#?}");
        }
        last["code"].as_str().unwrap_or_default().to_owned()
    }
}

/// A running process; killed when it is dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    line: String,
    begin: Instant,
    said: TempDir,
}

impl Running {
    /// Starts a command; what it says goes to files, so that it never waits for a reader.
    #[track_caller]
    pub fn start(mut command: Command) -> Self {
        let said = TempDir::with_prefix("stateward-said-").expect("a temp folder can be made");
        let open = |name| fs::File::create(said.path().join(name)).expect("a file can be made");
        command.stdin(Stdio::null()).stdout(open("stdout")).stderr(open("stderr"));
        let line = format!("{command:?}");
        let child = command.spawn().unwrap_or_else(|error| panic!("{line}: {error}"));
        Self { child, line, begin: Instant::now(), said }
    }

    /// Its process id.
    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("a child that was not waited for can be signalled");
    }

    /// What it said so far on standard output.
    pub fn stdout(&self) -> String {
        self.read("stdout")
    }

    /// What it said so far on standard error.
    pub fn stderr(&self) -> String {
        self.read("stderr")
    }

    fn read(&self, name: &str) -> String {
        let bytes = fs::read(self.said.path().join(name)).expect("the file is ours");
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Whether it has not ended yet.
    pub fn is_alive(&mut self) -> bool {
        self.child.try_wait().expect("a child can be waited for").is_none()
    }

    /// Waits for its end; panics after [`DEADLINE`].
    #[track_caller]
    pub fn wait(mut self) -> Outcome {
        let line = self.line.clone();
        let status =
            wait_until(&line, deadline(), || self.child.try_wait().expect("a child can be waited for"));
        Outcome { line, status, stdout: self.stdout(), stderr: self.stderr(), took: self.begin.elapsed() }
    }

    /// Ends it with SIGKILL, if it has not ended, and waits.
    #[track_caller]
    pub fn kill(mut self) -> Outcome {
        self.child.kill().expect("a child can be killed");
        self.wait()
    }

    /// Lets it run until that much time has passed since its start, then kills it. Tells whether it was still alive.
    #[track_caller]
    pub fn kill_after(mut self, moment: Duration) -> bool {
        while self.begin.elapsed() < moment && self.is_alive() {
            std::thread::sleep(Duration::from_millis(1));
        }
        self.kill().status.signal().is_some()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Fails only when it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a command to its end.
#[track_caller]
pub fn run(command: Command) -> Outcome {
    Running::start(command).wait()
}

/// Whether another program is installed.
pub fn is_installed(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(name).is_file())
}
