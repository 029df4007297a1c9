//! The recovery code: 256 random bits for a sheet of paper in a safe.
//!
//! Written in Crockford's base 32 (no I, L, O, U): 13 groups of 4 letters hold the bits, most significant first, the
//! last 4 bits zero; a 14th group holds the first 20 bits of a hash of them, so that a slip of the pen is told from a
//! wrong code before anything slow or remote happens.

use data_encoding::{Encoding, Specification};
use stateward_model::Random;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Digits and letters that are hard to mix up: <https://www.crockford.com/base32.html>.
pub(crate) const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

const CHECK_CONTEXT: &str = "stateward v1 recovery code check group";
const GROUP_LETTERS: usize = 4;
const CODE_LETTERS: usize = 52;
const ALL_LETTERS: usize = CODE_LETTERS + GROUP_LETTERS;

/// A recovery code. Erased when dropped; says nothing of itself in logs.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct RecoveryCode([u8; 32]);

/// Why a text is no recovery code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecoveryCodeError {
    /// Letters are missing or too many.
    #[error("A recovery code has 14 groups of 4 letters and digits, 56 in all; this one has {found}")]
    WrongLength {
        /// How many letters and digits were found.
        found: usize,
    },
    /// A character that no recovery code has.
    #[error("A recovery code has no `{0}`: check the group that it stands in")]
    ForeignCharacter(char),
    /// The last group does not fit the others.
    #[error("A group of the recovery code is mistyped: compare each with the printed code")]
    Mistyped,
}

impl RecoveryCode {
    /// A fresh code.
    pub fn generate(random: &dyn Random) -> Self {
        let mut code = Self([0; 32]);
        random.fill(&mut code.0);
        code
    }

    /// The code as it is printed, such as `7ZZX-…-Q2M4`: 14 groups.
    pub fn printable(&self) -> Zeroizing<String> {
        let mut letters = Zeroizing::new([0; ALL_LETTERS]);
        base32().encode_mut(&self.0, &mut letters[..CODE_LETTERS]);
        letters[CODE_LETTERS..].copy_from_slice(&self.check_group());
        write_groups(letters.as_ref(), GROUP_LETTERS)
    }

    /// Reads a printed code. Lower case is taken as upper, O as 0, I and L as 1; spaces, line breaks and dashes are
    /// passed over.
    ///
    /// # Errors
    /// See [`RecoveryCodeError`].
    pub fn parse(text: &str) -> Result<Self, RecoveryCodeError> {
        let (letters, found) = read_letters(text)?;
        if found != ALL_LETTERS {
            return Err(RecoveryCodeError::WrongLength { found });
        }
        let mut code = Self([0; 32]);
        base32()
            .decode_mut(&letters[..CODE_LETTERS], &mut code.0)
            .map_err(|_| RecoveryCodeError::Mistyped)?;
        match code.check_group() == letters[CODE_LETTERS..] {
            true => Ok(code),
            false => Err(RecoveryCodeError::Mistyped),
        }
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first 20 bits of a hash of the code, as letters.
    fn check_group(&self) -> [u8; GROUP_LETTERS] {
        let hash = blake3::derive_key(CHECK_CONTEXT, &self.0);
        let bits = u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]) >> 12;
        [15, 10, 5, 0].map(|shift| LETTERS[(bits >> shift & 31) as usize])
    }
}

impl std::fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RecoveryCode(…)")
    }
}

/// Letters in groups, with a dash between two.
pub(crate) fn write_groups(letters: &[u8], group: usize) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(letters.len() * 2));
    for (i, letter) in letters.iter().enumerate() {
        if i > 0 && i % group == 0 {
            text.push('-');
        }
        text.push(char::from(*letter));
    }
    text
}

/// The letters of a code as they should be, and how many there are; those beyond a code's length are only counted.
fn read_letters(text: &str) -> Result<(Zeroizing<[u8; ALL_LETTERS]>, usize), RecoveryCodeError> {
    let mut letters = Zeroizing::new([0; ALL_LETTERS]);
    let mut found = 0;
    for character in text.chars() {
        let letter = match character.to_ascii_uppercase() {
            '-' => continue,
            space if space.is_whitespace() => continue,
            'O' => b'0',
            'I' | 'L' => b'1',
            letter if letter.is_ascii() && LETTERS.contains(&(letter as u8)) => letter as u8,
            _ => return Err(RecoveryCodeError::ForeignCharacter(character)),
        };
        if let Some(place) = letters.get_mut(found) {
            *place = letter;
        }
        found += 1;
    }
    Ok((letters, found))
}

fn base32() -> Encoding {
    let mut specification = Specification::new();
    specification.symbols.extend(LETTERS.iter().map(|letter| char::from(*letter)));
    specification.encoding().expect("32 different ASCII letters make an encoding")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Counting;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_code_survives_being_printed(bytes: [u8; 32]) {
            let printed = RecoveryCode(bytes).printable();
            prop_assert_eq!(RecoveryCode::parse(&printed).unwrap().0, bytes);
        }

        #[test]
        fn any_text_is_read_or_refused(text: String) {
            let _ = RecoveryCode::parse(&text);
        }

        #[test]
        fn a_mistyped_letter_is_noticed(at in 0usize..ALL_LETTERS, letter in 0usize..32) {
            let printed = RecoveryCode([0x5a; 32]).printable();
            let mut letters: Vec<u8> = printed.bytes().filter(|letter| *letter != b'-').collect();
            prop_assume!(letters[at] != LETTERS[letter]);
            letters[at] = LETTERS[letter];
            let error = RecoveryCode::parse(std::str::from_utf8(&letters).unwrap()).unwrap_err();
            prop_assert_eq!(error, RecoveryCodeError::Mistyped);
        }
    }

    #[test]
    fn the_printed_form_never_moves() {
        let code = RecoveryCode(std::array::from_fn(|i| i as u8));
        assert_eq!(
            code.printable().as_str(),
            "000G-40R4-0M30-E209-185G-R38E-1W81-24GK-2GAH-C5RR-34D1-P70X-3RFG-8YFN"
        );
        assert_eq!(code.printable().split('-').map(str::len).collect::<Vec<_>>(), [4; 14]);
    }

    #[test]
    fn the_hand_of_a_person_is_tolerated() {
        let code = RecoveryCode(std::array::from_fn(|i| i as u8));
        let typed = code.printable().to_lowercase().replace('-', " \n").replace('0', "o").replace('1', "l");
        assert_eq!(RecoveryCode::parse(&typed).unwrap().0, code.0);
    }

    #[test]
    fn what_is_wrong_is_told() {
        let printed = RecoveryCode::generate(&Counting::new()).printable();
        let error = RecoveryCode::parse(&printed[..printed.len() - 1]).unwrap_err();
        assert_eq!(error, RecoveryCodeError::WrongLength { found: 55 });
        let error = RecoveryCode::parse(&format!("{}{}", *printed, "0".repeat(99))).unwrap_err();
        assert_eq!(error, RecoveryCodeError::WrongLength { found: 155 });
        assert_eq!(RecoveryCode::parse("U").unwrap_err(), RecoveryCodeError::ForeignCharacter('U'));
        assert_eq!(RecoveryCode::parse("").unwrap_err(), RecoveryCodeError::WrongLength { found: 0 });
    }
}
