//! The few reads that a folder needs: names in it, a whole file with a limit, a range of a file.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::ops::Range;
use std::path::Path;

/// The names in a folder that are UTF-8, as all names of a store are; sorted.
pub(super) fn names(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        names.extend(entry?.file_name().into_string().ok());
    }
    names.sort_unstable();
    Ok(names)
}

/// A whole file of at most `most` bytes.
///
/// # Errors
/// `InvalidData` if it is longer or no file.
pub(super) fn read_file(path: &Path, most: usize) -> io::Result<Vec<u8>> {
    let (file, length) = open(path)?;
    let longer = || io::Error::new(io::ErrorKind::InvalidData, format!("it is longer than {most} bytes"));
    if length > most as u64 {
        return Err(longer());
    }
    let mut bytes = Vec::with_capacity(length as usize);
    file.take(most as u64 + 1).read_to_end(&mut bytes)?;
    (bytes.len() <= most).then_some(bytes).ok_or_else(longer)
}

/// Just that range of a file that must have `length` bytes.
///
/// # Errors
/// `InvalidData` if it has another length or is no file, `UnexpectedEof` if it shrank meanwhile.
pub(super) fn read_range(path: &Path, length: u64, range: Range<u32>) -> io::Result<Vec<u8>> {
    let (mut file, found) = open(path)?;
    if found != length {
        let words = format!("it has {found} bytes and should have {length}");
        return Err(io::Error::new(io::ErrorKind::InvalidData, words));
    }
    if range.start >= range.end || u64::from(range.end) > length {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "there are no such bytes"));
    }
    file.seek(SeekFrom::Start(u64::from(range.start)))?;
    let mut bytes = vec![0; (range.end - range.start) as usize];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Opens a file to read, and says how long it is. What is no file (a pipe would block) is not opened.
fn open(path: &Path) -> io::Result<(File, u64)> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is no file"));
    }
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    Ok((file, length))
}
