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
    pub(super) const SACL_PROTECTED: u16 = 0x2000;
}

/// An access list entry that lets somebody in.
const ALLOWED: u8 = 0;
/// One that keeps somebody out.
const DENIED: u8 = 1;
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

    /// What installs and updates Windows, and owns what belongs to it.
    pub fn installer() -> Self {
        let below = vec![80, 956_008_885, 3_418_522_649, 1_831_038_044, 1_853_292_631, 2_271_478_464];
        Self { authority: 5, below }
    }

    /// Everybody, and everybody who has shown who he is.
    pub fn of_everybody() -> [Self; 2] {
        [Self { authority: 1, below: vec![0] }, Self { authority: 5, below: vec![11] }]
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

/// Rights in an access list (MS-DTYP 2.4.3).
pub mod mask {
    /// To read, write and remove it, and to change its list and owner: all that there is of a file or folder.
    pub const ALL: u32 = 0x001f_01ff;
    /// To take it away, or give it another name.
    pub const DELETE: u32 = 0x0001_0000;
    /// To take away what lies in a folder, whatever its own list says.
    pub const DELETE_CHILD: u32 = 0x40;
    /// To change the list, and to become the owner.
    pub const OWN: u32 = 0x0004_0000 | 0x0008_0000;
    /// To write content, attributes and extended attributes; in a folder, to make things.
    pub const WRITE: u32 = 0x2 | 0x4 | 0x10 | 0x100;
    /// `GENERIC_ALL`, `GENERIC_WRITE`: words for some of these.
    pub(super) const GENERIC_ALL: u32 = 0x1000_0000;
    pub(super) const GENERIC_WRITE: u32 = 0x4000_0000;
}

/// An entry of an access list that counts for the thing itself and not only for what lies below it.
struct ListEntry {
    kind: u8,
    /// Rights, those that a word stands for among them.
    rights: u32,
    /// Of simple types only: whom others mean takes more to find out.
    whom: Option<Sid>,
}

/// The entries of its access list in order; `None` if it has no list, which lets everybody in, or is no descriptor.
fn entries(descriptor: &[u8]) -> Option<Vec<ListEntry>> {
    let (flags, at) = (word(descriptor, 2)?, offset(descriptor, 16)?);
    if flags & control::DACL_PRESENT == 0 || at == 0 {
        return None;
    }
    let list = descriptor.get(at..)?;
    let mut rest = list.get(8..usize::from(word(list, 2)?))?;
    let mut found = Vec::new();
    for _ in 0..word(list, 4)? {
        let (kind, marks, size) = (*rest.first()?, *rest.get(1)?, usize::from(word(rest, 2)?));
        let entry = rest.get(..size).filter(|entry| entry.len() >= 8)?;
        if marks & INHERIT_ONLY == 0 {
            let whom = match kind {
                ALLOWED | DENIED => Some(Sid::read(&entry[8..])?),
                _ => None,
            };
            found.push(ListEntry { kind, rights: spelled_out(offset(entry, 4)? as u32), whom });
        }
        rest = rest.get(size..)?;
    }
    Some(found)
}

/// Rights without the words that stand for several.
fn spelled_out(rights: u32) -> u32 {
    let all = if rights & mask::GENERIC_ALL != 0 { mask::ALL } else { 0 };
    let write = if rights & mask::GENERIC_WRITE != 0 { mask::WRITE } else { 0 };
    rights | all | write
}

/// Whom its access list lets in, to whatever. `None` if it lets everybody in or is no descriptor.
pub fn let_in(descriptor: &[u8]) -> Option<Vec<Sid>> {
    let_in_to(descriptor, u32::MAX)
}

/// Whom its access list gives any of these rights. `None` if it lets everybody in or is no descriptor.
pub fn let_in_to(descriptor: &[u8], rights: u32) -> Option<Vec<Sid>> {
    let mut found = Vec::new();
    for entry in entries(descriptor)? {
        match entry.whom {
            // Somebody, for all that is known.
            None if OTHER_ALLOWED.contains(&entry.kind) => return None,
            Some(whom) if entry.kind == ALLOWED && entry.rights & rights != 0 => found.push(whom),
            _ => {}
        }
    }
    Some(found)
}

/// Whether its access list gives all of these rights to somebody who is all of `who`. Entries are read in their order, as the
/// operating system does. `None` if that can't be told.
pub fn gives(descriptor: &[u8], rights: u32, who: &[Sid]) -> Option<bool> {
    let is_without_list = word(descriptor, 2)? & control::DACL_PRESENT == 0 || offset(descriptor, 16)? == 0;
    if is_without_list {
        return is_sound(descriptor).then_some(true);
    }
    let (mut given, mut denied) = (0, 0);
    for entry in entries(descriptor)? {
        match (entry.kind, entry.whom) {
            (ALLOWED, Some(whom)) if who.contains(&whom) => given |= entry.rights & !denied,
            (DENIED, Some(whom)) if who.contains(&whom) => denied |= entry.rights & !given,
            (ALLOWED | DENIED, Some(_)) => {}
            _ => return None,
        }
    }
    Some(given & rights == rights)
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
    is_same_list(one, other) && owners(one).is_some_and(|of_one| Some(of_one) == owners(other))
}

/// The bytes of the SIDs of owner and group.
fn owners(bytes: &[u8]) -> Option<[Option<&[u8]>; 2]> {
    Some([sid_at(bytes, 4)?, sid_at(bytes, 8)?])
}

/// Whether two descriptors have the same access list, whoever owns what has them.
pub fn is_same_list(one: &[u8], other: &[u8]) -> bool {
    access_list(one).is_some_and(|list| Some(list) == access_list(other))
}

/// Whether two descriptors have the same audit list.
pub fn is_same_audit_list(one: &[u8], other: &[u8]) -> bool {
    audit_list(one).is_some_and(|list| Some(list) == audit_list(other))
}

/// The bytes of a SID whose place stands at `at`; none if there is no such.
fn sid_at(bytes: &[u8], at: usize) -> Option<Option<&[u8]>> {
    match offset(bytes, at)? {
        0 => Some(None),
        from => {
            let count = usize::from(*bytes.get(from + 1)?);
            bytes.get(from..from + 8 + count * 4).map(Some)
        }
    }
}

/// The flags of a list and its entries, without the room that may lie behind them; none if there is no list.
type List<'a> = (u16, Option<&'a [u8]>);

fn access_list(bytes: &[u8]) -> Option<List<'_>> {
    list_of(bytes, 16, control::DACL_PRESENT | control::DACL_INHERITED | control::DACL_PROTECTED)
}

fn audit_list(bytes: &[u8]) -> Option<List<'_>> {
    list_of(bytes, 12, control::SACL_PRESENT | control::SACL_INHERITED | control::SACL_PROTECTED)
}

/// The list whose place stands at `at`, with those of the flags that are `kept`.
fn list_of(bytes: &[u8], at: usize, kept: u16) -> Option<List<'_>> {
    let flags = word(bytes, 2)? & kept;
    let from = match offset(bytes, at)? {
        0 => return Some((flags, None)),
        from => from,
    };
    let list = bytes.get(from..)?;
    let mut end = 8;
    for _ in 0..word(list, 4)? {
        end += usize::from(word(list, end + 2)?);
    }
    Some((flags, Some(list.get(8..end)?)))
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
    fn rights_are_given_and_denied_in_the_order_of_the_list() {
        let system = [Sid::system(), Sid::administrators()];
        let gives_all =
            |entries: &[(u8, u8, &[u32])]| gives(&descriptor(0x8004, entries, 0), mask::ALL, &system);
        assert_eq!(gives_all(&[(0, 0, &[18])]), Some(true));
        assert_eq!(gives_all(&[(0, 0, &[32, 544])]), Some(true));
        assert_eq!(gives_all(&[(0, 0, &[32, 545])]), Some(false));
        assert_eq!(gives_all(&[(1, 0, &[18]), (0, 0, &[18])]), Some(false));
        assert_eq!(gives_all(&[(0, 0, &[18]), (1, 0, &[18])]), Some(true));
        assert_eq!(gives_all(&[(0, INHERIT_ONLY, &[18])]), Some(false));
        assert_eq!(gives_all(&[(9, 0, &[18])]), None, "conditions aren't known");
        assert_eq!(gives_all(&[]), Some(false), "an empty list lets nobody in");
        assert_eq!(gives(&descriptor(0x8000, &[], 0), mask::ALL, &system), Some(true), "no list, everybody");
        assert_eq!(gives(&[1, 0], mask::ALL, &system), None);
    }

    #[test]
    fn who_may_only_read_is_not_let_in_to_write() {
        let mut some = descriptor(0x8004, &[(0, 0, &[32, 545]), (0, 0, &[18])], 0);
        let rights = 20 + 16 + 8 + 4;
        some[rights..rights + 4].copy_from_slice(&0x0012_00a9_u32.to_le_bytes());
        let writing = mask::WRITE | mask::DELETE | mask::OWN;
        assert_eq!(let_in_to(&some, writing), Some(vec![Sid::system()]));
        assert_eq!(let_in(&some).map(|all| all.len()), Some(2));
        some[rights..rights + 4].copy_from_slice(&0x4000_0000_u32.to_le_bytes());
        assert_eq!(let_in_to(&some, writing).map(|all| all.len()), Some(2), "words are spelled out");
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
        let mut of_another = one.clone();
        of_another[20 + 8] = 33;
        assert!(!is_same(&one, &of_another) && is_same_list(&one, &of_another));
        assert!(!is_same(&one, &descriptor(0x8404, &[], 0)));
    }

    #[test]
    fn audit_lists_are_compared_by_themselves() {
        // The same list, once as the one and once as the other.
        let as_audit = |flags: u16, entries: &[(u8, u8, &[u32])]| {
            let mut bytes = descriptor(flags, entries, 0);
            bytes.copy_within(16..20, 12);
            bytes[16..20].fill(0);
            bytes
        };
        let entries: &[(u8, u8, &[u32])] = &[(2, 0x40, &[11])];
        let one = as_audit(0x8810, entries);
        assert!(is_sound(&one) && has_audit_list(&one));
        assert!(
            is_same_audit_list(&one, &as_audit(0x8810, entries)) && is_same_audit_list(&one, &to_set(&one))
        );
        assert!(!is_same_audit_list(&one, &as_audit(0xa810, entries)), "it was protected");
        assert!(!is_same_audit_list(&one, &as_audit(0x8810, &[(2, 0x80, &[11])])));
        assert!(!is_same_audit_list(&one, &descriptor(0x8404, entries, 0)), "an access list is none");
        assert!(is_same_list(&one, &as_audit(0x8810, &[])), "nor is it one");
        for end in 0..one.len() {
            assert!(!is_same_audit_list(&one, &one[..end]));
        }
    }
}
