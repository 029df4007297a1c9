//! What a look at a file tells, in the engine's words; and what kinds of reparse points there are.

use stateward_engine::{FoundKind, Stat};
use stateward_format::Identity;
use stateward_windows::handle::Look;
use stateward_windows::time::from_ticks;

/// A symbolic link (MS-FSCC 2.1.2.1).
const SYMBOLIC_LINK: u32 = 0xa000_000c;
/// A junction, or a folder at which a volume is mounted.
pub(super) const MOUNT_POINT: u32 = 0xa000_0003;
/// Content that a filter of the operating system keeps elsewhere or packed, and gives to whoever reads the file: data
/// deduplication, and files packed by `compact /exe`.
const READ_THROUGH: [u32; 2] = [0x8000_0013, 0x8000_0017];

/// What stands behind a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Behind {
    /// A file or folder like any other.
    Itself,
    /// A symbolic link.
    Link,
    /// A junction or another reparse point, kept as its data.
    ReparsePoint,
    /// A reparse point that only says how the content is stored.
    Content,
}

impl Behind {
    /// What a reparse point's tag says; `None` for what is none.
    pub fn of(tag: Option<u32>) -> Self {
        match tag {
            None => Self::Itself,
            Some(SYMBOLIC_LINK) => Self::Link,
            Some(tag) if READ_THROUGH.contains(&tag) => Self::Content,
            Some(_) => Self::ReparsePoint,
        }
    }
}

/// The engine's description of what was looked at.
pub(super) fn describe(look: &Look, behind: Behind) -> Stat {
    let kind = match (behind, look.is_folder()) {
        (Behind::Link, _) => FoundKind::SymbolicLink,
        (_, true) => FoundKind::Folder,
        (_, false) => FoundKind::File { size: look.size },
    };
    Stat {
        kind,
        // What a Unix target is to give in place of an access list.
        mode: if look.is_folder() { 0o700 } else { 0o600 },
        user: 0,
        group: 0,
        modified_at: from_ticks(look.written),
        identity: Some(Identity {
            file_system: look.volume,
            file_id: look.id,
            changed_at: from_ticks(look.changed),
        }),
        is_hard_linked: look.links > 1 && !look.is_folder(),
    }
}

/// Where a link leads, as its data says it to people: the print name, or where it is empty the other one. `None` if the data
/// is no link's.
pub(super) fn link_target(data: &[u8]) -> Option<Vec<u16>> {
    let word = |at: usize| Some(usize::from(u16::from_le_bytes([*data.get(at)?, *data.get(at + 1)?])));
    let (other, print) = ((word(0)?, word(2)?), (word(4)?, word(6)?));
    let (offset, length) = if print.1 > 0 { print } else { other };
    // Behind the four words stand flags.
    let bytes = data.get(12 + offset..12 + offset + length)?;
    Some(bytes.chunks_exact(2).map(|two| u16::from_le_bytes([two[0], two[1]])).collect())
}

/// Whether the data of a [`MOUNT_POINT`] leads to a volume.
pub(super) fn is_volume(data: &[u8]) -> bool {
    let begin: Vec<u8> = r"\??\Volume{".encode_utf16().flat_map(u16::to_le_bytes).collect();
    // Behind two offsets and two lengths.
    data.get(8..).is_some_and(|names| names.starts_with(&begin))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(head: &[u16], text: &str) -> Vec<u8> {
        head.iter().copied().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn a_link_leads_where_people_are_told() {
        let link = data(&[0, 2, 2, 4, 1, 0], "xab");
        assert_eq!(link_target(&link), Some("ab".encode_utf16().collect()));
        let unprinted = data(&[0, 2, 0, 0, 1, 0], "x");
        assert_eq!(link_target(&unprinted), Some(vec![u16::from(b'x')]));
        for end in 0..link.len() {
            assert_eq!(link_target(&link[..end]), None);
        }
    }

    #[test]
    fn mounted_volumes_are_told_from_junctions() {
        assert!(is_volume(&data(&[0, 96, 98, 0], r"\??\Volume{1234}\")));
        assert!(!is_volume(&data(&[0, 16, 18, 0], r"\??\C:\x")));
        assert!(!is_volume(&[]));
    }
}
