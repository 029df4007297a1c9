//! What a console program of Windows wrote, as text.
//!
//! A program writes UTF-16 without a mark (`sfc` does so into a pipe), UTF-8, or a code page that nobody names. Of the last
//! only ASCII is sure: everything else becomes [`UNKNOWN`], which [`contains`] takes for any letter.

/// Stands for a character that isn't known.
pub const UNKNOWN: char = char::REPLACEMENT_CHARACTER;

/// No more than the last bytes of this length become text: errors and results stand at the end.
pub const CONSOLE_BYTES_MAX: usize = 1 << 20;

/// How many bytes are looked at to tell UTF-16.
const LOOKED_AT: usize = 64 << 10;

/// The text, without NULs.
pub fn decode_console(bytes: &[u8]) -> String {
    let text = match bytes {
        [0xff, 0xfe, rest @ ..] => decode_units(last(rest), u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => decode_units(last(rest), u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => decode_bytes(last(rest)),
        _ if is_little_endian(bytes) => decode_units(last(bytes), u16::from_le_bytes),
        _ => decode_bytes(last(bytes)),
    };
    text.chars().filter(|character| *character != '\0').collect()
}

/// The last of it that is kept; begins where a unit begins.
fn last(bytes: &[u8]) -> &[u8] {
    let skipped = bytes.len().saturating_sub(CONSOLE_BYTES_MAX);
    &bytes[skipped.next_multiple_of(2).min(bytes.len())..]
}

/// UTF-16 shows itself by NULs: every line break, space and digit has one, and it's the second byte. No other encoding
/// of a console has any.
pub(crate) fn is_little_endian(bytes: &[u8]) -> bool {
    let looked_at = &bytes[..bytes.len().min(LOOKED_AT)];
    let nuls = |parity: usize| looked_at.iter().skip(parity).step_by(2).filter(|byte| **byte == 0).count();
    let (first, second) = (nuls(0), nuls(1));
    second > 0 && second > 2 * first
}

fn decode_units(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    char::decode_utf16(units).map(|decoded| decoded.unwrap_or(UNKNOWN)).collect()
}

fn decode_bytes(bytes: &[u8]) -> String {
    // The first of them may be the rest of a character that was cut.
    let begin = bytes.iter().take(3).take_while(|byte| **byte & 0xc0 == 0x80).count();
    match str::from_utf8(&bytes[begin..]) {
        Ok(text) => text.to_owned(),
        Err(_) => {
            bytes.iter().map(|byte| if byte.is_ascii() { char::from(*byte) } else { UNKNOWN }).collect()
        }
    }
}

/// Whether a text holds words, whatever the case of the letters, the kind of the spaces and line breaks, and
/// characters that aren't known.
pub fn contains(text: &str, words: &str) -> bool {
    let (text, words) = (folded(text), folded(words));
    let is_same = |(found, wanted): (&char, &char)| found == wanted || *found == UNKNOWN;
    !words.is_empty() && text.windows(words.len()).any(|part| part.iter().zip(&words).all(is_same))
}

/// In small letters, with one space for any run of spaces, and one sort of apostrophe.
fn folded(text: &str) -> Vec<char> {
    let mut folded = Vec::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\u{2019}' => folded.push('\''),
            _ if character.is_whitespace() => {
                if folded.last().is_some_and(|last| *last != ' ') {
                    folded.push(' ');
                }
            }
            _ => folded.extend(character.to_lowercase()),
        }
    }
    if folded.last() == Some(&' ') {
        folded.pop();
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn little_endian(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn utf_16_without_a_mark_is_known_by_its_nuls_in_any_language() {
        for text in [
            "Windows Resource Protection did not find any integrity violations.\r\n",
            "Der Windows-Ressourcenschutz hat keine Integritätsverletzungen gefunden.\r\n",
            "Windows リソース保護は、整合性違反を検出しませんでした。\r\n",
            "",
        ] {
            assert_eq!(decode_console(&little_endian(text)), text);
            assert_eq!(decode_console(text.as_bytes()), text, "and UTF-8 is UTF-8");
            assert_eq!(decode_console(&[b"\xff\xfe", &little_endian(text)[..]].concat()), text);
            let big_endian: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
            assert_eq!(decode_console(&[b"\xfe\xff", &big_endian[..]].concat()), text);
        }
    }

    #[test]
    fn of_an_unnamed_code_page_ascii_is_kept_and_the_rest_matches_any_letter() {
        // Code page 850: ä is 0x84.
        let text = decode_console(b"hat keine Integrit\x84tsverletzungen gefunden");
        assert_eq!(text, "hat keine Integrit\u{fffd}tsverletzungen gefunden");
        assert!(contains(&text, "keine Integritätsverletzungen"));
        assert!(!contains(&text, "keine Integritätsverletzung gefunden"));
    }

    #[test]
    fn words_are_found_across_line_breaks_and_cases() {
        assert!(contains("did not find\r\n   ANY integrity", "did not find any"));
        assert!(contains("n\u{2019}a trouvé aucune", "n'a trouvé\u{a0}aucune"));
        assert!(!contains("anything", ""));
    }

    #[test]
    fn of_a_long_text_the_end_is_kept_and_no_unit_is_torn() {
        let long = "ä".repeat(CONSOLE_BYTES_MAX);
        for bytes in [little_endian(&long), long.as_bytes().to_vec(), [&b"x"[..], long.as_bytes()].concat()] {
            let text = decode_console(&bytes);
            assert!(text.len() <= 2 * CONSOLE_BYTES_MAX && text.chars().all(|character| character == 'ä'));
        }
    }

    #[test]
    fn torn_and_odd_bytes_are_borne() {
        for bytes in
            [&b"\0"[..], b"a\0b", b"\xff\xfe", b"\xff\xfea", b"\0\0\0", b"\x80\x80\x80", b"a\0\x00\xd8b\0"]
        {
            let _ = decode_console(bytes);
        }
    }
}
