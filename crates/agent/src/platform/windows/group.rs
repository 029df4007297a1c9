//! Commands with all that they start, and what such commands are given.

use stateward_windows::{job::Job, process as processes, volume};
use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::{Child, Command, ExitStatus};

/// A command that runs, with all that it starts.
#[derive(Debug)]
pub struct Group {
    child: Child,
    /// There is none where Windows can't have one within another: then what the command starts goes on without it.
    job: Option<Job>,
}

impl Group {
    /// Starts a command as a group of its own.
    pub fn start(command: &mut Command) -> io::Result<Self> {
        let (child, job) = Job::start(command)?;
        if job.is_none() {
            tracing::warn!(
                pid = child.id(),
                "this command is in no job: what it starts can't be stopped with it"
            );
        }
        Ok(Self { child, job })
    }

    /// How the command ended, once it has.
    pub fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// Stops the command and all that it has started. It may have ended by now; then there is nothing to stop.
    pub fn stop(&mut self) {
        if let Some(Err(cause)) = self.job.as_ref().map(Job::end) {
            tracing::warn!(%cause, "what a command started can't be stopped");
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What Windows gives to every program of the machine, without which many do not run. None of it is a user's own choice.
const OF_MACHINE: [&str; 18] = [
    "ALLUSERSPROFILE",
    "CommonProgramFiles",
    "CommonProgramFiles(x86)",
    "CommonProgramW6432",
    "COMPUTERNAME",
    "ComSpec",
    "NUMBER_OF_PROCESSORS",
    "OS",
    "PROCESSOR_ARCHITECTURE",
    "ProgramData",
    "ProgramFiles",
    "ProgramFiles(x86)",
    "ProgramW6432",
    "PUBLIC",
    "SystemDrive",
    "TEMP",
    "TMP",
    "windir",
];

/// Gives a command nothing of our environment but what programs of the machine need and where they are, and a folder that is
/// always there.
pub fn make_bare(command: &mut Command) {
    command.env_clear();
    for name in OF_MACHINE {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    // It needs nothing more than this to find its own libraries.
    let Ok(windows) = processes::windows_folder() else { return };
    command.env("SystemRoot", &windows).env("PATH", path(&windows)).env("PATHEXT", ".COM;.EXE;.BAT;.CMD");
    command.current_dir(&windows);
}

/// Where Windows' own programs are, and nowhere else.
fn path(windows: &Path) -> OsString {
    let system = windows.join("System32");
    let folders = [&system, windows, &system.join("Wbem"), &system.join(r"WindowsPowerShell\v1.0")];
    // None of them holds a quote; without a list programs are found by their whole paths only.
    std::env::join_paths(folders).unwrap_or_default()
}

/// Whether a program can't be started at this moment because somebody is just writing it.
pub fn is_being_written(cause: &io::Error) -> bool {
    volume::is_held(cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_find_windows_own_programs_and_nothing_of_ours() {
        let system = processes::windows_folder().unwrap().join("System32");
        let mut command = Command::new(system.join("cmd.exe"));
        command.env("STATEWARD_SECRET", "x");
        make_bare(&mut command);
        let names: Vec<_> =
            command.get_envs().filter(|(_, value)| value.is_some()).map(|(name, _)| name).collect();
        assert!(names.iter().any(|name| *name == "SystemRoot"), "{names:?}");
        assert!(!names.iter().any(|name| *name == "STATEWARD_SECRET"), "{names:?}");
        let folders: Vec<_> = std::env::split_paths(&path(Path::new(r"C:\Windows"))).collect();
        assert_eq!(folders[0], Path::new(r"C:\Windows\System32"));
        let mut group = Group::start(command.args(["/c", "exit 7"])).unwrap();
        let status = loop {
            if let Some(status) = group.try_wait().unwrap() {
                break status;
            }
            std::thread::yield_now();
        };
        assert_eq!(status.code(), Some(7));
    }
}
