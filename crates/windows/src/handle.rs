//! Files and folders by their handles: each opened by its name in a folder that is open, never through a link on the way.
//!
//! So a path's length means nothing, nor what is moved or linked above while work goes on, nor what Win32 makes of names that
//! end in a dot or are called like a device.

mod wish;

pub use wish::{Expected, Wish, rights};

use crate::metadata::valid_descriptor;
use crate::records::{self, Listed};
use std::ffi::c_void;
use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::windows::fs::{FileExt, OpenOptionsExt};
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::path::Path;
use std::ptr;
use windows_sys::Wdk::Foundation::OBJECT_ATTRIBUTES;
use windows_sys::Wdk::Storage::FileSystem as nt;
use windows_sys::Win32::Foundation::{
    ERROR_INVALID_PARAMETER, ERROR_MORE_DATA, ERROR_NO_MORE_FILES, HANDLE, NTSTATUS, RtlNtStatusToDosError,
    UNICODE_STRING,
};
use windows_sys::Win32::Storage::FileSystem as fs;
use windows_sys::Win32::System::IO::IO_STATUS_BLOCK;

/// What one look at an open file or folder tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// The file attributes (MS-FSCC 2.6).
    pub attributes: u32,
    /// When it was made, in ticks (see [`crate::time`]); so are the others.
    pub created: i64,
    /// When its content last changed.
    pub written: i64,
    /// When anything of it last changed.
    pub changed: i64,
    /// Its size in bytes.
    pub size: u64,
    /// How many bytes are stored for it.
    pub stored: u64,
    /// How many names it has.
    pub links: u32,
    /// The volume that it lies on.
    pub volume: u64,
    /// Its number within the volume.
    pub id: u128,
}

impl Look {
    /// Whether it is a folder, or a link to one.
    pub fn is_folder(&self) -> bool {
        self.attributes & fs::FILE_ATTRIBUTE_DIRECTORY != 0
    }

    /// Whether EFS encrypts it; a folder, whether it does so with what is made in it.
    pub fn is_encrypted(&self) -> bool {
        self.attributes & fs::FILE_ATTRIBUTE_ENCRYPTED != 0
    }

    /// Whether it is a reparse point: a link, or something else that a filter explains.
    pub fn is_reparse_point(&self) -> bool {
        self.attributes & fs::FILE_ATTRIBUTE_REPARSE_POINT != 0
    }
}

/// An open file or folder.
#[derive(Debug)]
pub struct Handle(File);

/// Structures of numbers: any bytes are a value of them.
///
/// # Safety
/// All bit patterns must be values.
pub(crate) unsafe trait Numbers {}
// SAFETY: both hold integers only.
unsafe impl Numbers for fs::FILE_BASIC_INFO {}
// SAFETY: bytes only.
unsafe impl Numbers for fs::FILE_ID_INFO {}

// SAFETY: one integer.
unsafe impl Numbers for fs::FILE_CASE_SENSITIVE_INFO {}

/// The error of a failed call of Win32.
pub(crate) fn last_error() -> io::Error {
    io::Error::last_os_error()
}

/// What the kernel's own calls answer, as an error of Win32.
pub(crate) fn check(status: NTSTATUS) -> io::Result<()> {
    if status >= 0 {
        return Ok(());
    }
    // SAFETY: it only looks the number up.
    let code = unsafe { RtlNtStatusToDosError(status) };
    Err(io::Error::from_raw_os_error(code.cast_signed()))
}

/// Whether an error has that number of Win32.
pub(crate) fn is(error: &io::Error, code: u32) -> bool {
    error.raw_os_error() == Some(code.cast_signed())
}

impl Handle {
    /// Opens a folder by its path, itself and not what it leads to; its content is read with the rights of a backup.
    pub fn open_folder(path: &Path, rights: u32) -> io::Result<Self> {
        let mut options = File::options();
        options.access_mode(rights).share_mode(SHARE_ALL);
        options.custom_flags(fs::FILE_FLAG_BACKUP_SEMANTICS | fs::FILE_FLAG_OPEN_REPARSE_POINT);
        options.open(path).map(Self)
    }

    /// What is open already.
    pub fn of(file: File) -> Self {
        Self(file)
    }

    /// For calls of this room.
    pub(crate) fn raw(&self) -> HANDLE {
        self.0.as_raw_handle()
    }

    /// Opens, or makes, a name in this folder.
    pub fn open_at(&self, name: &[u16], wish: Wish<'_>) -> io::Result<Self> {
        let text = unicode(name)?;
        let descriptor = wish.descriptor.map(valid_descriptor).transpose()?;
        let attributes = OBJECT_ATTRIBUTES {
            Length: size_of::<OBJECT_ATTRIBUTES>() as u32,
            RootDirectory: self.raw(),
            ObjectName: &raw const text,
            // What is made must not differ by case only from what is there, as nowhere on Windows.
            Attributes: if wish.makes || wish.in_any_case { CASE_INSENSITIVE } else { 0 },
            SecurityDescriptor: descriptor.as_ref().map_or(ptr::null(), |words| words.as_ptr().cast()),
            SecurityQualityOfService: ptr::null(),
        };
        let kind = match wish.expected {
            Expected::Any => 0,
            Expected::Folder => nt::FILE_DIRECTORY_FILE,
            Expected::File => nt::FILE_NON_DIRECTORY_FILE,
        };
        let itself = if wish.follows { 0 } else { nt::FILE_OPEN_REPARSE_POINT };
        let mut handle: HANDLE = ptr::null_mut();
        let mut status = IO_STATUS_BLOCK::default();
        // SAFETY: name, attributes, the descriptor (which was checked) and both places for answers live until the call
        // returns.
        let answer = unsafe {
            nt::NtCreateFile(
                &raw mut handle,
                wish.rights | fs::SYNCHRONIZE,
                &raw const attributes,
                &raw mut status,
                ptr::null(),
                fs::FILE_ATTRIBUTE_NORMAL,
                SHARE_ALL,
                if wish.makes { nt::FILE_CREATE } else { nt::FILE_OPEN },
                kind | itself | nt::FILE_SYNCHRONOUS_IO_NONALERT | nt::FILE_OPEN_FOR_BACKUP_INTENT,
                ptr::null(),
                0,
            )
        };
        check(answer)?;
        // SAFETY: the call succeeded, so this handle is open, and nobody else has it.
        Ok(Self(File::from(unsafe { OwnedHandle::from_raw_handle(handle) })))
    }

    pub(crate) fn ask<T: Numbers>(&self, class: i32) -> io::Result<T> {
        let mut answer = MaybeUninit::<T>::zeroed();
        let length = size_of::<T>() as u32;
        // SAFETY: the place for the answer is as long as is told.
        let done = unsafe {
            fs::GetFileInformationByHandleEx(self.raw(), class, answer.as_mut_ptr().cast::<c_void>(), length)
        };
        if done == 0 {
            return Err(last_error());
        }
        // SAFETY: it was zeroed, and all bytes are values of such a structure.
        Ok(unsafe { answer.assume_init() })
    }

    /// An answer of unknown length: asked again with more room, up to 4 MiB.
    pub(crate) fn ask_at_length(&self, class: i32) -> io::Result<Vec<u8>> {
        let mut room = 8 << 10;
        loop {
            match self.ask_into(class, room) {
                Err(error) if is(&error, ERROR_MORE_DATA) && room < ANSWER_BYTES_MAX => room *= 8,
                answer => return answer,
            }
        }
    }

    fn ask_into(&self, class: i32, room: usize) -> io::Result<Vec<u8>> {
        // Numbers of 64 bits, for the answer is to lie as they do.
        let mut answer = vec![0u64; room / 8];
        // SAFETY: the place for the answer is as long as is told.
        let done = unsafe {
            fs::GetFileInformationByHandleEx(
                self.raw(),
                class,
                answer.as_mut_ptr().cast::<c_void>(),
                (answer.len() * 8) as u32,
            )
        };
        match done {
            0 => Err(last_error()),
            _ => Ok(answer.into_iter().flat_map(u64::to_le_bytes).collect()),
        }
    }

    /// Looks at it.
    pub fn look(&self) -> io::Result<Look> {
        let basic: fs::FILE_BASIC_INFO = self.ask(fs::FileBasicInfo)?;
        let mut old = MaybeUninit::<fs::BY_HANDLE_FILE_INFORMATION>::zeroed();
        // SAFETY: the place for the answer is of the type that is asked for.
        if unsafe { fs::GetFileInformationByHandle(self.raw(), old.as_mut_ptr()) } == 0 {
            return Err(last_error());
        }
        // SAFETY: it was zeroed and holds integers only.
        let old = unsafe { old.assume_init() };
        let wide = |high: u32, low: u32| u64::from(high) << 32 | u64::from(low);
        let (volume, id) = match self.ask::<fs::FILE_ID_INFO>(fs::FileIdInfo) {
            Ok(id) => (id.VolumeSerialNumber, u128::from_le_bytes(id.FileId.Identifier)),
            // Windows before 8 and Server 2012, and file systems with short numbers.
            Err(_) => (old.dwVolumeSerialNumber.into(), wide(old.nFileIndexHigh, old.nFileIndexLow).into()),
        };
        Ok(Look {
            attributes: basic.FileAttributes,
            created: basic.CreationTime,
            written: basic.LastWriteTime,
            changed: basic.ChangeTime,
            size: wide(old.nFileSizeHigh, old.nFileSizeLow),
            stored: self.stored().unwrap_or(u64::MAX),
            links: old.nNumberOfLinks,
            volume,
            id,
        })
    }

    fn stored(&self) -> io::Result<u64> {
        let bytes = self.ask_into(fs::FileStandardInfo, STANDARD_BYTES)?;
        Ok(u64::from_le_bytes(bytes[..8].try_into().unwrap_or_default()))
    }

    /// What this folder holds, without `.` and `..`. Beside an error stands what was read before it.
    pub fn list(&self) -> (Vec<Listed>, Option<io::Error>) {
        let (mut all, mut class) = (Vec::new(), fs::FileIdBothDirectoryRestartInfo);
        loop {
            match self.ask_into(class, LIST_BYTES) {
                Ok(answer) => all.extend(records::listed(&answer)),
                Err(error) if is(&error, ERROR_NO_MORE_FILES) => return (all, None),
                // An empty root of a drive has not even `.`.
                Err(error) if error.kind() == io::ErrorKind::NotFound => return (all, None),
                Err(error) => return (all, Some(error)),
            }
            class = fs::FileIdBothDirectoryInfo;
        }
    }

    /// Reads at `offset` into the front of `buffer`; 0 at the end.
    pub fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.seek_read(buffer, offset)
    }

    /// Writes all of `bytes` at `offset`.
    pub fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut written = 0;
        while written < bytes.len() {
            match self.0.seek_write(&bytes[written..], offset + written as u64)? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                more => written += more,
            }
        }
        Ok(())
    }

    /// Makes the file as long as that.
    pub fn set_size(&self, size: u64) -> io::Result<()> {
        self.0.set_len(size)
    }

    /// Makes it durable.
    pub fn sync(&self) -> io::Result<()> {
        self.0.sync_all()
    }

    /// Takes it away once its last handle is closed; needs the right to.
    pub fn delete(&self) -> io::Result<()> {
        let wish = fs::FILE_DISPOSITION_INFO { DeleteFile: true };
        self.set(fs::FileDispositionInfo, &wish)
    }

    pub(crate) fn set<T>(&self, class: i32, value: &T) -> io::Result<()> {
        // SAFETY: the value is as long as is told, and only read.
        let done = unsafe {
            let value = ptr::from_ref(value).cast::<c_void>();
            fs::SetFileInformationByHandle(self.raw(), class, value, size_of::<T>() as u32)
        };
        if done == 0 { Err(last_error()) } else { Ok(()) }
    }

    /// Gives the file one more name, in that folder; it must not be there yet.
    pub fn link_at(&self, folder: &Self, name: &[u16]) -> io::Result<()> {
        self.name_at(nt::FileLinkInformation, folder, name, false)
    }

    /// Gives it that name in that folder in place of its own; `replaces` what is there, if that is no folder.
    pub fn rename_at(&self, folder: &Self, name: &[u16], replaces: bool) -> io::Result<()> {
        self.name_at(nt::FileRenameInformation, folder, name, replaces)
    }

    /// Both structures are alike: whether it replaces, the folder, the name's length in bytes, the name.
    fn name_at(&self, class: i32, folder: &Self, name: &[u16], replaces: bool) -> io::Result<()> {
        let bytes: Vec<u8> = name.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let mut wish = vec![0u8; 20];
        wish[0] = u8::from(replaces);
        wish[8..16].copy_from_slice(&(folder.raw() as u64).to_le_bytes());
        wish[16..20].copy_from_slice(&(bytes.len() as u32).to_le_bytes());
        wish.extend(&bytes);
        // The structure ends at a multiple of 8 and has one unit at least.
        wish.resize(wish.len().max(24).next_multiple_of(8), 0);
        let words: Vec<u64> = wish
            .chunks_exact(8)
            .map(|eight| u64::from_le_bytes(eight.try_into().unwrap_or_default()))
            .collect();
        let mut status = IO_STATUS_BLOCK::default();
        let length = (20 + bytes.len()).max(24) as u32;
        // SAFETY: the words are at least as long as is told, only read, and lie as the structure must.
        let answer = unsafe {
            nt::NtSetInformationFile(
                self.raw(),
                &raw mut status,
                words.as_ptr().cast::<c_void>(),
                length,
                class,
            )
        };
        check(answer)
    }

    /// Whether two handles are of one thing.
    pub fn is_same(&self, other: &Self) -> io::Result<bool> {
        let (one, other) = (self.look()?, other.look()?);
        Ok((one.volume, one.id) == (other.volume, other.id))
    }
}

fn unicode(name: &[u16]) -> io::Result<UNICODE_STRING> {
    let bytes = u16::try_from(size_of_val(name))
        .map_err(|_| io::Error::from_raw_os_error(ERROR_INVALID_PARAMETER.cast_signed()))?;
    Ok(UNICODE_STRING { Length: bytes, MaximumLength: bytes, Buffer: name.as_ptr().cast_mut() })
}

/// Others may read, write and remove what we have open.
const SHARE_ALL: u32 = fs::FILE_SHARE_READ | fs::FILE_SHARE_WRITE | fs::FILE_SHARE_DELETE;

/// `OBJ_CASE_INSENSITIVE`.
const CASE_INSENSITIVE: u32 = 0x40;

/// How many bytes of names one call fetches.
const LIST_BYTES: usize = 64 << 10;

/// No answer is longer.
const ANSWER_BYTES_MAX: usize = 4 << 20;

/// `FILE_STANDARD_INFO`, whose first number is how much is stored.
const STANDARD_BYTES: usize = 24;
