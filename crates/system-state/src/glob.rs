//! Names with wildcards: `*` for anything within a name, `?` for one character of it, `[a-z]` for one of several.
//!
//! What is searched for and what is left out by choice are both told so.

/// Which names or paths are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    parts: Vec<Part>,
    /// Whether it is of whole paths, and not of names.
    is_path: bool,
    /// Whether `A` to `Z` are also `a` to `z`.
    ignores_case: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Byte(u8),
    /// One character.
    Any,
    /// Any number of characters, but no `/`.
    Many,
    /// One byte out of these, or none of them.
    OneOf {
        ranges: Vec<(u8, u8)>,
        is_negated: bool,
    },
}

impl Pattern {
    /// Reads one. With a `/` in it, it is of whole paths, otherwise of names. A `[` that nothing closes stands for itself.
    pub fn new(text: impl AsRef<[u8]>) -> Self {
        let text = text.as_ref();
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((first, more)) = rest.split_first() {
            rest = more;
            parts.push(match first {
                b'*' if parts.last() == Some(&Part::Many) => continue,
                b'*' => Part::Many,
                b'?' => Part::Any,
                b'[' => match one_of(more) {
                    Some((part, more)) => {
                        rest = more;
                        part
                    }
                    None => Part::Byte(b'['),
                },
                byte => Part::Byte(*byte),
            });
        }
        Self { parts, is_path: text.contains(&b'/'), ignores_case: false }
    }

    /// The same, whether letters from A to Z are large or small.
    #[must_use]
    pub fn ignoring_case(self) -> Self {
        Self { ignores_case: true, ..self }
    }

    /// Whether a text holds any wildcard.
    pub fn has_wildcard(text: &[u8]) -> bool {
        text.iter().any(|byte| matches!(byte, b'*' | b'?' | b'['))
    }

    /// Whether a path from `/` is meant.
    pub fn matches(&self, path: &[u8]) -> bool {
        let name = path.iter().rposition(|byte| *byte == b'/').map_or(path, |slash| &path[slash + 1..]);
        self.fits(if self.is_path { path } else { name })
    }

    /// Whether a name, or a whole path, is meant.
    fn fits(&self, text: &[u8]) -> bool {
        matches(&self.parts, self.ignores_case, text)
    }
}

/// What stands between brackets, and what follows them.
fn one_of(text: &[u8]) -> Option<(Part, &[u8])> {
    let (is_negated, inside) = match text.first()? {
        b'!' | b'^' => (true, &text[1..]),
        _ => (false, text),
    };
    // A `]` that comes first is one of the characters.
    let end = inside.iter().skip(1).position(|byte| *byte == b']')? + 1;
    let (mut ranges, mut at) = (Vec::new(), 0);
    while at < end {
        let is_range = at + 2 < end && inside[at + 1] == b'-';
        let last = if is_range { at + 2 } else { at };
        ranges.push((inside[at], inside[last]));
        at = last + 1;
    }
    Some((Part::OneOf { ranges, is_negated }, &inside[end + 1..]))
}

fn other_case(byte: u8) -> u8 {
    if byte.is_ascii_lowercase() { byte.to_ascii_uppercase() } else { byte.to_ascii_lowercase() }
}

/// How many bytes of `text` one part other than `Many` takes, if it fits.
fn taken(part: &Part, ignores_case: bool, text: &[u8]) -> Option<usize> {
    let first = *text.first()?;
    let is = |byte: u8| byte == first || (ignores_case && byte.eq_ignore_ascii_case(&first));
    let spellings = [first, if ignores_case { other_case(first) } else { first }];
    match part {
        Part::Byte(byte) => is(*byte).then_some(1),
        Part::OneOf { ranges, is_negated } => {
            let is_in =
                spellings.iter().any(|byte| ranges.iter().any(|(from, to)| (*from..=*to).contains(byte)));
            (is_in != *is_negated && first != b'/').then_some(1)
        }
        Part::Any if first == b'/' => None,
        // A character of UTF-8, or a byte of what is none.
        Part::Any => {
            let more =
                text[1..].iter().take(3).take_while(|byte| **byte & 0b1100_0000 == 0b1000_0000).count();
            Some(if first < 0xc0 { 1 } else { 1 + more })
        }
        Part::Many => None,
    }
}

/// In time of no more than the product of both lengths: what `*` took is only ever given back for the last one.
fn matches(parts: &[Part], ignores_case: bool, text: &[u8]) -> bool {
    let (mut part, mut at) = (0, 0);
    // After the last `*`: its place, and up to where it has taken text.
    let mut many: Option<(usize, usize)> = None;
    loop {
        let fits = match parts.get(part) {
            None if at == text.len() => return true,
            None => false,
            Some(Part::Many) => {
                many = Some((part, at));
                part += 1;
                continue;
            }
            Some(one) => match taken(one, ignores_case, &text[at..]) {
                Some(bytes) => {
                    (part, at) = (part + 1, at + bytes);
                    true
                }
                None => false,
            },
        };
        if fits {
            continue;
        }
        match many {
            Some((place, end)) if end < text.len() && text[end] != b'/' => {
                many = Some((place, end + 1));
                (part, at) = (place + 1, end + 1);
            }
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_meant(pattern: &str, path: &str) -> bool {
        Pattern::new(pattern).matches(path.as_bytes())
    }

    #[test]
    fn names_are_meant_with_and_without_wildcards() {
        for (pattern, path) in [
            ("fstab", "/etc/fstab"),
            ("*.conf", "/etc/a.conf"),
            ("*", "/etc"),
            ("a*b*c", "/x/aXbbYc"),
            ("?.txt", "/ü.txt"),
            ("[a-c]x", "/bx"),
            ("[!a-c]x", "/dx"),
            ("[]]", "/]"),
            ("[x", "/[x"),
            ("/etc/*.conf", "/etc/a.conf"),
            ("/srv/*/index.html", "/srv/www/index.html"),
            ("/", "/"),
        ] {
            assert!(is_meant(pattern, path), "{pattern} {path}");
        }
        for (pattern, path) in [
            ("fstab", "/etc/fstab.old"),
            ("etc", "/etc/fstab"),
            ("*.conf", "/etc/a.conf/b"),
            ("/etc/*.conf", "/etc/sub/a.conf"),
            ("?.txt", "/.txt"),
            ("[a-c]x", "/dx"),
            ("a*b", "/ac"),
            ("/srv/?www", "/srv//www"),
        ] {
            assert!(!is_meant(pattern, path), "{pattern} {path}");
        }
    }

    #[test]
    fn case_is_ignored_only_where_that_was_asked_for() {
        for (pattern, name) in [("*.mp3", "A.MP3"), ("[a-c]x", "BX"), ("[A-C]x", "bx"), ("Ä.txt", "Ä.TXT")]
        {
            assert!(!is_meant(pattern, name), "{pattern} {name}");
            assert!(Pattern::new(pattern).ignoring_case().matches(name.as_bytes()), "{pattern} {name}");
        }
        assert!(!Pattern::new("ä").ignoring_case().matches("Ä".as_bytes()), "only letters from A to Z");
        assert!(!Pattern::new("[!a-c]").ignoring_case().matches(b"B"));
    }

    #[test]
    fn a_pattern_full_of_wildcards_ends_in_time() {
        let (pattern, path) = ("a*".repeat(500) + "b", format!("/{}", "a".repeat(5000)));
        assert!(!is_meant(&pattern, &path));
    }
}
