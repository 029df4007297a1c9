//! Windows Installer: which version of a product it has installed, and the program that installs one.

use crate::handle::last_error;
use std::ffi::OsString;
use std::io;
use std::os::windows::ffi::OsStringExt;
use std::path::PathBuf;
use windows_sys::Win32::Foundation::{
    ERROR_NO_MORE_ITEMS, ERROR_SUCCESS, ERROR_UNKNOWN_PRODUCT, ERROR_UNKNOWN_PROPERTY,
};
use windows_sys::Win32::System::ApplicationInstallationAndServicing as installer;
use windows_sys::Win32::System::SystemInformation::GetSystemDirectoryW;

/// A product's code as text, with the zero at its end.
const CODE_UNITS: usize = 39;

/// The longest version that is looked at, in units, with the zero at its end.
const VERSION_UNITS: usize = 64;

/// The versions of all products on this machine that one upgrade code makes versions of one thing, as they tell them.
pub fn versions(upgrade_code: &str) -> io::Result<Vec<String>> {
    let wanted: Vec<u16> = upgrade_code.encode_utf16().chain([0]).collect();
    let mut found = Vec::new();
    for index in 0.. {
        let mut code = [0_u16; CODE_UNITS];
        // SAFETY: the upgrade code ends in zero, and a product's code with its zero has its place.
        let answer =
            unsafe { installer::MsiEnumRelatedProductsW(wanted.as_ptr(), 0, index, code.as_mut_ptr()) };
        match answer {
            ERROR_SUCCESS => found.extend(version(&code)?),
            ERROR_NO_MORE_ITEMS => break,
            other => return Err(error(other)),
        }
    }
    Ok(found)
}

/// The version of a product; `None` if it tells none, as one that is offered and was never installed.
fn version(code: &[u16; CODE_UNITS]) -> io::Result<Option<String>> {
    let mut text = [0_u16; VERSION_UNITS];
    let mut units = VERSION_UNITS as u32;
    // SAFETY: the code and the property's name end in zero; the place for the answer is as long as is told.
    let answer = unsafe {
        installer::MsiGetProductInfoW(
            code.as_ptr(),
            installer::INSTALLPROPERTY_VERSIONSTRING,
            text.as_mut_ptr(),
            &raw mut units,
        )
    };
    match answer {
        ERROR_SUCCESS => {
            let told = String::from_utf16_lossy(text.get(..units as usize).unwrap_or_default());
            Ok(Some(told).filter(|told| !told.is_empty()))
        }
        ERROR_UNKNOWN_PRODUCT | ERROR_UNKNOWN_PROPERTY => Ok(None),
        other => Err(error(other)),
    }
}

fn error(code: u32) -> io::Error {
    io::Error::from_raw_os_error(code.cast_signed())
}

/// The program that installs products: the system's own, whatever a search path would find.
pub fn program() -> io::Result<PathBuf> {
    let mut units = [0_u16; 1024];
    // SAFETY: the place for the answer is as long as is told.
    let length = unsafe { GetSystemDirectoryW(units.as_mut_ptr(), units.len() as u32) };
    match units.get(..length as usize) {
        Some(folder) if length > 0 => Ok(PathBuf::from(OsString::from_wide(folder)).join("msiexec.exe")),
        Some(_) => Err(last_error()),
        None => Err(io::ErrorKind::InvalidData.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_product_that_nobody_made_no_version_is_installed() {
        let nobody = "{00000000-0000-4000-8000-000000000001}";
        assert_eq!(versions(nobody).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn the_program_that_installs_is_there() {
        assert!(program().unwrap().is_file());
    }
}
