//! AES-256-GCM with numbered messages: one key, each nonce at most once.

#[cfg(feature = "ledger")]
use crate::ledger::{self, Fingerprint};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

/// How many bytes sealing adds: the tag of AES-256-GCM.
pub const TAG_BYTES: usize = 16;

/// Why sealed bytes can't be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The commitment is one to another key (or it was altered itself: who checks the object's hash first knows).
    #[error("The bytes were sealed with another key")]
    WrongKey,
    /// The key is right and the bytes, or what they are bound to, are not.
    #[error("The bytes were altered or damaged")]
    Tampered,
}

/// A key whose messages are told apart by a number that the caller gives once each.
pub(crate) struct NumberedKey {
    cipher: LessSafeKey,
    #[cfg(feature = "ledger")]
    fingerprint: Fingerprint,
}

impl NumberedKey {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        let unbound = UnboundKey::new(&AES_256_GCM, key).expect("the algorithm takes keys of 32 bytes");
        Self {
            cipher: LessSafeKey::new(unbound),
            #[cfg(feature = "ledger")]
            fingerprint: Fingerprint::of(key),
        }
    }

    /// Seals `buffer[from..]` in place and appends the tag.
    ///
    /// # Panics
    /// If `from` lies behind the buffer's end.
    pub(crate) fn seal(&self, number: u32, associated: &[u8], buffer: &mut Vec<u8>, from: usize) {
        #[cfg(feature = "ledger")]
        ledger::record(self.fingerprint, number);
        let tag = self
            .cipher
            .seal_in_place_separate_tag(nonce(number), Aad::from(associated), &mut buffer[from..])
            .expect("a message in memory is shorter than the 64 GiB that the algorithm takes");
        buffer.extend_from_slice(tag.as_ref());
    }

    /// Opens in place and gives the plaintext, which is the front of `sealed`.
    pub(crate) fn open<'a>(
        &self,
        number: u32,
        associated: &[u8],
        sealed: &'a mut [u8],
    ) -> Result<&'a mut [u8], SealError> {
        self.cipher
            .open_in_place(nonce(number), Aad::from(associated), sealed)
            .map_err(|_| SealError::Tampered)
    }
}

/// The number as 96 bits, most significant byte first.
fn nonce(number: u32) -> Nonce {
    let mut bytes = [0; 12];
    bytes[8..].copy_from_slice(&number.to_be_bytes());
    Nonce::assume_unique_for_key(bytes)
}

/// Compares a commitment without telling by its time how much of it is right (`blake3::Hash` compares so).
pub(crate) fn check_commitment(ours: &[u8; 32], found: &[u8; 32]) -> Result<(), SealError> {
    match blake3::Hash::from_bytes(*ours) == blake3::Hash::from_bytes(*found) {
        true => Ok(()),
        false => Err(SealError::WrongKey),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::hex;
    use aes_gcm::aead::{Aead, KeyInit, Payload};
    use proptest::collection::vec;
    use proptest::prelude::*;

    /// The same by another implementation.
    fn oracle(key: &[u8; 32], number: u32, associated: &[u8], message: &[u8]) -> Vec<u8> {
        let mut nonce = [0; 12];
        nonce[8..].copy_from_slice(&number.to_be_bytes());
        let cipher = aes_gcm::Aes256Gcm::new(&(*key).into());
        cipher.encrypt(&nonce.into(), Payload { msg: message, aad: associated }).unwrap()
    }

    proptest! {
        #[test]
        fn another_implementation_seals_the_same_bytes(
            key: [u8; 32], number: u32, associated in vec(any::<u8>(), 0..99), message in vec(any::<u8>(), 0..999),
        ) {
            let mut sealed = b"before".to_vec();
            sealed.extend_from_slice(&message);
            let ours = NumberedKey::new(&key);
            ours.seal(number, &associated, &mut sealed, 6);
            prop_assert_eq!(&sealed[..6], b"before");
            prop_assert_eq!(&sealed[6..], oracle(&key, number, &associated, &message));
            prop_assert_eq!(ours.open(number, &associated, &mut sealed[6..]).unwrap(), message);
        }

        #[test]
        fn any_bytes_are_refused(key: [u8; 32], mut bytes in vec(any::<u8>(), 0..99)) {
            prop_assert_eq!(NumberedKey::new(&key).open(0, b"", &mut bytes), Err(SealError::Tampered));
        }
    }

    /// Test case 14 of McGrew and Viega, "The Galois/Counter Mode of Operation" (the AES-256 cases).
    #[test]
    fn a_published_vector_comes_out() {
        let mut sealed = vec![0; 16];
        NumberedKey::new(&[0; 32]).seal(0, b"", &mut sealed, 0);
        let expected = "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919";
        assert_eq!(hex(&sealed), expected);
    }

    #[test]
    fn a_flipped_bit_another_number_and_another_binding_are_refused() {
        let key = NumberedKey::new(&[7; 32]);
        let mut sealed = b"plain".to_vec();
        key.seal(3, b"bound", &mut sealed, 0);
        for bit in 0..sealed.len() * 8 {
            let mut damaged = sealed.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(key.open(3, b"bound", &mut damaged), Err(SealError::Tampered), "bit {bit}");
        }
        assert_eq!(key.open(4, b"bound", &mut sealed.clone()), Err(SealError::Tampered));
        assert_eq!(key.open(3, b"other", &mut sealed.clone()), Err(SealError::Tampered));
        assert_eq!(key.open(3, b"bound", &mut sealed).unwrap(), b"plain");
    }
}
