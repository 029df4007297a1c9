//! Names of Windows as bytes: WTF-8 (Simon Sapin's specification), which is UTF-8 where the name is Unicode and has a
//! three-byte form for a lone surrogate, since NTFS and ReFS take any 16-bit units for a name.
//!
//! One name has one form: a lead surrogate followed by a trail one is always the four bytes of the character that they
//! mean, so well-formed bytes never hold the two three-byte forms side by side. That is why bytes of two names must not
//! be joined without a byte between them: join their units and encode these.

use crate::wire::FormatError;

const MALFORMED: FormatError =
    FormatError::Malformed { what: "name of Windows", why: "it is not well-formed WTF-8" };

/// The bytes of 16-bit units.
pub fn encode(units: &[u16]) -> Vec<u8> {
    let mut out = Vec::with_capacity(units.len());
    for unit in char::decode_utf16(units.iter().copied()) {
        match unit {
            Ok(character) => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
            Err(lone) => out.extend_from_slice(&surrogate(lone.unpaired_surrogate())),
        }
    }
    out
}

/// The 16-bit units of bytes; refuses everything that [`encode`] does not give.
pub fn decode(bytes: &[u8]) -> Result<Vec<u16>, FormatError> {
    let mut units = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while !rest.is_empty() {
        let text = match std::str::from_utf8(rest) {
            Ok(text) => text,
            Err(error) => std::str::from_utf8(&rest[..error.valid_up_to()]).map_err(|_| MALFORMED)?,
        };
        units.extend(text.encode_utf16());
        rest = &rest[text.len()..];
        let Some((three, after)) = rest.split_at_checked(3) else { break };
        let lone = lone_surrogate(three).ok_or(MALFORMED)?;
        let follows_lead = matches!(units.last(), Some(0xd800..=0xdbff));
        if follows_lead && (0xdc00..=0xdfff).contains(&lone) {
            return Err(MALFORMED);
        }
        units.push(lone);
        rest = after;
    }
    if rest.is_empty() { Ok(units) } else { Err(MALFORMED) }
}

/// The three bytes of a surrogate: what UTF-8 would give if it were a character.
fn surrogate(unit: u16) -> [u8; 3] {
    [0xed, 0x80 | (unit >> 6 & 0x3f) as u8, 0x80 | (unit & 0x3f) as u8]
}

fn lone_surrogate(bytes: &[u8]) -> Option<u16> {
    match *bytes {
        [0xed, high @ 0xa0..=0xbf, low @ 0x80..=0xbf] => {
            Some(0xd000 | u16::from(high & 0x3f) << 6 | u16::from(low & 0x3f))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    /// Surrogates often enough that pairs and lone ones meet.
    fn units() -> impl Strategy<Value = Vec<u16>> {
        let unit = prop_oneof![any::<u16>(), 0xd7ff..0xe001u16, 0xdbf0..0xdc10u16, 0x20..0x7fu16];
        vec(unit, 0..20)
    }

    proptest! {
        #[test]
        fn any_units_survive(units in units()) {
            prop_assert_eq!(decode(&encode(&units)).unwrap(), units);
        }

        #[test]
        fn unicode_is_as_in_utf_8(text: String) {
            let units: Vec<_> = text.encode_utf16().collect();
            prop_assert_eq!(encode(&units), text.as_bytes());
        }

        #[test]
        fn what_is_read_has_just_this_encoding(bytes in vec(prop_oneof![any::<u8>(), Just(0xed), 0xa0..0xc0u8], 0..12)) {
            if let Ok(units) = decode(&bytes) {
                prop_assert_eq!(encode(&units), bytes);
            }
        }

        #[test]
        fn names_are_joined_as_units(one in units(), other in units()) {
            let joined = encode(&[one.clone(), other.clone()].concat());
            let bytes = [encode(&one), encode(&other)].concat();
            let meets = matches!(one.last(), Some(0xd800..=0xdbff)) && matches!(other.first(), Some(0xdc00..=0xdfff));
            prop_assert_eq!(decode(&bytes).is_err(), meets);
            prop_assert_eq!(bytes == joined, !meets);
        }
    }

    #[test]
    fn known_forms_come_out() {
        let forms: [(&[u16], &[u8]); 6] = [
            (&[0x61, 0xe9, 0x20ac], "aé€".as_bytes()),
            (&[0xd83d, 0xde00], b"\xf0\x9f\x98\x80"),
            (&[0xd800], b"\xed\xa0\x80"),
            (&[0xdfff], b"\xed\xbf\xbf"),
            (&[0xdc00, 0xd800], b"\xed\xb0\x80\xed\xa0\x80"),
            (&[0xd800, 0x61, 0xdc00], b"\xed\xa0\x80a\xed\xb0\x80"),
        ];
        for (units, bytes) in forms {
            assert_eq!(encode(units), bytes);
            assert_eq!(decode(bytes).unwrap(), units);
        }
    }

    #[test]
    fn other_forms_of_the_same_are_refused() {
        for bytes in [
            b"\xed\xa0\xbd\xed\xb8\x80".as_slice(), // a pair as two three-byte forms
            b"\xc0\x80",                            // longer than it must be
            b"\xe0\x80\xaf",
            b"\xf4\x90\x80\x80", // beyond the last character
            b"\xff",
            b"\x80",
            b"a\xed\xa0", // cut short
            b"\xed",
            b"\xf0\x9f\x98",
        ] {
            assert_eq!(decode(bytes), Err(MALFORMED), "{bytes:x?}");
        }
    }
}
