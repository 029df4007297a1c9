//! VHD, as Microsoft's "Virtual Hard Disk Image Format Specification" has it: a foot of 512 bytes at the end, numbers with
//! their high byte first, a sum of bytes as its checksum; dynamic ones have a header and a table of blocks.

use super::{ImageFacts, ImageFault, ImageKind, TABLE_BYTES_MAX, read_at, within};
use std::io::{Read, Seek};

const FOOT_BYTES: u64 = 512;
const FIXED: u32 = 2;
const DYNAMIC: u32 = 3;
const DIFFERENCING: u32 = 4;

fn number32(bytes: &[u8], at: usize) -> u32 {
    bytes[at..at + 4].iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte))
}

fn number64(bytes: &[u8], at: usize) -> u64 {
    u64::from(number32(bytes, at)) << 32 | u64::from(number32(bytes, at + 4))
}

/// The complement of the sum of all bytes but those of the checksum itself.
fn is_summed(bytes: &[u8], at: usize) -> bool {
    let others = bytes.iter().enumerate().filter(|(place, _)| !(at..at + 4).contains(place));
    let sum = others.fold(0u32, |sum, (_, byte)| sum.wrapping_add(u32::from(*byte)));
    number32(bytes, at) == !sum
}

pub(super) fn check(file: &mut (impl Read + Seek), length: u64) -> Result<ImageFacts, ImageFault> {
    let foot = read_at(file, length - FOOT_BYTES, FOOT_BYTES as usize)?;
    if !foot.starts_with(b"conectix") {
        return Err(ImageFault::Broken("neither a VHDX nor a VHD: it has no foot"));
    }
    if !is_summed(&foot, 64) {
        return Err(ImageFault::Broken("the checksum of its foot is wrong"));
    }
    let (header_at, disk_bytes, kind) = (number64(&foot, 16), number64(&foot, 48), number32(&foot, 60));
    let facts = ImageFacts {
        kind: ImageKind::Vhd,
        file_bytes: length,
        disk_bytes,
        block_bytes: 0,
        blocks: 0,
        is_open: false,
    };
    match kind {
        FIXED => within(0, disk_bytes.saturating_add(FOOT_BYTES), length).map(|()| facts),
        DYNAMIC | DIFFERENCING => check_blocks(file, header_at, facts),
        _ => Err(ImageFault::Broken("it is of a kind that isn't known")),
    }
}

fn check_blocks(
    file: &mut (impl Read + Seek),
    header_at: u64,
    facts: ImageFacts,
) -> Result<ImageFacts, ImageFault> {
    let length = facts.file_bytes - FOOT_BYTES;
    within(header_at, 1024, length)?;
    let header = read_at(file, header_at, 1024)?;
    if !header.starts_with(b"cxsparse") || !is_summed(&header, 36) {
        return Err(ImageFault::Broken("its header is damaged"));
    }
    let (table_at, entries, block) = (number64(&header, 16), number32(&header, 28), number32(&header, 32));
    let table_bytes = u64::from(entries) * 4;
    if !block.is_power_of_two() || block < 512 || table_bytes > TABLE_BYTES_MAX {
        return Err(ImageFault::Broken("its header says what can't be"));
    }
    within(table_at, table_bytes, length)?;
    let table = read_at(file, table_at, table_bytes as usize)?;
    let bitmap = u64::from(block / 512).div_ceil(8).next_multiple_of(512);
    let mut blocks = 0;
    for sector in table.chunks_exact(4).map(|entry| number32(entry, 0)).filter(|sector| *sector != u32::MAX) {
        within(u64::from(sector) * 512, bitmap + u64::from(block), length)?;
        blocks += 1;
    }
    Ok(ImageFacts { block_bytes: u64::from(block), blocks, ..facts })
}
