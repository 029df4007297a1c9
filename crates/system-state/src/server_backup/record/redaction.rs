//! What is taken out of a recording, and what stands in its place: names of machines, people, domains and volumes, ids, addresses,
//! and paths that aren't Windows' own.
//!
//! The same thing has the same stand-in throughout a recording, and one of its own kind, so that what reads it reads it still.
//! Too much is taken out rather than too little. Of a path everything goes to the end of its line or its last quote, for where
//! a path ends nobody can tell.

use super::names::{NameKind, Names};
use super::patterns::{address, guid, mail, security_id};
use super::text::Written;
use crate::server_backup::transcript::Encoding;
use std::collections::BTreeSet;

const PATH: &str = "<path>";

/// Ids that are the same on every machine: Microsoft's provider of shadow copies.
const COMMON_IDS: [&str; 1] = ["b5946137-7b9f-4925-af80-51abd60b20d5"];

/// Folders at a drive's root that are Windows' own.
const WINDOWS_FOLDERS: [&str; 4] =
    ["windows", "windowsimagebackup", "system volume information", "$recycle.bin"];

/// Folders at a drive's root whose folders are people's.
const PROFILES: [&str; 2] = ["users", "documents and settings"];

/// Takes out what must not leave the server.
#[derive(Debug, Default)]
pub(super) struct Redaction {
    names: Names,
    common_ids: BTreeSet<String>,
    ids: Vec<String>,
    security_ids: Vec<String>,
    addresses: Vec<String>,
}

/// The number of a thing among those that were seen.
fn number_of(seen: &mut Vec<String>, thing: &str) -> usize {
    let thing = thing.to_lowercase();
    let place = seen.iter().position(|known| *known == thing).unwrap_or_else(|| {
        seen.push(thing);
        seen.len() - 1
    });
    place + 1
}

impl Redaction {
    /// A name to be taken out.
    pub fn learn(&mut self, kind: NameKind, name: &str) -> Option<&str> {
        self.names.learn(kind, name)
    }

    /// An id that is the same everywhere.
    pub fn keep_id(&mut self, id: &str) {
        self.common_ids.insert(id.to_lowercase());
    }

    /// Learns whose folders and which machines a text names.
    pub fn learn_from(&mut self, text: &str) {
        for line in text.lines() {
            for (at, _) in line.match_indices('\\') {
                let rest = &line[at + 1..];
                let name = |text: &str| -> String {
                    let is_end =
                        |c: char| matches!(c, '\\' | '"' | '\'' | '/' | ':' | '<' | '>' | '|' | '\t');
                    text.split(is_end).next().unwrap_or_default().to_owned()
                };
                let before = line[..at].to_lowercase();
                if PROFILES.iter().any(|folder| before.ends_with(&format!(":\\{folder}"))) {
                    self.names.learn(NameKind::User, &name(rest));
                } else if before.ends_with(r"\\?\unc") {
                    self.names.learn(NameKind::Machine, &name(rest));
                } else if let Some(share) = rest.strip_prefix('\\').filter(|_| !before.ends_with('\\')) {
                    let host = name(share);
                    if !matches!(&host[..], "?" | ".") && !host.contains(' ') {
                        self.names.learn(NameKind::Machine, &host);
                    }
                }
            }
        }
    }

    /// What a program wrote, without all that.
    pub fn written(&mut self, written: &Written) -> String {
        self.text(&written.text, written.encoding == Encoding::CodePage)
    }

    /// A text without all that; `is_bytes` as [`Names::without`] has it.
    pub fn text(&mut self, text: &str, is_bytes: bool) -> String {
        let text = self.names.without(text, is_bytes);
        let mut kept = String::with_capacity(text.len());
        for line in text.split_inclusive('\n') {
            let end = line.trim_end_matches(['\r', '\n']).len();
            let (line, end) = line.split_at(end);
            kept.push_str(&self.line(line));
            kept.push_str(end);
        }
        kept
    }

    fn line(&mut self, line: &str) -> String {
        let (mut kept, mut rest, mut before) = (String::with_capacity(line.len()), line, None);
        while let Some(letter) = rest.chars().next() {
            let begins = !before.is_some_and(char::is_alphanumeric);
            let found = if begins { self.thing(rest, before) } else { None };
            let (length, stand_in) = found.unwrap_or_else(|| (letter.len_utf8(), letter.to_string()));
            kept.push_str(&stand_in);
            before = rest[..length].chars().next_back();
            rest = &rest[length..];
        }
        kept
    }

    /// What a text begins with that must be taken out: how long it is, and what stands for it.
    fn thing(&mut self, text: &str, before: Option<char>) -> Option<(usize, String)> {
        if let Some(id) = guid(text) {
            let is_common =
                self.common_ids.contains(&id.to_lowercase()) || COMMON_IDS.contains(&&id.to_lowercase()[..]);
            let stand_in = match is_common {
                true => id.to_owned(),
                false => format!("00000000-0000-0000-0000-{:012}", number_of(&mut self.ids, id)),
            };
            return Some((id.len(), stand_in));
        }
        if let Some(id) = security_id(text) {
            let number = number_of(&mut self.security_ids, id);
            return Some((id.len(), format!("S-1-5-21-0-0-0-{number}")));
        }
        if let Some(found) = address(text) {
            // Of a block that is kept for documents.
            let number = number_of(&mut self.addresses, found);
            return Some((found.len(), format!("192.0.2.{}", number % 256)));
        }
        if let Some(found) = mail(text) {
            return Some((found.len(), "<address>".to_owned()));
        }
        path(text, before)
    }

    /// Whether bytes show a name all the same: those of a text that was taken for another encoding than it is in.
    pub fn is_shown_in(&self, bytes: &[u8]) -> bool {
        let without_nuls: Vec<u8> = bytes.iter().copied().filter(|byte| *byte != 0).collect();
        let mut views = vec![without_nuls.iter().map(|byte| char::from(*byte)).collect::<String>()];
        views.extend(String::from_utf8(without_nuls));
        for from in [0, 1] {
            for unit in [u16::from_le_bytes, u16::from_be_bytes] {
                let pairs = bytes.get(from..).unwrap_or_default().chunks_exact(2);
                let letters = char::decode_utf16(pairs.map(|pair| unit([pair[0], pair[1]])));
                views.push(letters.map(|letter| letter.unwrap_or(' ')).collect());
            }
        }
        views.iter().any(|view| self.names.shown_in(view))
    }
}

/// A path that a text begins with, as [`Redaction::thing`] gives it; none if all of it may stay.
fn path(text: &str, before: Option<char>) -> Option<(usize, String)> {
    let quote = before.filter(|c| matches!(c, '"' | '\'' | '`'));
    let length = quote.and_then(|quote| text.rfind(quote)).unwrap_or(text.len());
    let path = &text[..length];
    let is_rest_of_one = before == Some('\\');
    for (beginning, is_device) in [(r"\\?\UNC\", false), (r"\\?\", true), (r"\\.\", true), (r"\\", false)] {
        let begins = path.get(..beginning.len()).is_some_and(|found| found.eq_ignore_ascii_case(beginning));
        if begins && !is_rest_of_one {
            let (host, _) = path[beginning.len()..].split_once('\\').filter(|_| !is_device)?;
            return Some((length, format!(r"{beginning}{host}\{PATH}")));
        }
    }
    let drive = path.get(..3).filter(|drive| drive.as_bytes()[0].is_ascii_alphabetic())?;
    let rest = &path[3..];
    if !drive.ends_with(r":\") || rest.is_empty() || rest.starts_with(char::is_whitespace) {
        return None;
    }
    let mut names = rest.split('\\');
    let first = names.next().unwrap_or_default();
    let (folder, second) = (first.trim_end().to_lowercase(), names.next());
    let is_temporary = second.is_some_and(|second| second.eq_ignore_ascii_case("temp"));
    if WINDOWS_FOLDERS.contains(&&folder[..]) && !is_temporary {
        return None;
    }
    let kept = match second {
        Some(second) if PROFILES.contains(&&folder[..]) => &path[..3 + first.len() + 1 + second.len()],
        _ => &path[..2],
    };
    Some((length, if kept.len() == length { kept.to_owned() } else { format!(r"{kept}\{PATH}") }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redaction() -> Redaction {
        let mut redaction = Redaction::default();
        redaction.learn(NameKind::Machine, "ACME-FS01");
        redaction.learn(NameKind::User, "Jane");
        redaction.keep_id("e8132975-6f93-4464-a53e-1050253ae220");
        redaction
    }

    #[test]
    fn of_each_thing_its_kind_is_kept_and_nothing_else() {
        let mut redaction = redaction();
        for (text, expected) in [
            (
                "{E8132975-6F93-4464-A53E-1050253AE220} {1bddd48e-5052-49db-9b07-b96f96727e6b}",
                "{E8132975-6F93-4464-A53E-1050253AE220} {00000000-0000-0000-0000-000000000001}",
            ),
            (
                r"\\?\Volume{1BDDD48E-5052-49DB-9B07-B96F96727E6B}\ and \\?\Volume{2bddd48e-5052-49db-9b07-b96f96727e6b}\",
                r"\\?\Volume{00000000-0000-0000-0000-000000000001}\ and \\?\Volume{00000000-0000-0000-0000-000000000002}\",
            ),
            ("S-1-5-18, S-1-5-32-544", "S-1-5-18, S-1-5-32-544"),
            ("S-1-5-21-397955417-626881126-188441444-1010:", "S-1-5-21-0-0-0-1:"),
            ("at 10.1.2.3, Windows 10.0.20348.2527", "at 192.0.2.1, Windows 10.0.20348.2527"),
            ("jane.doe@acme.example is asked", "<address> is asked"),
            ("ACME-FS01: Jane", "SRV01: user-1"),
        ] {
            assert_eq!(redaction.text(text, false), expected);
        }
    }

    #[test]
    fn of_paths_only_windows_own_are_kept_and_below_profiles_nothing_is() {
        let mut redaction = redaction();
        for (text, expected) in [
            (
                r"log: C:\Windows\Logs\WindowsServerBackup\x.log",
                r"log: C:\Windows\Logs\WindowsServerBackup\x.log",
            ),
            (r"\??\C:\Users\Jane\My Taxes\2025.doc", r"\??\C:\Users\user-1\<path>"),
            (r"C:\users\JANE", r"C:\users\user-1"),
            (r#"open "D:\Customers\Smith & Sons" now"#, r#"open "D:\<path>" now"#),
            (r"C:\Windows\Temp\secret.doc", r"C:\<path>"),
            (r"from \\acme-fs01\Payroll$\x to Z:\", r"from \\SRV01\<path>"),
            (
                r"System Reserved (100.00 MB), (C:), to E:\.",
                r"System Reserved (100.00 MB), (C:), to E:\<path>",
            ),
            (r"\\?\UNC\acme-fs01\x\y", r"\\?\UNC\SRV01\<path>"),
            (r"\\?\C:\Customers\x", r"\\?\C:\<path>"),
            (r"E:\ is there", r"E:\ is there"),
            ("6/30/2026 12:26 PM C:", "6/30/2026 12:26 PM C:"),
            ("ends C:\\", "ends C:\\"),
        ] {
            assert_eq!(redaction.text(text, false), expected);
        }
    }

    #[test]
    fn whose_profiles_and_shares_a_text_names_is_learned_from_it() {
        let mut redaction = Redaction::default();
        redaction
            .learn_from("\\??\\C:\\Users\\müller.k\\x\n\\\\filer07\\share\\y \\\\?\\Volume{x}\\ \\\\.\\pipe");
        assert_eq!(
            redaction.text("MÜLLER.K at FILER07, pipe Volume{x}", false),
            "user-1 at SRV01, pipe Volume{x}"
        );
    }

    #[test]
    fn odd_texts_are_borne_and_lines_end_as_they_did() {
        let mut redaction = redaction();
        for text in
            ["", "\\", "\\\\", "\\\\\\", "C:\\ä", "ä:\\x", "\"C:\\", "@", "1.", "{", "S-1-5-", "a\r\r\nb\n\n"]
        {
            let told = redaction.text(text, true);
            assert_eq!(told.matches(['\r', '\n']).count(), text.matches(['\r', '\n']).count(), "{text:?}");
        }
    }

    #[test]
    fn a_name_in_bytes_of_another_encoding_is_seen() {
        let redaction = redaction();
        let wide: Vec<u8> = "on acme-fs01".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = "on acme-fs01".encode_utf16().flat_map(u16::to_be_bytes).collect();
        for shown in [&b"x ACME-fs01"[..], &wide, &big, &[b"x", &wide[..]].concat(), "J\0ane".as_bytes()] {
            assert!(redaction.is_shown_in(shown), "{shown:?}");
        }
        assert!(!redaction.is_shown_in(b"on SRV01"));
    }
}
