//! This process and others: told apart, let go first, their output moved.

use crate::handle::last_error;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::windows::ffi::OsStringExt;
use std::os::windows::io::{AsRawHandle, FromRawHandle, IntoRawHandle, OwnedHandle};
use std::path::PathBuf;
use windows_sys::Wdk::System::SystemServices::RtlGetVersion;
use windows_sys::Win32::Foundation::{CloseHandle, FILETIME, INVALID_HANDLE_VALUE, WAIT_TIMEOUT};
use windows_sys::Win32::Storage::FileSystem::SYNCHRONIZE;
use windows_sys::Win32::System::Console::{
    FreeConsole, GetStdHandle, STD_ERROR_HANDLE, STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, SetStdHandle,
};
use windows_sys::Win32::System::SystemInformation::{GetSystemWindowsDirectoryW, OSVERSIONINFOW};
use windows_sys::Win32::System::Threading as threading;

/// When the process that has this number now was started, in ticks (see [`crate::time`]); `None` if none runs. An error
/// when that can't be told: it belongs to somebody else.
pub fn started(pid: u32) -> io::Result<Option<u64>> {
    let access = threading::PROCESS_QUERY_LIMITED_INFORMATION | SYNCHRONIZE;
    // SAFETY: it takes numbers only.
    let handle = unsafe { threading::OpenProcess(access, 0, pid) };
    if handle.is_null() {
        let error = last_error();
        // A number that no process has is an invalid parameter.
        return match error.kind() {
            io::ErrorKind::PermissionDenied => Err(error),
            _ => Ok(None),
        };
    }
    // SAFETY: the call succeeded, so this handle is open, and nobody else has it.
    let handle = unsafe { OwnedHandle::from_raw_handle(handle) };
    // One that has ended is there as long as anybody has it open.
    // SAFETY: the handle is open, and it is not waited for.
    if unsafe { threading::WaitForSingleObject(handle.as_raw_handle(), 0) } != WAIT_TIMEOUT {
        return Ok(None);
    }
    let mut times = [FILETIME::default(); 4];
    let [started, ended, kernel, user] = &mut times;
    // SAFETY: the handle is open, and the four places live until the call returns.
    if unsafe { threading::GetProcessTimes(handle.as_raw_handle(), started, ended, kernel, user) } == 0 {
        return Err(last_error());
    }
    Ok(Some(u64::from(started.dwHighDateTime) << 32 | u64::from(started.dwLowDateTime)))
}

/// Lets everything else on the machine go first: this process, and what it starts.
pub fn lower_priority() -> io::Result<()> {
    // SAFETY: this process's own handle is always valid.
    let done = unsafe {
        threading::SetPriorityClass(threading::GetCurrentProcess(), threading::IDLE_PRIORITY_CLASS)
    };
    if done == 0 { Err(last_error()) } else { Ok(()) }
}

/// Leaves the console, if there is one: its end is not this process's.
pub fn leave_console() {
    // SAFETY: it takes nothing. It fails where there is none, which is as well.
    unsafe { FreeConsole() };
}

/// From now on standard output and errors go into `log`, and standard input is what `empty` gives.
pub fn move_output(log: &File, empty: File) -> io::Result<()> {
    let handles = [
        (STD_INPUT_HANDLE, empty),
        (STD_OUTPUT_HANDLE, log.try_clone()?),
        (STD_ERROR_HANDLE, log.try_clone()?),
    ];
    let mut before = Vec::new();
    for (which, file) in handles {
        // They stay open as long as the process runs.
        let handle = file.into_raw_handle();
        // SAFETY: it takes a number only.
        before.push(unsafe { GetStdHandle(which) });
        // SAFETY: the handle is open, and nobody closes it.
        if unsafe { SetStdHandle(which, handle) } == 0 {
            return Err(last_error());
        }
    }
    // Whoever reads what this process said until now hears that nothing more comes.
    before.sort_unstable();
    before.dedup();
    for handle in before.into_iter().filter(|handle| !handle.is_null() && *handle != INVALID_HANDLE_VALUE) {
        // SAFETY: the standard library asks for the handles anew each time, so that nobody uses these any more.
        unsafe { CloseHandle(handle) };
    }
    Ok(())
}

/// The version of the operating system: major, minor, build.
pub fn system_version() -> Option<(u32, u32, u32)> {
    let mut answer = MaybeUninit::<OSVERSIONINFOW>::zeroed();
    // SAFETY: it was zeroed, holds integers only, and tells its length as it must.
    let status = unsafe {
        (*answer.as_mut_ptr()).dwOSVersionInfoSize = size_of::<OSVERSIONINFOW>() as u32;
        RtlGetVersion(answer.as_mut_ptr())
    };
    // SAFETY: as above.
    let found = unsafe { answer.assume_init() };
    (status >= 0).then_some((found.dwMajorVersion, found.dwMinorVersion, found.dwBuildNumber))
}

/// Where Windows lies, such as `C:\Windows`: not the folder that a user of a terminal server has for that.
pub fn windows_folder() -> io::Result<PathBuf> {
    let mut path = [0u16; 512];
    // SAFETY: the place for the answer is as long as is told.
    let length = unsafe { GetSystemWindowsDirectoryW(path.as_mut_ptr(), path.len() as u32) } as usize;
    match path.get(..length) {
        Some(path) if length > 0 => Ok(PathBuf::from(OsString::from_wide(path))),
        Some(_) => Err(last_error()),
        None => Err(io::ErrorKind::InvalidFilename.into()),
    }
}
