//! Files that EFS encrypts, as it stores them: their raw content can be read and put back by whoever has no key.
//!
//! It holds all streams of a file and the keys that open it, sealed for its users; no times, no file attributes but that it is
//! encrypted, and no access list. EFS knows files by their paths only; whoever asks sees to it that a path stays what it is. It needs
//! the privileges of a backup and of a restore where the process has no key.

use crate::handle::{Handle, is, last_error};
use std::ffi::c_void;
use std::io;
use std::ptr;
use std::slice;
use windows_sys::Win32::Foundation::{ERROR_CANCELLED, ERROR_PATH_NOT_FOUND, ERROR_SUCCESS};
use windows_sys::Win32::Storage::FileSystem as fs;

/// Flag of a file that is put back; without it, it is read.
const CREATE_FOR_IMPORT: u32 = 1;

impl Handle {
    /// The path by which it lies now, as Win32 leaves it as it is: on the letter of its volume, or where that has none (a snapshot), on
    /// its device.
    pub fn path(&self) -> io::Result<Vec<u16>> {
        match self.path_on(fs::VOLUME_NAME_DOS) {
            Err(error) if is(&error, ERROR_PATH_NOT_FOUND) => {
                let device = r"\\?\GLOBALROOT".encode_utf16();
                Ok(device.chain(self.path_on(fs::VOLUME_NAME_NT)?).collect())
            }
            path => path,
        }
    }

    fn path_on(&self, volume: fs::GETFINALPATHNAMEBYHANDLE_FLAGS) -> io::Result<Vec<u16>> {
        let mut path = vec![0u16; 512];
        loop {
            let room = path.len() as u32;
            let how = fs::FILE_NAME_NORMALIZED | volume;
            // SAFETY: the place for the answer is as long as is told.
            let length =
                unsafe { fs::GetFinalPathNameByHandleW(self.raw(), path.as_mut_ptr(), room, how) } as usize;
            match length {
                0 => return Err(last_error()),
                length if length < path.len() => {
                    path.truncate(length);
                    return Ok(path);
                }
                // So much room is needed, the zero at its end included.
                length => path.resize(length + 1, 0),
            }
        }
    }
}

/// Marks a folder, so that EFS encrypts what is made in it from now on; nothing that lies in it already.
pub fn mark_folder(path: &[u16]) -> io::Result<()> {
    let path = ended(path)?;
    // SAFETY: the path ends in zero.
    match unsafe { fs::EncryptFileW(path.as_ptr()) } {
        0 => Err(last_error()),
        _ => Ok(()),
    }
}

/// A path that ends in zero, and has none before.
fn ended(path: &[u16]) -> io::Result<Vec<u16>> {
    match path.contains(&0) {
        true => Err(io::ErrorKind::InvalidFilename.into()),
        false => Ok(path.iter().copied().chain([0]).collect()),
    }
}

/// A file that EFS has open; only it knows what stands behind the pointer.
struct Opened(*mut c_void);

impl Opened {
    fn open(path: &[u16], flags: u32) -> io::Result<Self> {
        let path = ended(path)?;
        let mut context: *mut c_void = ptr::null_mut();
        // SAFETY: the path ends in zero, and the place for the answer lives until the call returns.
        done(unsafe { fs::OpenEncryptedFileRawW(path.as_ptr(), flags, &raw mut context) })?;
        match context.is_null() {
            true => Err(io::Error::other("EFS says that the file is open, and it is not")),
            false => Ok(Self(context)),
        }
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        // SAFETY: it is open, and closed once.
        unsafe { fs::CloseEncryptedFileRaw(self.0) };
    }
}

/// What these calls answer: an error of Win32 itself.
fn done(code: u32) -> io::Result<()> {
    match code {
        ERROR_SUCCESS => Ok(()),
        code => Err(io::Error::from_raw_os_error(code.cast_signed())),
    }
}

/// Whom content is handed to, and why that failed.
struct Taking<'a> {
    take: &'a mut dyn FnMut(&[u8]) -> io::Result<()>,
    failed: Option<io::Error>,
}

/// Who gives content, and why that failed.
struct Giving<'a> {
    give: &'a mut dyn FnMut(&mut [u8]) -> io::Result<usize>,
    failed: Option<io::Error>,
}

/// Called back by EFS with what comes next of a file.
///
/// # Safety
/// `bytes` must be `length` bytes, and `context` a [`Taking`] that nobody else uses meanwhile.
unsafe extern "system" fn take_part(bytes: *const u8, context: *const c_void, length: u32) -> u32 {
    // SAFETY: so the caller promises.
    let taking = unsafe { &mut *context.cast_mut().cast::<Taking<'_>>() };
    if taking.failed.is_some() {
        return ERROR_CANCELLED;
    }
    if length == 0 || bytes.is_null() {
        return ERROR_SUCCESS;
    }
    // SAFETY: so the caller promises; it is only read.
    let part = unsafe { slice::from_raw_parts(bytes, length as usize) };
    match (taking.take)(part) {
        Ok(()) => ERROR_SUCCESS,
        Err(error) => {
            taking.failed = Some(error);
            ERROR_CANCELLED
        }
    }
}

/// Called back by EFS for what comes next of a file: `length` says how much room there is, and then how much there was; 0 says
/// that there is no more.
///
/// # Safety
/// `bytes` must be as many as `length` says, and `context` a [`Giving`] that nobody else uses meanwhile.
unsafe extern "system" fn give_part(bytes: *mut u8, context: *const c_void, length: *mut u32) -> u32 {
    // SAFETY: so the caller promises.
    let (giving, length) = unsafe { (&mut *context.cast_mut().cast::<Giving<'_>>(), &mut *length) };
    let room = std::mem::take(length) as usize;
    if giving.failed.is_some() {
        return ERROR_CANCELLED;
    }
    // Without room nothing can be given, which would seem to be the end.
    if room == 0 || bytes.is_null() {
        giving.failed = Some(io::Error::other("EFS has no room for what it asks for"));
        return ERROR_CANCELLED;
    }
    // SAFETY: so the caller promises; EFS has them to itself while it waits for this.
    let place = unsafe { slice::from_raw_parts_mut(bytes, room) };
    match (giving.give)(place) {
        Ok(given) => {
            *length = given.min(room) as u32;
            ERROR_SUCCESS
        }
        Err(error) => {
            giving.failed = Some(error);
            ERROR_CANCELLED
        }
    }
}

/// Whether EFS opens the file at an absolute path for its raw content to be read.
///
/// # Errors
/// Why it does not.
pub fn can_export(path: &[u16]) -> io::Result<()> {
    Opened::open(path, 0).map(drop)
}

/// Hands over the raw content of the file at an absolute path, part by part, until `take` fails.
pub fn export(path: &[u16], take: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    let opened = Opened::open(path, 0)?;
    let mut taking = Taking { take, failed: None };
    let context = ptr::from_mut(&mut taking).cast_const().cast::<c_void>();
    // SAFETY: what is open stays so, and `taking` is used by the callback only, until the call returns.
    let code = unsafe { fs::ReadEncryptedFileRaw(Some(take_part), context, opened.0) };
    match taking.failed {
        // EFS only says that it was stopped.
        Some(error) => Err(error),
        None => done(code),
    }
}

/// Makes the file at an absolute path of its raw content, which `give` puts into the front of the room that it is given, 0 bytes
/// after the last.
pub fn import(path: &[u16], give: &mut dyn FnMut(&mut [u8]) -> io::Result<usize>) -> io::Result<()> {
    let opened = Opened::open(path, CREATE_FOR_IMPORT)?;
    let mut giving = Giving { give, failed: None };
    let context = ptr::from_mut(&mut giving).cast_const().cast::<c_void>();
    // SAFETY: what is open stays so, and `giving` is used by the callback only, until the call returns.
    let code = unsafe { fs::WriteEncryptedFileRaw(Some(give_part), context, opened.0) };
    match giving.failed {
        Some(error) => Err(error),
        None => done(code),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handle::rights;
    use crate::raw_content::RawReader;
    use crate::registry::Key;

    /// Under Windows the file is not encrypted, and under Wine there is no EFS. Neither may seem to have given or made anything.
    #[test]
    fn a_plain_file_or_no_efs_gives_no_content_and_no_file_without_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plain");
        std::fs::write(&path, "plain content").unwrap();
        let file = Handle::open_folder(&path, rights::LOOK).unwrap();
        let (path, mut taken) = (file.path().unwrap(), Vec::new());
        let exported = export(&path, &mut |part| {
            taken.extend_from_slice(part);
            Ok(())
        });
        assert!(exported.is_err() || !taken.is_empty(), "a success without content");
        assert_ne!(taken, b"plain content", "it is not what its user sees");
        let to_read = path.clone();
        let read = RawReader::start(move |parts| export(&to_read, &mut |part| parts.put(part)));
        assert_eq!(read.is_err(), taken.is_empty());
        let missing = folder.path().join("missing");
        let beside =
            [&path[..path.len() - "plain".len()], &"missing".encode_utf16().collect::<Vec<_>>()].concat();
        assert!(import(&beside, &mut |_| Ok(0)).is_err() || missing.exists(), "a success without a file");
    }

    #[test]
    fn a_path_says_where_an_open_file_lies() {
        let folder = tempfile::tempdir().unwrap();
        let found = |name: &str| {
            let path = folder.path().canonicalize().unwrap().join(name).join(name).join(name);
            std::fs::create_dir_all(&path).unwrap();
            let found = Handle::open_folder(&path, rights::LOOK).unwrap().path();
            found.map(|found| assert_eq!(String::from_utf16(&found).unwrap(), path.to_str().unwrap()))
        };
        found("short").unwrap();
        // Wine tells no path that is longer than 260 units, and says so.
        let is_wine = Key::open(r"SOFTWARE\Wine").unwrap().is_some();
        assert_eq!(found(&"n".repeat(200)).is_err(), is_wine);
    }

    #[test]
    fn callbacks_stop_at_the_first_error_and_stay_stopped() {
        let mut calls = 0;
        let mut take = |_: &[u8]| {
            calls += 1;
            Err::<(), _>(io::Error::other("full"))
        };
        let mut taking = Taking { take: &mut take, failed: None };
        let context = ptr::from_mut(&mut taking).cast_const().cast::<c_void>();
        for _ in 0..2 {
            // SAFETY: three bytes, and the context is this function's own.
            assert_eq!(unsafe { take_part(b"abc".as_ptr(), context, 3) }, ERROR_CANCELLED);
        }
        assert!(taking.failed.is_some());
        assert_eq!(calls, 1);
    }

    #[test]
    fn a_callback_says_how_much_it_gave_and_gives_nothing_without_room() {
        let mut give = |room: &mut [u8]| {
            room[..2].copy_from_slice(b"ab");
            Ok::<usize, io::Error>(2)
        };
        let mut giving = Giving { give: &mut give, failed: None };
        let context = ptr::from_mut(&mut giving).cast_const().cast::<c_void>();
        let (mut room, mut length) = ([0u8; 4], 4u32);
        // SAFETY: four bytes, and the context is this function's own.
        assert_eq!(unsafe { give_part(room.as_mut_ptr(), context, &raw mut length) }, ERROR_SUCCESS);
        assert_eq!((&room[..2], length), (&b"ab"[..], 2));
        length = 0;
        // SAFETY: no bytes, and the context is this function's own.
        assert_eq!(unsafe { give_part(room.as_mut_ptr(), context, &raw mut length) }, ERROR_CANCELLED);
        assert!(giving.failed.is_some());
    }
}
