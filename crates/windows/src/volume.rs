//! Volumes: what they can still take, and what kind they are.

use crate::handle::{is, last_error};
use std::fs::File;
use std::io;
use std::os::windows::ffi::OsStrExt;
use std::path::{Component, Path};
use windows_sys::Win32::Foundation::{ERROR_LOCK_VIOLATION, ERROR_SHARING_VIOLATION};
use windows_sys::Win32::Storage::FileSystem as fs;
use windows_sys::Win32::System::WindowsProgramming::DRIVE_REMOTE;

/// A path that ends in zero.
pub(crate) fn wide(path: &Path) -> Vec<u16> {
    path.as_os_str().encode_wide().chain([0]).collect()
}

/// How many bytes this user may still write to the volume of a folder.
pub fn free_bytes(folder: &Path) -> io::Result<u64> {
    let (path, mut free) = (wide(folder), 0);
    // SAFETY: the path ends in zero, and the place for the answer lives until the call returns.
    let done = unsafe {
        fs::GetDiskFreeSpaceExW(path.as_ptr(), &raw mut free, std::ptr::null_mut(), std::ptr::null_mut())
    };
    if done == 0 { Err(last_error()) } else { Ok(free) }
}

/// Whether what lies at an absolute path lies on another machine.
pub fn is_remote(path: &Path) -> bool {
    let Some(Component::Prefix(prefix)) = path.components().next() else { return false };
    let mut root = prefix.as_os_str().to_owned();
    root.push("\\");
    let root = wide(Path::new(&root));
    // SAFETY: the path ends in zero.
    unsafe { fs::GetDriveTypeW(root.as_ptr()) == DRIVE_REMOTE }
}

/// Opens a volume by the kernel's name of it (`\Device\HarddiskVolume1`) for reading, beside whoever else has it open.
pub fn try_device(name: &str) -> io::Result<()> {
    // Others may read and write meanwhile: that is what is asked for where nothing else is said.
    File::open(format!(r"\\?\GLOBALROOT{name}")).map(drop)
}

/// Whether an error says that somebody has it open and lets nobody in beside.
pub fn is_held(error: &io::Error) -> bool {
    is(error, ERROR_SHARING_VIOLATION) || is(error, ERROR_LOCK_VIOLATION)
}
