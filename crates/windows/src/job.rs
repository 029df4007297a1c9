//! A program with all that it starts, ended together: a job object.

use crate::handle::last_error;
use std::io;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::os::windows::process::CommandExt;
use std::process::{Child, Command};
use std::ptr;
use windows_sys::Win32::Foundation::INVALID_HANDLE_VALUE;
use windows_sys::Win32::System::Diagnostics::ToolHelp as snapshot;
use windows_sys::Win32::System::JobObjects as jobs;
use windows_sys::Win32::System::Threading as threading;

/// What a job's programs end with when they are ended from outside: as std ends one.
const ENDED: u32 = 1;

/// Lets a command begin a group of processes of its own: Ctrl-C at the console isn't for it.
pub fn begin_group(command: &mut Command) {
    command.creation_flags(threading::CREATE_NEW_PROCESS_GROUP);
}

/// A program with all that it has started.
#[derive(Debug)]
pub struct Job(OwnedHandle);

impl Job {
    /// Starts a command within a job. It runs not one step before it is in it. `None` beside it where it can't be in one: before
    /// Windows 8 and Server 2012 what is in a job itself can't begin another.
    pub fn start(command: &mut Command) -> io::Result<(Child, Option<Self>)> {
        command.creation_flags(threading::CREATE_NEW_PROCESS_GROUP | threading::CREATE_SUSPENDED);
        let mut child = command.spawn()?;
        let job = Self::new().and_then(|job| job.add(&child).map(|()| job)).ok();
        if let Err(error) = resume(child.id()) {
            let _ = child.kill();
            let _ = child.wait();
            return Err(error);
        }
        Ok((child, job))
    }

    fn new() -> io::Result<Self> {
        // SAFETY: neither a descriptor nor a name is given: nobody else can open it.
        let handle = unsafe { jobs::CreateJobObjectW(ptr::null(), ptr::null()) };
        if handle.is_null() {
            return Err(last_error());
        }
        // SAFETY: the call succeeded, so this handle is open, and nobody else has it.
        Ok(Self(unsafe { OwnedHandle::from_raw_handle(handle) }))
    }

    fn add(&self, child: &Child) -> io::Result<()> {
        // SAFETY: both handles are open.
        let done = unsafe { jobs::AssignProcessToJobObject(self.0.as_raw_handle(), child.as_raw_handle()) };
        if done == 0 { Err(last_error()) } else { Ok(()) }
    }

    /// Ends all that is in it.
    pub fn end(&self) -> io::Result<()> {
        // SAFETY: the handle is open.
        if unsafe { jobs::TerminateJobObject(self.0.as_raw_handle(), ENDED) } == 0 {
            return Err(last_error());
        }
        Ok(())
    }
}

/// Lets a process go on that was started suspended: its one thread.
fn resume(pid: u32) -> io::Result<()> {
    // SAFETY: it takes numbers only.
    let handle = unsafe { snapshot::CreateToolhelp32Snapshot(snapshot::TH32CS_SNAPTHREAD, 0) };
    if handle == INVALID_HANDLE_VALUE {
        return Err(last_error());
    }
    // SAFETY: the call succeeded, so this handle is open, and nobody else has it.
    let all = unsafe { OwnedHandle::from_raw_handle(handle) };
    let mut entry =
        snapshot::THREADENTRY32 { dwSize: size_of::<snapshot::THREADENTRY32>() as u32, ..Default::default() };
    // SAFETY: the snapshot is open, and the entry tells its length as it must.
    let mut is_there = unsafe { snapshot::Thread32First(all.as_raw_handle(), &raw mut entry) };
    while is_there != 0 {
        if entry.th32OwnerProcessID == pid {
            return resume_thread(entry.th32ThreadID);
        }
        // SAFETY: as above.
        is_there = unsafe { snapshot::Thread32Next(all.as_raw_handle(), &raw mut entry) };
    }
    Err(io::ErrorKind::NotFound.into())
}

fn resume_thread(id: u32) -> io::Result<()> {
    // SAFETY: it takes numbers only.
    let handle = unsafe { threading::OpenThread(threading::THREAD_SUSPEND_RESUME, 0, id) };
    if handle.is_null() {
        return Err(last_error());
    }
    // SAFETY: the call succeeded, so this handle is open, and nobody else has it.
    let thread = unsafe { OwnedHandle::from_raw_handle(handle) };
    // SAFETY: the handle is open.
    if unsafe { threading::ResumeThread(thread.as_raw_handle()) } == u32::MAX {
        return Err(last_error());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::started;
    use std::fs;
    use std::process::Stdio;
    use std::time::{Duration, Instant};

    /// Waits for a condition, half a minute at most.
    fn wait_for<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
        let begun = Instant::now();
        loop {
            if let Some(found) = found() {
                return found;
            }
            assert!(begun.elapsed() < Duration::from_secs(30), "{what}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    #[test]
    fn what_a_program_has_started_ends_with_it() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let told = folder.path().join("told");
        // This very program again, which starts itself once more and tells the number of that.
        let own = std::env::current_exe().expect("it has a name");
        let mut command = Command::new(own);
        command.args(["--exact", "job::tests::as_a_program_that_starts_another", "--ignored"]);
        command.env("STATEWARD_TEST_TOLD", &told).stdin(Stdio::null()).stdout(Stdio::null());
        let (mut child, job) = Job::start(&mut command).expect("it starts");
        let below: u32 = wait_for("it tells", || fs::read_to_string(&told).ok()?.parse().ok());
        assert!(started(below).expect("it is ours").is_some());
        assert!(child.try_wait().expect("it can be asked").is_none());
        job.expect("it is in a job").end().expect("it can be ended");
        child.wait().expect("it ends");
        wait_for("what it started ends", || started(below).ok()?.is_none().then_some(()));
    }

    #[test]
    fn a_command_runs_and_ends_by_itself() {
        let own = std::env::current_exe().expect("it has a name");
        let mut command = Command::new(own);
        command.arg("--list").stdin(Stdio::null()).stdout(Stdio::null());
        let (mut child, _job) = Job::start(&mut command).expect("it starts");
        assert!(child.wait().expect("it ends").success());
    }

    #[test]
    #[ignore = "run by what_a_program_has_started_ends_with_it"]
    fn as_a_program_that_starts_another() {
        let Ok(told) = std::env::var("STATEWARD_TEST_TOLD") else { return };
        let own = std::env::current_exe().expect("it has a name");
        let mut command = Command::new(own);
        command.args(["--exact", "job::tests::as_a_program_that_waits", "--ignored"]);
        let mut child = command.env_remove("STATEWARD_TEST_TOLD").spawn().expect("it starts");
        fs::write(told + ".new", child.id().to_string()).expect("it can be told");
        let told = std::env::var("STATEWARD_TEST_TOLD").expect("as above");
        fs::rename(told.clone() + ".new", told).expect("it can be told");
        let _ = child.wait();
    }

    #[test]
    #[ignore = "run by as_a_program_that_starts_another"]
    fn as_a_program_that_waits() {
        // Ended from outside; otherwise it ends by itself.
        std::thread::sleep(Duration::from_secs(60));
    }
}
