//! Files that EFS encrypts, read as it stores them: whoever reads them needs no key, and whoever restores them gets them back for
//! those who have one.
//!
//! EFS knows files by their paths. So a file is opened itself first, by its folder, and its path asked for: NTFS lets nobody rename a
//! folder as long as anything below it is open, and whether the file itself still has that path is looked at afterwards.

use super::node::attributes_of;
use super::stat::{self, Behind};
use stateward_engine::{Extent, FoundKind, OpenFile, SIZE_UNKNOWN, Stat};
use stateward_format::Attribute;
use stateward_format::entry::ExtendedAttribute;
use stateward_windows::encrypted;
use stateward_windows::handle::{Handle, Look};
use stateward_windows::raw_content::RawReader;
use std::cell::RefCell;
use std::io;

/// Whether EFS would give the raw content of an open file.
pub(super) fn can_be_read(handle: &Handle) -> io::Result<()> {
    handle.path().and_then(|path| encrypted::can_export(&path))
}

/// The raw content of an open file, and the path by which EFS was asked for it.
pub(super) fn raw_content(handle: &Handle) -> io::Result<(RawReader, Vec<u16>)> {
    let path = handle.path().map_err(refused)?;
    let asked = path.clone();
    let reader = RawReader::start(move |parts| encrypted::export(&asked, &mut |part| parts.put(part)));
    Ok((reader.map_err(refused)?, path))
}

/// Never taken for the file's having vanished, which nobody would be told of.
fn refused(cause: io::Error) -> io::Error {
    io::Error::other(format!("EFS doesn't give its raw content: {cause}"))
}

/// A file that is open for its raw content to be read.
struct EncryptedFile {
    handle: Handle,
    /// What it was when it was opened.
    look: Look,
    has_audit: bool,
    path: Vec<u16>,
    raw: RefCell<RawReader>,
}

/// Has EFS read an open file, which need not be open for reading.
pub(super) fn open(handle: Handle, has_audit: bool) -> io::Result<(Box<dyn OpenFile>, Stat)> {
    let look = handle.look()?;
    if !look.is_encrypted() || look.is_folder() || look.is_reparse_point() {
        return Err(io::Error::other("It is no longer an encrypted file"));
    }
    let (reader, path) = raw_content(&handle)?;
    let stat = describe(&look);
    let file = EncryptedFile { handle, look, has_audit, path, raw: RefCell::new(reader) };
    Ok((Box::new(file), stat))
}

/// How long the raw content is shows when it ends.
fn describe(look: &Look) -> Stat {
    Stat { kind: FoundKind::File { size: SIZE_UNKNOWN }, ..stat::describe(look, Behind::Itself) }
}

impl OpenFile for EncryptedFile {
    fn stat(&self) -> io::Result<Stat> {
        let now = self.handle.look()?;
        let is_as_opened =
            now.is_encrypted() && now.size == self.look.size && self.handle.path()? == self.path;
        match is_as_opened {
            true => Ok(describe(&now)),
            false => Err(io::Error::other("It is no longer the file that was opened")),
        }
    }

    fn extended_attributes(&self) -> io::Result<Vec<ExtendedAttribute>> {
        Ok(Vec::new())
    }

    /// Without its streams, which its raw content holds.
    fn attributes(&self) -> io::Result<Vec<Attribute>> {
        let mut attributes = attributes_of(&self.handle, self.has_audit, Behind::Itself)?;
        attributes.push(Attribute::EfsRaw { size: self.look.size });
        Ok(attributes)
    }

    fn next_extent(&self, offset: u64) -> io::Result<Option<Extent>> {
        Ok(Some(Extent { start: offset, end: SIZE_UNKNOWN }))
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.raw.borrow_mut().read_at(offset, buffer).map_err(refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stateward_windows::handle::rights;

    /// Wine has no EFS, and Windows gives no raw content of what is not encrypted.
    #[test]
    fn a_file_that_is_not_encrypted_is_not_read_as_if_it_were() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "plain").unwrap();
        let handle = || Handle::open_folder(&path, rights::DESCRIBE).unwrap();
        assert!(open(handle(), false).is_err());
        // What is refused must not seem to have vanished.
        if let Err(cause) = raw_content(&handle()) {
            assert_ne!(cause.kind(), io::ErrorKind::NotFound);
            assert!(cause.to_string().contains("EFS"), "{cause}");
        }
    }
}
