//! Entries that a walk has found, and files that are open for reading.

use crate::linux::device::Device;
use crate::linux::extended_attributes::{self, Holder, path_in};
use crate::linux::folder::Folder;
use crate::linux::stat;
use rustix::fs::{FileType, Mode, OFlags, SeekFrom, fstat, openat, readlinkat, seek};
use rustix::io::{Errno, pread};
use stateward_engine::{Details, Extent, Node, OpenFile, Stat};
use stateward_format::entry::ExtendedAttribute;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

/// A folder.
pub(crate) struct FolderNode(pub Arc<Folder>);

impl Node for FolderNode {
    fn path(&self) -> Vec<u8> {
        self.0.path_of(b"")
    }

    fn details(&self) -> io::Result<Details> {
        let descriptor = self.0.descriptor()?;
        let extended_attributes = extended_attributes::read(Holder::Open(descriptor.as_fd()))?;
        Ok(Details { extended_attributes, ..Details::default() })
    }

    fn open(&self) -> io::Result<(Box<dyn OpenFile>, Stat)> {
        Err(io::ErrorKind::IsADirectory.into())
    }
}

/// Anything else, known by its folder and name.
pub(crate) struct EntryNode {
    pub folder: Arc<Folder>,
    pub name: Box<[u8]>,
    pub kind: FileType,
}

impl Node for EntryNode {
    fn path(&self) -> Vec<u8> {
        self.folder.path_of(&self.name)
    }

    fn details(&self) -> io::Result<Details> {
        let folder = self.folder.descriptor()?;
        let path = path_in(folder.as_fd(), &self.name);
        let extended_attributes = extended_attributes::read(Holder::At(&path))?;
        let link_target = match self.kind {
            FileType::Symlink => readlinkat(&folder, &*self.name, Vec::new())?.into_bytes(),
            _ => Vec::new(),
        };
        Ok(Details { extended_attributes, link_target, ..Details::default() })
    }

    fn open(&self) -> io::Result<(Box<dyn OpenFile>, Stat)> {
        let folder = self.folder.descriptor()?;
        // A FIFO that took the file's place must not make us wait for somebody to write to it.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let descriptor = match openat(&folder, &*self.name, flags | OFlags::NOATIME, Mode::empty()) {
            // Only a file's owner may read it without leaving a trace in its access time.
            Err(Errno::PERM) => openat(&folder, &*self.name, flags, Mode::empty())?,
            opened => opened?,
        };
        let raw = fstat(&descriptor)?;
        if stat::file_type(&raw) != FileType::RegularFile {
            return Err(no_longer_a_file());
        }
        let device = self.folder.device();
        let now = stat::describe(&raw, device).ok_or_else(no_longer_a_file)?;
        let size = u64::try_from(raw.st_size).unwrap_or(0);
        let is_whole = size <= WHOLE_BYTES && u64::try_from(raw.st_blocks).unwrap_or(0) * BLOCK_BYTES >= size;
        Ok((Box::new(LinuxFile { descriptor, device, size, is_whole }), now))
    }
}

fn no_longer_a_file() -> io::Error {
    io::Error::other("It is no longer a file")
}

/// What `stat` counts blocks in, whatever the file system's own are.
const BLOCK_BYTES: u64 = 512;

/// A file up to this length that has as many blocks as bytes is not asked for holes.
const WHOLE_BYTES: u64 = 64 << 10;

/// A file that is open for reading.
struct LinuxFile {
    descriptor: OwnedFd,
    /// What its folder lies on.
    device: Device,
    /// Its size when it was opened.
    size: u64,
    /// Whether it is short and has no holes.
    is_whole: bool,
}

impl LinuxFile {
    /// Everything from `offset` to the end: what is told of a file whose file system knows no holes.
    fn everything(&self, offset: u64) -> Option<Extent> {
        (offset < self.size).then_some(Extent { start: offset, end: self.size })
    }

    /// The end of the data that begins at `offset`, which is `offset` itself in a hole.
    fn data_end(&self, offset: u64) -> Result<u64, Errno> {
        seek(&self.descriptor, SeekFrom::Hole(offset))
    }
}

impl OpenFile for LinuxFile {
    fn stat(&self) -> io::Result<Stat> {
        stat::describe(&fstat(&self.descriptor)?, self.device).ok_or_else(no_longer_a_file)
    }

    fn extended_attributes(&self) -> io::Result<Vec<ExtendedAttribute>> {
        extended_attributes::read(Holder::Open(self.descriptor.as_fd()))
    }

    /// Asks for a hole first: that is one call for a file without any.
    fn next_extent(&self, offset: u64) -> io::Result<Option<Extent>> {
        if offset >= self.size {
            return Ok(None);
        }
        if self.is_whole {
            return Ok(self.everything(offset));
        }
        match self.data_end(offset) {
            Ok(end) if end > offset => return Ok(Some(Extent { start: offset, end })),
            Ok(_) => {}
            // The file has become shorter.
            Err(Errno::NXIO) => return Ok(None),
            Err(Errno::INVAL | Errno::NOTSUP) => return Ok(self.everything(offset)),
            Err(error) => return Err(error.into()),
        }
        match seek(&self.descriptor, SeekFrom::Data(offset)) {
            // Between the two calls the file may change; whoever reads looks at it again afterwards.
            Ok(start) => Ok(Some(Extent { start, end: self.data_end(start)?.max(start + 1) })),
            Err(Errno::NXIO) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            let at = offset + filled as u64;
            match pread(&self.descriptor, &mut buffer[filled..], at) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            // What was read up to the known end needs no further call that reads nothing.
            if offset + filled as u64 == self.size {
                break;
            }
        }
        Ok(filled)
    }
}
