//! All volumes of this machine, mounted or not.

use crate::handle::{is, last_error};
use crate::volume::wide;
use std::ffi::OsString;
use std::io;
use std::os::windows::ffi::OsStringExt;
use std::path::PathBuf;
use std::ptr;
use windows_sys::Win32::Foundation::{ERROR_MORE_DATA, ERROR_NO_MORE_FILES, HANDLE, INVALID_HANDLE_VALUE};
use windows_sys::Win32::Storage::FileSystem as fs;
use windows_sys::Win32::System::Diagnostics::Debug::{SEM_FAILCRITICALERRORS, SetThreadErrorMode};
use windows_sys::Win32::System::WindowsProgramming::{DRIVE_FIXED, DRIVE_NO_ROOT_DIR, DRIVE_UNKNOWN};

/// `\\?\Volume{GUID}\` with the zero behind it is shorter, in units.
const ID_UNITS: usize = 64;

/// What is said of a path at which there is no drive.
const NOTHING: [u32; 2] = [DRIVE_UNKNOWN, DRIVE_NO_ROOT_DIR];

/// Names of file systems are shorter, in units.
const FILE_SYSTEM_UNITS: usize = 64;

/// A volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// Such as `\\?\Volume{GUID}\`.
    pub id: String,
    /// Where it is mounted: drives (`D:\`) and folders, which end in `\`, too.
    pub mounts: Vec<PathBuf>,
    /// Such as `NTFS`; `None` if it has none that this machine can read: it is not formatted, locked, or no medium is in.
    pub file_system: Option<String>,
    /// Whether it is a fixed disk's.
    pub is_fixed: bool,
    /// Bytes in all, and those that are free for this user; `None` without a file system.
    pub space: Option<(u64, u64)>,
}

/// Volumes that are being looked for.
struct Search(HANDLE);

impl Drop for Search {
    fn drop(&mut self) {
        // SAFETY: the search is open, and nobody else closes it.
        unsafe { fs::FindVolumeClose(self.0) };
    }
}

/// As long as it lives, this thread asks nobody for a medium of a drive that is empty.
struct Quiet(u32);

impl Quiet {
    fn begin() -> Self {
        let mut before = 0;
        // SAFETY: the place for the answer lives until the call returns. Where it fails all is as before.
        unsafe { SetThreadErrorMode(SEM_FAILCRITICALERRORS, &raw mut before) };
        Self(before)
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        // SAFETY: what was before isn't asked for.
        unsafe { SetThreadErrorMode(self.0, ptr::null_mut()) };
    }
}

/// All of them, in no order.
pub fn list() -> io::Result<Vec<Volume>> {
    let _quiet = Quiet::begin();
    let mut id = [0u16; ID_UNITS];
    // SAFETY: the place for the name is as long as is told.
    let handle = unsafe { fs::FindFirstVolumeW(id.as_mut_ptr(), ID_UNITS as u32) };
    if handle == INVALID_HANDLE_VALUE {
        return Err(last_error());
    }
    let search = Search(handle);
    let mut all = Vec::new();
    loop {
        match look(&id) {
            Ok(volume) => all.push(volume),
            // It was taken away meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        // SAFETY: the search is open, and the place for the name is as long as is told.
        if unsafe { fs::FindNextVolumeW(search.0, id.as_mut_ptr(), ID_UNITS as u32) } == 0 {
            return match last_error() {
                end if is(&end, ERROR_NO_MORE_FILES) => Ok(all),
                error => Err(error),
            };
        }
    }
}

fn text(units: &[u16]) -> String {
    String::from_utf16_lossy(units.split(|unit| *unit == 0).next().unwrap_or_default())
}

/// Looks at the volume of an id that ends in zero.
fn look(id: &[u16; ID_UNITS]) -> io::Result<Volume> {
    let mounts = mounts(id)?;
    // The id is enough for Windows; what stands in for it knows drives only.
    let by_mounts = || mounts.iter().map(|mount| drive_type(&wide(mount)));
    let drive_type = std::iter::once(drive_type(id)).chain(by_mounts()).find(|kind| !NOTHING.contains(kind));
    let file_system = file_system(id);
    let space = file_system.as_ref().and_then(|_| space(id));
    Ok(Volume { id: text(id), mounts, file_system, is_fixed: drive_type == Some(DRIVE_FIXED), space })
}

/// What kind of a drive a path that ends in zero is the root of.
fn drive_type(path: &[u16]) -> u32 {
    debug_assert!(path.contains(&0), "it ends in zero");
    // SAFETY: the path ends in zero, as all that are given here.
    unsafe { fs::GetDriveTypeW(path.as_ptr()) }
}

fn mounts(id: &[u16; ID_UNITS]) -> io::Result<Vec<PathBuf>> {
    let mut room = 256;
    loop {
        let (mut names, mut length) = (vec![0u16; room], 0);
        // SAFETY: the id ends in zero, and the place for the answer is as long as is told.
        let done = unsafe {
            fs::GetVolumePathNamesForVolumeNameW(
                id.as_ptr(),
                names.as_mut_ptr(),
                room as u32,
                &raw mut length,
            )
        };
        if done != 0 {
            let names = names.split(|unit| *unit == 0).take_while(|name| !name.is_empty());
            return Ok(names.map(|name| PathBuf::from(OsString::from_wide(name))).collect());
        }
        let error = last_error();
        if !is(&error, ERROR_MORE_DATA) || length as usize <= room {
            return Err(error);
        }
        room = length as usize;
    }
}

fn file_system(id: &[u16; ID_UNITS]) -> Option<String> {
    let mut name = [0u16; FILE_SYSTEM_UNITS];
    let nothing = ptr::null_mut();
    // SAFETY: the id ends in zero, the place for the name is as long as is told, and nothing else is asked for.
    let done = unsafe {
        fs::GetVolumeInformationW(
            id.as_ptr(),
            ptr::null_mut(),
            0,
            nothing,
            nothing,
            nothing,
            name.as_mut_ptr(),
            FILE_SYSTEM_UNITS as u32,
        )
    };
    (done != 0).then(|| text(&name)).filter(|name| !name.is_empty())
}

fn space(id: &[u16; ID_UNITS]) -> Option<(u64, u64)> {
    let (mut free, mut all) = (0, 0);
    // SAFETY: the id ends in zero, and both places for answers live until the call returns.
    let done = unsafe { fs::GetDiskFreeSpaceExW(id.as_ptr(), &raw mut free, &raw mut all, ptr::null_mut()) };
    (done != 0).then_some((all, free))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn the_volume_of_the_system_is_there_once_with_its_size() {
        let all = list().expect("volumes can be listed");
        let at = |volume: &&Volume| volume.mounts.iter().any(|mount| mount == Path::new(r"C:\"));
        let found: Vec<&Volume> = all.iter().filter(at).collect();
        let [volume] = found[..] else { panic!("{all:?}") };
        assert!(volume.is_fixed && volume.id.starts_with(r"\\?\Volume{") && volume.id.ends_with(r"}\"));
        assert!(volume.file_system.as_ref().is_some_and(|name| !name.is_empty()), "{volume:?}");
        let (bytes, free) = volume.space.expect("it has a size");
        assert!(bytes > 0 && free <= bytes, "{volume:?}");
        let free_of_path = crate::volume::free_bytes(Path::new(r"C:\")).expect("it can be asked");
        // Others write meanwhile.
        assert!(free.abs_diff(free_of_path) < bytes / 10 + (1 << 30), "{free} {free_of_path}");
    }
}
