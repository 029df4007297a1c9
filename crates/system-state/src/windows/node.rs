//! Entries that a walk has found, and files that are open for reading.

use super::encrypted;
use super::stat::{self, Behind};
use stateward_engine::{Details, Extent, NamedStream, Node, OpenFile, Stat};
use stateward_format::entry::ExtendedAttribute;
use stateward_format::{Attribute, wtf8};
use stateward_windows::handle::{Expected, Handle, Look, Wish, rights};
use stateward_windows::metadata::is_unknown_to_file_system;
use stateward_windows::time::from_ticks;
use std::io;
use std::sync::Arc;

/// The bit of file attributes that says that a file may have holes.
const SPARSE: u32 = 0x200;

/// The bit that says that it is a reparse point.
const REPARSE_POINT: u32 = 0x400;

/// A folder that is open.
#[derive(Debug)]
pub(super) struct Folder {
    /// `None` for what holds the drives.
    pub handle: Option<Handle>,
    /// Its path in a recovery point, without a slash at its end.
    pub path: Vec<u8>,
}

impl Folder {
    /// The path of a name in it; of itself for an empty one.
    pub fn path_of(&self, name: &[u8]) -> Vec<u8> {
        match (self.path.is_empty(), name.is_empty()) {
            (true, true) => b"/".to_vec(),
            (false, true) => self.path.clone(),
            (_, false) => [&self.path, b"/".as_slice(), name].concat(),
        }
    }

    pub fn handle(&self) -> io::Result<&Handle> {
        self.handle.as_ref().ok_or_else(|| io::ErrorKind::IsADirectory.into())
    }
}

/// Opens a name to read all of it, with its audit list where the process may.
pub(super) fn open_to_read(folder: &Handle, name: &[u16], wish: Wish<'_>) -> io::Result<(Handle, bool)> {
    if super::privileges().audit {
        let with_audit = Wish { rights: wish.rights | rights::AUDIT, ..wish };
        if let Ok(handle) = folder.open_at(name, with_audit) {
            return Ok((handle, true));
        }
    }
    Ok((folder.open_at(name, wish)?, false))
}

/// What Windows has of a file or folder besides, but for streams.
pub(super) fn attributes_of(handle: &Handle, with_audit: bool, behind: Behind) -> io::Result<Vec<Attribute>> {
    let look = handle.look()?;
    let mut attributes = Vec::new();
    // What only says how its content is stored does not come back: the content does.
    let hidden = if behind == Behind::Content { REPARSE_POINT } else { 0 };
    attributes.push(Attribute::FileAttributes(look.attributes & !hidden));
    attributes.push(Attribute::CreatedAt(from_ticks(look.created)));
    match handle.security(with_audit).or_else(|_| handle.security(false)) {
        Ok(descriptor) => attributes.push(Attribute::SecurityDescriptor(descriptor)),
        Err(error) if is_unknown_to_file_system(&error) => {}
        Err(error) => return Err(error),
    }
    if let Some(id) = handle.object_id()? {
        attributes.push(Attribute::ObjectId(id));
    }
    if look.is_folder() && handle.is_case_sensitive()? {
        attributes.push(Attribute::CaseSensitive);
    }
    let extended = handle.extended_attributes()?;
    if !extended.is_empty() {
        attributes.push(Attribute::ExtendedAttributeBlock(extended));
    }
    if matches!(behind, Behind::Link | Behind::ReparsePoint)
        && let Some((tag, data)) = handle.reparse_point()?
    {
        attributes.push(Attribute::ReparsePoint { tag, data });
    }
    Ok(attributes)
}

/// The streams of a file or folder, each opened by its name behind the file's own.
pub(super) fn streams_of(handle: &Handle, folder: &Handle, name: &[u16]) -> io::Result<Vec<NamedStream>> {
    let mut streams = Vec::new();
    for stream in handle.streams()? {
        let colon = [u16::from(b':')];
        let whole = [name, &colon, &stream.name].concat();
        let opened = folder.open_at(&whole, Wish::to(rights::LOOK | rights::READ))?;
        let look = opened.look()?;
        let content = StreamContent { handle: opened, look };
        streams.push(NamedStream {
            name: wtf8::encode(&stream.name),
            size: look.size,
            content: Box::new(content),
        });
    }
    Ok(streams)
}

/// A folder that was entered.
pub(super) struct FolderNode {
    pub folder: Arc<Folder>,
    /// The folder that it lies in and its name there, to reach its streams; `None` for a drive and what holds them.
    pub place: Option<(Arc<Folder>, Vec<u16>)>,
    pub has_audit: bool,
}

impl Node for FolderNode {
    fn path(&self) -> Vec<u8> {
        self.folder.path_of(b"")
    }

    fn details(&self) -> io::Result<Details> {
        let attributes = match &self.folder.handle {
            Some(handle) => attributes_of(handle, self.has_audit, Behind::Itself)?,
            None => Vec::new(),
        };
        Ok(Details { attributes, ..Details::default() })
    }

    fn streams(&self) -> io::Result<Vec<NamedStream>> {
        match (&self.folder.handle, &self.place) {
            (Some(handle), Some((above, name))) => streams_of(handle, above.handle()?, name),
            _ => Ok(Vec::new()),
        }
    }

    fn open(&self) -> io::Result<(Box<dyn OpenFile>, Stat)> {
        Err(io::ErrorKind::IsADirectory.into())
    }
}

/// Anything else, known by its folder and name.
pub(super) struct EntryNode {
    pub folder: Arc<Folder>,
    pub name: Vec<u16>,
    pub behind: Behind,
    /// Whether it is encrypted, and EFS gives its raw content.
    pub is_raw: bool,
}

impl EntryNode {
    fn open_itself(&self, expected: Expected) -> io::Result<(Handle, bool)> {
        // Content that is encrypted for somebody else can't be opened.
        let rights = if self.is_raw { rights::DESCRIBE } else { rights::LOOK | rights::READ };
        let wish = Wish { follows: self.behind == Behind::Content, ..Wish::to(rights).expecting(expected) };
        open_to_read(self.folder.handle()?, &self.name, wish)
    }
}

impl Node for EntryNode {
    fn path(&self) -> Vec<u8> {
        self.folder.path_of(&wtf8::encode(&self.name))
    }

    fn details(&self) -> io::Result<Details> {
        let (handle, has_audit) = self.open_itself(Expected::Any)?;
        let attributes = attributes_of(&handle, has_audit, self.behind)?;
        let data = attributes.iter().find_map(|attribute| match attribute {
            Attribute::ReparsePoint { data, .. } => Some(data),
            _ => None,
        });
        let link_target = match (self.behind, data) {
            (Behind::Link, Some(data)) => stat::link_target(data).map(|target| wtf8::encode(&target)),
            _ => None,
        };
        Ok(Details { attributes, link_target: link_target.unwrap_or_default(), ..Details::default() })
    }

    fn streams(&self) -> io::Result<Vec<NamedStream>> {
        let (handle, _) = self.open_itself(Expected::Any)?;
        streams_of(&handle, self.folder.handle()?, &self.name)
    }

    fn open(&self) -> io::Result<(Box<dyn OpenFile>, Stat)> {
        let (handle, has_audit) = self.open_itself(Expected::File)?;
        if self.is_raw {
            return encrypted::open(handle, has_audit);
        }
        let look = handle.look()?;
        let file = WindowsFile {
            handle,
            look,
            has_audit,
            folder: Arc::clone(&self.folder),
            name: self.name.clone(),
            behind: self.behind,
        };
        let now = file.describe(&look)?;
        Ok((Box::new(file), now))
    }
}

fn no_longer_a_file() -> io::Error {
    io::Error::other("It is no longer a file")
}

/// The first run of stored bytes at or after `offset`. A file system that can't tell gives all that there is.
fn next_extent(handle: &Handle, look: &Look, offset: u64) -> io::Result<Option<Extent>> {
    let everything = (offset < look.size).then_some(Extent { start: offset, end: look.size });
    if look.attributes & SPARSE == 0 || everything.is_none() {
        return Ok(everything);
    }
    match handle.stored_range(offset, look.size) {
        Ok(range) => Ok(range.map(|range| Extent { start: range.start, end: range.end })),
        Err(error) if is_unknown_to_file_system(&error) => Ok(everything),
        Err(error) => Err(error),
    }
}

/// A file that is open for reading.
struct WindowsFile {
    handle: Handle,
    look: Look,
    has_audit: bool,
    folder: Arc<Folder>,
    name: Vec<u16>,
    behind: Behind,
}

impl WindowsFile {
    fn describe(&self, look: &Look) -> io::Result<Stat> {
        // What became a link since the walk, or was one and is none, is another thing.
        let is_point = look.is_reparse_point();
        let is_as_found = match self.behind {
            Behind::Itself => !is_point,
            Behind::Content => true,
            Behind::Link | Behind::ReparsePoint => is_point,
        };
        match is_as_found && !look.is_folder() {
            true => Ok(stat::describe(look, self.behind)),
            false => Err(no_longer_a_file()),
        }
    }
}

impl OpenFile for WindowsFile {
    fn stat(&self) -> io::Result<Stat> {
        self.describe(&self.handle.look()?)
    }

    fn extended_attributes(&self) -> io::Result<Vec<ExtendedAttribute>> {
        Ok(Vec::new())
    }

    fn attributes(&self) -> io::Result<Vec<Attribute>> {
        attributes_of(&self.handle, self.has_audit, self.behind)
    }

    fn streams(&self) -> io::Result<Vec<NamedStream>> {
        streams_of(&self.handle, self.folder.handle()?, &self.name)
    }

    fn next_extent(&self, offset: u64) -> io::Result<Option<Extent>> {
        next_extent(&self.handle, &self.look, offset)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.handle.read_at(offset, buffer)
    }
}

/// A stream that is open for reading.
struct StreamContent {
    handle: Handle,
    look: Look,
}

impl OpenFile for StreamContent {
    fn stat(&self) -> io::Result<Stat> {
        Ok(stat::describe(&self.handle.look()?, Behind::Itself))
    }

    fn extended_attributes(&self) -> io::Result<Vec<ExtendedAttribute>> {
        Ok(Vec::new())
    }

    fn next_extent(&self, offset: u64) -> io::Result<Option<Extent>> {
        next_extent(&self.handle, &self.look, offset)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.handle.read_at(offset, buffer)
    }
}
