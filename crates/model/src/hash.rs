//! Hashes that name objects: 32 bytes of BLAKE3, written as 64 lower-case hexadecimal digits.
//!
//! The hash functions themselves are used where the bytes are; this module only says which hash means what.

use crate::ParseError;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A BLAKE3 hash of 32 bytes whose meaning is told by its wrapper.
pub type Hash = [u8; 32];

macro_rules! hashes {
    ($($(#[$doc:meta])* $name:ident = $what:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(pub Hash);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl std::str::FromStr for $name {
            type Err = ParseError;
            fn from_str(text: &str) -> Result<Self, ParseError> {
                read_hex(text).map(Self).ok_or_else(|| ParseError { what: $what, text: text.to_owned() })
            }
        }

        impl TryFrom<String> for $name {
            type Error = ParseError;
            fn try_from(text: String) -> Result<Self, ParseError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(hash: $name) -> String {
                hash.to_string()
            }
        }
    )*};
}

hashes! {
    /// A pack: the BLAKE3 hash of its bytes as they are stored.
    PackId = "pack id";
    /// A recovery point: the BLAKE3 hash of its whole object. What users and scripts call a recovery point's id.
    PointHash = "recovery point id";
    /// A key slot: the BLAKE3 hash of its object.
    SlotHash = "key slot id";
}

fn read_hex(text: &str) -> Option<Hash> {
    if text.len() != 64 || !text.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    let mut out = [0; 32];
    for (byte, pair) in out.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_survives_its_text_and_other_text_is_refused() {
        let id = PackId(std::array::from_fn(|i| i as u8 * 7));
        assert_eq!(id.to_string().parse::<PackId>().unwrap(), id);
        assert!("00".parse::<PackId>().is_err());
        assert!("A".repeat(64).parse::<PackId>().is_err());
    }
}
