//! Entries written by hand, byte by byte: `format`'s own encoder would refuse, or could not be asked for, most of them.

use stateward_format::wire::Writer;
use stateward_format::{ChunkReference, Content, Piece, StreamReference};

/// The first byte of a record, by docs/format.md, section 7.
pub mod kinds {
    /// A file.
    pub const FILE: u8 = 1;
    /// A folder.
    pub const FOLDER: u8 = 2;
    /// A symbolic link.
    pub const SYMBOLIC_LINK: u8 = 3;
    /// A block device.
    pub const BLOCK_DEVICE: u8 = 4;
    /// A character device.
    pub const CHARACTER_DEVICE: u8 = 5;
    /// A FIFO.
    pub const FIFO: u8 = 6;
    /// A kind that nobody knows.
    pub const UNKNOWN: u8 = 99;
}

/// The types of attributes, by the same section.
pub mod attributes {
    /// The twelve permission bits.
    pub const MODE: u64 = 3;
    /// The owner's number.
    pub const USER: u64 = 4;
    /// The group's number.
    pub const GROUP: u64 = 6;
    /// Eight bytes of nanoseconds.
    pub const MODIFIED_AT: u64 = 8;
    /// File system, file and time.
    pub const IDENTITY: u64 = 10;
    /// No value.
    pub const HARD_LINKED: u64 = 12;
    /// A name and a value.
    pub const EXTENDED_ATTRIBUTE: u64 = 14;
    /// A file's size.
    pub const SIZE: u64 = 17;
    /// A file's content.
    pub const CONTENT: u64 = 19;
    /// A link's target.
    pub const TARGET: u64 = 21;
    /// A device's numbers.
    pub const DEVICE: u64 = 23;
    /// An optional one that nobody knows.
    pub const UNKNOWN_OPTIONAL: u64 = 2000;
    /// A critical one that nobody knows.
    pub const UNKNOWN_CRITICAL: u64 = 2001;
}

/// An entry: kind, name and attributes, of which nothing need be right.
#[derive(Debug, Clone)]
pub struct ForgedEntry {
    kind: u8,
    name: Vec<u8>,
    attributes: Vec<(u64, Vec<u8>)>,
}

fn varint(value: u64) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.varint(value);
    writer.0
}

impl ForgedEntry {
    /// An entry of that kind with mode 0644, root's.
    pub fn new(kind: u8, name: impl AsRef<[u8]>) -> Self {
        let entry = Self { kind, name: name.as_ref().to_vec(), attributes: Vec::new() };
        entry
            .with(attributes::MODE, varint(0o644))
            .with(attributes::USER, varint(0))
            .with(attributes::GROUP, varint(0))
            .with(attributes::MODIFIED_AT, 1_700_000_000_000_000_000_u64.to_le_bytes().to_vec())
    }

    /// A folder of mode 0755.
    pub fn folder(name: impl AsRef<[u8]>) -> Self {
        Self::new(kinds::FOLDER, name).mode(0o755)
    }

    /// The topmost folder.
    pub fn root() -> Self {
        Self::folder("")
    }

    /// A file that holds these chunks.
    pub fn file(name: impl AsRef<[u8]>, chunks: &[ChunkReference]) -> Self {
        let size = chunks.iter().map(|chunk| u64::from(chunk.length)).sum();
        let pieces = chunks.iter().copied().map(Piece::Data).collect();
        Self::file_of(name, size, &Content::Inline(pieces))
    }

    /// A file that is said to have that size and that content.
    pub fn file_of(name: impl AsRef<[u8]>, size: u64, content: &Content) -> Self {
        let mut written = Writer::default();
        content.encode(&mut written);
        Self::new(kinds::FILE, name).with(attributes::SIZE, varint(size)).with(attributes::CONTENT, written.0)
    }

    /// A file whose pieces are listed in that stream.
    pub fn listed(name: impl AsRef<[u8]>, size: u64, list: StreamReference) -> Self {
        Self::file_of(name, size, &Content::Listed(list))
    }

    /// A symbolic link.
    pub fn link(name: impl AsRef<[u8]>, target: impl AsRef<[u8]>) -> Self {
        Self::new(kinds::SYMBOLIC_LINK, name).with(attributes::TARGET, target.as_ref().to_vec())
    }

    /// A device.
    pub fn device(kind: u8, name: impl AsRef<[u8]>, major: u64, minor: u64) -> Self {
        Self::new(kind, name).with(attributes::DEVICE, [varint(major), varint(minor)].concat())
    }

    /// With an attribute, or another value of it (but extended attributes, of which there may be many).
    #[must_use]
    pub fn with(mut self, attribute: u64, value: Vec<u8>) -> Self {
        let may_repeat = attribute == attributes::EXTENDED_ATTRIBUTE;
        self.attributes.retain(|(known, _)| *known != attribute || may_repeat);
        self.attributes.push((attribute, value));
        self.attributes.sort_by_key(|(known, _)| *known);
        self
    }

    /// With these permission bits.
    #[must_use]
    pub fn mode(self, mode: u64) -> Self {
        self.with(attributes::MODE, varint(mode))
    }

    /// With that owner and group.
    #[must_use]
    pub fn owner(self, user: u64, group: u64) -> Self {
        self.with(attributes::USER, varint(user)).with(attributes::GROUP, varint(group))
    }

    /// With an extended attribute. They are sorted by who gives them.
    #[must_use]
    pub fn extended_attribute(self, name: &[u8], value: &[u8]) -> Self {
        let mut written = Writer::default();
        written.bytes(name);
        written.raw(value);
        self.with(attributes::EXTENDED_ATTRIBUTE, written.0)
    }

    /// One name of the file of that number.
    #[must_use]
    pub fn hard_linked(self, file: u64) -> Self {
        let identity = [varint(1), varint(file), vec![0; 8]].concat();
        self.with(attributes::IDENTITY, identity).with(attributes::HARD_LINKED, Vec::new())
    }

    fn body(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.u8(self.kind);
        writer.bytes(&self.name);
        for (attribute, value) in &self.attributes {
            writer.varint(*attribute);
            writer.bytes(value);
        }
        writer.0
    }
}

/// A segment of a metadata stream.
#[derive(Debug, Clone, Default)]
pub struct Segment(Writer);

impl Segment {
    /// One at whose beginning these folders are open; the topmost has an empty name.
    pub fn within(open_folders: &[&str]) -> Self {
        let mut writer = Writer::default();
        writer.varint(open_folders.len() as u64);
        open_folders.iter().for_each(|name| writer.bytes(name.as_bytes()));
        Self(writer)
    }

    /// The first one of a stream, with the topmost folder entered.
    pub fn begin() -> Self {
        Self::within(&[]).with(&ForgedEntry::root())
    }

    /// With an entry.
    #[must_use]
    pub fn with(mut self, entry: &ForgedEntry) -> Self {
        self.0.bytes(&entry.body());
        self
    }

    /// With the end of the folder that was entered last.
    #[must_use]
    pub fn leave(mut self) -> Self {
        self.0.bytes(&[0]);
        self
    }

    /// Its bytes: a chunk.
    pub fn bytes(&self) -> &[u8] {
        &self.0.0
    }
}
