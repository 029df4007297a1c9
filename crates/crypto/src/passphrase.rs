//! The user's secret.

use crate::recovery_code::{LETTERS, write_groups};
use stateward_model::Random;
use unicode_normalization::UnicodeNormalization;
use zeroize::{Zeroize, Zeroizing};

/// The least characters of a passphrase (the article's product asks for 16, too).
const CHARACTERS_MIN: usize = 16;

/// The most bytes of a passphrase in UTF-8, in its normal form.
const BYTES_MAX: usize = 1024;

/// A generated passphrase: so many groups of so many letters of 5 random bits each, 150 bits in all.
const GENERATED_GROUPS: usize = 6;
const GENERATED_GROUP_LETTERS: usize = 5;

/// A passphrase that can be accepted. Erased when dropped; says nothing of itself in logs.
///
/// Kept in Unicode's normal form C (RFC 8265, section 4.2), so that a keyboard which composes its letters otherwise
/// still opens what another one closed. Nothing is trimmed.
pub struct Passphrase(Zeroizing<String>);

/// Why a text can't be a passphrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PassphraseError {
    /// Fewer than 16 characters.
    #[error("A passphrase needs at least 16 characters; this one has {characters}")]
    TooShort {
        /// How many it has.
        characters: usize,
    },
    /// More than 1024 bytes.
    #[error("A passphrase may have at most 1024 bytes; this one has {bytes}")]
    TooLong {
        /// How many it has, in UTF-8.
        bytes: usize,
    },
}

impl Passphrase {
    /// Takes a passphrase as it was typed or read.
    ///
    /// # Errors
    /// It is too short or too long.
    pub fn new(text: String) -> Result<Self, PassphraseError> {
        let text = Zeroizing::new(text);
        // What counts is the normal form, which is up to three times as long or as short as what was typed.
        if text.len() > 3 * BYTES_MAX {
            return Err(PassphraseError::TooLong { bytes: text.len() });
        }
        // Room for the longest, so that no piece of it is left by growing.
        let mut normal = Zeroizing::new(String::with_capacity(9 * BYTES_MAX));
        normal.extend(text.nfc());
        if normal.len() > BYTES_MAX {
            return Err(PassphraseError::TooLong { bytes: normal.len() });
        }
        let characters = normal.chars().count();
        if characters < CHARACTERS_MIN {
            return Err(PassphraseError::TooShort { characters });
        }
        Ok(Self(normal))
    }

    /// A random one of 150 bits, as six groups of five letters and digits that are hard to mix up.
    pub fn generate(random: &dyn Random) -> Self {
        let mut bytes = Zeroizing::new([0; GENERATED_GROUPS * GENERATED_GROUP_LETTERS]);
        random.fill(bytes.as_mut());
        // 32 letters divide 256: each is as likely as any other.
        let mut letters = Zeroizing::new(bytes.map(|byte| LETTERS[usize::from(byte % 32)]));
        let text = write_groups(letters.as_ref(), GENERATED_GROUP_LETTERS);
        letters.zeroize();
        Self(text)
    }

    /// The passphrase, to show a generated one once.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Passphrase(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Counting;

    #[test]
    fn sixteen_characters_are_enough_and_fifteen_are_not() {
        assert!(Passphrase::new("ä".repeat(16)).is_ok());
        let error = Passphrase::new("ä".repeat(15)).unwrap_err();
        assert_eq!(error, PassphraseError::TooShort { characters: 15 });
        let error = Passphrase::new("a".repeat(1025)).unwrap_err();
        assert_eq!(error, PassphraseError::TooLong { bytes: 1025 });
        assert!(Passphrase::new("a".repeat(1024)).is_ok());
    }

    #[test]
    fn what_counts_is_the_normal_form() {
        // U+0344 is two letters in its normal form, `a` and U+030A are one.
        assert_eq!(
            Passphrase::new("\u{344}".repeat(300)).unwrap_err(),
            PassphraseError::TooLong { bytes: 1200 }
        );
        let decomposed = Passphrase::new("a\u{30a}".repeat(512)).unwrap();
        assert_eq!(Passphrase::new(decomposed.expose().to_owned()).unwrap().expose(), decomposed.expose());
    }

    #[test]
    fn nothing_is_trimmed_and_composed_letters_are_one() {
        let spaced = " sixteen letters and spaces\t";
        assert_eq!(Passphrase::new(spaced.to_owned()).unwrap().expose(), spaced);
        let composed = Passphrase::new("stra\u{df}enb\u{e4}ume im winter".to_owned()).unwrap();
        let combining = Passphrase::new("stra\u{df}enba\u{308}ume im winter".to_owned()).unwrap();
        assert_eq!(composed.expose(), combining.expose());
    }

    #[test]
    fn a_generated_passphrase_is_one_that_would_be_accepted_and_never_the_same() {
        let random = Counting::new();
        let one = Passphrase::generate(&random);
        let two = Passphrase::generate(&random);
        assert_ne!(one.expose(), two.expose());
        assert_eq!(Passphrase::new(one.expose().to_owned()).unwrap().expose(), one.expose());
        assert_eq!(one.expose().split('-').map(str::len).collect::<Vec<_>>(), [5; 6]);
        assert_eq!(format!("{one:?}"), "Passphrase(…)");
    }
}
