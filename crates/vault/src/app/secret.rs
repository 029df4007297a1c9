//! Bearer secrets: how they are made, kept and compared.
//!
//! A secret is 255 random bits. Nobody finds such a number by trying, so one fast hash is enough to keep it by: a slow
//! function like Argon2 is for secrets that people choose, and would only make every sign-in slow here.

use stateward_api::credentials::encode_bytes;
use stateward_model::Random;

/// A new secret as text: base64url of 32 random bytes, beginning with a letter. One that began with `-` would be taken for
/// a flag on a command line, as by `az login --password`.
pub(crate) fn new(random: &dyn Random) -> String {
    let mut bytes = [0; 32];
    random.fill(&mut bytes);
    bytes[0] &= 0x7f;
    encode_bytes(&bytes)
}

/// What is kept of a secret.
pub(crate) fn hash(secret: &str) -> [u8; 32] {
    *blake3::hash(secret.as_bytes()).as_bytes()
}

/// Whether this is the secret that the hash was made of; takes the same time whatever the difference is.
pub(crate) fn matches(secret: &str, kept: [u8; 32]) -> bool {
    // `blake3::Hash` compares in constant time.
    blake3::hash(secret.as_bytes()) == blake3::Hash::from_bytes(kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use stateward_model::SystemRandom;

    #[test]
    fn a_secret_matches_its_own_hash_only() {
        let (one, other) = (new(&SystemRandom), new(&SystemRandom));
        assert!(matches(&one, hash(&one)));
        assert!(!matches(&other, hash(&one)));
        assert_eq!(one.len(), 43);
    }

    #[test]
    fn a_secret_is_not_taken_for_a_flag() {
        for _ in 0..1000 {
            let secret = new(&SystemRandom);
            assert!(secret.starts_with(|first: char| first.is_ascii_alphabetic()), "{secret}");
        }
    }
}
