//! Volumes: what they can still take, and what kind they are.

use crate::handle::last_error;
use std::io;
use std::os::windows::ffi::OsStrExt;
use std::path::{Component, Path};
use windows_sys::Win32::Storage::FileSystem as fs;
use windows_sys::Win32::System::WindowsProgramming::DRIVE_REMOTE;

fn wide(path: &Path) -> Vec<u16> {
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
