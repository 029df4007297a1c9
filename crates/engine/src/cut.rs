//! Cutting content into chunks.
//!
//! Content-defined: a gear hash whose table is secret (derived from the data key) slides over the bytes, and a chunk
//! ends where its top bits are zero; so an insertion moves only the borders near it. The two masks keep lengths near the
//! average (normalized chunking, as in FastCDC: Xia et al., USENIX ATC 2016, section 3.4). The top bits are used because
//! they depend on the last 64 bytes, the lowest on one byte only.
//!
//! Disk images have fixed borders too, aligned inside the virtual disk (see [`crate::image`]), and shorter chunks between
//! them: they change in small blocks that lie scattered, and hold the same files at other places
//! (docs/decisions/2026-11-28-images-cut-by-content.md).

use gearhash::Hasher;
use stateward_crypto::EpochKeys;
use stateward_format::DiskImage;

/// No cut chunk is longer, in bytes.
pub const CHUNK_BYTES_MAX: usize = 256 << 10;

/// How long chunks are.
struct Lengths {
    /// Content up to this length is one chunk; no chunk but the last of an extent is shorter, in bytes.
    min: usize,
    /// About what a chunk is long, in bytes.
    normal: usize,
    /// No chunk is longer, in bytes.
    max: usize,
    /// What must be zero for a border up to the normal length …
    mask_before: u64,
    /// … and beyond it.
    mask_after: u64,
}

const FILE: Lengths = Lengths {
    min: 16 << 10,
    normal: 64 << 10,
    max: CHUNK_BYTES_MAX,
    mask_before: !0 << (64 - 18),
    mask_after: !0 << (64 - 14),
};

const IMAGE: Lengths = Lengths {
    min: 16 << 10,
    normal: 32 << 10,
    max: 128 << 10,
    mask_before: !0 << (64 - 17),
    mask_after: !0 << (64 - 13),
};

/// A metadata segment is hardly shorter. Short ones, because changes lie scattered: of a system tree in which one file in
/// a hundred changed, segments of 64 KiB were nearly all written again.
const SEGMENT_BYTES_MIN: usize = 4 << 10;
/// No metadata segment is longer by more than one record.
const SEGMENT_BYTES_MAX: usize = 64 << 10;

/// A record is some 120 bytes long: one in 32 ends a segment, after about 8 KiB in all.
const SEGMENT_MASK: u64 = !0 << (64 - 5);
/// How many bytes a gear hash remembers.
const WINDOW_BYTES: usize = 64;

/// How an extent is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CutRule {
    /// By content.
    Content,
    /// At an image's fixed borders, and by content between them.
    Image(DiskImage),
}

/// A cutter with its secret table.
#[derive(Clone)]
pub struct Cutter {
    table: Box<[u64; 256]>,
}

impl Cutter {
    /// The cutter of an epoch.
    pub fn new(keys: &EpochKeys) -> Self {
        Self { table: keys.gear_table() }
    }

    /// The length of the first chunk of `data`, which lies at `offset` of its file. `data` must hold
    /// [`CHUNK_BYTES_MAX`] bytes or end with its extent. Never 0 unless `data` is empty.
    pub fn cut(&self, rule: CutRule, offset: u64, data: &[u8]) -> usize {
        match rule {
            CutRule::Content => self.cut_by_content(&FILE, data),
            CutRule::Image(image) => {
                let to_border = usize::try_from(image.to_border(offset)).unwrap_or(usize::MAX);
                self.cut_by_content(&IMAGE, &data[..data.len().min(to_border)])
            }
        }
    }

    fn cut_by_content(&self, lengths: &Lengths, data: &[u8]) -> usize {
        let &Lengths { min, normal, max, mask_before, mask_after } = lengths;
        if data.len() <= min {
            return data.len();
        }
        let end = data.len().min(max);
        let normal = end.min(normal);
        let mut gear = Hasher::new(&self.table);
        gear.update(&data[min - WINDOW_BYTES..min]);
        if let Some(found) = gear.next_match(&data[min..normal], mask_before) {
            return min + found;
        }
        match gear.next_match(&data[normal..end], mask_after) {
            Some(found) => normal + found,
            None => end,
        }
    }

    /// Whether a metadata segment of `length` bytes ends after the record that `tail` is the end of: by content, so
    /// that a change moves only the borders near it.
    pub fn ends_segment(&self, length: usize, tail: &[u8]) -> bool {
        if length < SEGMENT_BYTES_MIN {
            return false;
        }
        let tail = &tail[tail.len().saturating_sub(WINDOW_BYTES)..];
        let mut gear = Hasher::new(&self.table);
        gear.update(tail);
        length >= SEGMENT_BYTES_MAX || gear.is_match(SEGMENT_MASK)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stateward_crypto::DataKey;
    use stateward_model::{Random, ServerId, VaultId};
    use stateward_testing::SeededRandom;

    fn cutter(key: u8) -> Cutter {
        let keys = EpochKeys::derive(&DataKey::from_bytes([key; 32]), VaultId([1; 16]), ServerId([2; 16]), 1);
        Cutter::new(&keys)
    }

    fn bytes(length: usize) -> Vec<u8> {
        let mut out = vec![0; length];
        SeededRandom::new(7).fill(&mut out);
        out
    }

    fn borders(cutter: &Cutter, data: &[u8]) -> Vec<usize> {
        let (mut at, mut out) = (0, Vec::new());
        while at < data.len() {
            at += cutter.cut(CutRule::Content, at as u64, &data[at..]);
            out.push(at);
        }
        out
    }

    #[test]
    fn chunks_keep_their_bounds_and_average() {
        let data = bytes(16 << 20);
        let borders = borders(&cutter(1), &data);
        let lengths: Vec<_> = std::iter::once(&0).chain(&borders).zip(&borders).map(|(a, b)| b - a).collect();
        assert!(lengths[..lengths.len() - 1].iter().all(|l| (FILE.min..=FILE.max).contains(l)));
        let average = data.len() / lengths.len();
        assert!((48 << 10..96 << 10).contains(&average), "average {average}");
    }

    /// The same by the definition.
    fn cut_by_definition(cutter: &Cutter, lengths: &Lengths, data: &[u8]) -> usize {
        let ends = |length: usize| {
            let window = &data[length - WINDOW_BYTES..length];
            let add = |hash: u64, byte: &u8| (hash << 1).wrapping_add(cutter.table[usize::from(*byte)]);
            let mask = if length <= lengths.normal { lengths.mask_before } else { lengths.mask_after };
            window.iter().fold(0, add) & mask == 0
        };
        let longest = data.len().min(lengths.max);
        (lengths.min + 1..longest).find(|length| ends(*length)).unwrap_or(longest)
    }

    #[test]
    fn borders_lie_where_the_definition_says() {
        let cutter = cutter(3);
        let data = bytes(3 << 20);
        for lengths in [&FILE, &IMAGE] {
            let mut rest = data.as_slice();
            while !rest.is_empty() {
                let length = cutter.cut_by_content(lengths, rest);
                assert_eq!(length, cut_by_definition(&cutter, lengths, rest), "{} are left", rest.len());
                rest = &rest[length..];
            }
            let short = &data[..lengths.normal - 1];
            assert_eq!(cutter.cut_by_content(lengths, short), cut_by_definition(&cutter, lengths, short));
        }
    }

    #[test]
    fn an_insertion_moves_only_borders_near_it() {
        let data = bytes(8 << 20);
        let mut changed = data.clone();
        changed.splice(4 << 20..4 << 20, [1, 2, 3]);
        let before = borders(&cutter(1), &data);
        let after: Vec<_> =
            borders(&cutter(1), &changed).iter().map(|b| if *b > 4 << 20 { b - 3 } else { *b }).collect();
        let common = before.iter().filter(|b| after.contains(b)).count();
        assert!(common + 8 >= before.len(), "{common} of {}", before.len());
    }

    #[test]
    fn another_key_cuts_elsewhere() {
        let data = bytes(4 << 20);
        let (one, other) = (borders(&cutter(1), &data), borders(&cutter(2), &data));
        assert!(one.iter().filter(|b| other.contains(b)).count() <= 2);
    }

    #[test]
    fn images_are_cut_at_their_borders_and_by_content_between_them() {
        let data = bytes(4 << 20);
        let (first, block) = (1000, 1 << 20);
        let rule = CutRule::Image(DiskImage { block, first, stride: block.into() });
        let cutter = cutter(1);
        let (mut at, mut borders) = (0, Vec::new());
        while at < data.len() {
            let length = cutter.cut(rule, at as u64, &data[at..]);
            assert!((1..=IMAGE.max).contains(&length));
            at += length;
            borders.push(at as u64);
        }
        for fixed in (0..4).map(|number| first + number * u64::from(block)) {
            assert!(borders.contains(&fixed), "{fixed}");
        }
        let average = data.len() / borders.len();
        assert!((24 << 10..48 << 10).contains(&average), "average {average}");
    }

    #[test]
    fn constant_bytes_are_cut_at_the_longest_length() {
        // Most tables never reach a border on constant bytes; what matters is that cutting ends.
        let data = vec![0; 1 << 20];
        assert_eq!(*borders(&cutter(1), &data).last().unwrap(), data.len());
    }
}
