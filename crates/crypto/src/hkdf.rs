//! HKDF-SHA256 (RFC 5869): many keys from one secret, told apart by a label and a context.

use ring::hkdf::{HKDF_SHA256, Prk, Salt};
use zeroize::Zeroizing;

/// A secret that labelled keys can be drawn from.
pub(crate) struct Derivation(Prk);

impl Derivation {
    /// HKDF-Extract. `salt` may be public.
    pub(crate) fn new(salt: &[u8], secret: &[u8; 32]) -> Self {
        Self(Salt::new(HKDF_SHA256, salt).extract(secret))
    }

    /// HKDF-Expand to 32 bytes over the label and the context, one after the other. Contexts of one label have one
    /// length, so no two pairs spell the same bytes.
    pub(crate) fn key(&self, label: &str, context: &[u8]) -> Zeroizing<[u8; 32]> {
        let mut key = Zeroizing::new([0; 32]);
        self.0
            .expand(&[label.as_bytes(), context], HKDF_SHA256)
            .and_then(|output| output.fill(key.as_mut()))
            .expect("HKDF-SHA256 gives 32 bytes to who asks for 32");
        key
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn another_implementation_derives_the_same_keys(
            salt in vec(any::<u8>(), 0..99), secret: [u8; 32], label: String, context in vec(any::<u8>(), 0..99),
        ) {
            let mut expected = [0; 32];
            hkdf::Hkdf::<sha2::Sha256>::new(Some(&salt), &secret)
                .expand_multi_info(&[label.as_bytes(), &context], &mut expected)
                .unwrap();
            prop_assert_eq!(*Derivation::new(&salt, &secret).key(&label, &context), expected);
        }
    }
}
