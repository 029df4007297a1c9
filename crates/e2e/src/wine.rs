//! A protected Windows server of a test's own: `stateward.exe` under Wine, spoken to as a person would.
//!
//! Wine is not Windows: what runs here shows that the program loads, and what it does with files, processes and the network.
//! It shows nothing of access lists, streams, links and whatever else Wine only says yes to
//! ([docs/windows-verification.md](../../../docs/windows-verification.md)).
//!
//! `scripts/test-windows.sh` builds the program, makes the folder that stands for its machine, and says where both are.

use crate::process::{Outcome, run};
use crate::server::{PASSPHRASE, VAULT};
use crate::vault::Access;
use serde_json::Value;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// Where Debian's package puts it.
const WINE: &str = "/usr/lib/wine/wine64";

/// What is told where a program's process ended before it began, which Wine's do now and then on a loaded machine. Windows has no
/// such failure, so it shows nothing of what is tested.
const ENDED_BEFORE_IT_BEGAN: &str = "(os error 1359)";

/// In which words the agent says that it could not start another program.
const NOT_STARTED: [&str; 2] = ["can't be run: ", "can't be started: "];

/// Which of Windows' libraries are Wine's, nobody's (none of these is needed), or others.
pub const LIBRARIES: &str = "mscoree=;mshtml=;winemenubuilder.exe=";

/// A command is run no more often than so.
const RUNS_MAX: u32 = 3;

/// One home below Wine and what belongs to it.
pub struct WindowsServer {
    folder: TempDir,
    program: PathBuf,
    environment: Vec<(String, String)>,
}

/// What `scripts/test-windows.sh` says under a name.
#[track_caller]
pub fn told(name: &str) -> PathBuf {
    let value = std::env::var_os(name);
    value.map(PathBuf::from).unwrap_or_else(|| panic!("{name} is not set: run scripts/test-windows.sh"))
}

/// The folder that stands for a machine: its drive `C:` is `drive_c` in it.
#[track_caller]
pub fn machine_folder() -> PathBuf {
    told("STATEWARD_WINE_PREFIX")
}

/// How a program of Windows names a path of this machine: Wine gives it the whole of it as the drive `Z:`.
pub fn windows_path(path: &Path) -> String {
    format!("Z:{}", path.to_str().expect("temp paths are UTF-8").replace('/', "\\"))
}

/// A command that runs a program of Windows.
pub fn wine(program: &Path) -> Command {
    let mut command = Command::new(WINE);
    command.arg(program);
    command.env("WINEPREFIX", told("STATEWARD_WINE_PREFIX")).env("WINEDEBUG", "-all").env_remove("DISPLAY");
    // Which bytes of names are which characters.
    command.env("LC_ALL", "C.UTF-8");
    // Nobody is asked whether to install what nobody needs.
    command.env("WINEDLLOVERRIDES", LIBRARIES).env_remove("RUST_LOG");
    command
}

impl WindowsServer {
    /// A home that knows no vault yet.
    #[track_caller]
    pub fn fresh() -> Self {
        let folder = TempDir::with_prefix("stateward-windows-").expect("a temp folder can be made");
        let program = told("STATEWARD_WINDOWS_PROGRAM");
        let server = Self { folder, program, environment: Vec::new() };
        fs::write(server.path("passphrase"), format!("{PASSPHRASE}\n")).expect("a file can be written");
        server
    }

    /// A server that is registered with a vault, in its own name.
    #[track_caller]
    pub fn registered(access: &Access) -> Self {
        let server = Self::fresh();
        let ca_file = windows_path(&access.ca_file);
        let Access { url, client_id, client_secret, .. } = access;
        let login =
            ["login", "--url", url, "--ca-file", &ca_file, "--client-id", client_id, "--client-secret"];
        server.run(login.into_iter().chain([client_secret.as_str()])).done();
        server.run(["vault", "create", VAULT]).done();
        server.run(["vault", "credentials", VAULT, "--out", &server.named("credentials")]).done();
        let [credentials, passphrase] = ["credentials", "passphrase"].map(|name| server.named(name));
        server.run(["register", "--credentials", &credentials, "--passphrase-file", &passphrase]).done();
        server
    }

    /// From now on commands of its agent, and what they start, have a variable.
    pub fn set_variable(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// A path beside the home, as this machine names it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The same, as the program names it.
    pub fn named(&self, name: &str) -> String {
        windows_path(&self.path(name))
    }

    /// A new folder on the drive that Windows lies on, as this machine names it and as the program does. On `Z:` others may write
    /// above everything. It goes with the machine.
    #[track_caller]
    pub fn on_system_drive(&self, name: &str) -> (PathBuf, String) {
        let unique = self.folder.path().file_name().expect("a temp folder has a name");
        let name = format!("{name}-{}", unique.to_str().expect("temp paths are UTF-8"));
        let folder = told("STATEWARD_WINE_PREFIX").join("drive_c").join(&name);
        fs::create_dir(&folder).expect("a folder can be made");
        (folder, format!("C:\\{name}"))
    }

    /// A command of its agent: `--home` and `--json` are given.
    pub fn command<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Command {
        let mut command = wine(&self.program);
        command.args(["--home", &self.named("home"), "--json"]).args(args).current_dir(self.folder.path());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// A command of Windows' own, such as Wine brings along.
    pub fn command_of(&self, program: &str, args: &[&str]) -> Command {
        let mut command = wine(Path::new(program));
        command.args(args).current_dir(self.folder.path());
        command
    }

    /// A program that does nothing, as long as what is given lives.
    #[track_caller]
    pub fn keep_machine(&self) -> KeptMachine {
        let mut command = self.command_of("cmd.exe", &["/k", "rem"]);
        let nowhere = || Stdio::null();
        command.stdin(Stdio::piped()).stdout(nowhere()).stderr(nowhere());
        KeptMachine(command.spawn().expect("Wine is there"))
    }

    /// Runs a command to its end. If it did nothing, as Wine ended the agent's own process before that began, it is run once more.
    #[track_caller]
    pub fn run<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Outcome {
        self.run_again(args, did_nothing, || ())
    }

    /// Runs a command that has programs of Windows make a backup. If it failed, and said that one of them ended before it began, it
    /// is run once more after `undo`, which puts everything back as it was before.
    #[track_caller]
    pub fn run_undoing<A: AsRef<OsStr>>(
        &self,
        args: impl IntoIterator<Item = A>,
        undo: impl FnMut(),
    ) -> Outcome {
        self.run_again(args, sent_nothing, undo)
    }

    #[track_caller]
    fn run_again<A: AsRef<OsStr>>(
        &self,
        args: impl IntoIterator<Item = A>,
        may_run_again: fn(&Outcome) -> bool,
        mut undo: impl FnMut(),
    ) -> Outcome {
        let args: Vec<OsString> = args.into_iter().map(|arg| arg.as_ref().to_owned()).collect();
        let between = |outcome: &Outcome| {
            tell(outcome);
            undo();
        };
        repeated(|| run(self.command(&args)), may_run_again, between)
    }

    /// Backs all items up and waits; the last result.
    #[track_caller]
    pub fn back_up(&self) -> Value {
        self.run(["backup", "now", "--wait"]).done().last()
    }

    /// Restores the newest recovery point into a folder beside the home and waits.
    #[track_caller]
    pub fn restore(&self, target: &str, more: &[&str]) -> Outcome {
        let target = self.named(target);
        let args = ["restore", "--wait", "--recovery-point", "latest", "--target", &target];
        self.run(args.into_iter().chain(more.iter().copied()))
    }
}

/// Runs something until it may not run again, [`RUNS_MAX`] times at most; whatever came of the last run is what came of it.
#[track_caller]
fn repeated(
    mut once: impl FnMut() -> Outcome,
    may_run_again: fn(&Outcome) -> bool,
    mut between: impl FnMut(&Outcome),
) -> Outcome {
    for _ in 1..RUNS_MAX {
        let outcome = once();
        if !may_run_again(&outcome) {
            return outcome;
        }
        between(&outcome);
    }
    once()
}

/// Of a test that succeeds nobody sees what it printed, so this goes past what keeps that.
fn tell(Outcome { line, stdout, .. }: &Outcome) {
    let told = format!("Wine ended a process before it began, so this is run once more: {line}\n{stdout}");
    // Where nobody can be told, there is nobody to be told that.
    let _ = io::stderr().write_all(told.as_bytes());
}

/// Whether a command failed with no other word than that the agent's own process, which was to do it all, never began.
fn did_nothing(outcome: &Outcome) -> bool {
    let lines = lines(outcome);
    let [Some(only)] = &lines[..] else { return false };
    outcome.code() == Some(1) && only["code"] == "job-not-started" && tells_of_no_start(only)
}

/// Whether a command failed, or was blocked, and some program never began meanwhile: no recovery point was made then. One that
/// went well, with warnings or without, is never run again, for the vault has what it sent.
fn sent_nothing(outcome: &Outcome) -> bool {
    matches!(outcome.code(), Some(1 | 14)) && lines(outcome).iter().flatten().any(tells_of_no_start)
}

/// What it said; nothing for a line that is no JSON, which is for the test to judge.
fn lines(outcome: &Outcome) -> Vec<Option<Value>> {
    outcome.stdout.lines().map(|line| serde_json::from_str(line).ok()).collect()
}

fn tells_of_no_start(line: &Value) -> bool {
    let message = line["message"].as_str().unwrap_or_default();
    let mut causes = NOT_STARTED.iter().filter_map(|words| message.split_once(words));
    causes.any(|(_, cause)| cause.contains(ENDED_BEFORE_IT_BEGAN))
}

/// A program that does nothing; ends when this is dropped.
#[derive(Debug)]
pub struct KeptMachine(Child);

impl Drop for KeptMachine {
    fn drop(&mut self) {
        // It may have ended with its Wine already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::ExitStatus;
    use std::time::Duration;

    const CAUSE: &str = "Internal error. (os error 1359)";

    fn outcome(code: i32, lines: &[&Value]) -> Outcome {
        let stdout = lines.iter().map(|line| format!("{line}\n")).collect();
        let status = ExitStatus::from_raw(code << 8);
        Outcome { line: "a command".to_owned(), status, stdout, stderr: String::new(), took: Duration::ZERO }
    }

    fn error(code: &str, message: &str) -> Value {
        json!({ "type": "error", "code": code, "message": message, "remedy": "Wait" })
    }

    #[test]
    fn a_command_did_nothing_only_if_the_agents_own_process_never_began_and_nothing_else_is_told() {
        let said = error("job-not-started", &format!("The job's own process can't be started: {CAUSE}"));
        assert!(did_nothing(&outcome(1, &[&said])));
        for done in [
            outcome(0, &[&said]),
            outcome(1, &[]),
            outcome(1, &[&json!({ "type": "progress" }), &said]),
            outcome(1, &[&error("job-not-started", "The job's own process can't be started: no room")]),
            outcome(
                1,
                &[&error("home-damaged", &format!("The job's own process can't be started: {CAUSE}"))],
            ),
            outcome(1, &[&error("job-not-started", &format!("The home can't be read: {CAUSE}"))]),
        ] {
            assert!(!did_nothing(&done), "{done:?}");
        }
    }

    #[test]
    fn a_backup_sent_nothing_only_if_it_failed_and_a_program_never_began() {
        let said = error("server-backup-failed", &format!("`wbadmin` can't be run: {CAUSE}"));
        let warned = json!({ "type": "precheck", "code": "writers", "outcome": "warn",
            "message": format!("It can't be told how VSS writers stand: `vssadmin` can't be run: {CAUSE}") });
        assert!(sent_nothing(&outcome(1, &[&said])));
        assert!(sent_nothing(&outcome(14, &[&warned, &error("precheck-blocks", "A precheck")])));
        for other in [
            outcome(0, &[&warned]),
            outcome(3, &[&warned]),
            outcome(130, &[&said]),
            outcome(
                1,
                &[&error("server-backup-failed", "`wbadmin` can't be run: Access denied. (os error 5)")],
            ),
            outcome(1, &[&error("server-backup-failed", &format!("The store failed: {CAUSE}"))]),
        ] {
            assert!(!sent_nothing(&other), "{other:?}");
        }
    }

    #[test]
    fn what_never_begins_is_run_three_times_and_undone_in_between() {
        let said = error("job-not-started", &format!("The job's own process can't be started: {CAUSE}"));
        let (mut runs, mut undone) = (0, 0);
        let mut once = || {
            runs += 1;
            outcome(1, &[&said])
        };
        let last = repeated(&mut once, did_nothing, |_| undone += 1);
        assert_eq!((last.code(), runs, undone), (Some(1), 3, 2));
        let mut codes = [1, 0].into_iter();
        let once = || outcome(codes.next().unwrap_or(7), &[&said]);
        assert_eq!(repeated(once, did_nothing, |_| ()).code(), Some(0));
    }
}
