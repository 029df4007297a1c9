//! Which files are disk images: by their first bytes and their size, never by their names.

use crate::cut::CutRule;

/// Smaller files are cut by content whatever they hold.
const IMAGE_BYTES_MIN: u64 = 32 << 20;

/// How many first bytes [`rule`] looks at.
pub const HEAD_BYTES: usize = 4096;

/// How a file of `size` bytes that begins with `head` is cut.
///
/// Known by their signatures: VHDX (MS-VHDX 2.2.1), dynamic VHD (Microsoft's VHD specification), QCOW2, VMDK, and raw
/// disks: an MBR or GPT boot signature, or the superblock of ext2/3/4, XFS or btrfs' neighbour at 64 KiB (which lies
/// beyond the head, so btrfs is cut by content).
pub fn rule(size: u64, head: &[u8]) -> CutRule {
    let at = |offset: usize, bytes: &[u8]| head.get(offset..offset + bytes.len()) == Some(bytes);
    let is_raw_disk =
        size.is_multiple_of(512) && (at(510, &[0x55, 0xaa]) || at(0x438, &[0x53, 0xef]) || at(0, b"XFSB"));
    let is_image =
        at(0, b"vhdxfile") || at(0, b"conectix") || at(0, b"QFI\xfb") || at(0, b"KDMV") || is_raw_disk;
    match is_image && size >= IMAGE_BYTES_MIN {
        true => CutRule::Image,
        false => CutRule::Content,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_known_by_their_first_bytes_and_size() {
        let mut head = vec![0; HEAD_BYTES];
        assert_eq!(rule(1 << 30, &head), CutRule::Content);
        head[0x438..0x43a].copy_from_slice(&[0x53, 0xef]);
        assert_eq!(rule(1 << 30, &head), CutRule::Image);
        assert_eq!(rule((1 << 30) + 1, &head), CutRule::Content);
        assert_eq!(rule(1 << 20, &head), CutRule::Content);
        assert_eq!(rule(1 << 30, b"vhdxfile"), CutRule::Image);
        assert_eq!(rule(1 << 30, b""), CutRule::Content);
    }
}
