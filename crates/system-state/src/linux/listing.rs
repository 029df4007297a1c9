//! The names in a folder, read in one pass and sorted by their bytes.

use rustix::fs::{FileType, RawDir};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::AsFd;

/// How many bytes of names one call to the kernel fetches.
const BUFFER_BYTES: usize = 64 << 10;

/// A name and what the folder says of its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    /// The name.
    pub name: Box<[u8]>,
    /// The type as far as the file system tells it here, else `Unknown`.
    pub hint: FileType,
}

/// Reads folders; keeps its buffer from one to the next.
pub(crate) struct Lister {
    buffer: Box<[MaybeUninit<u8>]>,
}

impl Lister {
    pub fn new() -> Self {
        Self { buffer: vec![MaybeUninit::uninit(); BUFFER_BYTES].into() }
    }

    /// What a folder that was just opened holds, without `.` and `..`. Beside an error stands what was read before it.
    pub fn list(&mut self, folder: impl AsFd) -> (Vec<Listed>, Option<io::Error>) {
        let mut listed = Vec::new();
        let mut entries = RawDir::new(folder, &mut self.buffer);
        let error = loop {
            match entries.next() {
                None => break None,
                // The folder was removed after it was opened: it holds nothing more.
                Some(Err(rustix::io::Errno::NOENT)) => break None,
                Some(Err(error)) => break Some(error.into()),
                Some(Ok(entry)) => match entry.file_name().to_bytes() {
                    b"." | b".." => {}
                    name => listed.push(Listed { name: name.into(), hint: entry.file_type() }),
                },
            }
        };
        listed.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        // A file system that changes under the reader may tell a name twice.
        listed.dedup_by(|a, b| a.name == b.name);
        (listed, error)
    }
}
