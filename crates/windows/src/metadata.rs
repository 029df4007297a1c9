//! What a file or folder of NTFS has besides its content: times, access list, streams, reparse data, extended attributes,
//! stored ranges.

use crate::descriptor;
use crate::handle::{Handle, Wish, check, is, last_error, rights};
use crate::records::{self, Stream};
use std::ffi::c_void;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::ptr;
use windows_sys::Wdk::Storage::FileSystem as nt;
use windows_sys::Win32::Foundation as codes;
use windows_sys::Win32::Security as security;
use windows_sys::Win32::Storage::FileSystem as fs;
use windows_sys::Win32::System::IO::{DeviceIoControl, IO_STATUS_BLOCK};
use windows_sys::Win32::System::Ioctl as ioctl;

/// `MAXIMUM_REPARSE_DATA_BUFFER_SIZE`.
const REPARSE_BYTES_MAX: usize = 16 << 10;

/// A reparse point's tag, the length of its data and nothing stand before the data.
const REPARSE_HEAD_BYTES: usize = 8;

/// All extended attributes of a file take 64 KiB at most (MS-FSA 2.1.5.11.13).
const EXTENDED_BYTES_MAX: usize = 66 << 10;

/// `FILE_OBJECTID_BUFFER`: the id, and where the file was made.
const OBJECT_ID_BYTES: usize = 64;

/// `FILE_CS_FLAG_CASE_SENSITIVE_DIR`.
const CASE_SENSITIVE: u32 = 1;

/// Owner, group and access list.
const WHOM: u32 = security::OWNER_SECURITY_INFORMATION
    | security::GROUP_SECURITY_INFORMATION
    | security::DACL_SECURITY_INFORMATION;

/// What a file system answers that does not have something at all.
const KNOWS_NOT: [u32; 6] = [
    codes::ERROR_INVALID_FUNCTION,
    codes::ERROR_NOT_SUPPORTED,
    codes::ERROR_INVALID_PARAMETER,
    codes::ERROR_CALL_NOT_IMPLEMENTED,
    codes::ERROR_INVALID_LEVEL,
    codes::ERROR_EAS_NOT_SUPPORTED,
];

/// Whether the error says that the file system does not have what was asked for at all.
pub fn is_unknown_to_file_system(error: &io::Error) -> bool {
    KNOWS_NOT.iter().any(|code| is(error, *code))
}

/// Whether the error says that a disk is full.
pub fn is_full(error: &io::Error) -> bool {
    is(error, codes::ERROR_DISK_FULL)
        || is(error, codes::ERROR_HANDLE_DISK_FULL)
        || is(error, codes::ERROR_DISK_QUOTA_EXCEEDED)
}

/// Whether the error says that a disk or its file system fails, or may not be written.
pub fn is_disk_failure(error: &io::Error) -> bool {
    [
        codes::ERROR_CRC,
        codes::ERROR_IO_DEVICE,
        codes::ERROR_WRITE_PROTECT,
        codes::ERROR_WRITE_FAULT,
        codes::ERROR_READ_FAULT,
        codes::ERROR_SEEK,
        codes::ERROR_FILE_CORRUPT,
        codes::ERROR_DISK_CORRUPT,
        codes::ERROR_DISK_OPERATION_FAILED,
        codes::ERROR_DEVICE_HARDWARE_ERROR,
    ]
    .iter()
    .any(|code| is(error, *code))
}

/// Makes a folder's entries durable, as far as its volume lets a folder be flushed.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    Handle::open_folder(path, rights::LOOK | rights::WRITE)?.sync()
}

/// Times in ticks (see [`crate::time`]) and attributes to be set together; 0 leaves a time as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Basic {
    /// When it was made.
    pub created: i64,
    /// When it was last read.
    pub accessed: i64,
    /// When its content last changed.
    pub written: i64,
    /// The file attributes; 0 leaves them.
    pub attributes: u32,
}

impl Handle {
    /// Sets times and attributes.
    pub fn set_basic(&self, basic: Basic) -> io::Result<()> {
        let wish = fs::FILE_BASIC_INFO {
            CreationTime: basic.created,
            LastAccessTime: basic.accessed,
            LastWriteTime: basic.written,
            ChangeTime: 0,
            FileAttributes: basic.attributes,
        };
        self.set(fs::FileBasicInfo, &wish)
    }

    /// Owner, group and access list, self-relative; the audit list too, if the handle may.
    pub fn security(&self, with_audit: bool) -> io::Result<Vec<u8>> {
        let what = WHOM | if with_audit { security::SACL_SECURITY_INFORMATION } else { 0 };
        let mut room = 512u32;
        loop {
            let mut answer = vec![0u32; room as usize / 4];
            let (place, mut needed) = (answer.as_mut_ptr().cast::<c_void>(), 0);
            // SAFETY: the place for the answer is as long as is told.
            let done =
                unsafe { security::GetKernelObjectSecurity(self.raw(), what, place, room, &raw mut needed) };
            if done != 0 {
                let mut bytes: Vec<u8> = answer.into_iter().flat_map(u32::to_le_bytes).collect();
                bytes.truncate(descriptor_length(&bytes).unwrap_or(needed as usize));
                return Ok(bytes);
            }
            let error = last_error();
            if !is(&error, codes::ERROR_INSUFFICIENT_BUFFER) || needed <= room {
                return Err(error);
            }
            room = needed.next_multiple_of(4);
        }
    }

    /// Sets owner, group and access list of a self-relative descriptor; without `owner` only the access list.
    pub fn set_security(&self, descriptor: &[u8], owner: bool) -> io::Result<()> {
        self.set_of_descriptor(descriptor, if owner { WHOM } else { security::DACL_SECURITY_INFORMATION })
    }

    /// Sets the audit list of a self-relative descriptor; needs the right to, which needs a privilege.
    pub fn set_audit_list(&self, descriptor: &[u8]) -> io::Result<()> {
        self.set_of_descriptor(descriptor, security::SACL_SECURITY_INFORMATION)
    }

    fn set_of_descriptor(&self, descriptor: &[u8], what: u32) -> io::Result<()> {
        let words = valid_descriptor(descriptor)?;
        let place = words.as_ptr().cast_mut().cast::<c_void>();
        // SAFETY: it was just found to be a descriptor that lies within its length.
        let done = unsafe { security::SetKernelObjectSecurity(self.raw(), what, place) };
        if done == 0 { Err(last_error()) } else { Ok(()) }
    }

    /// The same file or folder, open with other rights.
    pub fn again(&self, rights: u32) -> io::Result<Self> {
        self.open_at(&[], Wish::to(rights))
    }

    /// Its streams besides its own content; none where the file system has none.
    pub fn streams(&self) -> io::Result<Vec<Stream>> {
        match self.ask_at_length(fs::FileStreamInfo) {
            Ok(answer) => Ok(records::streams(&answer)),
            Err(error) if is(&error, codes::ERROR_HANDLE_EOF) || is_unknown_to_file_system(&error) => {
                Ok(Vec::new())
            }
            Err(error) => Err(error),
        }
    }

    fn control(&self, code: u32, wish: &[u8], room: usize) -> io::Result<Vec<u8>> {
        let mut answer = vec![0u64; room.div_ceil(8)];
        let mut length = 0;
        // SAFETY: both places are as long as is told.
        let done = unsafe {
            DeviceIoControl(
                self.raw(),
                code,
                wish.as_ptr().cast(),
                wish.len() as u32,
                answer.as_mut_ptr().cast(),
                room as u32,
                &raw mut length,
                ptr::null_mut(),
            )
        };
        if done == 0 {
            return Err(last_error());
        }
        let mut bytes: Vec<u8> = answer.into_iter().flat_map(u64::to_le_bytes).collect();
        bytes.truncate((length as usize).min(room));
        Ok(bytes)
    }

    /// The tag and the data of a reparse point; `None` if it is none.
    pub fn reparse_point(&self) -> io::Result<Option<(u32, Vec<u8>)>> {
        let answer = match self.control(ioctl::FSCTL_GET_REPARSE_POINT, &[], REPARSE_BYTES_MAX) {
            Err(error) if is(&error, codes::ERROR_NOT_A_REPARSE_POINT) => return Ok(None),
            answer => answer?,
        };
        let Some((head, data)) = answer.split_at_checked(REPARSE_HEAD_BYTES) else {
            return Err(io::ErrorKind::InvalidData.into());
        };
        let tag = u32::from_le_bytes([head[0], head[1], head[2], head[3]]);
        Ok(Some((tag, data.to_vec())))
    }

    /// Makes a reparse point of it. The data of tags that are not Microsoft's begins with their owner's GUID, which does
    /// not count in the length that stands before it.
    pub fn set_reparse_point(&self, tag: u32, data: &[u8]) -> io::Result<()> {
        const OF_MICROSOFT: u32 = 0x8000_0000;
        const GUID_BYTES: usize = 16;
        let counted =
            if tag & OF_MICROSOFT == 0 { data.len().saturating_sub(GUID_BYTES) } else { data.len() };
        let counted = u16::try_from(counted).map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
        let mut wish = tag.to_le_bytes().to_vec();
        wish.extend(counted.to_le_bytes());
        wish.extend([0, 0]);
        wish.extend(data);
        self.control(ioctl::FSCTL_SET_REPARSE_POINT, &wish, 0).map(drop)
    }

    /// The object id and its birth ids (MS-FSCC 2.1.3.1), by which links and services find it on its volume; `None` if it
    /// has none, or its file system knows of none.
    pub fn object_id(&self) -> io::Result<Option<[u8; OBJECT_ID_BYTES]>> {
        match self.control(ioctl::FSCTL_GET_OBJECT_ID, &[], OBJECT_ID_BYTES) {
            Ok(answer) => Ok(answer.try_into().ok()),
            Err(error) if is(&error, codes::ERROR_FILE_NOT_FOUND) || is_unknown_to_file_system(&error) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Gives it an object id. `Ok(false)` if another file of the volume has it, or this one has another (MS-FSA 2.1.5.10.33).
    pub fn set_object_id(&self, id: &[u8; OBJECT_ID_BYTES]) -> io::Result<bool> {
        const TAKEN: [u32; 4] = [
            codes::ERROR_DUP_NAME,
            codes::ERROR_ALREADY_EXISTS,
            codes::ERROR_FILE_EXISTS,
            codes::ERROR_OBJECT_ALREADY_EXISTS,
        ];
        match self.control(ioctl::FSCTL_SET_OBJECT_ID, id, 0) {
            Ok(_) => Ok(true),
            Err(error) if TAKEN.iter().any(|code| is(&error, *code)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether names in this folder may differ by case only: never before Windows 10 and Server 2019.
    pub fn is_case_sensitive(&self) -> io::Result<bool> {
        match self.ask::<fs::FILE_CASE_SENSITIVE_INFO>(fs::FileCaseSensitiveInfo) {
            Ok(answer) => Ok(answer.Flags & CASE_SENSITIVE != 0),
            Err(error) if is_unknown_to_file_system(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Lets names in this folder differ by case only, or no more.
    pub fn set_case_sensitive(&self, is_case_sensitive: bool) -> io::Result<()> {
        let wish = fs::FILE_CASE_SENSITIVE_INFO { Flags: if is_case_sensitive { CASE_SENSITIVE } else { 0 } };
        self.set(fs::FileCaseSensitiveInfo, &wish)
    }

    /// Lets the file have holes, or none any more.
    pub fn set_sparse(&self, may_have_holes: bool) -> io::Result<()> {
        self.control(ioctl::FSCTL_SET_SPARSE, &[u8::from(may_have_holes)], 0).map(drop)
    }

    /// Has NTFS keep the content compressed.
    pub fn compress(&self) -> io::Result<()> {
        self.control(ioctl::FSCTL_SET_COMPRESSION, &fs::COMPRESSION_FORMAT_DEFAULT.to_le_bytes(), 0).map(drop)
    }

    /// The first range that is stored at or after `offset` and before `end`; `None` if only a hole follows.
    pub fn stored_range(&self, offset: u64, end: u64) -> io::Result<Option<Range<u64>>> {
        let wish = [offset.to_le_bytes(), end.saturating_sub(offset).to_le_bytes()].concat();
        // Room for one answer: that more follow is an error to the operating system.
        let mut answer = [0u64; 2];
        let mut length = 0;
        // SAFETY: both places are as long as is told.
        let done = unsafe {
            DeviceIoControl(
                self.raw(),
                ioctl::FSCTL_QUERY_ALLOCATED_RANGES,
                wish.as_ptr().cast(),
                wish.len() as u32,
                answer.as_mut_ptr().cast(),
                size_of_val(&answer) as u32,
                &raw mut length,
                ptr::null_mut(),
            )
        };
        if done == 0 {
            let error = last_error();
            if !is(&error, codes::ERROR_MORE_DATA) {
                return Err(error);
            }
        } else if length == 0 {
            return Ok(None);
        }
        let start = answer[0].max(offset);
        Ok(Some(start..answer[0].saturating_add(answer[1]).min(end)).filter(|range| !range.is_empty()))
    }

    /// All extended attributes, as `FILE_FULL_EA_INFORMATION` gives them; empty if it has none.
    pub fn extended_attributes(&self) -> io::Result<Vec<u8>> {
        let mut answer = vec![0u32; EXTENDED_BYTES_MAX / 4];
        let mut status = IO_STATUS_BLOCK::default();
        // SAFETY: the place for the answer is as long as is told.
        let answered = unsafe {
            nt::NtQueryEaFile(
                self.raw(),
                &raw mut status,
                answer.as_mut_ptr().cast(),
                EXTENDED_BYTES_MAX as u32,
                false,
                ptr::null(),
                0,
                ptr::null(),
                true,
            )
        };
        if answered == codes::STATUS_NO_EAS_ON_FILE || answered == codes::STATUS_NO_MORE_EAS {
            return Ok(Vec::new());
        }
        match check(answered) {
            Err(error) if is_unknown_to_file_system(&error) => return Ok(Vec::new()),
            done => done?,
        }
        let mut bytes: Vec<u8> = answer.into_iter().flat_map(u32::to_le_bytes).collect();
        bytes.truncate(status.Information.min(EXTENDED_BYTES_MAX));
        Ok(bytes)
    }

    /// Sets extended attributes.
    pub fn set_extended_attributes(&self, block: &[u8]) -> io::Result<()> {
        let words = whole_words(block);
        let mut status = IO_STATUS_BLOCK::default();
        // SAFETY: as long as is told, and only read; the kernel checks that its offsets lie within it.
        let answered = unsafe {
            nt::NtSetEaFile(self.raw(), &raw mut status, words.as_ptr().cast(), block.len() as u32)
        };
        check(answered)
    }
}

/// A self-relative descriptor as it must lie, if it is one: all of it within its length.
pub(crate) fn valid_descriptor(descriptor: &[u8]) -> io::Result<Vec<u32>> {
    match descriptor::is_sound(descriptor) {
        true => Ok(whole_words(descriptor)),
        false => Err(io::Error::new(io::ErrorKind::InvalidData, "its security descriptor is malformed")),
    }
}

/// Bytes that lie as numbers of 32 bits must.
fn whole_words(bytes: &[u8]) -> Vec<u32> {
    let word = |four: &[u8]| {
        let mut whole = [0; 4];
        whole[..four.len()].copy_from_slice(four);
        u32::from_le_bytes(whole)
    };
    bytes.chunks(4).map(word).collect()
}

/// How long a self-relative descriptor is: up to the end of its last part.
fn descriptor_length(bytes: &[u8]) -> Option<usize> {
    let number = |at: usize| -> Option<usize> {
        Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?) as usize)
    };
    let mut end = 20;
    for at in [4, 8] {
        let from = number(at)?;
        if from > 0 {
            end = end.max(from + 8 + usize::from(*bytes.get(from + 1)?) * 4);
        }
    }
    for at in [12, 16] {
        let from = number(at)?;
        if from > 0 {
            end = end
                .max(from + usize::from(u16::from_le_bytes([*bytes.get(from + 2)?, *bytes.get(from + 3)?])));
        }
    }
    (end <= bytes.len()).then_some(end)
}
