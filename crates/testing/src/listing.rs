//! A tree of files as a flat list that can be compared: what a source holds, what a target got.

use stateward_format::entry::ExtendedAttribute;
use stateward_model::Timestamp;
use std::collections::BTreeMap;
use std::fmt;

/// The stored bytes of a file: (offset, bytes), in order, none empty, none touching the next. What lies between them
/// is holes.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Segments(pub(crate) BTreeMap<u64, Vec<u8>>);

impl Segments {
    /// Stores bytes at an offset, over what is there.
    pub fn write(&mut self, offset: u64, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let end = offset + bytes.len() as u64;
        let (mut start, mut merged) = (offset, bytes.to_vec());
        // Those that begin at or before `end` and end at or after `offset` become one with the new bytes.
        let before = self.0.range(..offset).next_back().map(|(at, old)| (*at, at + old.len() as u64));
        let first = before.filter(|(_, old_end)| *old_end >= offset).map_or(offset, |(at, _)| at);
        let touched: Vec<u64> = self.0.range(first..=end).map(|(at, _)| *at).collect();
        for at in touched {
            let old = self.0.remove(&at).expect("it was just found");
            if at < start {
                merged.splice(..0, old[..(start - at) as usize].iter().copied());
                start = at;
            }
            let merged_end = start + merged.len() as u64;
            if let Some(beyond) = (at + old.len() as u64).checked_sub(merged_end) {
                merged.extend_from_slice(&old[old.len() - beyond as usize..]);
            }
        }
        self.0.insert(start, merged);
    }

    /// Forgets what lies at or behind an offset.
    pub fn truncate(&mut self, size: u64) {
        self.0.split_off(&size);
        if let Some((at, last)) = self.0.iter_mut().next_back() {
            last.truncate((size - at).min(last.len() as u64) as usize);
        }
    }

    /// The first run of stored bytes that ends behind `offset`, cut to begin there or later: (start, end).
    pub fn next_stored(&self, offset: u64) -> Option<(u64, u64)> {
        let ends = |(at, bytes): (&u64, &Vec<u8>)| (*at, at + bytes.len() as u64);
        let before = self.0.range(..=offset).next_back().map(ends).filter(|(_, end)| *end > offset);
        before.map(|(_, end)| (offset, end)).or_else(|| self.0.range(offset..).next().map(ends))
    }

    /// Fills `buffer` with what stands at `offset`, zeros for holes.
    pub fn read(&self, offset: u64, buffer: &mut [u8]) {
        buffer.fill(0);
        let end = offset + buffer.len() as u64;
        for (at, bytes) in self.0.range(..end) {
            let (from, to) = ((*at).max(offset), (at + bytes.len() as u64).min(end));
            if from < to {
                let found = &bytes[(from - at) as usize..(to - at) as usize];
                buffer[(from - offset) as usize..(to - offset) as usize].copy_from_slice(found);
            }
        }
    }

    /// The byte after the last that is stored.
    pub fn end(&self) -> u64 {
        self.0.iter().next_back().map_or(0, |(at, bytes)| at + bytes.len() as u64)
    }

    /// How many bytes are stored.
    pub fn stored_bytes(&self) -> u64 {
        self.0.values().map(|bytes| bytes.len() as u64).sum()
    }
}

impl fmt::Debug for Segments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(at, bytes)| (at, bytes.len()))).finish()
    }
}

/// What there is at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Thing {
    /// A file: size, stored bytes, and the first of its names if it has several.
    File {
        /// Size in bytes, holes included.
        size: u64,
        /// Its stored bytes.
        segments: Segments,
        /// The first path of the same file, if it has more than one in this listing.
        linked_with: Option<Vec<u8>>,
    },
    /// A folder.
    Folder,
    /// A symbolic link's text.
    SymbolicLink(Vec<u8>),
    /// A block device: major, minor.
    BlockDevice(u32, u32),
    /// A character device: major, minor.
    CharacterDevice(u32, u32),
    /// A named pipe.
    Fifo,
    /// A socket.
    Socket,
}

/// A path's thing and its metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// What there is.
    pub thing: Thing,
    /// The twelve permission bits.
    pub mode: u32,
    /// Owner's number.
    pub user: u32,
    /// Group's number.
    pub group: u32,
    /// When the content last changed.
    pub modified_at: Timestamp,
    /// Sorted by name.
    pub extended_attributes: Vec<ExtendedAttribute>,
}

/// Everything by path: relative, components separated by `/`; the topmost folder's is empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing(pub BTreeMap<Vec<u8>, Listed>);

impl Listing {
    /// What `found` has not as this listing has it, a line for each path; empty if they are the same.
    pub fn differences(&self, found: &Self) -> Vec<String> {
        let mut lines = Vec::new();
        for (path, expected) in &self.0 {
            let path_text = String::from_utf8_lossy(path);
            match found.0.get(path) {
                None => lines.push(format!("`{path_text}` is missing")),
                Some(found) => {
                    lines.extend(difference(expected, found).map(|what| format!("`{path_text}`: {what}")));
                }
            }
        }
        let surplus = found.0.keys().filter(|path| !self.0.contains_key(*path));
        lines.extend(surplus.map(|path| format!("`{}` is too much", String::from_utf8_lossy(path))));
        lines
    }

    /// Only what lies at or beneath a path, with the folders on the way to it.
    #[must_use]
    pub fn beneath(&self, path: &[u8]) -> Self {
        let leads_to = |outer: &[u8], inner: &[u8]| {
            outer.is_empty()
                || inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
        };
        let kept = self.0.iter().filter(|(found, _)| leads_to(found, path) || leads_to(path, found));
        Self(kept.map(|(path, listed)| (path.clone(), listed.clone())).collect())
    }
}

fn difference(expected: &Listed, found: &Listed) -> Option<String> {
    let differs = |what: &str, expected: &dyn fmt::Debug, found: &dyn fmt::Debug| {
        Some(format!("{what} should be {expected:?} and is {found:?}"))
    };
    if expected.thing != found.thing {
        return Some(match (&expected.thing, &found.thing) {
            (Thing::File { size, segments, .. }, Thing::File { size: found_size, segments: found, .. })
                if size == found_size && segments != found =>
            {
                content_difference(*size, segments, found)
            }
            (expected, found) => return differs("it", expected, found),
        });
    }
    if expected.mode != found.mode {
        return Some(format!("mode should be {:o} and is {:o}", expected.mode, found.mode));
    }
    if (expected.user, expected.group) != (found.user, found.group) {
        return differs("owner", &(expected.user, expected.group), &(found.user, found.group));
    }
    if expected.modified_at != found.modified_at {
        return differs("time", &expected.modified_at, &found.modified_at);
    }
    if expected.extended_attributes != found.extended_attributes {
        return differs("attributes", &expected.extended_attributes, &found.extended_attributes);
    }
    None
}

/// Whether bytes differ, or only what is stored and what is a hole.
fn content_difference(size: u64, expected: &Segments, found: &Segments) -> String {
    let (mut a, mut b) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    for offset in (0..size).step_by(1 << 16) {
        expected.read(offset, &mut a);
        found.read(offset, &mut b);
        if let Some(at) = a.iter().zip(&b).position(|(a, b)| a != b) {
            return format!("content differs from byte {} on", offset + at as u64);
        }
    }
    format!("holes differ: stored (offset, length) should be {expected:?} and are {found:?}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SeededRandom;

    #[test]
    fn segments_are_what_a_plain_array_would_be() {
        let random = SeededRandom::new(1);
        for _ in 0..300 {
            let (mut segments, mut plain) = (Segments::default(), vec![None; 64]);
            for _ in 0..random.below(9) {
                let offset = random.below(56) as usize;
                let bytes = random.bytes(random.below(8) as usize);
                segments.write(offset as u64, &bytes);
                bytes.iter().enumerate().for_each(|(i, byte)| plain[offset + i] = Some(*byte));
                if random.below(5) == 0 {
                    let size = random.below(64) as usize;
                    segments.truncate(size as u64);
                    plain[size..].fill(None);
                }
            }
            let mut read = [0; 64];
            segments.read(0, &mut read);
            assert_eq!(read.to_vec(), plain.iter().map(|byte| byte.unwrap_or(0)).collect::<Vec<_>>());
            let mut stored = vec![false; 64];
            let mut at = 0;
            while let Some((start, end)) = segments.next_stored(at) {
                assert!(at <= start && start < end);
                stored[start as usize..end as usize].fill(true);
                at = end;
            }
            assert_eq!(stored, plain.iter().map(Option::is_some).collect::<Vec<_>>());
            let runs = plain.split(Option::is_none).filter(|run| !run.is_empty()).count();
            assert_eq!(segments.0.len(), runs);
        }
    }

    fn file(bytes: &[u8], size: u64) -> Listed {
        let mut segments = Segments::default();
        segments.write(0, bytes);
        Listed {
            thing: Thing::File { size, segments, linked_with: None },
            mode: 0o644,
            user: 0,
            group: 0,
            modified_at: Timestamp(0),
            extended_attributes: Vec::new(),
        }
    }

    #[test]
    fn every_kind_of_difference_is_told() {
        let good = file(b"bytes", 5);
        let one = |listed: &Listed| Listing([(b"a".to_vec(), listed.clone())].into());
        assert!(one(&good).differences(&one(&good)).is_empty());
        let attribute = ExtendedAttribute { name: b"user.a".into(), value: b"b".into() };
        let others = [
            (file(b"bytez", 5), "content differs from byte 4 on"),
            (file(b"bytes", 6), "it should be"),
            (Listed { mode: 0o4755, ..good.clone() }, "mode should be 644 and is 4755"),
            (Listed { user: 1, ..good.clone() }, "owner should be"),
            (Listed { modified_at: Timestamp(1), ..good.clone() }, "time should be"),
            (Listed { extended_attributes: vec![attribute], ..good.clone() }, "attributes should be"),
            (Listed { thing: Thing::Folder, ..good.clone() }, "it should be"),
        ];
        for (other, expected) in others {
            let told = one(&good).differences(&one(&other));
            assert!(told.len() == 1 && told[0].contains(expected), "{told:?}");
        }
        let zeros = one(&file(b"\0\0\0\0\0", 5)).differences(&one(&file(b"", 5)));
        assert!(zeros[0].contains("holes differ"), "{zeros:?}");
        assert_eq!(one(&good).differences(&Listing::default()), ["`a` is missing"]);
        assert_eq!(Listing::default().differences(&one(&good)), ["`a` is too much"]);
    }

    #[test]
    fn beneath_keeps_the_way_and_what_lies_there() {
        let paths = ["", "etc", "etc/apt", "etc/apt/sources", "etc/apt-other", "usr"];
        let all = Listing(paths.iter().map(|path| (path.as_bytes().to_vec(), file(b"", 0))).collect());
        let kept: Vec<_> = all.beneath(b"etc/apt").0.into_keys().collect();
        assert_eq!(kept, [b"".to_vec(), b"etc".into(), b"etc/apt".into(), b"etc/apt/sources".into()]);
    }
}
