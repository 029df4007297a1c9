//! Where libraries come from that are loaded while the program runs: Windows' own folder, and nowhere else.
//!
//! What the program itself imports is Windows' own, by a list (`scripts/check-imports.py`). But these libraries load others by bare
//! names when they are first used, and Windows looks for such beside the program, in the current folder and along the search path:
//! whoever can write into one of these would run as the service's account. The program's own imports are looked for before it
//! begins, beside it first; where the MSI lays it, only administrators write.
//!
//! Source: Microsoft, "Dynamic-Link Library Security".

use crate::handle::last_error;
use std::io;
use windows_sys::Win32::System::LibraryLoader::{
    GetModuleHandleW, GetProcAddress, LOAD_LIBRARY_SEARCH_SYSTEM32, SetDllDirectoryW,
};
use windows_sys::core::BOOL;

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
}
