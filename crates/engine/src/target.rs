//! Where a recovery point is laid: the counterpart of [`Source`](crate::Source).
//!
//! Paths are relative to the target folder, components separated by `/`, each a valid
//! [`FileName`](stateward_format::FileName). An implementation resolves every one of them beneath the target and follows
//! no link on the way, whoever moves things meanwhile. What it did not make it replaces only if a person wanted that;
//! whether it does, [`Target::judge`] says before an entry is made.

use stateward_format::manifest::Warning;
use stateward_format::{AlternateStream, Entry, Metadata};
use std::io;

/// Why something could not be put back. `Full` and `Broken` end the restore; others concern one entry.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// There is no space (or no inode) left.
    #[error("There is no space left at the target")]
    Full,
    /// The target's disk fails: nothing that was written to it can be relied on.
    #[error("`{path}` can't be written: {cause}")]
    Broken {
        /// Relative to the target.
        path: String,
        /// The reason.
        cause: io::Error,
    },
    /// Something is at that name already, or a link lies in the way.
    #[error("`{path}` is in the way: it was there before, or a link leads out")]
    InTheWay {
        /// Relative to the target.
        path: String,
    },
    /// The operating system refused.
    #[error("`{path}` can't be written: {cause}")]
    Failed {
        /// Relative to the target.
        path: String,
        /// The reason.
        cause: io::Error,
    },
}

impl TargetError {
    /// Whether it concerns the whole target, so that going on is of no use.
    pub fn ends_restore(&self) -> bool {
        matches!(self, Self::Full | Self::Broken { .. })
    }
}

/// A file that is being put back. Several threads may write to different places of it.
pub trait TargetFile: Send + Sync {
    /// Writes all of `bytes` at `offset`.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<(), TargetError>;
    /// Writes all of `bytes` at `offset` of its alternate stream `name`, which is made by that. Called only where
    /// [`Target::keeps_streams`].
    fn write_stream_at(&self, _name: &[u8], _offset: u64, _bytes: &[u8]) -> Result<(), TargetError> {
        Ok(())
    }
    /// Sets size, owner, mode, attributes and times, in the order that keeps them all. What cannot be set (an owner,
    /// as an ordinary user) comes back as warnings.
    fn finish(&self, size: u64, metadata: &Metadata) -> Result<Vec<Warning>, TargetError>;
}

/// A file that lies at the target already, open for reading.
pub trait ExistingFile {
    /// Reads at `offset` into the front of `buffer`; fewer bytes than asked only at the file's end.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;
}

/// Which of an entry's contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentOf<'a> {
    /// A file's own.
    File,
    /// Its alternate stream of that name.
    Stream(&'a [u8]),
}

/// Tells whether something of the content's size that lies at the target holds just what an entry does.
pub type IsSame<'a> = dyn FnMut(ContentOf<'_>, &dyn ExistingFile) -> bool + 'a;

/// Takes a piece of content, in bytes, at an offset.
pub type TakePiece<'a> = dyn FnMut(u64, &[u8]) -> Result<(), TargetError> + 'a;

/// Gives all pieces of a folder's stream, in order; what is not given is a hole. `false` if not all of it can be had, which
/// the restore tells by itself.
pub type GiveStream<'a> = dyn FnMut(&AlternateStream, &mut TakePiece<'_>) -> Result<bool, TargetError> + 'a;

/// What becomes of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    /// It is made.
    Make,
    /// What lies there stays, and nothing is made: with a warning, unless it is the same as what would be made.
    Leave(Option<Warning>),
}

/// A folder that a recovery point is laid into. What is not written stays a hole.
pub trait Target: Send + Sync {
    /// Whether files and folders get their alternate streams; otherwise [`TargetFile::finish`] and [`Self::finish_folder`] name
    /// those that they leave off.
    fn keeps_streams(&self) -> bool {
        false
    }
    /// Decides, before anything of an entry (other than a folder) is made, what becomes of it where something may lie
    /// already. `is_same` is asked of what has the same size only, and proves its content.
    fn judge(
        &self,
        _path: &[u8],
        _entry: &Entry,
        _is_same: &mut IsSame<'_>,
    ) -> Result<Judgement, TargetError> {
        Ok(Judgement::Make)
    }
    /// Makes a folder, for its owner only until [`Self::finish_folder`]. One that this target made before is no error.
    fn make_folder(&self, path: &[u8]) -> Result<(), TargetError>;
    /// Gives a folder that was just made, or gone into, what it must have before anything lies in it.
    fn begin_folder(&self, _path: &[u8], _metadata: &Metadata) -> Result<(), TargetError> {
        Ok(())
    }
    /// Makes an empty file, for its owner only until it is finished.
    fn make_file(&self, path: &[u8]) -> Result<Box<dyn TargetFile>, TargetError>;
    /// Gives the file at `existing` (made by this target) another name.
    fn make_hard_link(&self, existing: &[u8], path: &[u8]) -> Result<(), TargetError>;
    /// Takes away a file that this target made and that cannot be put back whole; no error if it is not there.
    fn remove_file(&self, path: &[u8]) -> Result<(), TargetError>;
    /// Makes a symbolic link, device, FIFO or socket with all of its metadata.
    fn make_special(&self, path: &[u8], entry: &Entry) -> Result<Vec<Warning>, TargetError>;
    /// Writes a folder's alternate streams, after all it holds was made. Called only where [`Self::keeps_streams`], of
    /// folders that have some, before they are finished.
    fn write_folder_streams(
        &self,
        _path: &[u8],
        _metadata: &Metadata,
        _give: &mut GiveStream<'_>,
    ) -> Result<(), TargetError> {
        Ok(())
    }
    /// Sets a folder's owner, mode, attributes and times, after all it holds was made.
    fn finish_folder(&self, path: &[u8], metadata: &Metadata) -> Result<Vec<Warning>, TargetError>;
    /// Makes everything durable. An operating system may tell a failure once only, so whoever calls this keeps it.
    fn sync(&self) -> Result<(), TargetError>;
}
