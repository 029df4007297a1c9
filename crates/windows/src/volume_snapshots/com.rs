//! COM on the thread that speaks with VSS, and who may call back into this process.

use super::interfaces::{Components, Entrances};
use super::{Cause, Failure};
use crate::access;
use crate::libraries::Library;
use std::ffi::c_void;
use std::io;
use std::marker::PhantomData;
use std::ptr;
use windows_sys::Win32::Foundation::RPC_E_TOO_LATE;
use windows_sys::Win32::Security::{ACL, SE_DACL_PRESENT, SECURITY_DESCRIPTOR};
use windows_sys::Win32::System::Com as com;
use windows_sys::core::HRESULT;

/// Who may call back: the system, administrators, those who make backups, and the two accounts that services run under that aren't the
/// system; writers are all of these. What COM allows by itself leaves the two out: their writers would fail, and Windows would log it at
/// each backup.
const CALLERS: &str =
    "O:BAG:BAD:(A;;0x3;;;SY)(A;;0x3;;;BA)(A;;0x3;;;BO)(A;;0x3;;;LS)(A;;0x3;;;NS)(A;;0x3;;;PS)";

/// What an error of Win32 is as a result of COM.
const OF_WIN32: u32 = 0x8007_0000;

/// COM, as long as it lives, on the thread that began it.
pub(super) struct Apartment {
    /// It must end on its thread.
    thread: PhantomData<*const ()>,
}

impl Apartment {
    /// Begins it on this thread.
    pub fn begin() -> Result<Self, Failure> {
        // SAFETY: it takes numbers only; it is ended once, when this is dropped.
        check("CoInitializeEx", unsafe {
            com::CoInitializeEx(ptr::null(), com::COINIT_MULTITHREADED.cast_unsigned())
        })?;
        let apartment = Self { thread: PhantomData };
        let_callers_in()?;
        Ok(apartment)
    }

    /// Has VSS begin a backup. The library stays loaded until the process ends, so what came from it may be used that long.
    pub fn components(&self) -> Result<Components, Failure> {
        let step = "LoadLibrary";
        let loaded = || {
            let library = Library::of_system("vssapi.dll")?;
            let create = library.function(c"CreateVssBackupComponentsInternal")?;
            let free = library.function(c"VssFreeSnapshotPropertiesInternal")?;
            // SAFETY: the functions of these names have these forms.
            Ok(unsafe { Entrances { create: std::mem::transmute(create), free: std::mem::transmute(free) } })
        };
        let entrances = loaded().map_err(|error: io::Error| Failure::of_error(step, &error))?;
        Components::create(entrances)
    }
}

impl Drop for Apartment {
    fn drop(&mut self) {
        // SAFETY: it was begun on this thread, which it can't leave, and is ended once.
        unsafe { com::CoUninitialize() };
    }
}

impl Failure {
    /// Of an error of Win32.
    pub(super) fn of_error(step: &'static str, error: &io::Error) -> Self {
        let cause = match error.raw_os_error() {
            Some(code) => Cause::Code(OF_WIN32 | code.cast_unsigned() & 0xffff),
            None => Cause::Ended,
        };
        Self { step, cause }
    }
}

fn check(step: &'static str, answer: HRESULT) -> Result<(), Failure> {
    match answer < 0 {
        true => Err(Failure { step, cause: Cause::Code(answer.cast_unsigned()) }),
        false => Ok(()),
    }
}

/// A descriptor in words, laid out as COM takes it: by pointers into its parts.
struct Absolute {
    // Eight bytes each, so that the parts lie where their fields may.
    parts: Vec<u64>,
}

impl Absolute {
    fn of_words(words: &str) -> io::Result<Self> {
        let bytes = access::from_words(words)?;
        let mut parts = vec![0u64; bytes.len().div_ceil(8)];
        for (part, eight) in parts.iter_mut().zip(bytes.chunks(8)) {
            let mut whole = [0; 8];
            whole[..eight.len()].copy_from_slice(eight);
            *part = u64::from_le_bytes(whole);
        }
        Ok(Self { parts })
    }

    /// It points into `self`. A self-relative descriptor says at 4, 8 and 16 where its owner, group and list lie (MS-DTYP 2.4.6).
    fn descriptor(&mut self) -> SECURITY_DESCRIPTOR {
        let word = |at: usize| (self.parts[at / 8] >> (8 * (at % 8))) as u32 as usize;
        let (owner, group, list) = (word(4), word(8), word(16));
        let length = self.parts.len() * 8;
        assert!([owner, group, list].iter().all(|at| *at >= 20 && *at < length), "Windows made it");
        let base = self.parts.as_mut_ptr().cast::<u8>();
        SECURITY_DESCRIPTOR {
            Revision: 1,
            Sbz1: 0,
            Control: SE_DACL_PRESENT,
            Owner: base.wrapping_add(owner).cast::<c_void>(),
            Group: base.wrapping_add(group).cast::<c_void>(),
            Sacl: ptr::null_mut(),
            Dacl: base.wrapping_add(list).cast::<ACL>(),
        }
    }
}

/// Once for a process: it stays so after the first time, which is no failure.
fn let_callers_in() -> Result<(), Failure> {
    let step = "CoInitializeSecurity";
    let mut callers = Absolute::of_words(CALLERS).map_err(|error| Failure::of_error(step, &error))?;
    let mut descriptor = callers.descriptor();
    // SAFETY: the descriptor points to parts that live until the call returns, which copies them; nothing else is given.
    let answer = unsafe {
        com::CoInitializeSecurity(
            (&raw mut descriptor).cast(),
            -1,
            ptr::null(),
            ptr::null(),
            com::RPC_C_AUTHN_LEVEL_PKT_PRIVACY,
            com::RPC_C_IMP_LEVEL_IDENTIFY,
            ptr::null(),
            com::EOAC_NONE.cast_unsigned(),
            ptr::null(),
        )
    };
    if answer == RPC_E_TOO_LATE { Ok(()) } else { check(step, answer) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::descriptor;

    #[test]
    fn com_begins_and_ends_and_begins_again() {
        for _ in 0..2 {
            let said = std::thread::spawn(|| Apartment::begin().map(drop)).join().unwrap();
            assert_eq!(said, Ok(()));
        }
    }

    #[test]
    fn the_list_of_callers_is_laid_out_as_it_was_said() {
        let mut laid = Absolute::of_words(CALLERS).unwrap();
        let bytes: Vec<u8> = laid.parts.iter().flat_map(|part| part.to_le_bytes()).collect();
        assert_eq!(descriptor::let_in(&bytes).map(|who| who.len()), Some(6));
        let made = laid.descriptor();
        // SAFETY: a SID, and a list that begins with its revision; both lie in `laid`.
        let (owner, list) = unsafe { (*made.Owner.cast::<u8>(), *made.Dacl.cast::<u8>()) };
        assert_eq!((owner, list), (1, 2));
    }
}
