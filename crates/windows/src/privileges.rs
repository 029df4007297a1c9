//! Rights that a process has beyond access lists, once it asks for them.

use crate::handle::last_error;
use std::io;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::ptr;
use windows_sys::Win32::Foundation::{ERROR_NOT_ALL_ASSIGNED, GetLastError, HANDLE, LUID, SetLastError};
use windows_sys::Win32::Security as security;
use windows_sys::Win32::System::Threading::{GetCurrentProcess, OpenProcessToken};
use windows_sys::core::PCWSTR;

/// What of it this process was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Privileges {
    /// It may read everything, whatever access lists say.
    pub backup: bool,
    /// It may write everything and give things away.
    pub restore: bool,
    /// It may read and set audit lists.
    pub audit: bool,
}

/// Asks for all of it, as far as the user holds it.
pub fn enable() -> Privileges {
    Privileges {
        backup: enable_one(security::SE_BACKUP_NAME).unwrap_or(false),
        restore: enable_one(security::SE_RESTORE_NAME).unwrap_or(false),
        audit: enable_one(security::SE_SECURITY_NAME).unwrap_or(false),
    }
}

/// This process's token, open with these rights.
pub(crate) fn own_token(access: u32) -> io::Result<OwnedHandle> {
    let mut token: HANDLE = ptr::null_mut();
    // SAFETY: the place for the answer lives until the call returns; this process's own handle is always valid.
    if unsafe { OpenProcessToken(GetCurrentProcess(), access, &raw mut token) } == 0 {
        return Err(last_error());
    }
    // SAFETY: the call succeeded, so this handle is open, and nobody else has it.
    Ok(unsafe { OwnedHandle::from_raw_handle(token) })
}

fn enable_one(name: PCWSTR) -> io::Result<bool> {
    let token = own_token(security::TOKEN_ADJUST_PRIVILEGES | security::TOKEN_QUERY)?;
    let mut id = LUID::default();
    // SAFETY: the name is one of the library's own and ends in zero; the place for the answer lives until the call returns.
    if unsafe { security::LookupPrivilegeValueW(ptr::null(), name, &raw mut id) } == 0 {
        return Err(last_error());
    }
    let wish = security::TOKEN_PRIVILEGES {
        PrivilegeCount: 1,
        Privileges: [security::LUID_AND_ATTRIBUTES { Luid: id, Attributes: security::SE_PRIVILEGE_ENABLED }],
    };
    // SAFETY: one privilege is told and one is there; what was before is not asked for.
    let done = unsafe {
        SetLastError(0);
        security::AdjustTokenPrivileges(
            token.as_raw_handle(),
            0,
            &raw const wish,
            0,
            ptr::null_mut(),
            ptr::null_mut(),
        )
    };
    // It succeeds, with this error, also where the user does not hold it.
    // SAFETY: it only reads a number of this thread.
    Ok(done != 0 && unsafe { GetLastError() } != ERROR_NOT_ALL_ASSIGNED)
}
