//! The agent as a service of Windows.

use super::system_log::SOURCE;
use crate::platform::Signal;
use crate::service::manager::{ServiceProblem, ServiceState};
use stateward_windows::event_log;
use stateward_windows::service::{self, RunningService};
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The service's name.
const NAME: &str = "Stateward";
const SHOWN: &str = "Stateward agent";
const DESCRIPTION: &str =
    "Backs this server up to its vault as policies say, and does what its administrators ask for there.";

/// Where Windows keeps what it knows of the service.
const PLACE: &str = r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\Stateward";

/// In double quotes: a path that has a space is one word then. Paths hold no quotes.
fn quoted(path: &Path) -> OsString {
    let mut quoted = OsString::from("\"");
    quoted.push(path);
    // A backslash before the closing quote would mean the quote itself.
    if path.as_os_str().to_string_lossy().ends_with('\\') {
        quoted.push("\\");
    }
    quoted.push("\"");
    quoted
}

/// How the service manager starts the agent of a home.
fn command_line(program: &Path, home: &Path) -> OsString {
    let mut line = quoted(program);
    for part in [OsStr::new(" --home "), &quoted(home), OsStr::new(" agent run --service")] {
        line.push(part);
    }
    line
}

fn problem(cause: io::Error) -> ServiceProblem {
    match cause.kind() {
        io::ErrorKind::PermissionDenied => ServiceProblem::NotRoot,
        _ => ServiceProblem::Failed(cause.to_string()),
    }
}

/// How the service stands, and whether it is for that home.
pub fn service_state(home: &Path) -> ServiceState {
    let line = service::command_line(NAME).ok().flatten();
    let mut named = OsString::from(" --home ");
    named.push(quoted(home));
    let is_of_home = line.as_ref().is_some_and(|line| {
        line.to_string_lossy().to_lowercase().contains(&named.to_string_lossy().to_lowercase())
    });
    ServiceState {
        unit: line.map(|_| PathBuf::from(PLACE)),
        is_packaged: false,
        is_of_home,
        is_managed: service::is_managed(),
    }
}

/// Makes the agent of a home a service that is started with the machine, as the system.
pub fn install_service(program: &Path, home: &Path) -> Result<ServiceState, ServiceProblem> {
    let state = service_state(home);
    match state.unit {
        Some(unit) if !state.is_of_home => return Err(ServiceProblem::OtherHome(unit)),
        // Windows Installer made it, and can't say what becomes of a service that breaks.
        Some(_) => service::configure_again(NAME, DESCRIPTION).map_err(problem)?,
        None => service::install(NAME, SHOWN, DESCRIPTION, &command_line(program, home)).map_err(problem)?,
    }
    event_log::register(SOURCE).map_err(problem)?;
    Ok(service_state(home))
}

/// Stops the service and takes it away.
pub fn uninstall_service(home: &Path) -> Result<ServiceState, ServiceProblem> {
    if !service_state(home).is_of_home {
        return Err(ServiceProblem::NotInstalled);
    }
    service::stop(NAME).and_then(|()| service::uninstall(NAME)).map_err(problem)?;
    event_log::unregister(SOURCE).map_err(problem)?;
    Ok(service_state(home))
}

/// How long the service's process may take to end.
const END_WITHIN: Duration = Duration::from_secs(30);

/// Stops the service, whose program is free then; one that is not there, or does not run, is no error.
pub fn stop_service() -> Result<(), ServiceProblem> {
    service::stop_process(NAME, END_WITHIN).map_err(problem)
}

/// Starts the service.
pub fn start_service() -> Result<(), ServiceProblem> {
    service::start(NAME).map_err(problem)
}

/// This process, as the service that it was started as.
pub struct ManagedProcess(RunningService);

impl ManagedProcess {
    /// Begins to be one; `told` is called from a thread of its own when it is to stop.
    pub fn begin(mut told: impl FnMut(Signal) + Send + 'static) -> io::Result<Self> {
        let mut running = RunningService::begin(NAME)?;
        if let Some(stop) = running.stop.take() {
            std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
                for () in stop {
                    told(Signal::Stop);
                }
            })?;
        }
        Ok(Self(running))
    }

    /// It has ended.
    pub fn end(self, failed: bool) {
        self.0.end(failed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_with_spaces_are_one_word_of_the_command_line() {
        let line = command_line(Path::new(r"C:\Program Files\s.exe"), Path::new(r"D:\"));
        assert_eq!(line, r#""C:\Program Files\s.exe" --home "D:\\" agent run --service"#);
    }
}
