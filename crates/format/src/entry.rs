//! The metadata stream: one record for each name of a tree, in order, so that one pass reads it.
//!
//! A tree is walked depth first; within a folder names are sorted by their bytes. A record is an [`Entry`]; a folder's
//! entry is followed by the records of what it holds and then by [`Record::Leave`]. The topmost folder is an entry
//! with an empty name.
//!
//! An entry's attributes are typed and length-prefixed. A type's lowest bit says whether it is critical: a reader that
//! does not know a critical one refuses the entry; others are kept as they are (see [`Metadata::unknown`]).

use crate::content::Content;
use crate::wire::{FormatError, Reader, Writer};
use stateward_model::Timestamp;

/// The longest record, in bytes: bounds what a reader holds. Extended attributes may take 64 KiB each on Linux; an
/// entry that does not fit is left out by the writer, with a warning.
pub const RECORD_BYTES_MAX: usize = 8 << 20;

/// The deepest nesting of folders that a writer makes or a reader follows.
pub const DEPTH_MAX: usize = 5000;

/// One name in a folder: any bytes but `/` and NUL; not empty, `.` or `..` (but empty for the topmost folder). On
/// Windows it is WTF-8.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct FileName(Vec<u8>);

impl FileName {
    /// The longest name that an entry holds, in bytes: three for each of NTFS' 255 UTF-16 units, and some.
    pub const BYTES_MAX: usize = 1024;

    /// The topmost folder's empty name.
    pub const fn root() -> Self {
        Self(Vec::new())
    }

    /// A name; refuses what could lead out of a folder.
    pub fn new(name: &[u8]) -> Result<Self, FormatError> {
        let malformed = |why| Err(FormatError::Malformed { what: "file name", why });
        match name {
            b"" | b"." | b".." => malformed("it is empty, `.` or `..`"),
            _ if name.len() > Self::BYTES_MAX => malformed("it is too long"),
            _ if name.iter().any(|c| matches!(c, b'/' | 0)) => malformed("it holds `/` or NUL"),
            _ => Ok(Self(name.to_vec())),
        }
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// What there is at a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryKind {
    /// A file: its size in bytes, and its content, which covers exactly that size.
    File {
        /// Size in bytes, holes included.
        size: u64,
        /// What it holds.
        content: Content,
    },
    /// A folder; its records follow.
    Folder,
    /// A symbolic link and where it points, never followed.
    SymbolicLink {
        /// The link's text.
        target: Vec<u8>,
    },
    /// A block device.
    BlockDevice {
        /// Major number.
        major: u32,
        /// Minor number.
        minor: u32,
    },
    /// A character device.
    CharacterDevice {
        /// Major number.
        major: u32,
        /// Minor number.
        minor: u32,
    },
    /// A named pipe.
    Fifo,
    /// A Unix socket's name.
    Socket,
}

/// How the source's file system knew a file at the time of the backup: what the unchanged rule compares. Means nothing
/// on another machine, and is never restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Identity {
    /// The file system (`st_dev` on Linux).
    pub file_system: u64,
    /// The file within it (`st_ino` on Linux).
    pub file_id: u64,
    /// When its inode last changed (`st_ctim`).
    pub changed_at: Timestamp,
}

/// An extended attribute: its whole name (with the namespace) and its value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExtendedAttribute {
    /// Such as `security.capability` or `system.posix_acl_access`.
    pub name: Vec<u8>,
    /// The value as the kernel gives it.
    pub value: Vec<u8>,
}

/// What is known of an entry besides its name, kind and content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// The twelve permission bits (setuid, setgid, sticky, rwx three times).
    pub mode: u32,
    /// Owner's number.
    pub user: u32,
    /// Group's number.
    pub group: u32,
    /// When the content last changed.
    pub modified_at: Timestamp,
    /// How the file system knew it.
    pub identity: Option<Identity>,
    /// Whether the file has other names (`st_nlink` above 1, not a folder): entries of one item with equal
    /// `identity.file_system` and `identity.file_id` are then one file.
    pub is_hard_linked: bool,
    /// Sorted by name. POSIX ACLs and capabilities are among them.
    pub extended_attributes: Vec<ExtendedAttribute>,
    /// Optional attributes of types that this build does not know: (type, value), sorted by type.
    pub unknown: Vec<(u64, Vec<u8>)>,
}

/// One name and what there is at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name within its folder.
    pub name: FileName,
    /// What there is.
    pub kind: EntryKind,
    /// What is known of it.
    pub metadata: Metadata,
}

/// One record of a metadata stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// A name.
    Entry(Box<Entry>),
    /// The end of the folder that was entered last.
    Leave,
}

// Attribute types. The lowest bit set: critical.
const MODE: u64 = 1 << 1 | 1;
const USER: u64 = 2 << 1;
const GROUP: u64 = 3 << 1;
const MODIFIED_AT: u64 = 4 << 1;
const IDENTITY: u64 = 5 << 1;
const HARD_LINKED: u64 = 6 << 1;
const EXTENDED_ATTRIBUTE: u64 = 7 << 1;
const SIZE: u64 = 8 << 1 | 1;
const CONTENT: u64 = 9 << 1 | 1;
const TARGET: u64 = 10 << 1 | 1;
const DEVICE: u64 = 11 << 1 | 1;

const LEAVE: u8 = 0;
const FILE: u8 = 1;
const FOLDER: u8 = 2;
const SYMBOLIC_LINK: u8 = 3;
const BLOCK_DEVICE: u8 = 4;
const CHARACTER_DEVICE: u8 = 5;
const FIFO: u8 = 6;
const SOCKET: u8 = 7;
