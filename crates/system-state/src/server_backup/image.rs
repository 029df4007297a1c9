//! Is a virtual disk whole? VHD by its foot and header, VHDX by its headers and regions, and both by whether every block that
//! their tables name lies within the file. It's the last word on an image that `wbadmin` says it has written.

mod vhd;
mod vhdx;

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// Which sort of virtual disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageKind {
    /// Server 2008 R2.
    Vhd,
    /// Server 2012 and later.
    Vhdx,
}

/// What was found in a virtual disk that is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageFacts {
    /// Its kind.
    pub kind: ImageKind,
    /// The file's length.
    pub file_bytes: u64,
    /// The disk's size.
    pub disk_bytes: u64,
    /// How long its blocks are; 0 if it has none.
    pub block_bytes: u64,
    /// How many blocks hold something.
    pub blocks: u64,
    /// Whether its log holds changes that aren't at their places yet: something has it open, or had when it ended.
    pub is_open: bool,
}

/// Why a virtual disk is not whole.
#[derive(Debug, thiserror::Error)]
pub enum ImageFault {
    /// It can't be read.
    #[error("it can't be read: {0}")]
    Unreadable(#[from] io::Error),
    /// Something in it isn't as it must be.
    #[error("it is no whole virtual disk: {0}")]
    Broken(&'static str),
    /// A block lies beyond the end.
    #[error("it was cut off: a block of it should lie up to byte {end}, and it is {length} bytes long")]
    CutOff {
        /// Where the block should end.
        end: u64,
        /// How long the file is.
        length: u64,
    },
}

/// No table of blocks is longer, in bytes: enough for 64 TB in blocks of 1 MiB, and half as much again.
const TABLE_BYTES_MAX: u64 = 1 << 30;

/// Looks at a virtual disk.
pub fn check_image(path: &Path) -> Result<ImageFacts, ImageFault> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    check(&mut file, length)
}

/// Looks at a virtual disk of that length.
pub fn check(file: &mut (impl Read + Seek), length: u64) -> Result<ImageFacts, ImageFault> {
    if length < 512 {
        return Err(ImageFault::Broken("it is shorter than any"));
    }
    match &read_at(file, 0, 8)?[..] {
        b"vhdxfile" => vhdx::check(file, length),
        _ => vhd::check(file, length),
    }
}

fn read_at(file: &mut (impl Read + Seek), offset: u64, length: usize) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(offset))?;
    let mut bytes = vec![0; length];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Holds a block against the file's length.
fn within(begin: u64, length: u64, file: u64) -> Result<(), ImageFault> {
    match begin.checked_add(length) {
        Some(end) if end <= file => Ok(()),
        end => Err(ImageFault::CutOff { end: end.unwrap_or(u64::MAX), length: file }),
    }
}

#[cfg(test)]
mod tests;
