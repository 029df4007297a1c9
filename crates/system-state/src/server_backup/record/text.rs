//! What a program wrote, as a text from which the same bytes can be made again.

use crate::server_backup::console::is_little_endian;
use crate::server_backup::transcript::Encoding;

/// A text and how it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Written {
    /// How.
    pub encoding: Encoding,
    /// What.
    pub text: String,
    /// Whether it is what was written, to the byte.
    pub is_exact: bool,
}

/// Reads it. What looks like UTF-16 becomes text even where it is torn: left as bytes, no name would be found in it.
pub(super) fn read(bytes: &[u8]) -> Written {
    if bytes.starts_with(b"\xff\xfe") || is_little_endian(bytes) {
        let units: Vec<u16> =
            bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
        let is_exact = bytes.len().is_multiple_of(2) && String::from_utf16(&units).is_ok();
        return Written { encoding: Encoding::Utf16, text: String::from_utf16_lossy(&units), is_exact };
    }
    match str::from_utf8(bytes) {
        Ok(text) => Written { encoding: Encoding::Utf8, text: text.to_owned(), is_exact: true },
        Err(_) => {
            let text = bytes.iter().map(|byte| char::from(*byte)).collect();
            Written { encoding: Encoding::CodePage, text, is_exact: true }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server_backup::transcript::Text;

    #[test]
    fn what_was_written_can_be_written_again() {
        let wide: Vec<u8> = "Größe 你\r\nx".encode_utf16().flat_map(u16::to_le_bytes).collect();
        for bytes in [
            &b""[..],
            b"plain\r\n",
            "Größe\r\n".as_bytes(),
            b"Gr\x94\xe1e\r\n",
            &wide,
            &[b"\xff\xfe", &wide[..]].concat(),
            b"\0\xff\xff",
            b"\xfe\xff\0a",
        ] {
            let Written { encoding, text, is_exact } = read(bytes);
            assert!(is_exact, "{bytes:?}");
            assert_eq!(Text::new(encoding, &text).bytes(), bytes, "{encoding:?}");
        }
    }

    #[test]
    fn torn_utf_16_is_text_and_known_to_be_another() {
        let mut torn: Vec<u8> = "jane\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        torn.push(b'x');
        let written = read(&torn);
        assert_eq!(
            (written.encoding, &written.text[..], written.is_exact),
            (Encoding::Utf16, "jane\r\n", false)
        );
        let lone = read(b"j\0a\0\x00\xd8n\0e\0");
        assert_eq!((&lone.text[..], lone.is_exact), ("ja\u{fffd}ne", false));
    }
}
