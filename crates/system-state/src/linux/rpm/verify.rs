//! `rpm --verify --all` decoded: which installed files are not as their packages say, and in what.
//!
//! A line is `SM5DLUGTP c /path` or `missing c /path`: nine places, each a dot where nothing differs, a letter where
//! something does, or `?` where it could not be compared; then the file's kind, if it has one (rpm(8), "VERIFY
//! OPTIONS").

use super::{Database, RpmError};
use crate::linux::command::run;
use stateward_model::counted;
use std::time::Duration;

/// How many installed files are not as their packages say.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Differences {
    /// They are not there.
    pub missing: u64,
    /// They hold something else, or are of another kind.
    pub content: u64,
    /// Their mode, owner, group, capabilities or link target differ, but not what they hold.
    pub rights: u64,
    /// They could not be read.
    pub unread: u64,
    /// Packages whose dependencies are not satisfied.
    pub broken: u64,
}

/// Compares every installed file with the database, and dependencies too. Reads all of them.
pub(crate) fn verify(database: &Database, time_out: Duration) -> Result<Differences, RpmError> {
    let folder = database.folder.to_string_lossy();
    // 1: something differs.
    let output = run("rpm", &["--dbpath", &folder, "--verify", "--all"], &[0, 1], time_out)?;
    Ok(decode(&output))
}

/// What rpm's lines come to. Settings, ghosts and documentation may differ; so may times.
fn decode(output: &[u8]) -> Differences {
    let mut all = Differences::default();
    for line in String::from_utf8_lossy(output).lines() {
        if line.starts_with("Unsatisfied dependencies for ") {
            all.broken += 1;
        } else if let Some((result, kind)) = parts(line)
            && !matches!(kind, Some('c' | 'd' | 'g' | 'l' | 'r'))
        {
            count(result, &mut all);
        }
    }
    all
}

/// The result and the kind of a line about a file.
fn parts(line: &str) -> Option<(&str, Option<char>)> {
    let (result, rest) = line.split_once(' ')?;
    let is_result = result == "missing" || (result.len() >= 8 && result.chars().all(is_place));
    let rest = rest.trim_start();
    let kind = rest.chars().next().filter(|_| rest.get(1..2) == Some(" "));
    (is_result && rest.contains('/')).then_some((result, kind))
}

fn is_place(letter: char) -> bool {
    matches!(letter, '.' | '?' | 'S' | 'M' | '5' | 'D' | 'L' | 'U' | 'G' | 'T' | 'P')
}

fn count(result: &str, all: &mut Differences) {
    let has = |letters: &[char]| result.contains(letters);
    match result {
        "missing" => all.missing += 1,
        _ if has(&['S', '5', 'D', 'L']) => all.content += 1,
        _ if has(&['M', 'U', 'G', 'P']) => all.rights += 1,
        _ if has(&['?']) => all.unread += 1,
        // Only a time differs.
        _ => {}
    }
}

impl Differences {
    /// What they come to as words; `None` if there are none.
    pub fn told(&self) -> Option<String> {
        let told = [
            (self.missing, "missing"),
            (self.content, "changed in content"),
            (self.rights, "changed in mode or owner"),
            (self.unread, "not readable"),
        ];
        let mut words: Vec<String> = told
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        if self.broken > 0 {
            words.push(format!("{} without what it needs", counted(self.broken, "package")));
        }
        (!words.is_empty()).then(|| words.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first three lines are what rpm 4.18.0 of Debian 12 said of a package made for it, whose settings and program
    /// were changed and whose documentation was removed. The others are made by the rules of rpm(8).
    const SAMPLE: &str = "\
S.5......  c /etc/hello.conf
S.5......    /usr/bin/hello
missing   d /usr/share/doc/hello/README
missing     /usr/lib/gone
.M...UG..    /usr/bin/su
.......T.    /usr/share/x
........P    /usr/bin/ping
..?......    /usr/lib/unreadable
..5....T.  c /etc/my settings/a b
Unsatisfied dependencies for tool-1.0-1.noarch:
\tlib >= 2 is needed by (installed) tool-1.0-1.noarch
";

    #[test]
    fn lines_are_decoded_and_what_may_differ_is_no_damage() {
        let found = decode(SAMPLE.as_bytes());
        let expected = Differences { missing: 1, content: 1, rights: 2, unread: 1, broken: 1 };
        assert_eq!(found, expected);
        assert_eq!(
            found.told().unwrap(),
            "1 missing, 1 changed in content, 2 changed in mode or owner, 1 not readable, 1 package without what it needs"
        );
        assert_eq!(decode(b"S.5......  c /etc/hello.conf\n").told(), None);
        assert_eq!(decode(b"").told(), None);
    }
}
