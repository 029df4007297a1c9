//! Attributes of an entry that most entries do not have: Windows' metadata, Linux' rarer flags, how a disk image was
//! cut, and what a newer writer added.
//!
//! Each has a number, its type, and a length. A type's lowest bit says that it is critical: who does not know it would
//! take the entry for something that it is not, and refuses it. All others are kept and named: without them the entry
//! is less than it was, but what is there is right.

use crate::content::Content;
use crate::wire::{FormatError, Reader, Writer};
use crate::wtf8;
use stateward_model::Timestamp;

/// One attribute of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attribute {
    /// Windows' file attributes (MS-FSCC 2.6). The bit `SPARSE_FILE` (0x200) is here; which ranges are allocated, the
    /// content's pieces say.
    FileAttributes(u32),
    /// When it was made: Windows' creation time, Linux' birth time.
    CreatedAt(Timestamp),
    /// When it was last read, where the file system keeps that.
    AccessedAt(Timestamp),
    /// Owner, group, access list and audit list, self-relative (MS-DTYP 2.4.6).
    SecurityDescriptor(Vec<u8>),
    /// All extended attributes of NTFS, as `FILE_FULL_EA_INFORMATION` gives them (MS-FSCC 2.4.16).
    ExtendedAttributeBlock(Vec<u8>),
    /// The name of DOS (8.3), WTF-8.
    ShortName(Vec<u8>),
    /// The object id and its birth ids (MS-FSCC 2.4.35.1).
    ObjectId([u8; 64]),
    /// A folder whose names differ by case.
    CaseSensitive,
    /// What `chattr` sets: the flags of `FS_IOC_GETFLAGS`.
    InodeFlags(u32),
    /// The project of quotas: `fsx_projid` of `FS_IOC_FSGETXATTR`.
    ProjectId(u32),
    /// A file that is a disk image, cut at fixed borders.
    DiskImage(DiskImage),
    /// One alternate data stream; may repeat, sorted by name.
    Stream(AlternateStream),
    /// A reparse point: without it the entry is another thing, so it is critical.
    ReparsePoint {
        /// Who understands the data (MS-FSCC 2.1.2.1).
        tag: u32,
        /// What stands behind the tag.
        data: Vec<u8>,
    },
    /// The file's content is what `ReadEncryptedFileRaw` gave, not what its user sees, so it is critical.
    EfsRaw {
        /// The size of the file as its user sees it, in bytes.
        size: u64,
    },
    /// An optional attribute of a type that this build does not know.
    Unknown {
        /// Its type.
        kind: u64,
        /// Its value.
        value: Vec<u8>,
    },
}

/// An alternate data stream: a name and content like a file's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlternateStream {
    /// WTF-8, without the colons and the type `$DATA`.
    pub name: Vec<u8>,
    /// Size in bytes, holes included.
    pub size: u64,
    /// What it holds.
    pub content: Content,
}

/// Where a disk image was cut at least: at `first`, then each `stride` bytes; within a stride at each `block` bytes.
/// Before `first`, at multiples of `block` from the file's beginning. There may be more borders between these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskImage {
    /// From one border to the next within a stride, in bytes.
    pub block: u32,
    /// Where the first of the disk's blocks lies in the file, in bytes.
    pub first: u64,
    /// From one of the disk's blocks to the next, in bytes; `block` where they lie without anything between them.
    pub stride: u64,
}

impl DiskImage {
    /// How many bytes lie between `offset` of the file and the next border.
    pub fn to_border(self, offset: u64) -> u64 {
        let block = u64::from(self.block);
        match offset.checked_sub(self.first) {
            None => (block - offset % block).min(self.first - offset),
            Some(within) => {
                let within = within % self.stride;
                (block - within % block).min(self.stride - within)
            }
        }
    }
}

const FILE_ATTRIBUTES: u64 = 12 << 1;
const CREATED_AT: u64 = 13 << 1;
const ACCESSED_AT: u64 = 14 << 1;
const SECURITY_DESCRIPTOR: u64 = 15 << 1;
const EXTENDED_ATTRIBUTE_BLOCK: u64 = 16 << 1;
const SHORT_NAME: u64 = 17 << 1;
const OBJECT_ID: u64 = 18 << 1;
const CASE_SENSITIVE: u64 = 19 << 1;
const INODE_FLAGS: u64 = 20 << 1;
const PROJECT_ID: u64 = 21 << 1;
const DISK_IMAGE: u64 = 22 << 1;
pub(crate) const STREAM: u64 = 23 << 1;
const REPARSE_POINT: u64 = 24 << 1 | 1;
const EFS_RAW: u64 = 25 << 1 | 1;

/// The longest name of a stream: 255 units of three bytes.
const STREAM_NAME_BYTES_MAX: usize = 765;
/// The longest name of DOS: 12 units of three bytes.
const SHORT_NAME_BYTES_MAX: usize = 36;
/// `MAXIMUM_REPARSE_DATA_BUFFER_SIZE`.
const REPARSE_BYTES_MAX: usize = 16 << 10;

impl Attribute {
    /// Its type: the number that stands before its value.
    pub fn kind(&self) -> u64 {
        match self {
            Self::FileAttributes(_) => FILE_ATTRIBUTES,
            Self::CreatedAt(_) => CREATED_AT,
            Self::AccessedAt(_) => ACCESSED_AT,
            Self::SecurityDescriptor(_) => SECURITY_DESCRIPTOR,
            Self::ExtendedAttributeBlock(_) => EXTENDED_ATTRIBUTE_BLOCK,
            Self::ShortName(_) => SHORT_NAME,
            Self::ObjectId(_) => OBJECT_ID,
            Self::CaseSensitive => CASE_SENSITIVE,
            Self::InodeFlags(_) => INODE_FLAGS,
            Self::ProjectId(_) => PROJECT_ID,
            Self::DiskImage(_) => DISK_IMAGE,
            Self::Stream(_) => STREAM,
            Self::ReparsePoint { .. } => REPARSE_POINT,
            Self::EfsRaw { .. } => EFS_RAW,
            Self::Unknown { kind, .. } => *kind,
        }
    }

    /// What a person calls it, to be told where it could not be put back.
    pub fn name(&self) -> String {
        let fixed = match self {
            Self::FileAttributes(_) => "file attributes",
            Self::CreatedAt(_) => "creation time",
            Self::AccessedAt(_) => "access time",
            Self::SecurityDescriptor(_) => "security descriptor",
            Self::ExtendedAttributeBlock(_) => "extended attributes of NTFS",
            Self::ShortName(_) => "short name",
            Self::ObjectId(_) => "object id",
            Self::CaseSensitive => "case sensitivity",
            Self::InodeFlags(_) => "inode flags",
            Self::ProjectId(_) => "project id",
            Self::DiskImage(_) => "borders of a disk image",
            Self::Stream(stream) => {
                return format!("alternate stream `{}`", String::from_utf8_lossy(&stream.name));
            }
            Self::ReparsePoint { tag, .. } => return format!("reparse point {tag:#010x}"),
            Self::EfsRaw { .. } => "encryption by EFS",
            Self::Unknown { kind, .. } => return format!("attribute of the unknown type {kind}"),
        };
        fixed.to_owned()
    }

    /// Appends its value.
    pub(crate) fn encode(&self, writer: &mut Writer) {
        match self {
            Self::FileAttributes(number) | Self::InodeFlags(number) | Self::ProjectId(number) => {
                writer.varint(u64::from(*number));
            }
            Self::CreatedAt(time) | Self::AccessedAt(time) => writer.time(*time),
            Self::SecurityDescriptor(bytes)
            | Self::ExtendedAttributeBlock(bytes)
            | Self::ShortName(bytes)
            | Self::Unknown { value: bytes, .. } => writer.raw(bytes),
            Self::ObjectId(bytes) => writer.raw(bytes),
            Self::CaseSensitive => {}
            Self::DiskImage(image) => {
                writer.varint(u64::from(image.block));
                writer.varint(image.first);
                writer.varint(image.stride);
            }
            Self::Stream(stream) => {
                writer.bytes(&stream.name);
                writer.varint(stream.size);
                stream.content.encode(writer);
            }
            Self::ReparsePoint { tag, data } => {
                writer.u32(*tag);
                writer.raw(data);
            }
            Self::EfsRaw { size } => writer.varint(*size),
        }
    }

    /// Reads the value of a type.
    pub(crate) fn decode(kind: u64, bytes: &[u8]) -> Result<Self, FormatError> {
        let mut value = Reader::new("attribute", bytes);
        let attribute = match kind {
            FILE_ATTRIBUTES => Self::FileAttributes(number(&mut value)?),
            CREATED_AT => Self::CreatedAt(value.time()?),
            ACCESSED_AT => Self::AccessedAt(value.time()?),
            SECURITY_DESCRIPTOR => Self::SecurityDescriptor(block(&mut value)?),
            EXTENDED_ATTRIBUTE_BLOCK => Self::ExtendedAttributeBlock(block(&mut value)?),
            SHORT_NAME => {
                let name = value.raw(value.left())?;
                Self::ShortName(windows_name(&value, name, SHORT_NAME_BYTES_MAX)?)
            }
            OBJECT_ID => Self::ObjectId(value.array()?),
            CASE_SENSITIVE => Self::CaseSensitive,
            INODE_FLAGS => Self::InodeFlags(number(&mut value)?),
            PROJECT_ID => Self::ProjectId(number(&mut value)?),
            DISK_IMAGE => Self::DiskImage(DiskImage::decode(&mut value)?),
            STREAM => Self::Stream(AlternateStream::decode(&mut value)?),
            REPARSE_POINT => {
                let tag = value.u32()?;
                if value.left() > REPARSE_BYTES_MAX {
                    return Err(value.malformed("a reparse point is longer than any may be"));
                }
                Self::ReparsePoint { tag, data: value.raw(value.left())?.to_vec() }
            }
            EFS_RAW => Self::EfsRaw { size: value.varint()? },
            critical if critical & 1 == 1 => {
                return Err(FormatError::Unsupported { what: "entry's attribute", found: critical });
            }
            kind => return Ok(Self::Unknown { kind, value: bytes.to_vec() }),
        };
        value.finish()?;
        Ok(attribute)
    }
}

impl AlternateStream {
    fn decode(value: &mut Reader<'_>) -> Result<Self, FormatError> {
        let name = value.bytes()?;
        let name = windows_name(value, name, STREAM_NAME_BYTES_MAX)?;
        let (size, content) = (value.varint()?, Content::decode(value)?);
        content.check_size(size)?;
        Ok(Self { name, size, content })
    }
}

impl DiskImage {
    fn decode(value: &mut Reader<'_>) -> Result<Self, FormatError> {
        let most = u64::from(crate::content::CHUNK_BYTES_MAX);
        let block = value.bounded(most, "a disk image's block is longer than a chunk may be")? as u32;
        let (first, stride) = (value.varint()?, value.varint()?);
        match block > 0 && stride >= u64::from(block) {
            true => Ok(Self { block, first, stride }),
            false => Err(value.malformed("a disk image's blocks are empty or overlap")),
        }
    }
}

/// A number of 32 bits.
pub(crate) fn number(value: &mut Reader<'_>) -> Result<u32, FormatError> {
    value.bounded(u64::from(u32::MAX), "a number is too large").map(|number| number as u32)
}

/// What Windows made, as it is; only a record's length bounds it.
fn block(value: &mut Reader<'_>) -> Result<Vec<u8>, FormatError> {
    match value.left() {
        0 => Err(value.malformed("it is empty")),
        length => value.raw(length).map(<[u8]>::to_vec),
    }
}

/// A name that leads nowhere else, in well-formed WTF-8.
fn windows_name(value: &Reader<'_>, name: &[u8], most: usize) -> Result<Vec<u8>, FormatError> {
    if name.is_empty() || name.len() > most || name.iter().any(|c| matches!(c, b'/' | b'\\' | b':' | 0)) {
        return Err(value.malformed("a name of Windows is empty, too long, or leads elsewhere"));
    }
    wtf8::decode(name).map(|_| name.to_vec())
}

#[cfg(test)]
pub(crate) mod tests;
