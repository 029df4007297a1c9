//! Extended attributes (POSIX ACLs and capabilities among them), read whole in the face of races.

use rustix::fs::{
    fgetxattr, fgetxattr_query, flistxattr, flistxattr_query, lgetxattr, lgetxattr_query, llistxattr,
    llistxattr_query,
};
use rustix::io::Errno;
use stateward_format::entry::ExtendedAttribute;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Whose attributes are read.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Holder<'a> {
    /// An open file or folder.
    Open(BorrowedFd<'a>),
    /// What lies at this path, a link itself if it is one.
    At(&'a [u8]),
}

/// A path that leads to `name` in an open folder without naming the folders above it. Needs `/proc`.
pub(crate) fn path_in(folder: BorrowedFd<'_>, name: &[u8]) -> Vec<u8> {
    let mut path = format!("/proc/self/fd/{}/", folder.as_raw_fd()).into_bytes();
    path.extend_from_slice(name);
    path
}

impl Holder<'_> {
    fn list(self, buffer: &mut [u8]) -> Result<usize, Errno> {
        match self {
            Self::Open(file) if buffer.is_empty() => flistxattr_query(file),
            Self::Open(file) => flistxattr(file, buffer),
            Self::At(path) if buffer.is_empty() => llistxattr_query(path),
            Self::At(path) => llistxattr(path, buffer),
        }
    }

    fn get(self, name: &[u8], buffer: &mut [u8]) -> Result<usize, Errno> {
        match self {
            Self::Open(file) if buffer.is_empty() => fgetxattr_query(file, name),
            Self::Open(file) => fgetxattr(file, name, buffer),
            Self::At(path) if buffer.is_empty() => lgetxattr_query(path, name),
            Self::At(path) => lgetxattr(path, name, buffer),
        }
    }
}

/// All attributes, sorted by name. None where the file system has none.
pub(crate) fn read(holder: Holder<'_>) -> io::Result<Vec<ExtendedAttribute>> {
    let names = match read_whole(|buffer| holder.list(buffer)) {
        Err(Errno::NOTSUP) => return Ok(Vec::new()),
        names => names?,
    };
    let mut attributes = Vec::new();
    for name in names.split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        match read_whole(|buffer| holder.get(name, buffer)) {
            Ok(value) => attributes.push(ExtendedAttribute { name: name.to_vec(), value }),
            // It was removed after it was listed.
            Err(Errno::NODATA) => {}
            Err(error) => return Err(error.into()),
        }
    }
    attributes.sort_unstable();
    attributes.dedup_by(|a, b| a.name == b.name);
    Ok(attributes)
}

/// Reads what is mostly short or empty with one call, and what is longer as often as it grows in between.
fn read_whole(read: impl Fn(&mut [u8]) -> Result<usize, Errno>) -> Result<Vec<u8>, Errno> {
    let mut short = [0; 256];
    match read(&mut short) {
        Err(Errno::RANGE) => {}
        length => return Ok(short[..length?].to_vec()),
    }
    loop {
        let mut buffer = vec![0; read(&mut [])?.max(1)];
        match read(&mut buffer) {
            Err(Errno::RANGE) => {}
            length => {
                buffer.truncate(length?);
                return Ok(buffer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn a_value_that_grows_while_it_is_read_is_read_whole() {
        let size = Cell::new(1000);
        let read = |buffer: &mut [u8]| match buffer.len() {
            0 => {
                size.set(size.get() + 300);
                Ok(size.get() - if size.get() < 2000 { 300 } else { 0 })
            }
            space if space < size.get() => Err(Errno::RANGE),
            _ => {
                buffer[..size.get()].fill(7);
                Ok(size.get())
            }
        };
        let value = read_whole(read).unwrap();
        assert_eq!(value.len(), size.get());
        assert!(value.iter().all(|byte| *byte == 7));
    }

    #[test]
    fn an_empty_value_is_a_value() {
        assert_eq!(read_whole(|_| Ok(0)).unwrap(), Vec::<u8>::new());
    }
}
