//! The records of a metadata stream: one for each name of a tree, in order, so that one pass reads it. How records
//! stand in chunks is told by [`crate::segment`].
//!
//! A tree is walked depth first; within a folder names are sorted by their bytes. A record is an [`Entry`]; a folder's
//! entry is followed by the records of what it holds and then by [`Record::Leave`]. The topmost folder is an entry
//! with an empty name.
//!
//! An entry's attributes are typed and length-prefixed. A type's lowest bit says whether it is critical: a reader that
//! does not know a critical one refuses the entry; others are kept as they are (see [`crate::attribute`]).

mod encoding;

pub use crate::name::FileName;

use crate::attribute::Attribute;
use crate::content::Content;
use crate::wire::{FormatError, Reader, Writer};
use stateward_model::Timestamp;

/// The longest record, in bytes: bounds what a reader holds. Extended attributes may take 64 KiB each on Linux; an
/// entry that does not fit is left out by the writer, with a warning.
pub const RECORD_BYTES_MAX: usize = 4 << 20;

/// The most extended attributes and [`Attribute`]s that an entry has together. Linux gives at most 64 KiB of names, so
/// a few thousand.
pub const ATTRIBUTES_MAX: usize = 1 << 16;

/// The deepest nesting of folders that a writer makes or a reader follows.
pub const DEPTH_MAX: usize = 5000;

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
    /// The file system: `st_dev` on Linux, the volume's serial number on Windows.
    pub file_system: u64,
    /// The file within it: `st_ino` on Linux, the file id on Windows (ReFS uses all 128 bits).
    pub file_id: u128,
    /// When its inode last changed: `st_ctim`, `ChangeTime` on Windows.
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
///
/// Windows has no mode, owner and group: what is written there is what a Unix target is to give (0700 or 0600, and 0).
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
    /// Everything else, sorted by type; alternate streams sorted by name.
    pub attributes: Vec<Attribute>,
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

impl Entry {
    /// How many attributes it has besides those that each entry has.
    fn attributes(&self) -> usize {
        self.metadata.extended_attributes.len() + self.metadata.attributes.len()
    }

    /// All content that its record refers to, each with its size in bytes: a file's own, then its streams'.
    pub fn contents(&self) -> impl Iterator<Item = (u64, &Content)> {
        let own = match &self.kind {
            EntryKind::File { size, content } => Some((*size, content)),
            _ => None,
        };
        let streams = self.metadata.attributes.iter().filter_map(|attribute| match attribute {
            Attribute::Stream(stream) => Some((stream.size, &stream.content)),
            _ => None,
        });
        own.into_iter().chain(streams)
    }
}

/// One record of a metadata stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// A name.
    Entry(Box<Entry>),
    /// The end of the folder that was entered last.
    Leave,
}

const TOO_MANY_ATTRIBUTES: &str = "it has more attributes than an entry may have";

fn check_length(body: &[u8]) -> Result<(), FormatError> {
    match body.len() <= RECORD_BYTES_MAX {
        true => Ok(()),
        false => Err(FormatError::Malformed { what: "entry", why: "it is longer than a record may be" }),
    }
}

/// An entry that this build cannot take for what it is: a critical attribute or a kind that it does not know, or a
/// value that breaks its rule. Its name is known, and what stands around it is not touched by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Its name.
    pub name: FileName,
    /// Whether the records up to the next [`Record::Leave`] of its depth lie in it.
    pub is_folder: bool,
    /// Why.
    pub why: FormatError,
}

impl Record {
    /// Appends the record: a varint length, then its body. Fails when the entry is too large for a record, or has more
    /// attributes than [`ATTRIBUTES_MAX`].
    pub fn encode(&self, writer: &mut Writer) -> Result<(), FormatError> {
        let mut body = Writer::default();
        match self {
            Self::Leave => body.u8(encoding::LEAVE),
            Self::Entry(entry) if entry.attributes() > ATTRIBUTES_MAX => {
                return Err(FormatError::Malformed { what: "entry", why: TOO_MANY_ATTRIBUTES });
            }
            Self::Entry(entry) => encoding::encode_entry(entry, &mut body),
        }
        check_length(&body.0)?;
        writer.bytes(&body.0);
        Ok(())
    }

    /// Reads the body of one record (without its length).
    pub fn decode(body: &[u8]) -> Result<Self, FormatError> {
        check_length(body)?;
        let mut reader = Reader::new("entry", body);
        let kind = reader.u8()?;
        if kind == encoding::LEAVE {
            reader.finish()?;
            return Ok(Self::Leave);
        }
        encoding::decode_entry(kind, reader).map(|entry| Self::Entry(Box::new(entry)))
    }

    /// Like [`Self::decode`], but an entry whose name can be read is refused by itself: each record has its length, so
    /// those after it are not touched.
    pub fn decode_or_refuse(body: &[u8]) -> Result<Result<Self, Refused>, FormatError> {
        match Self::decode(body) {
            Ok(record) => Ok(Ok(record)),
            Err(why) => match encoding::decode_head(body) {
                Some((name, is_folder)) => Ok(Err(Refused { name, is_folder, why })),
                None => Err(why),
            },
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
