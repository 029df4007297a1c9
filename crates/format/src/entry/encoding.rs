//! An entry's bytes.

use super::{
    ATTRIBUTES_MAX, Entry, EntryKind, ExtendedAttribute, FileName, Identity, Metadata, TOO_MANY_ATTRIBUTES,
};
use crate::attribute::{Attribute, STREAM, number};
use crate::content::Content;
use crate::wire::{FormatError, Reader, Writer};
use stateward_model::Timestamp;

// Attribute types of what is in most entries; the others are `attribute`'s. The lowest bit set: critical.
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

pub(super) const LEAVE: u8 = 0;
const FILE: u8 = 1;
const FOLDER: u8 = 2;
const SYMBOLIC_LINK: u8 = 3;
const BLOCK_DEVICE: u8 = 4;
const CHARACTER_DEVICE: u8 = 5;
const FIFO: u8 = 6;
const SOCKET: u8 = 7;

pub(super) fn encode_entry(entry: &Entry, body: &mut Writer) {
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
                w.wide_varint(identity.file_id);
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
    out.extend(metadata.attributes.iter().map(|one| (one.kind(), value(|w| one.encode(w)))));
    out
}

fn value(write: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut writer = Writer::default();
    write(&mut writer);
    writer.0
}

/// The name of an entry, and whether it is a folder: what can be told of one that is refused. No kind but the folder
/// ever holds others.
pub(super) fn decode_head(body: &[u8]) -> Option<(FileName, bool)> {
    let mut reader = Reader::new("entry", body);
    let kind = reader.u8().ok().filter(|kind| *kind != LEAVE)?;
    let name = match reader.bytes().ok()? {
        [] => FileName::root(),
        name => FileName::new(name).ok()?,
    };
    Some((name, kind == FOLDER))
}

/// Refuses what has no meaning at an entry of this kind.
fn check_holder(attribute: &Attribute, kind: &EntryKind) -> Result<(), FormatError> {
    let (is_file, is_folder) = (matches!(kind, EntryKind::File { .. }), *kind == EntryKind::Folder);
    let fits = match attribute {
        Attribute::DiskImage(_) | Attribute::EfsRaw { .. } => is_file,
        Attribute::Stream(_) => is_file || is_folder,
        Attribute::CaseSensitive => is_folder,
        _ => true,
    };
    match fits {
        true => Ok(()),
        false => Err(FormatError::Malformed { what: "entry", why: "an attribute is not one of its kind" }),
    }
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
    others: Vec<Attribute>,
}

pub(super) fn decode_entry(kind: u8, mut reader: Reader<'_>) -> Result<Entry, FormatError> {
    let name = match reader.bytes()? {
        [] => FileName::root(),
        name => FileName::new(name)?,
    };
    let mut found = Attributes::default();
    let mut last = 0;
    while !reader.is_at_end() {
        let attribute = reader.varint()?;
        let may_repeat = matches!(attribute, EXTENDED_ATTRIBUTE | STREAM);
        if attribute < last || attribute == last && !may_repeat {
            return Err(reader.malformed("its attributes are not in order"));
        }
        last = attribute;
        found.take(attribute, reader.bytes()?)?;
        if found.extended_attributes.len() + found.others.len() > ATTRIBUTES_MAX {
            return Err(reader.malformed(TOO_MANY_ATTRIBUTES));
        }
    }
    let missing = |why| FormatError::Malformed { what: "entry", why };
    let kind = found.entry_kind(kind)?;
    found.others.iter().try_for_each(|attribute| check_holder(attribute, &kind))?;
    let metadata = Metadata {
        mode: found.mode.ok_or_else(|| missing("it has no mode"))?,
        user: found.user.ok_or_else(|| missing("it has no owner"))?,
        group: found.group.ok_or_else(|| missing("it has no group"))?,
        modified_at: found.modified_at.ok_or_else(|| missing("it has no time"))?,
        identity: found.identity,
        is_hard_linked: found.is_hard_linked,
        extended_attributes: found.extended_attributes,
        attributes: found.others,
    };
    Ok(Entry { name, kind, metadata })
}

impl Attributes {
    fn take(&mut self, attribute: u64, bytes: &[u8]) -> Result<(), FormatError> {
        let mut value = Reader::new("attribute", bytes);
        match attribute {
            MODE => self.mode = Some(value.bounded(0o7777, "the mode has more than twelve bits")? as u32),
            USER => self.user = Some(number(&mut value)?),
            GROUP => self.group = Some(number(&mut value)?),
            MODIFIED_AT => self.modified_at = Some(value.time()?),
            IDENTITY => {
                self.identity = Some(Identity {
                    file_system: value.varint()?,
                    file_id: value.wide_varint()?,
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
            kind => return self.take_other(Attribute::decode(kind, bytes)?),
        }
        value.finish()
    }

    fn take_other(&mut self, attribute: Attribute) -> Result<(), FormatError> {
        if let (Some(Attribute::Stream(before)), Attribute::Stream(stream)) = (self.others.last(), &attribute)
            && before.name >= stream.name
        {
            return Err(FormatError::Malformed { what: "entry", why: "its streams are not in order" });
        }
        self.others.push(attribute);
        Ok(())
    }

    /// Moves what belongs to the kind into it; anything of another kind is refused.
    fn entry_kind(&mut self, kind: u8) -> Result<EntryKind, FormatError> {
        let malformed = |why| FormatError::Malformed { what: "entry", why };
        let taken =
            match (kind, self.size.take(), self.content.take(), self.target.take(), self.device.take()) {
                (FILE, Some(size), Some(content), None, None) => {
                    content.check_size(size)?;
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
