//! What is read: a protected item as components, each a tree that is walked in one fixed order.
//!
//! The walk is cheap: it gives names with what one `stat` tells. Whatever costs more (extended attributes, a link's
//! target, the content) is asked of the [`Node`], later and from other threads, and only if the entry is not unchanged.

use stateward_format::entry::ExtendedAttribute;
use stateward_format::manifest::{Precheck, Warning};
use stateward_format::{Attribute, FileName, Identity, NameKind};
use stateward_model::{ComponentName, Timestamp};
use std::io;
use std::ops::ControlFlow;

/// The machine that is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceDescription {
    /// The host name.
    pub host_name: String,
    /// The operating system as it names itself.
    pub operating_system: String,
    /// What the bytes of its names mean.
    pub names: NameKind,
}

/// What one `stat` tells of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stat {
    /// What there is.
    pub kind: FoundKind,
    /// The twelve permission bits.
    pub mode: u32,
    /// Owner's number.
    pub user: u32,
    /// Group's number.
    pub group: u32,
    /// When the content last changed.
    pub modified_at: Timestamp,
    /// How the file system knows it; `None` for generated parts, which are never taken for unchanged.
    pub identity: Option<Identity>,
    /// Whether the file has other names (never for a folder).
    pub is_hard_linked: bool,
}

/// The size of an open file whose content tells its length only by its end: it is read up to there, from its beginning on and
/// once. Larger than any file can be.
pub const SIZE_UNKNOWN: u64 = u64::MAX;

/// The kind of a found entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FoundKind {
    /// A file and its size in bytes.
    File {
        /// Size in bytes, holes included; of an open file it may be [`SIZE_UNKNOWN`].
        size: u64,
    },
    /// A folder.
    Folder,
    /// A symbolic link.
    SymbolicLink,
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

/// What a second look at an entry tells.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Details {
    /// Sorted by name.
    pub extended_attributes: Vec<ExtendedAttribute>,
    /// A symbolic link's text; empty for everything else.
    pub link_target: Vec<u8>,
    /// What its kind of system has besides, but for streams.
    pub attributes: Vec<Attribute>,
}

/// A run of stored bytes in a file, from `start` up to but not including `end`. What lies between extents is holes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// First byte.
    pub start: u64,
    /// Byte after the last.
    pub end: u64,
}

/// An alternate stream that is open for reading.
pub struct NamedStream {
    /// WTF-8, without the colons and the type `$DATA`.
    pub name: Vec<u8>,
    /// Its size in bytes.
    pub size: u64,
    /// What it holds.
    pub content: Box<dyn OpenFile>,
}

/// A file that is open for reading.
pub trait OpenFile: Send {
    /// Looks at the open file itself, as it is now.
    fn stat(&self) -> io::Result<Stat>;
    /// Its extended attributes, sorted by name.
    fn extended_attributes(&self) -> io::Result<Vec<ExtendedAttribute>>;
    /// What its kind of system has besides, but for streams.
    fn attributes(&self) -> io::Result<Vec<Attribute>> {
        Ok(Vec::new())
    }
    /// Its alternate streams, in any order.
    fn streams(&self) -> io::Result<Vec<NamedStream>> {
        Ok(Vec::new())
    }
    /// The first extent at or after `offset`, or `None` if only a hole or nothing follows. A source that cannot tell
    /// answers with everything from `offset` to the file's present end.
    fn next_extent(&self, offset: u64) -> io::Result<Option<Extent>>;
    /// Reads at `offset` into the front of `buffer`; fewer bytes than asked only at the file's end, 0 there.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;
}

/// An entry that was found, to be asked for more. Errors are the operating system's.
pub trait Node: Send + Sync {
    /// Its whole path from `/`, for messages.
    fn path(&self) -> Vec<u8>;
    /// Extended attributes and link target of what is not opened.
    fn details(&self) -> io::Result<Details>;
    /// Alternate streams of what is not opened, in any order.
    fn streams(&self) -> io::Result<Vec<NamedStream>> {
        Ok(Vec::new())
    }
    /// Opens the file without following a link; tells what it is at that moment.
    fn open(&self) -> io::Result<(Box<dyn OpenFile>, Stat)>;
}

/// One step of a walk.
pub struct Found {
    /// The name within the folder entered last; empty for a component's topmost folder.
    pub name: FileName,
    /// What `stat` told.
    pub stat: Stat,
    /// Where to ask for more.
    pub node: Box<dyn Node>,
}

/// Who is told of a walk's steps. `Break` ends the walk early, without an error.
pub trait Visitor {
    /// An entry. If it is a folder, what it holds follows, then [`Self::leave`].
    fn entry(&mut self, found: Found) -> ControlFlow<()>;
    /// The folder entered last ends.
    fn leave(&mut self) -> ControlFlow<()>;
    /// Something cannot be read and is left out.
    fn warning(&mut self, warning: Warning);
}

/// A protected item that can be read.
///
/// A walk gives each component as one tree whose topmost folder stands for `/` and has an empty name; folders on the
/// way to what the component holds are given too, so that their owners and modes come back. Folders and files of a
/// folder come sorted by the bytes of their names. No path is given by two components, except such folders on the way.
pub trait Source: Send + Sync {
    /// The machine.
    fn description(&self) -> SourceDescription;
    /// The components, in their order.
    fn components(&self) -> Vec<ComponentName>;
    /// A cheap guess of what a walk of all components will give (files, bytes), if there is one; for progress only.
    fn estimate(&self) -> Option<(u64, u64)>;
    /// The moment that it shows, if it was frozen before the run: nothing that was written later is read. Where parts of
    /// it show moments of their own, the oldest.
    fn moment(&self) -> Option<Timestamp> {
        None
    }
    /// What it has to say of itself after all walks, to be kept with the recovery point.
    fn remarks(&self) -> Vec<Precheck> {
        Vec::new()
    }
    /// Asked when all was read, before it counts for a recovery point: was what it is read from there all the time? Where that goes
    /// away, files seem to have vanished, and nobody would be told of them.
    fn still_there(&self) -> Result<(), SourceError> {
        Ok(())
    }
    /// Walks one component. `Ok(false)` means that there is no such thing on this machine: nothing was visited.
    fn walk(&self, component: &ComponentName, visitor: &mut dyn Visitor) -> Result<bool, SourceError>;
}

/// Why a component cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The source has no such component.
    #[error("There is no component `{0}` in this item")]
    NoSuchComponent(ComponentName),
    /// The place where the component begins cannot be read.
    #[error("`{path}` can't be read: {cause}")]
    Unreadable {
        /// Where.
        path: String,
        /// The operating system's reason.
        cause: io::Error,
    },
}
