//! Which files are disk images, and where the disk lies in them: by their first bytes and their size, never by their
//! names. What is decided stands in the file's entry.

use crate::cut::CutRule;
use stateward_format::DiskImage;

/// Smaller files are cut by content whatever they hold.
const IMAGE_BYTES_MIN: u64 = 32 << 20;

/// How many first bytes [`rule`] looks at.
pub const HEAD_BYTES: usize = 4096;

/// How far apart an image's fixed borders are, in bytes: where chunks always end.
const BLOCK: u32 = 8 << 20;
/// A dynamic VHD with shorter blocks is cut as any disk is: borders so near each other would cost more than they find.
/// In bytes.
const BLOCK_MIN: u64 = 64 << 10;
const SECTOR_BYTES: u64 = 512;

/// How a file of `size` bytes that begins with `head` is cut.
///
/// Known by their signatures: VHDX (MS-VHDX 2.2.1) and QCOW2, whose blocks lie at multiples of 64 KiB; dynamic VHD and
/// VMDK, which say where the disk's blocks lie; and raw disks (a fixed VHD is one, with a foot): an MBR or GPT boot
/// signature, or the superblock of ext2/3/4 or XFS (btrfs' lies at 64 KiB, beyond the head, so it is cut by content).
pub fn rule(size: u64, head: &[u8]) -> CutRule {
    let at = |offset: usize, bytes: &[u8]| head.get(offset..offset + bytes.len()) == Some(bytes);
    let is_raw_disk = size.is_multiple_of(SECTOR_BYTES)
        && (at(510, &[0x55, 0xaa]) || at(0x438, &[0x53, 0xef]) || at(0, b"XFSB"));
    let image = if at(0, b"conectix") {
        Some(dynamic_vhd(head).unwrap_or(FROM_BEGINNING))
    } else if at(0, b"KDMV") {
        Some(vmdk(head).unwrap_or(FROM_BEGINNING))
    } else {
        (at(0, b"vhdxfile") || at(0, b"QFI\xfb") || is_raw_disk).then_some(FROM_BEGINNING)
    };
    match image.filter(|image| size >= IMAGE_BYTES_MIN && image.first < size) {
        Some(image) => CutRule::Image(image),
        None => CutRule::Content,
    }
}

/// The disk begins where the file begins, or at a multiple of a chunk's length.
const FROM_BEGINNING: DiskImage = DiskImage { block: BLOCK, first: 0, stride: BLOCK as u64 };

/// Each of the disk's blocks stands behind a bitmap of whole sectors, the first behind the block allocation table
/// (Microsoft's VHD specification, "Dynamic Disk Header Format").
fn dynamic_vhd(head: &[u8]) -> Option<DiskImage> {
    let header = head.get(512..512 + 1024).filter(|header| header.starts_with(b"cxsparse"))?;
    let number = |at: usize| header[at..at + 4].iter().fold(0u64, |sum, byte| sum << 8 | u64::from(*byte));
    let (table, entries, block) = (number(16) << 32 | number(20), number(28), number(32));
    if !block.is_power_of_two() || block < BLOCK_MIN {
        return None;
    }
    // One bit for each sector of the block.
    let bitmap = (block / SECTOR_BYTES / 8).next_multiple_of(SECTOR_BYTES);
    let first = table.checked_add((4 * entries).next_multiple_of(SECTOR_BYTES))?.checked_add(bitmap)?;
    Some(DiskImage { block: BLOCK.min(block as u32), first, stride: block + bitmap })
}

/// The disk's grains stand behind the metadata, whose length in sectors the header says (VMware's "Virtual Disk Format
/// 5.0", `SparseExtentHeader.overHead`).
fn vmdk(head: &[u8]) -> Option<DiskImage> {
    let sectors =
        head.get(64..72).map(|bytes| bytes.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))?;
    let first = sectors.checked_mul(SECTOR_BYTES)?;
    Some(DiskImage { first, ..FROM_BEGINNING })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: u64 = 1 << 30;

    fn image(size: u64, head: &[u8]) -> Option<DiskImage> {
        match rule(size, head) {
            CutRule::Image(image) => Some(image),
            CutRule::Content => None,
        }
    }

    #[test]
    fn images_are_known_by_their_first_bytes_and_size() {
        let mut head = vec![0; HEAD_BYTES];
        assert_eq!(image(SIZE, &head), None);
        head[0x438..0x43a].copy_from_slice(&[0x53, 0xef]);
        assert_eq!(image(SIZE, &head), Some(FROM_BEGINNING));
        assert_eq!(image(SIZE + 1, &head), None);
        assert_eq!(image(1 << 20, &head), None);
        for signature in [&b"vhdxfile"[..], b"QFI\xfb", b"conectix", b"KDMV"] {
            assert_eq!(image(SIZE, signature), Some(FROM_BEGINNING));
        }
        assert_eq!(image(SIZE, b""), None);
    }

    #[test]
    fn a_dynamic_vhd_is_cut_along_its_blocks() {
        let mut head = vec![0; HEAD_BYTES];
        head[..8].copy_from_slice(b"conectix");
        head[512..520].copy_from_slice(b"cxsparse");
        head[512 + 16..512 + 24].copy_from_slice(&1536u64.to_be_bytes());
        head[512 + 28..512 + 32].copy_from_slice(&1000u32.to_be_bytes());
        head[512 + 32..512 + 36].copy_from_slice(&(2u32 << 20).to_be_bytes());
        // The table's 4,000 bytes take eight sectors; a bitmap of 4,096 bits takes one.
        let expected = DiskImage { block: 2 << 20, first: 1536 + 4096 + 512, stride: (2 << 20) + 512 };
        assert_eq!(image(SIZE, &head), Some(expected));
        head[512 + 16..512 + 24].copy_from_slice(&u64::MAX.to_be_bytes());
        assert_eq!(image(SIZE, &head), Some(FROM_BEGINNING), "a table beyond all files");
        head[512 + 16..512 + 24].copy_from_slice(&(SIZE * 2).to_be_bytes());
        assert_eq!(image(SIZE, &head), None, "a table beyond this file");
        head[512 + 32..512 + 36].copy_from_slice(&3u32.to_be_bytes());
        assert_eq!(image(SIZE, &head), Some(FROM_BEGINNING), "no block's length");
    }

    #[test]
    fn a_vmdk_is_cut_from_its_first_grain_on() {
        let mut head = vec![0; HEAD_BYTES];
        head[..4].copy_from_slice(b"KDMV");
        head[64..72].copy_from_slice(&21u64.to_le_bytes());
        assert_eq!(image(SIZE, &head), Some(DiskImage { first: 21 * 512, ..FROM_BEGINNING }));
        head[64..72].copy_from_slice(&u64::MAX.to_le_bytes());
        assert_eq!(image(SIZE, &head), Some(FROM_BEGINNING));
    }
}
