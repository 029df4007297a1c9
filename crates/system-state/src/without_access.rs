//! A target for what is to belong to whoever restores it: owners, modes, access lists and extended attributes are left
//! off, and everything gets the mode that it would get if it were made by hand.

use crate::own_access;
use stateward_engine::{GiveStream, IsSame, Judgement, Target, TargetError, TargetFile};
use stateward_format::manifest::Warning;
use stateward_format::{Attribute, Entry, Metadata};

/// Another target, to which no access rights come.
pub struct WithoutAccess<'a> {
    target: &'a dyn Target,
    owner: (u32, u32),
    mask: u32,
}

impl<'a> WithoutAccess<'a> {
    /// Lays into `target`.
    pub fn over(target: &'a dyn Target) -> Self {
        let (owner, mask) = own_access();
        Self { target, owner, mask }
    }

    fn reduced(&self, metadata: &Metadata, mode: u32) -> Metadata {
        reduced(metadata, self.owner, mode & !self.mask)
    }
}

fn reduced(metadata: &Metadata, (user, group): (u32, u32), mode: u32) -> Metadata {
    // That its content is not what it seems matters all the same.
    // Nor are streams and reparse points rights, nor which names may be beside each other.
    let is_kept = |attribute: &&Attribute| {
        matches!(
            attribute,
            Attribute::EfsRaw { .. }
                | Attribute::Stream(_)
                | Attribute::ReparsePoint { .. }
                | Attribute::CaseSensitive
        )
    };
    Metadata {
        mode,
        user,
        group,
        modified_at: metadata.modified_at,
        identity: metadata.identity,
        is_hard_linked: metadata.is_hard_linked,
        extended_attributes: Vec::new(),
        attributes: metadata.attributes.iter().filter(is_kept).cloned().collect(),
    }
}

/// The mode of what is no folder, before the mask.
const FILE_MODE: u32 = 0o666;
/// The mode of a folder, before the mask.
const FOLDER_MODE: u32 = 0o777;

impl Target for WithoutAccess<'_> {
    fn keeps_streams(&self) -> bool {
        self.target.keeps_streams()
    }

    fn judge(&self, path: &[u8], entry: &Entry, is_same: &mut IsSame<'_>) -> Result<Judgement, TargetError> {
        self.target.judge(path, entry, is_same)
    }

    fn make_folder(&self, path: &[u8]) -> Result<(), TargetError> {
        self.target.make_folder(path)
    }

    fn begin_folder(&self, path: &[u8], metadata: &Metadata) -> Result<(), TargetError> {
        self.target.begin_folder(path, metadata)
    }

    fn make_file(&self, path: &[u8]) -> Result<Box<dyn TargetFile>, TargetError> {
        let (owner, mode) = (self.owner, FILE_MODE & !self.mask);
        Ok(Box::new(ReducedFile { file: self.target.make_file(path)?, owner, mode }))
    }

    fn make_hard_link(&self, existing: &[u8], path: &[u8]) -> Result<(), TargetError> {
        self.target.make_hard_link(existing, path)
    }

    fn remove_file(&self, path: &[u8]) -> Result<(), TargetError> {
        self.target.remove_file(path)
    }

    fn make_special(&self, path: &[u8], entry: &Entry) -> Result<Vec<Warning>, TargetError> {
        let metadata = self.reduced(&entry.metadata, FILE_MODE);
        self.target.make_special(path, &Entry { metadata, ..entry.clone() })
    }

    fn write_folder_streams(
        &self,
        path: &[u8],
        metadata: &Metadata,
        give: &mut GiveStream<'_>,
    ) -> Result<(), TargetError> {
        self.target.write_folder_streams(path, metadata, give)
    }

    fn finish_folder(&self, path: &[u8], metadata: &Metadata) -> Result<Vec<Warning>, TargetError> {
        self.target.finish_folder(path, &self.reduced(metadata, FOLDER_MODE))
    }

    fn sync(&self) -> Result<(), TargetError> {
        self.target.sync()
    }
}

struct ReducedFile {
    file: Box<dyn TargetFile>,
    owner: (u32, u32),
    mode: u32,
}

impl TargetFile for ReducedFile {
    fn write_stream_at(&self, name: &[u8], offset: u64, bytes: &[u8]) -> Result<(), TargetError> {
        self.file.write_stream_at(name, offset, bytes)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<(), TargetError> {
        self.file.write_at(offset, bytes)
    }

    fn finish(&self, size: u64, metadata: &Metadata) -> Result<Vec<Warning>, TargetError> {
        self.file.finish(size, &reduced(metadata, self.owner, self.mode))
    }
}
