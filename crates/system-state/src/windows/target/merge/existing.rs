//! What lies at a place already, and whether it is what a restore would make.

use super::super::encrypted::size_seen;
use super::super::metadata::SETTABLE;
use crate::windows::encrypted::raw_content;
use crate::windows::node::streams_of;
use stateward_engine::{ContentOf, ExistingFile, IsSame, NamedStream, OpenFile};
use stateward_format::{Attribute, Entry, EntryKind, Metadata};
use stateward_windows::descriptor;
use stateward_windows::handle::{Handle, Look, Wish, rights};
use stateward_windows::raw_content::RawReader;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;

/// How much of an entry must be there already for it to be the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sameness {
    /// Its content, and that of its streams.
    Content,
    /// Its file attributes and access list too.
    Access,
    /// Its owner as well, which only some may give it.
    Owner,
}

/// Something that is there, open itself and not what it leads to.
pub(super) struct Existing<'a> {
    folder: &'a Handle,
    name: &'a [u16],
    handle: Handle,
    look: Look,
}

impl<'a> Existing<'a> {
    /// What has that name, in any case of its letters.
    pub fn at(folder: &'a Handle, name: &'a [u16]) -> io::Result<Option<Self>> {
        let wish = Wish::to(rights::LOOK | rights::READ).in_any_case();
        let opened = match folder.open_at(name, wish) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            // What may not be read, is encrypted for others, or is held by somebody, is there all the same.
            Err(_) => folder
                .open_at(name, Wish { rights: rights::DESCRIBE, ..wish })
                .or_else(|_| folder.open_at(name, Wish { rights: rights::LOOK, ..wish })),
            opened => opened,
        };
        let handle = opened?;
        let look = handle.look()?;
        Ok(Some(Self { folder, name, handle, look }))
    }

    /// Whether it is what the entry would be.
    pub fn is(&self, entry: &Entry, sameness: Sameness, is_same: &mut IsSame<'_>) -> bool {
        match &entry.kind {
            EntryKind::File { size, .. } if !self.look.is_folder() && !self.look.is_reparse_point() => {
                if let Some(seen) = size_seen(&entry.metadata) {
                    return self.look.is_encrypted()
                        && self.look.size == seen
                        && self.has_access_of(&entry.metadata, sameness)
                        && self.has_raw_content(*size, is_same);
                }
                let Ok(streams) = streams_of(&self.handle, self.folder, self.name) else { return false };
                self.look.size == *size
                    && are_alike(&streams, &entry.metadata)
                    && self.has_access_of(&entry.metadata, sameness)
                    && is_same(ContentOf::File, self)
                    && streams.into_iter().all(|NamedStream { name, content, .. }| {
                        is_same(ContentOf::Stream(&name), &ExistingStream(content))
                    })
            }
            EntryKind::SymbolicLink { .. } => {
                self.is_point_of(&entry.metadata) && self.has_access_of(&entry.metadata, sameness)
            }
            _ => false,
        }
    }

    /// Whether it is the reparse point of that metadata.
    pub fn is_point_of(&self, metadata: &Metadata) -> bool {
        let wanted = metadata.attributes.iter().find_map(|attribute| match attribute {
            Attribute::ReparsePoint { tag, data } => Some((*tag, data)),
            _ => None,
        });
        let (Some((tag, data)), true) = (wanted, self.look.is_reparse_point()) else { return false };
        matches!(self.handle.reparse_point(), Ok(Some((found, what))) if found == tag && what == *data)
    }

    /// Whether its raw content is an entry's, of that size, which is never compared with what its user sees. Its streams are in it.
    fn has_raw_content(&self, size: u64, is_same: &mut IsSame<'_>) -> bool {
        let Ok((reader, _)) = raw_content(&self.handle) else { return false };
        let raw = ExistingRaw(RefCell::new(reader));
        is_same(ContentOf::File, &raw) && raw.read_at(size, &mut [0]).is_ok_and(|more| more == 0)
    }

    fn has_access_of(&self, metadata: &Metadata, sameness: Sameness) -> bool {
        if sameness == Sameness::Content {
            return true;
        }
        metadata.attributes.iter().all(|attribute| match attribute {
            Attribute::FileAttributes(bits) => bits & SETTABLE == self.look.attributes & SETTABLE,
            Attribute::SecurityDescriptor(wanted) => {
                self.handle.security(false).is_ok_and(|found| match sameness {
                    Sameness::Owner => descriptor::is_same(&found, wanted),
                    _ => descriptor::is_same_list(&found, wanted),
                })
            }
            _ => true,
        })
    }
}

/// Whether streams that are there have the names and sizes of an entry's.
fn are_alike(found: &[NamedStream], metadata: &Metadata) -> bool {
    let wanted: BTreeMap<&[u8], u64> = metadata
        .attributes
        .iter()
        .filter_map(|attribute| match attribute {
            Attribute::Stream(stream) => Some((stream.name.as_slice(), stream.size)),
            _ => None,
        })
        .collect();
    found.len() == wanted.len()
        && found.iter().all(|found| wanted.get(found.name.as_slice()) == Some(&found.size))
}

/// Reads until `buffer` is full or nothing more comes.
fn fill(
    buffer: &mut [u8],
    offset: u64,
    read_at: impl Fn(u64, &mut [u8]) -> io::Result<usize>,
) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match read_at(offset + filled as u64, &mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

impl ExistingFile for Existing<'_> {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        fill(buffer, offset, |offset, buffer| self.handle.read_at(offset, buffer))
    }
}

/// A stream that is there.
struct ExistingStream(Box<dyn OpenFile>);

impl ExistingFile for ExistingStream {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        fill(buffer, offset, |offset, buffer| self.0.read_at(offset, buffer))
    }
}

/// The raw content of an encrypted file that is there, which is compared from its beginning to its end.
struct ExistingRaw(RefCell<RawReader>);

impl ExistingFile for ExistingRaw {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.borrow_mut().read_at(offset, buffer)
    }
}
