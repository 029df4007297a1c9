//! Self-relative security descriptors (MS-DTYP 2.4.6), read in bounds: who owns something, and whom its access list lets in.

use std::fmt;

/// Flags of a descriptor's control word.
mod control {
    pub(super) const DACL_PRESENT: u16 = 0x0004;
    pub(super) const SACL_PRESENT: u16 = 0x0010;
    pub(super) const SELF_RELATIVE: u16 = 0x8000;
    pub(super) const DACL_INHERIT_REQUEST: u16 = 0x0100;
    pub(super) const SACL_INHERIT_REQUEST: u16 = 0x0200;
    pub(super) const DACL_INHERITED: u16 = 0x0400;
    pub(super) const SACL_INHERITED: u16 = 0x0800;
    pub(super) const DACL_PROTECTED: u16 = 0x1000;
}

/// An access list entry that lets somebody in.
const ALLOWED: u8 = 0;
/// The same with types of objects, with conditions, and with both.
const OTHER_ALLOWED: [u8; 3] = [5, 9, 11];
/// Holds for what lies below only.
const INHERIT_ONLY: u8 = 0x08;

/// Who is meant: an authority and numbers below it, as in `S-1-5-18`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sid {
    authority: u64,
    below: Vec<u32>,
}

impl Sid {
    /// The operating system itself.
    pub fn system() -> Self {
        Self { authority: 5, below: vec![18] }
    }

    /// The machine's administrators.
    pub fn administrators() -> Self {
        Self { authority: 5, below: vec![32, 544] }
    }

    /// Whoever owns the thing, and whoever makes it.
    pub fn of_owners() -> [Self; 2] {
        [Self { authority: 3, below: vec![4] }, Self { authority: 3, below: vec![0] }]
    }

    /// Reads one from the beginning of `bytes`.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let (head, rest) = bytes.split_at_checked(8)?;
        let count = usize::from(head[1]);
        if head[0] != 1 || count > 15 {
            return None;
        }
        let authority = head[2..8].iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        let numbers = rest.get(..count * 4)?.chunks_exact(4);
        let below = numbers.map(|four| u32::from_le_bytes([four[0], four[1], four[2], four[3]])).collect();
        Some(Self { authority, below })
    }
}

impl fmt::Display for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "S-1-{}", self.authority)?;
        self.below.iter().try_for_each(|number| write!(f, "-{number}"))
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn offset(bytes: &[u8], at: usize) -> Option<usize> {
    let number = u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?);
    usize::try_from(number).ok()
}

/// Who owns it; `None` if it names nobody or is no descriptor.
pub fn owner(descriptor: &[u8]) -> Option<Sid> {
    match offset(descriptor, 4)? {
        0 => None,
        at => Sid::read(descriptor.get(at..)?),
    }
}

/// Whether its access list is its own: nothing comes to it from the folder above.
pub fn is_protected(descriptor: &[u8]) -> bool {
    word(descriptor, 2).is_some_and(|flags| flags & control::DACL_PROTECTED != 0)
}

/// Whether it has a list of what is audited.
pub fn has_audit_list(descriptor: &[u8]) -> bool {
    let is_present = word(descriptor, 2).is_some_and(|flags| flags & control::SACL_PRESENT != 0);
    is_present && offset(descriptor, 12).is_some_and(|at| at > 0)
}

/// Whom its access list lets in, to whatever. `None` if it lets everybody in or is no descriptor.
pub fn let_in(descriptor: &[u8]) -> Option<Vec<Sid>> {
    let (flags, at) = (word(descriptor, 2)?, offset(descriptor, 16)?);
    if flags & control::DACL_PRESENT == 0 || at == 0 {
        return None;
    }
    let list = descriptor.get(at..)?;
    let mut rest = list.get(8..usize::from(word(list, 2)?))?;
    let mut found = Vec::new();
    for _ in 0..word(list, 4)? {
        let (kind, marks, size) = (*rest.first()?, *rest.get(1)?, usize::from(word(rest, 2)?));
        let entry = rest.get(..size)?;
        match kind {
            ALLOWED if marks & INHERIT_ONLY == 0 => found.push(Sid::read(entry.get(8..)?)?),
            // Whom these mean takes more to find out: somebody, for all that is known.
            kind if OTHER_ALLOWED.contains(&kind) => return None,
            _ => {}
        }
        if size == 0 {
            return None;
        }
        rest = rest.get(size..)?;
    }
    Some(found)
}

/// Whether it is a self-relative descriptor all of which lies within its bytes, as it must before the operating system is
/// given it.
pub fn is_sound(descriptor: &[u8]) -> bool {
    let is_sid = |at: usize| at == 0 || descriptor.get(at..).is_some_and(|bytes| Sid::read(bytes).is_some());
    let is_list =
        |at: usize| at == 0 || descriptor.get(at..).is_some_and(|bytes| is_sound_list(bytes).is_some());
    let check = || -> Option<bool> {
        let places = [4, 8, 12, 16].map(|at| offset(descriptor, at));
        let [owner, group, audit, access] = [places[0]?, places[1]?, places[2]?, places[3]?];
        let is_aligned =
            [owner, group, audit, access].iter().all(|at| at % 4 == 0 && (*at == 0 || *at >= 20));
        let is_relative = word(descriptor, 2)? & control::SELF_RELATIVE != 0;
        let parts = is_sid(owner) && is_sid(group) && is_list(audit) && is_list(access);
        Some(descriptor[0] == 1 && is_relative && is_aligned && parts)
    };
    check().unwrap_or(false)
}

/// An access list from the beginning of `bytes`: its entries lie within it, and those of the simple types name somebody.
fn is_sound_list(bytes: &[u8]) -> Option<()> {
    let list = bytes.get(..usize::from(word(bytes, 2)?))?;
    let mut rest = list.get(8..).filter(|_| (2..=4).contains(&list[0]))?;
    for _ in 0..word(list, 4)? {
        let size = usize::from(word(rest, 2)?);
        let entry = rest.get(..size).filter(|entry| entry.len() >= 8 && entry.len() % 4 == 0)?;
        if entry[0] <= 2 {
            Sid::read(&entry[8..])?;
        }
        rest = &rest[size..];
    }
    Some(())
}

/// The same descriptor as one that may be set and keeps which of its entries were inherited: without being asked to, the
/// operating system forgets that.
pub fn to_set(descriptor: &[u8]) -> Vec<u8> {
    let mut bytes = descriptor.to_vec();
    if let Some(mut flags) = word(&bytes, 2) {
        for (inherited, request) in [
            (control::DACL_INHERITED, control::DACL_INHERIT_REQUEST),
            (control::SACL_INHERITED, control::SACL_INHERIT_REQUEST),
        ] {
            if flags & inherited != 0 {
                flags |= request;
            }
        }
        bytes[2..4].copy_from_slice(&flags.to_le_bytes());
    }
    bytes
}

/// Whether two descriptors say the same of owner, group and access list, wherever in them that lies. What only asks for
/// something (see [`to_set`]) and the audit list are not compared.
pub fn is_same(one: &[u8], other: &[u8]) -> bool {
    fn parts(bytes: &[u8]) -> Option<(u16, Vec<Option<Vec<u8>>>)> {
        let kept = control::DACL_PRESENT | control::DACL_INHERITED | control::DACL_PROTECTED;
        let sid = |at: usize| -> Option<Option<Vec<u8>>> {
            match offset(bytes, at)? {
                0 => Some(None),
                from => {
                    let count = usize::from(*bytes.get(from + 1)?);
                    Some(Some(bytes.get(from..from + 8 + count * 4)?.to_vec()))
                }
            }
        };
        let list = match offset(bytes, 16)? {
            0 => None,
            from => {
                // The entries, without the room that may lie behind them.
                let list = bytes.get(from..)?;
                let mut end = 8;
                for _ in 0..word(list, 4)? {
                    end += usize::from(word(list, end + 2)?);
                }
                Some(list.get(8..end)?.to_vec())
            }
        };
        Some((word(bytes, 2)? & kept, vec![sid(4)?, sid(8)?, list]))
    }
    match (parts(one), parts(other)) {
        (Some(one), Some(other)) => one == other,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sid(below: &[u32]) -> Vec<u8> {
        let mut bytes = vec![1, below.len() as u8, 0, 0, 0, 0, 0, 5];
        below.iter().for_each(|number| bytes.extend(number.to_le_bytes()));
        bytes
    }

    /// A descriptor owned by the administrators, with entries (type, flags, whom) and `room` behind its list.
    fn descriptor(flags: u16, entries: &[(u8, u8, &[u32])], room: usize) -> Vec<u8> {
        let mut list = Vec::new();
        for (kind, marks, whom) in entries {
            let whom = sid(whom);
            list.extend([*kind, *marks]);
            list.extend((8 + whom.len() as u16).to_le_bytes());
            list.extend([0xff, 1, 0x1f, 0]);
            list.extend(whom);
        }
        list.extend(vec![0; room]);
        let owner = sid(&[32, 544]);
        let mut bytes = vec![1, 0];
        bytes.extend(flags.to_le_bytes());
        let at_list = 20 + owner.len() as u32;
        for at in [20, 0, 0, at_list] {
            bytes.extend(at.to_le_bytes());
        }
        bytes.extend(owner);
        bytes.extend([2, 0]);
        bytes.extend((8 + list.len() as u16).to_le_bytes());
        bytes.extend((entries.len() as u16).to_le_bytes());
        bytes.extend([0, 0]);
        bytes.extend(list);
        bytes
    }

    #[test]
    fn whom_a_list_lets_in_is_told_without_those_that_it_denies_or_only_passes_on() {
        let some = descriptor(0x8004, &[(0, 0, &[18]), (1, 0, &[7]), (0, INHERIT_ONLY, &[11])], 0);
        assert_eq!(let_in(&some), Some(vec![Sid::system()]));
        assert_eq!(owner(&some), Some(Sid::administrators()));
        assert_eq!(Sid::administrators().to_string(), "S-1-5-32-544");
        assert_eq!(let_in(&descriptor(0x8000, &[], 0)), None, "no list lets everybody in");
        assert_eq!(
            let_in(&descriptor(0x8004, &[(9, 0, &[18])], 0)),
            None,
            "who is let in on conditions isn't known"
        );
        assert!(is_protected(&descriptor(0x9004, &[], 0)) && !is_protected(&some));
        let mut audited = descriptor(0x9014, &[], 0);
        assert!(!has_audit_list(&audited), "an empty place is no list");
        audited[12] = 36;
        assert!(has_audit_list(&audited) && !has_audit_list(&some));
    }

    #[test]
    fn what_is_cut_off_is_no_descriptor_and_never_read_beyond() {
        let whole = descriptor(0x9404, &[(0, 3, &[32, 545]), (0, 0, &[18])], 0);
        assert!(is_sound(&whole) && !is_sound(&descriptor(0x1404, &[], 0)), "absolute ones hold addresses");
        for end in 0..whole.len() {
            let _ = (
                let_in(&whole[..end]),
                owner(&whole[..end]),
                is_same(&whole, &whole[..end]),
                to_set(&whole[..end]),
            );
            assert!(let_in(&whole[..end]).is_none() && !is_sound(&whole[..end]));
        }
    }

    #[test]
    fn descriptors_are_compared_by_what_they_say() {
        let entries: &[(u8, u8, &[u32])] = &[(0, 3, &[18])];
        let one = descriptor(0x8404, entries, 0);
        assert!(is_same(&one, &descriptor(0x8404, entries, 16)), "room behind a list means nothing");
        assert!(is_same(&one, &to_set(&one)), "nor does what only asks");
        assert_ne!(one, to_set(&one));
        assert!(!is_same(&one, &descriptor(0x9404, entries, 0)));
        assert!(!is_same(&one, &descriptor(0x8404, &[(0, 3, &[19])], 0)));
        assert!(!is_same(&one, &descriptor(0x8404, &[], 0)));
    }
}
