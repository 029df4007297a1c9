//! Transcripts: what a program was given, said and ended with, as a file that people can read.
//!
//! [`record`](super::record) writes them on a real server, and the stand-ins of the tests play them. Both have this one
//! definition, so that what was recorded is what is played, byte for byte.

use serde::{Deserialize, Serialize};

/// Where a transcript comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Provenance {
    /// Microsoft's documentation says so.
    Doc {
        /// Which page.
        page: String,
    },
    /// Somebody published what a server of theirs said.
    PublicCapture {
        /// By which it is found again.
        id: String,
    },
    /// Made up, after what is known.
    Synthetic {
        /// What it rests on.
        after: String,
    },
    /// Recorded by `stateward doctor --record`.
    Recorded {
        /// The Windows it was recorded on.
        system: String,
    },
}

impl Provenance {
    /// Its kind's name, as counts are told by it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Doc { .. } => "doc",
            Self::PublicCapture { .. } => "public-capture",
            Self::Synthetic { .. } => "synthetic",
            Self::Recorded { .. } => "recorded",
        }
    }
}

/// How a program writes its text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// UTF-8.
    #[default]
    Utf8,
    /// UTF-16 with the low byte first, without a mark.
    Utf16,
    /// A code page that nobody names: the characters up to U+00FF stand for the bytes of their number.
    CodePage,
}

/// What a code page's byte is that no character was given for.
const BYTE_UNKNOWN: u8 = 0xb0;

impl Encoding {
    /// A text's bytes.
    fn bytes(self, text: &str) -> Vec<u8> {
        match self {
            Self::Utf8 => text.as_bytes().to_vec(),
            Self::Utf16 => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            Self::CodePage => text.chars().map(|c| u8::try_from(c).unwrap_or(BYTE_UNKNOWN)).collect(),
        }
    }
}

/// How Windows ends a line.
const LINE_END: &str = "\r\n";

/// What a program wrote to one of its outputs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// How.
    #[serde(default)]
    pub encoding: Encoding,
    /// What, by lines.
    pub lines: Vec<String>,
    /// Whether its last line has no end.
    #[serde(default, skip_serializing_if = "is_false")]
    pub ends_open: bool,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

impl Text {
    /// A text in an encoding.
    pub fn new(encoding: Encoding, text: &str) -> Self {
        let mut lines: Vec<String> = text.split(LINE_END).map(str::to_owned).collect();
        // What follows the last end is no line, if it is nothing.
        let ends_open = lines.pop_if(|last| last.is_empty()).is_none();
        Self { encoding, lines, ends_open }
    }

    /// Its bytes, each line filled by `fill`.
    pub fn filled(&self, mut fill: impl FnMut(&str) -> String) -> Vec<u8> {
        let mut text: String = self.lines.iter().flat_map(|line| [fill(line), LINE_END.to_owned()]).collect();
        if self.ends_open && text.ends_with(LINE_END) {
            text.truncate(text.len() - LINE_END.len());
        }
        self.encoding.bytes(&text)
    }

    /// Its bytes.
    pub fn bytes(&self) -> Vec<u8> {
        self.filled(str::to_owned)
    }
}

/// What a recorded transcript does besides talking: nothing can be recorded of that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum NoEffect {}

/// One call of a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transcript<E = NoEffect> {
    /// Which program.
    pub program: String,
    /// What it must be given; `{name}` stands for a value of the scene.
    pub arguments: Vec<String>,
    /// Where it comes from.
    pub provenance: Provenance,
    /// How it writes.
    #[serde(default)]
    pub encoding: Encoding,
    /// What it writes, by lines.
    pub output: Vec<String>,
    /// Whether the last line has no end.
    #[serde(default, skip_serializing_if = "is_false")]
    pub ends_open: bool,
    /// What it writes to its errors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errors: Option<Text>,
    /// What it does besides.
    #[serde(default = "Vec::new", skip_serializing_if = "Vec::is_empty")]
    pub effects: Vec<E>,
    /// What it ends with.
    pub exit: i32,
}

impl<E> Transcript<E> {
    /// What it writes to its output.
    pub fn text(&self) -> Text {
        Text { encoding: self.encoding, lines: self.output.clone(), ends_open: self.ends_open }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_the_bytes_it_was_made_of_whatever_its_lines_end_with() {
        for text in ["", "\r\n", "a", "a\r\n", "a\r\nb", "a\r\n\r\n", "a\nb\rc\r\r\n", "ä\r\n", "\r\n\r\nx"]
        {
            for encoding in [Encoding::Utf8, Encoding::Utf16, Encoding::CodePage] {
                let made = Text::new(encoding, text);
                assert_eq!(made.bytes(), encoding.bytes(text), "{text:?} as {encoding:?}: {made:?}");
                let read: Text = serde_json::from_str(&serde_json::to_string(&made).unwrap()).unwrap();
                assert_eq!(read, made);
            }
        }
    }

    #[test]
    fn in_a_code_page_every_byte_has_a_character() {
        let all: Vec<u8> = (0..=255).collect();
        let text: String = all.iter().map(|byte| char::from(*byte)).collect();
        assert_eq!(Text::new(Encoding::CodePage, &text).bytes(), all);
        assert_eq!(Text::new(Encoding::CodePage, "\u{fffd}").bytes(), [BYTE_UNKNOWN]);
    }

    #[test]
    fn what_is_recorded_has_no_effects_and_no_field_that_is_not_known() {
        let whole = r#"{"program": "sfc", "arguments": [], "provenance": {"kind": "recorded", "system": "x"}, "output": [], "exit": 0"#;
        assert!(serde_json::from_str::<Transcript>(&format!("{whole}}}")).is_ok());
        for more in [r#", "effects": ["hang"]}"#, r#", "effect": []}"#] {
            assert!(serde_json::from_str::<Transcript>(&format!("{whole}{more}")).is_err(), "{more}");
        }
    }
}
