//! How far a backup is: by numbers with a percent sign, which stand in every language's messages.

use crate::server_backup::console::decode_console;

/// No more of what was said is kept, in bytes.
const KEPT_BYTES: usize = 8 << 10;

/// Reads percentages out of an output that comes in pieces.
#[derive(Debug, Default)]
pub struct PercentReader {
    kept: Vec<u8>,
    last: Option<u8>,
}

impl PercentReader {
    /// Takes the next piece; gives the newest percentage if it is another one than before.
    pub fn read(&mut self, piece: &[u8]) -> Option<u8> {
        self.kept.extend_from_slice(piece);
        // An even number goes, so that units of two bytes stay whole.
        let gone = self.kept.len().saturating_sub(KEPT_BYTES).next_multiple_of(2).min(self.kept.len());
        self.kept.drain(..gone);
        let found = last_percentage(&decode_console(&self.kept)).filter(|found| Some(*found) != self.last)?;
        self.last = Some(found);
        Some(found)
    }
}

/// The last percentage in a text: `14%`, `14 %` and `%14`.
fn last_percentage(text: &str) -> Option<u8> {
    text.char_indices().rev().filter(|(_, character)| *character == '%').find_map(|(at, _)| {
        let before = text[..at].trim_end_matches([' ', '\u{a0}', '\u{202f}']);
        let number = |text: &str| text.parse::<u8>().ok().filter(|percent| *percent <= 100);
        let digits = before.chars().rev().take_while(char::is_ascii_digit).count();
        let behind = &text[at + 1..];
        let following = behind.chars().take_while(char::is_ascii_digit).count();
        match digits {
            0 => number(&behind[..following]),
            _ => number(&before[before.len() - digits..]),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_are_read_as_each_language_writes_them() {
        for (text, percent) in [
            ("Overall progress: 14%.", Some(14)),
            ("copied (0%).\r\nCreating a backup of volume (C:), copied (100%).", Some(100)),
            ("Gesamtfortschritt: 7 %", Some(7)),
            ("progression : 8\u{a0}%", Some(8)),
            ("İlerleme: %35", Some(35)),
            ("300%", None),
            ("%", None),
            ("%TEMP% 5%, %TEMP%", Some(5)),
            ("Found (12) files.", None),
        ] {
            assert_eq!(last_percentage(text), percent, "{text}");
        }
    }

    #[test]
    fn a_percentage_is_told_once_and_pieces_may_be_torn_anywhere() {
        let text = "Overall progress: 1%.\r\nOverall progress: 1%.\r\nOverall progress: 57%.\r\n".repeat(100);
        let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        for bytes in [text.as_bytes(), &units[..]] {
            for length in [1, 7, 4096] {
                let mut reader = PercentReader::default();
                let told: Vec<u8> = bytes.chunks(length).filter_map(|piece| reader.read(piece)).collect();
                let last = told.last().copied();
                assert_eq!(last, Some(57), "{length}");
                assert!(told.windows(2).all(|pair| pair[0] != pair[1]));
            }
        }
    }
}
