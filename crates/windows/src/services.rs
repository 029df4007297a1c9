//! The services of this machine, and the programs that run on it, whoever they belong to.

use crate::handle::{is, last_error};
use crate::service::{self, ScHandle};
use std::collections::BTreeSet;
use std::io;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use windows_sys::Win32::Foundation::{
    ERROR_NO_MORE_FILES, ERROR_SERVICE_DOES_NOT_EXIST, INVALID_HANDLE_VALUE,
};
use windows_sys::Win32::System::Diagnostics::ToolHelp as snapshot;
use windows_sys::Win32::System::Services as services;

/// How a service stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It may not be started.
    Disabled,
    /// It doesn't run, or is about not to, and may be started.
    Stopped,
    /// It runs, or is about to.
    Running,
}

/// How the service of that name (not of the name that is shown) stands; `None` if there is none.
pub fn state(name: &str) -> io::Result<Option<State>> {
    let service = match service::open(name, services::SERVICE_QUERY_STATUS | services::SERVICE_QUERY_CONFIG) {
        Err(error) if is(&error, ERROR_SERVICE_DOES_NOT_EXIST) => return Ok(None),
        service => service?,
    };
    if runs(&service)? {
        return Ok(Some(State::Running));
    }
    let start = service::config(&service, |config| config.dwStartType)?;
    Ok(Some(if start == services::SERVICE_DISABLED { State::Disabled } else { State::Stopped }))
}

fn runs(service: &ScHandle) -> io::Result<bool> {
    let mut status = services::SERVICE_STATUS::default();
    // SAFETY: the service is open, and the place for the answer lives until the call returns.
    if unsafe { services::QueryServiceStatus(service.raw(), &raw mut status) } == 0 {
        return Err(last_error());
    }
    Ok(matches!(
        status.dwCurrentState,
        services::SERVICE_RUNNING | services::SERVICE_START_PENDING | services::SERVICE_CONTINUE_PENDING
    ))
}

/// The file names of all programs that run, in small letters.
pub fn running_programs() -> io::Result<BTreeSet<String>> {
    // SAFETY: it takes numbers only.
    let handle = unsafe { snapshot::CreateToolhelp32Snapshot(snapshot::TH32CS_SNAPPROCESS, 0) };
    if handle == INVALID_HANDLE_VALUE {
        return Err(last_error());
    }
    // SAFETY: the call succeeded, so this handle is open, and nobody else has it.
    let all = unsafe { OwnedHandle::from_raw_handle(handle) };
    let mut entry = snapshot::PROCESSENTRY32W {
        dwSize: size_of::<snapshot::PROCESSENTRY32W>() as u32,
        ..Default::default()
    };
    let mut names = BTreeSet::new();
    // SAFETY: the snapshot is open, and the entry tells its length as it must.
    let mut is_there = unsafe { snapshot::Process32FirstW(all.as_raw_handle(), &raw mut entry) };
    while is_there != 0 {
        let length = entry.szExeFile.iter().position(|unit| *unit == 0).unwrap_or(entry.szExeFile.len());
        names.insert(String::from_utf16_lossy(&entry.szExeFile[..length]).to_lowercase());
        // SAFETY: as above.
        is_there = unsafe { snapshot::Process32NextW(all.as_raw_handle(), &raw mut entry) };
    }
    match last_error() {
        end if is(&end, ERROR_NO_MORE_FILES) => Ok(names),
        error => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsStr;

    /// A service of this test, gone when it ends.
    struct Made(String);

    impl Drop for Made {
        fn drop(&mut self) {
            let _ = service::uninstall(&self.0);
        }
    }

    fn disable(name: &str) {
        let service = service::open(name, services::SERVICE_CHANGE_CONFIG).expect("it is there");
        let none = std::ptr::null();
        // SAFETY: the service is open, and nothing but a number is to change.
        let done = unsafe {
            services::ChangeServiceConfigW(
                service.raw(),
                services::SERVICE_NO_CHANGE,
                services::SERVICE_DISABLED,
                services::SERVICE_NO_CHANGE,
                none,
                none,
                std::ptr::null_mut(),
                none,
                none,
                none,
                none,
            )
        };
        assert_ne!(done, 0, "{}", last_error());
    }

    #[test]
    fn services_are_missing_stopped_disabled_or_running() {
        let name = format!("stateward-test-{}", std::process::id());
        assert_eq!(state(&name).expect("absence is no error"), None);
        service::install(&name, "Stateward, a test", "Never started", OsStr::new(r"C:\none\such.exe"))
            .expect("a service can be made");
        let made = Made(name);
        assert_eq!(state(&made.0).expect("it can be asked"), Some(State::Stopped));
        disable(&made.0);
        assert_eq!(state(&made.0).expect("it can be asked"), Some(State::Disabled));
        // On every machine, and nothing works without it.
        assert_eq!(state("PlugPlay").expect("it can be asked"), Some(State::Running));
    }

    #[test]
    fn this_very_program_runs() {
        let own = std::env::current_exe().expect("it has a name");
        let own = own.file_name().expect("it has a name").to_string_lossy().to_lowercase();
        let all = running_programs().expect("programs can be listed");
        assert!(all.contains(&own) && all.contains("services.exe"), "{all:?}");
    }
}
