//! The name of what is laid beside something that was there before: `name (restored 2026-11-29 03.30).ext`.

/// The longest name that Linux' file systems take, in bytes; Windows' take as many units, of which there are no more.
const NAME_BYTES_MAX: usize = 255;

/// A longer ending than this is no file type but a part of the name.
const ENDING_BYTES_MAX: usize = 16;

/// The name of the `number`th copy (from 1) of `name`, of a moment.
pub(super) fn copy_name(name: &[u8], moment: &str, number: u32) -> Vec<u8> {
    let (stem, ending) = split(name);
    let mark = match number {
        1 => format!(" (restored {moment})"),
        more => format!(" (restored {moment}, {more})"),
    };
    let room = NAME_BYTES_MAX.saturating_sub(mark.len() + ending.len());
    [shortened(stem, room), mark.as_bytes(), ending].concat()
}

/// What comes before a name's last dot, and the rest.
fn split(name: &[u8]) -> (&[u8], &[u8]) {
    match name.iter().rposition(|byte| *byte == b'.') {
        Some(dot) if dot > 0 && name.len() - dot <= ENDING_BYTES_MAX => name.split_at(dot),
        _ => (name, b""),
    }
}

/// As much as there is room for, without half a character at its end.
fn shortened(stem: &[u8], room: usize) -> &[u8] {
    if stem.len() <= room {
        return stem;
    }
    let is_inside = |byte: u8| byte & 0b1100_0000 == 0b1000_0000;
    // A character has four bytes at most; what isn't UTF-8 is cut where it is.
    let cut = (room.saturating_sub(3)..=room).rev().find(|cut| !is_inside(stem[*cut])).unwrap_or(room);
    &stem[..cut]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str, number: u32) -> String {
        String::from_utf8(copy_name(name.as_bytes(), "2026-11-29 03.30", number)).unwrap()
    }

    #[test]
    fn a_copy_keeps_what_programs_know_its_type_by() {
        assert_eq!(named("report.txt", 1), "report (restored 2026-11-29 03.30).txt");
        assert_eq!(named("report.txt", 2), "report (restored 2026-11-29 03.30, 2).txt");
        assert_eq!(named("hosts", 1), "hosts (restored 2026-11-29 03.30)");
        assert_eq!(named(".bashrc", 1), ".bashrc (restored 2026-11-29 03.30)");
        let sentence = "A. This is all one name and no file type";
        assert_eq!(named(sentence, 1), format!("{sentence} (restored 2026-11-29 03.30)"));
    }

    #[test]
    fn a_long_name_is_shortened_between_characters() {
        let name = format!("{}.txt", "ü".repeat(125));
        let copy = named(&name, 1);
        assert!(copy.len() <= NAME_BYTES_MAX && copy.len() > 240, "{}", copy.len());
        assert!(copy.ends_with("ü (restored 2026-11-29 03.30).txt"), "{copy}");
        assert_eq!(copy_name(&[0x80; 255], "m", 1).len(), NAME_BYTES_MAX);
    }
}
