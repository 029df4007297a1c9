//! Where libraries come from that are loaded while the program runs: Windows' own folder, and nowhere else.
//!
//! What the program itself imports is Windows' own, by a list (`scripts/check-imports.py`). But these libraries load others by bare
//! names when they are first used, and Windows looks for such beside the program, in the current folder and along the search path:
//! whoever can write into one of these would run as the service's account. The program's own imports are looked for before it
//! begins, beside it first; where the MSI lays it, only administrators write.
//!
//! Source: Microsoft, "Dynamic-Link Library Security".

use crate::handle::last_error;
use std::ffi::CStr;
use std::io;
use std::ptr;
use windows_sys::Win32::Foundation::HMODULE;
use windows_sys::Win32::System::LibraryLoader::{
    GetModuleHandleW, GetProcAddress, LOAD_LIBRARY_SEARCH_SYSTEM32, LOAD_WITH_ALTERED_SEARCH_PATH,
    LoadLibraryExW, SetDllDirectoryW,
};
use windows_sys::Win32::System::SystemInformation::GetSystemDirectoryW;
use windows_sys::core::BOOL;

/// What a library gives, whatever its form.
type Function = unsafe extern "system" fn() -> isize;

/// Paths of Windows' own folder are shorter, in units.
const PATH_UNITS: usize = 32_768;

/// `SetDefaultDllDirectories`.
type SetDefault = unsafe extern "system" fn(u32) -> BOOL;

/// Has all libraries that are loaded from now on by a bare name come from Windows' own folder. Server 2008 R2 can do that with
/// its update KB2533623 only; without it, the current folder at least is left out.
///
/// # Errors
/// If Windows refuses it.
pub fn load_from_system_only() -> io::Result<()> {
    // SAFETY: the text is empty, and ends in zero.
    taken(unsafe { SetDllDirectoryW([0].as_ptr()) })?;
    match set_default() {
        // SAFETY: it takes flags only.
        Some(set) => taken(unsafe { set(LOAD_LIBRARY_SEARCH_SYSTEM32) }),
        None => Ok(()),
    }
}

fn taken(answer: BOOL) -> io::Result<()> {
    if answer == 0 { Err(last_error()) } else { Ok(()) }
}

/// Asked for by its name, for the program must begin where Windows does not have it.
fn set_default() -> Option<SetDefault> {
    let library: Vec<u16> = "kernel32.dll\0".encode_utf16().collect();
    // SAFETY: both names end in zero; the library is there as long as the process.
    let found = unsafe {
        GetProcAddress(GetModuleHandleW(library.as_ptr()), c"SetDefaultDllDirectories".as_ptr().cast())
    };
    // SAFETY: the function of that name has this form.
    found.map(|found| unsafe {
        std::mem::transmute::<unsafe extern "system" fn() -> isize, SetDefault>(found)
    })
}

/// A library of Windows' own folder. It stays loaded until the process ends, for nobody knows who still uses what came from it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Library(HMODULE);

impl Library {
    /// Loads it by its whole path: so none of that name that lies elsewhere is taken, on Server 2008 R2 without its update neither.
    ///
    /// # Errors
    /// If it isn't there, or can't be loaded.
    pub fn of_system(name: &str) -> io::Result<Self> {
        let mut path = vec![0u16; PATH_UNITS];
        // SAFETY: the place for the answer is as long as is told.
        let length = unsafe { GetSystemDirectoryW(path.as_mut_ptr(), PATH_UNITS as u32) } as usize;
        if length == 0 || length >= PATH_UNITS {
            return Err(last_error());
        }
        path.truncate(length);
        path.push(u16::from(b'\\'));
        path.extend(name.encode_utf16().chain([0]));
        // SAFETY: the path ends in zero. What it imports is looked for beside it first, that is in Windows' own folder.
        let library =
            unsafe { LoadLibraryExW(path.as_ptr(), ptr::null_mut(), LOAD_WITH_ALTERED_SEARCH_PATH) };
        if library.is_null() { Err(last_error()) } else { Ok(Self(library)) }
    }

    /// A function of it; who calls it knows its form.
    ///
    /// # Errors
    /// If it has none of that name.
    pub fn function(self, name: &CStr) -> io::Result<Function> {
        // SAFETY: the library stays loaded, and the name ends in zero.
        unsafe { GetProcAddress(self.0, name.as_ptr().cast()) }.ok_or_else(last_error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::windows::ffi::OsStrExt as _;
    use std::path::Path;
    use windows_sys::Win32::Foundation::FreeLibrary;
    use windows_sys::Win32::System::LibraryLoader::LoadLibraryW;

    fn loads(name: &Path) -> bool {
        let name: Vec<u16> = name.as_os_str().encode_wide().chain([0]).collect();
        // SAFETY: the name ends in zero; what was loaded is not used, and freed once.
        unsafe {
            let library = LoadLibraryW(name.as_ptr());
            !library.is_null() && FreeLibrary(library) != 0
        }
    }

    #[test]
    fn a_library_beside_the_program_is_not_loaded_and_windows_own_are() {
        let program = std::env::current_exe().unwrap();
        // The program itself can be loaded like a library.
        let name = format!("stateward-beside-{}.dll", std::process::id());
        let beside = program.with_file_name(&name);
        std::fs::copy(&program, &beside).unwrap();
        let was_loaded = loads(Path::new(&name));
        load_from_system_only().unwrap();
        let is_loaded = loads(Path::new(&name));
        std::fs::remove_file(&beside).unwrap();
        assert!(was_loaded, "nothing is shown where it isn't found at all");
        assert!(!is_loaded, "it was loaded from the program's folder");
        assert!(loads(Path::new("version.dll")));
    }

    #[test]
    fn a_library_of_windows_is_loaded_by_its_path_and_gives_its_functions() {
        let library = Library::of_system("version.dll").unwrap();
        assert!(library.function(c"GetFileVersionInfoW").is_ok());
        assert!(library.function(c"NoSuchFunction").is_err());
        assert!(Library::of_system("no-such-library.dll").is_err());
    }
}
