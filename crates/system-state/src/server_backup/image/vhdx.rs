//! VHDX, as MS-VHDX has it: two headers of which the newer sound one counts, two region tables, metadata, and a block
//! allocation table; numbers have their low byte first, checksums are CRC-32C.

use super::{ImageFacts, ImageFault, ImageKind, TABLE_BYTES_MAX, read_at, within};
use std::io::{Read, Seek};

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

/// `2DC27766-F623-4200-9D64-115E9BFD4A08`, as it lies in a file.
const BLOCK_TABLE: [u8; 16] =
    [0x66, 0x77, 0xc2, 0x2d, 0x23, 0xf6, 0x00, 0x42, 0x9d, 0x64, 0x11, 0x5e, 0x9b, 0xfd, 0x4a, 0x08];
/// `8B7CA206-4790-4B9A-B8FE-575F050F886E`.
const METADATA: [u8; 16] =
    [0x06, 0xa2, 0x7c, 0x8b, 0x90, 0x47, 0x9a, 0x4b, 0xb8, 0xfe, 0x57, 0x5f, 0x05, 0x0f, 0x88, 0x6e];
/// `CAA16737-FA36-4D43-B3B6-33F0AA44E76B`.
const FILE_PARAMETERS: [u8; 16] =
    [0x37, 0x67, 0xa1, 0xca, 0x36, 0xfa, 0x43, 0x4d, 0xb3, 0xb6, 0x33, 0xf0, 0xaa, 0x44, 0xe7, 0x6b];
/// `2FA54224-CD1B-4876-B211-5DBED83BF4B8`.
const DISK_SIZE: [u8; 16] =
    [0x24, 0x42, 0xa5, 0x2f, 0x1b, 0xcd, 0x76, 0x48, 0xb2, 0x11, 0x5d, 0xbe, 0xd8, 0x3b, 0xf4, 0xb8];
/// `8141BF1D-A96F-4709-BA47-F233A8FAAB5F`.
const SECTOR_SIZE: [u8; 16] =
    [0x1d, 0xbf, 0x41, 0x81, 0x6f, 0xa9, 0x09, 0x47, 0xba, 0x47, 0xf2, 0x33, 0xa8, 0xfa, 0xab, 0x5f];

const CRC_TABLE: [u32; 256] = {
    let mut table = [0u32; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0x82f6_3b78 } else { crc >> 1 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};

fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| crc >> 8 ^ CRC_TABLE[((crc ^ u32::from(*byte)) & 0xff) as usize])
}

fn number16(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn number32(bytes: &[u8], at: usize) -> u32 {
    u32::from(number16(bytes, at)) | u32::from(number16(bytes, at + 2)) << 16
}

fn number64(bytes: &[u8], at: usize) -> u64 {
    u64::from(number32(bytes, at)) | u64::from(number32(bytes, at + 4)) << 32
}

/// Whether a structure begins with a signature and its checksum, at 4, is right.
fn is_sound(bytes: &[u8], signature: &[u8; 4]) -> bool {
    let mut cleared = bytes.to_vec();
    cleared[4..8].fill(0);
    bytes.starts_with(signature) && number32(bytes, 4) == crc32c(&cleared)
}

pub(super) fn check(file: &mut (impl Read + Seek), length: u64) -> Result<ImageFacts, ImageFault> {
    within(0, MIB, length)?;
    let mut headers = Vec::new();
    for at in [64 * KIB, 128 * KIB] {
        let header = read_at(file, at, 4096)?;
        if is_sound(&header, b"head") {
            headers.push(header);
        }
    }
    let newest = headers.iter().max_by_key(|header| number64(header, 8));
    let header = newest.ok_or(ImageFault::Broken("neither of its headers is sound"))?;
    let is_open = header[48..64].iter().any(|byte| *byte != 0);
    let mut regions = None;
    for at in [192 * KIB, 256 * KIB] {
        let table = read_at(file, at, 64 * KIB as usize)?;
        if regions.is_none() && is_sound(&table, b"regi") {
            regions = Some(table);
        }
    }
    let regions = regions.ok_or(ImageFault::Broken("neither of its region tables is sound"))?;
    let region = |id: &[u8; 16]| find(&regions, 16, number32(&regions, 8) as usize, id);
    let (blocks_at, metadata_at) = match (region(&BLOCK_TABLE), region(&METADATA)) {
        (Some(blocks), Some(metadata)) => (blocks, metadata),
        _ => return Err(ImageFault::Broken("its region tables don't name what they must")),
    };
    let place = |entry: &[u8]| (number64(entry, 16), u64::from(number32(entry, 24)));
    let ((table_at, table_bytes), (metadata_at, metadata_bytes)) = (place(blocks_at), place(metadata_at));
    within(table_at, table_bytes, length)?;
    within(metadata_at, metadata_bytes, length)?;
    if table_bytes > TABLE_BYTES_MAX || metadata_bytes < 64 * KIB {
        return Err(ImageFault::Broken("its regions are of a length that can't be"));
    }
    let (block_bytes, disk_bytes, sector_bytes) = metadata(file, metadata_at, metadata_bytes)?;
    let facts =
        ImageFacts { kind: ImageKind::Vhdx, file_bytes: length, disk_bytes, block_bytes, blocks: 0, is_open };
    let table = read_at(file, table_at, table_bytes as usize)?;
    check_blocks(&table, sector_bytes, facts)
}

/// The entry of 32 bytes that begins with that id; they follow each other from `begin` on.
fn find<'a>(table: &'a [u8], begin: usize, count: usize, id: &[u8; 16]) -> Option<&'a [u8]> {
    table[begin..].chunks_exact(32).take(count).find(|entry| entry.starts_with(id))
}

/// How long blocks, the disk and its sectors are.
fn metadata(file: &mut (impl Read + Seek), at: u64, length: u64) -> Result<(u64, u64, u64), ImageFault> {
    let table = read_at(file, at, 64 * KIB as usize)?;
    if !table.starts_with(b"metadata") {
        return Err(ImageFault::Broken("its metadata is damaged"));
    }
    let mut item = |id: &[u8; 16], bytes: usize| -> Result<Vec<u8>, ImageFault> {
        let entry = find(&table, 32, usize::from(number16(&table, 10)), id)
            .ok_or(ImageFault::Broken("its metadata doesn't say how long its blocks are"))?;
        let offset = u64::from(number32(entry, 16));
        within(offset, bytes as u64, length)?;
        Ok(read_at(file, at + offset, bytes)?)
    };
    let block = u64::from(number32(&item(&FILE_PARAMETERS, 8)?, 0));
    let disk = number64(&item(&DISK_SIZE, 8)?, 0);
    let sector = u64::from(number32(&item(&SECTOR_SIZE, 4)?, 0));
    match block.is_power_of_two() && (MIB..=256 * MIB).contains(&block) && matches!(sector, 512 | 4096) {
        true => Ok((block, disk, sector)),
        false => Err(ImageFault::Broken("its metadata says what can't be")),
    }
}

/// Blocks that hold something, whole or in parts.
const PRESENT: std::ops::RangeInclusive<u64> = 6..=7;

fn check_blocks(table: &[u8], sector_bytes: u64, facts: ImageFacts) -> Result<ImageFacts, ImageFault> {
    // After so many blocks comes an entry for the bitmap of their sectors.
    let ratio = (sector_bytes << 23) / facts.block_bytes;
    let blocks = facts.disk_bytes.div_ceil(facts.block_bytes);
    let entries = blocks.saturating_add(blocks.saturating_sub(1) / ratio);
    if entries > table.len() as u64 / 8 {
        return Err(ImageFault::Broken("its table of blocks is too short for its disk"));
    }
    let mut present = 0;
    for (place, entry) in
        table.chunks_exact(8).take(entries as usize).map(|entry| number64(entry, 0)).enumerate()
    {
        let is_bitmap = place as u64 % (ratio + 1) == ratio;
        let (state, at) = (entry & 7, entry >> 20 << 20);
        if !PRESENT.contains(&state) {
            continue;
        }
        if at < MIB {
            return Err(ImageFault::Broken("a block of it lies where its headers are"));
        }
        within(at, if is_bitmap { MIB } else { facts.block_bytes }, facts.file_bytes)?;
        present += u64::from(!is_bitmap);
    }
    Ok(ImageFacts { blocks: present, ..facts })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_rfc_3720() {
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(&[0xff; 32]), 0x62a8_ab43);
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
    }
}
