//! Names that must not be in a recording, and how they are found in a text: in letters of either case, and in a code page that
//! nobody knows.

/// What a name is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NameKind {
    /// A machine.
    Machine,
    /// A person or an account.
    User,
    /// A domain, by either of its names.
    Domain,
    /// A volume.
    Label,
}

impl NameKind {
    fn stand_in(self, number: usize) -> String {
        match self {
            // As short as a machine's name may be, for it stands in tables and as a folder.
            Self::Machine => format!("SRV{number:02}"),
            Self::User => format!("user-{number}"),
            Self::Domain => format!("domain-{number}"),
            Self::Label => format!("label-{number}"),
        }
    }
}

/// Names that say nothing of anybody. To take them out would spoil what programs say for nothing.
const NOBODYS: &[&str] = &[
    "admin",
    "administrador",
    "administrateur",
    "administrator",
    "all users",
    "backup",
    "benutzer",
    "boot",
    "data",
    "daten",
    "default",
    "default user",
    "defaultuser0",
    "defaultaccount",
    "disk",
    "domain",
    "efi",
    "guest",
    "local",
    "localhost",
    "microsoft",
    "network",
    "new volume",
    "none",
    "owner",
    "public",
    "recovery",
    "server",
    "service",
    "stateward",
    "storage",
    "system",
    "system reserved",
    "temp",
    "test",
    "user",
    "users",
    "volume",
    "windows",
    "workgroup",
    "wsb",
];

/// A name of so many letters is taken out of longer words, too; a shorter one would be found everywhere.
const LETTERS_LEAST: usize = 4;

#[derive(Debug)]
struct Name {
    letters: Vec<char>,
    kind: NameKind,
    stands: String,
}

/// All that are known.
#[derive(Debug, Default)]
pub(super) struct Names(Vec<Name>);

/// A letter whatever its case.
fn folded(letter: char) -> char {
    match letter {
        // Large I in Turkish.
        'ı' => 'i',
        _ => letter.to_lowercase().next().unwrap_or(letter),
    }
}

impl Names {
    /// Adds a name and gives what stands for it; `None` if it says nothing of anybody.
    pub fn learn(&mut self, kind: NameKind, name: &str) -> Option<&str> {
        let name = name.trim_matches(|c: char| c.is_whitespace() || c == '\0' || c == '$');
        let letters: Vec<char> = name.chars().map(folded).collect();
        let plain: String = letters.iter().collect();
        if letters.is_empty()
            || NOBODYS.contains(&&plain[..])
            || plain.chars().all(|c| c.is_ascii_punctuation())
        {
            return None;
        }
        let place = match self.0.iter().position(|known| known.letters == letters) {
            Some(place) => place,
            None => {
                let number = 1 + self.0.iter().filter(|known| known.kind == kind).count();
                self.0.push(Name { letters, kind, stands: kind.stand_in(number) });
                self.0.len() - 1
            }
        };
        Some(&self.0[place].stands)
    }

    /// The text with what stands for each name in its place. `is_bytes` says that its characters beyond ASCII are bytes of a code
    /// page that isn't known: then a name's letter beyond ASCII is one or two of them, whichever.
    pub fn without(&self, text: &str, is_bytes: bool) -> String {
        let letters: Vec<char> = text.chars().collect();
        let lowered: Vec<char> = letters.iter().copied().map(folded).collect();
        let (mut kept, mut at) = (String::with_capacity(text.len()), 0);
        while at < letters.len() {
            match self.at(&lowered, at, is_bytes) {
                Some((name, end)) => {
                    kept.push_str(&name.stands);
                    at = end;
                }
                None => {
                    kept.push(letters[at]);
                    at += 1;
                }
            }
        }
        kept
    }

    /// Whether a text shows any of them.
    pub fn shown_in(&self, text: &str) -> bool {
        let lowered: Vec<char> = text.chars().map(folded).collect();
        (0..lowered.len()).any(|at| self.at(&lowered, at, false).is_some())
    }

    /// The longest name that stands at a place, and where it ends.
    fn at(&self, text: &[char], at: usize, is_bytes: bool) -> Option<(&Name, usize)> {
        let found = self.0.iter().filter_map(|name| {
            let end = end_of(text, at, &name.letters, is_bytes)?;
            let stands_alone = || {
                let is_letter = |place: Option<&char>| place.is_some_and(|c| c.is_alphanumeric());
                !is_letter(at.checked_sub(1).and_then(|before| text.get(before))) && !is_letter(text.get(end))
            };
            (name.letters.len() >= LETTERS_LEAST || stands_alone()).then_some((name, end))
        });
        found.max_by_key(|(name, _)| name.letters.len())
    }
}

/// Where a name ends that begins at a place.
fn end_of(text: &[char], at: usize, name: &[char], is_bytes: bool) -> Option<usize> {
    let Some((letter, rest)) = name.split_first() else { return Some(at) };
    let found = *text.get(at)?;
    if found == *letter || found == char::REPLACEMENT_CHARACTER && !letter.is_ascii() {
        return end_of(text, at + 1, rest, is_bytes);
    }
    if !is_bytes || letter.is_ascii() || found.is_ascii() {
        return None;
    }
    // The longer one first: what is left of a name would be a part of it.
    end_of(text, at + 2, rest, true).or_else(|| end_of(text, at + 1, rest, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &[(NameKind, &str)]) -> Names {
        let mut names = Names::default();
        for (kind, name) in list {
            names.learn(*kind, name);
        }
        names
    }

    #[test]
    fn names_are_taken_out_in_either_case_and_the_longest_first() {
        let names = names(&[
            (NameKind::Machine, "Büro-PC"),
            (NameKind::Domain, "acme"),
            (NameKind::Domain, "acme.example.com"),
            (NameKind::User, "jane"),
            (NameKind::User, "Jane Doe"),
            (NameKind::User, "jd"),
        ]);
        for (text, expected) in [
            ("on BÜRO-PC.ACME.example.COM", "on SRV01.domain-2"),
            (r"ACME\jane and Jane Doe", r"domain-1\user-1 and user-2"),
            ("JANESMITH of acmedata", "user-1SMITH of domain-1data"),
            ("jd, JD and jdx", "user-3, user-3 and jdx"),
            ("nothing of anybody", "nothing of anybody"),
        ] {
            assert_eq!(names.without(text, false), expected);
        }
    }

    #[test]
    fn in_an_unknown_code_page_a_letter_is_one_byte_or_two() {
        let names = names(&[(NameKind::Machine, "Büro-PC"), (NameKind::User, "山田太郎")]);
        // Code page 850, and the same in UTF-8 that isn't known as such.
        assert_eq!(names.without("on B\u{81}RO-PC!", true), "on SRV01!");
        assert_eq!(names.without("on b\u{c3}\u{bc}ro-pc", true), "on SRV01");
        // Shift-JIS, of whose second bytes some are ASCII.
        assert_eq!(names.without("by \u{8e}R\u{93}c\u{91}\u{be}\u{98}Y.", true), "by user-1.");
        assert_eq!(names.without("Bxro-PC", true), "Bxro-PC");
    }

    #[test]
    fn names_that_are_nobodys_are_left_and_a_name_has_one_stand_in() {
        let mut names = Names::default();
        for name in ["Administrator", "BACKUP", " ", "\0", "--", "WORKGROUP"] {
            assert_eq!(names.learn(NameKind::User, name), None, "{name}");
        }
        assert_eq!(names.learn(NameKind::Machine, "DC1$"), Some("SRV01"));
        assert_eq!(names.learn(NameKind::Machine, "dc1"), Some("SRV01"));
        assert_eq!(names.learn(NameKind::Machine, "dc2"), Some("SRV02"));
    }
}
