//! The records of a metadata stream: one for each name of a tree, in order, so that one pass reads it. How records
//! stand in chunks is told by [`crate::segment`].
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
pub const RECORD_BYTES_MAX: usize = 4 << 20;

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

impl Record {
    /// Appends the record: a varint length, then its body. Fails when the entry is too large for a record.
    pub fn encode(&self, writer: &mut Writer) -> Result<(), FormatError> {
        let mut body = Writer::default();
        match self {
            Self::Leave => body.u8(LEAVE),
            Self::Entry(entry) => encode_entry(entry, &mut body),
        }
        if body.0.len() > RECORD_BYTES_MAX {
            return Err(FormatError::Malformed { what: "entry", why: "it is longer than a record may be" });
        }
        writer.bytes(&body.0);
        Ok(())
    }

    /// Reads the body of one record (without its length).
    pub fn decode(body: &[u8]) -> Result<Self, FormatError> {
        let mut reader = Reader::new("entry", body);
        let kind = reader.u8()?;
        if kind == LEAVE {
            reader.finish()?;
            return Ok(Self::Leave);
        }
        decode_entry(kind, reader).map(|entry| Self::Entry(Box::new(entry)))
    }
}

fn encode_entry(entry: &Entry, body: &mut Writer) {
    body.u8(match entry.kind {
        EntryKind::File { .. } => FILE,
        EntryKind::Folder => FOLDER,
        EntryKind::SymbolicLink { .. } => SYMBOLIC_LINK,
        EntryKind::BlockDevice { .. } => BLOCK_DEVICE,
        EntryKind::CharacterDevice { .. } => CHARACTER_DEVICE,
        EntryKind::Fifo => FIFO,
        EntryKind::Socket => SOCKET,
    });
    body.bytes(entry.name.as_bytes());
    let mut attributes = attributes_of(entry);
    // One order for all, so that one entry has one encoding. Sorting is stable: extended attributes stay sorted by name.
    attributes.sort_by_key(|(kind, _)| *kind);
    for (kind, value) in attributes {
        body.varint(kind);
        body.bytes(&value);
    }
}

fn attributes_of(entry: &Entry) -> Vec<(u64, Vec<u8>)> {
    let metadata = &entry.metadata;
    let mut out = vec![
        (MODE, value(|w| w.varint(u64::from(metadata.mode)))),
        (USER, value(|w| w.varint(u64::from(metadata.user)))),
        (GROUP, value(|w| w.varint(u64::from(metadata.group)))),
        (MODIFIED_AT, value(|w| w.time(metadata.modified_at))),
    ];
    if let Some(identity) = metadata.identity {
        out.push((
            IDENTITY,
            value(|w| {
                w.varint(identity.file_system);
                w.varint(identity.file_id);
                w.time(identity.changed_at);
            }),
        ));
    }
    if metadata.is_hard_linked {
        out.push((HARD_LINKED, Vec::new()));
    }
    for attribute in &metadata.extended_attributes {
        out.push((
            EXTENDED_ATTRIBUTE,
            value(|w| {
                w.bytes(&attribute.name);
                w.raw(&attribute.value);
            }),
        ));
    }
    match &entry.kind {
        EntryKind::File { size, content } => {
            out.push((SIZE, value(|w| w.varint(*size))));
            out.push((CONTENT, value(|w| content.encode(w))));
        }
        EntryKind::SymbolicLink { target } => out.push((TARGET, target.clone())),
        EntryKind::BlockDevice { major, minor } | EntryKind::CharacterDevice { major, minor } => {
            out.push((
                DEVICE,
                value(|w| {
                    w.varint(u64::from(*major));
                    w.varint(u64::from(*minor));
                }),
            ));
        }
        EntryKind::Folder | EntryKind::Fifo | EntryKind::Socket => {}
    }
    out.extend(metadata.unknown.iter().cloned());
    out
}

fn value(write: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut writer = Writer::default();
    write(&mut writer);
    writer.0
}

/// What has been read of an entry's attributes so far.
#[derive(Default)]
struct Attributes {
    mode: Option<u32>,
    user: Option<u32>,
    group: Option<u32>,
    modified_at: Option<Timestamp>,
    identity: Option<Identity>,
    is_hard_linked: bool,
    extended_attributes: Vec<ExtendedAttribute>,
    size: Option<u64>,
    content: Option<Content>,
    target: Option<Vec<u8>>,
    device: Option<(u32, u32)>,
    unknown: Vec<(u64, Vec<u8>)>,
}

fn decode_entry(kind: u8, mut reader: Reader<'_>) -> Result<Entry, FormatError> {
    let name = match reader.bytes()? {
        [] => FileName::root(),
        name => FileName::new(name)?,
    };
    let mut found = Attributes::default();
    let mut last = 0;
    while !reader.is_at_end() {
        let attribute = reader.varint()?;
        let may_repeat = attribute == EXTENDED_ATTRIBUTE;
        if attribute < last || attribute == last && !may_repeat {
            return Err(reader.malformed("its attributes are not in order"));
        }
        last = attribute;
        found.take(attribute, reader.bytes()?)?;
    }
    let missing = |why| FormatError::Malformed { what: "entry", why };
    let kind = found.entry_kind(kind)?;
    let metadata = Metadata {
        mode: found.mode.ok_or_else(|| missing("it has no mode"))?,
        user: found.user.ok_or_else(|| missing("it has no owner"))?,
        group: found.group.ok_or_else(|| missing("it has no group"))?,
        modified_at: found.modified_at.ok_or_else(|| missing("it has no time"))?,
        identity: found.identity,
        is_hard_linked: found.is_hard_linked,
        extended_attributes: found.extended_attributes,
        unknown: found.unknown,
    };
    Ok(Entry { name, kind, metadata })
}

impl Attributes {
    fn take(&mut self, attribute: u64, bytes: &[u8]) -> Result<(), FormatError> {
        let mut value = Reader::new("attribute", bytes);
        let number = |value: &mut Reader<'_>| {
            value.bounded(u64::from(u32::MAX), "a number is too large").map(|n| n as u32)
        };
        match attribute {
            MODE => self.mode = Some(value.bounded(0o7777, "the mode has more than twelve bits")? as u32),
            USER => self.user = Some(number(&mut value)?),
            GROUP => self.group = Some(number(&mut value)?),
            MODIFIED_AT => self.modified_at = Some(value.time()?),
            IDENTITY => {
                self.identity = Some(Identity {
                    file_system: value.varint()?,
                    file_id: value.varint()?,
                    changed_at: value.time()?,
                });
            }
            HARD_LINKED => self.is_hard_linked = true,
            EXTENDED_ATTRIBUTE => {
                let name = value.bytes()?.to_vec();
                let rest = value.raw(value.left())?.to_vec();
                if self.extended_attributes.last().is_some_and(|before| before.name >= name) {
                    return Err(value.malformed("extended attributes are not in order"));
                }
                self.extended_attributes.push(ExtendedAttribute { name, value: rest });
            }
            SIZE => self.size = Some(value.varint()?),
            CONTENT => self.content = Some(Content::decode(&mut value)?),
            TARGET => self.target = Some(value.raw(value.left())?.to_vec()),
            DEVICE => self.device = Some((number(&mut value)?, number(&mut value)?)),
            critical if critical & 1 == 1 => {
                return Err(FormatError::Unsupported { what: "entry's attribute", found: critical });
            }
            optional => {
                self.unknown.push((optional, bytes.to_vec()));
                return Ok(());
            }
        }
        value.finish()
    }

    /// Moves what belongs to the kind into it; anything of another kind is refused.
    fn entry_kind(&mut self, kind: u8) -> Result<EntryKind, FormatError> {
        let malformed = |why| FormatError::Malformed { what: "entry", why };
        let taken =
            match (kind, self.size.take(), self.content.take(), self.target.take(), self.device.take()) {
                (FILE, Some(size), Some(content), None, None) => {
                    covers(size, &content)?;
                    EntryKind::File { size, content }
                }
                (FOLDER, None, None, None, None) => EntryKind::Folder,
                (SYMBOLIC_LINK, None, None, Some(target), None) => EntryKind::SymbolicLink { target },
                (BLOCK_DEVICE, None, None, None, Some((major, minor))) => {
                    EntryKind::BlockDevice { major, minor }
                }
                (CHARACTER_DEVICE, None, None, None, Some((major, minor))) => {
                    EntryKind::CharacterDevice { major, minor }
                }
                (FIFO, None, None, None, None) => EntryKind::Fifo,
                (SOCKET, None, None, None, None) => EntryKind::Socket,
                (LEAVE..=SOCKET, ..) => return Err(malformed("its attributes are not those of its kind")),
                (kind, ..) => return Err(FormatError::Unsupported { what: "entry", found: u64::from(kind) }),
            };
        Ok(taken)
    }
}

/// A file's inline pieces add up to its size. (Listed ones are checked by who reads the list.)
fn covers(size: u64, content: &Content) -> Result<(), FormatError> {
    let Content::Inline(pieces) = content else { return Ok(()) };
    let sum = pieces.iter().try_fold(0u64, |sum, piece| sum.checked_add(piece.length()));
    match sum == Some(size) {
        true => Ok(()),
        false => Err(FormatError::Malformed { what: "entry", why: "its pieces do not add up to its size" }),
    }
}

#[cfg(test)]
mod tests;
