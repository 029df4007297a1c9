//! What lies at a place already, and whether it is what a restore would make.

use super::super::encrypted::size_seen;
use super::super::metadata::SETTABLE;
use crate::windows::encrypted::raw_content;
use stateward_engine::{ExistingFile, IsSame};
use stateward_format::{Attribute, Entry, EntryKind, Metadata, wtf8};
use stateward_windows::descriptor;
use stateward_windows::handle::{Handle, Look, Wish, rights};
use stateward_windows::raw_content::RawReader;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;

/// How much of an entry must be there already for it to be the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sameness {
    /// Its content, with streams of the same names and sizes.
    Content,
    /// Its file attributes and access list too; and it must have no streams, for what they hold isn't compared.
    Access,
    /// Its owner as well, which only some may give it.
    Owner,
}

/// Something that is there, open itself and not what it leads to.
pub(super) struct Existing {
    handle: Handle,
    look: Look,
}

impl Existing {
    /// What has that name, in any case of its letters.
    pub fn at(folder: &Handle, name: &[u16]) -> io::Result<Option<Self>> {
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
        Ok(Some(Self { handle, look }))
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
                self.look.size == *size
                    && self.has_streams_of(&entry.metadata, sameness)
                    && self.has_access_of(&entry.metadata, sameness)
                    && is_same(self)
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
        is_same(&raw) && raw.read_at(size, &mut [0]).is_ok_and(|more| more == 0)
    }

    fn has_streams_of(&self, metadata: &Metadata, sameness: Sameness) -> bool {
        let wanted: BTreeMap<&[u8], u64> = metadata
            .attributes
            .iter()
            .filter_map(|attribute| match attribute {
                Attribute::Stream(stream) => Some((stream.name.as_slice(), stream.size)),
                _ => None,
            })
            .collect();
        let Ok(found) = self.handle.streams() else { return false };
        let is_alike = found.len() == wanted.len()
            && found.iter().all(|found| wanted.get(&*wtf8::encode(&found.name)) == Some(&found.size));
        is_alike && (sameness == Sameness::Content || found.is_empty())
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

impl ExistingFile for Existing {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.handle.read_at(offset + filled as u64, &mut buffer[filled..]) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }
}

/// The raw content of an encrypted file that is there, which is compared from its beginning to its end.
struct ExistingRaw(RefCell<RawReader>);

impl ExistingFile for ExistingRaw {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.borrow_mut().read_at(offset, buffer)
    }
}
