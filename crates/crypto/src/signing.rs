//! Signatures: Ed25519 (RFC 8032).

use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use stateward_model::Random;
use zeroize::Zeroizing;

/// A server's key for its recovery points, apart from the one that it signs in with. Its seed is erased when dropped;
/// it says nothing of itself in logs.
pub struct SigningKey {
    seed: Zeroizing<[u8; 32]>,
    pair: Ed25519KeyPair,
}

/// A signature that is not one over these bytes by this key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("The signature was not made by the expected key, or what was signed was altered")]
pub struct BadSignature;

impl SigningKey {
    /// A fresh key.
    pub fn generate(random: &dyn Random) -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        random.fill(seed.as_mut());
        Self::from_seed(*seed)
    }

    /// The key that was kept as this seed. The caller erases its own copy.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        let seed = Zeroizing::new(seed);
        let pair =
            Ed25519KeyPair::from_seed_unchecked(seed.as_ref()).expect("any 32 bytes are a seed of Ed25519");
        Self { seed, pair }
    }

    /// The secret half, to be wrapped or kept where only its owner reads.
    pub fn seed(&self) -> &[u8; 32] {
        &self.seed
    }

    /// The public half.
    pub fn public_key(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(self.pair.public_key().as_ref());
        bytes
    }

    /// Signs. What is signed must begin so that nothing else this key signs begins like it.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        let mut bytes = [0; 64];
        bytes.copy_from_slice(self.pair.sign(message).as_ref());
        bytes
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey(…)")
    }
}

/// Checks a signature.
///
/// # Errors
/// It is not one over `message` by the key whose public half is given.
pub fn verify_signature(
    public_key: &[u8; 32],
    message: &[u8],
    signature: &[u8; 64],
) -> Result<(), BadSignature> {
    UnparsedPublicKey::new(&ED25519, public_key).verify(message, signature).map_err(|_| BadSignature)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::hex;

    /// RFC 8032, section 7.1, test 2.
    #[test]
    fn a_published_vector_comes_out() {
        let seed = data_encoding::HEXLOWER
            .decode(b"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
            .unwrap();
        let key = SigningKey::from_seed(seed.try_into().unwrap());
        let public_key = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
        let signature = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
                         085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";
        assert_eq!(hex(&key.public_key()), public_key);
        assert_eq!(hex(&key.sign(&[0x72])), signature);
    }

    #[test]
    fn another_key_another_text_and_a_flipped_bit_are_refused() {
        let key = SigningKey::from_seed([1; 32]);
        let other = SigningKey::from_seed([2; 32]);
        let signature = key.sign(b"text");
        assert_eq!(verify_signature(&key.public_key(), b"text", &signature), Ok(()));
        assert_eq!(verify_signature(&other.public_key(), b"text", &signature), Err(BadSignature));
        assert_eq!(verify_signature(&key.public_key(), b"texts", &signature), Err(BadSignature));
        for bit in 0..signature.len() * 8 {
            let mut damaged = signature;
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(verify_signature(&key.public_key(), b"text", &damaged), Err(BadSignature));
        }
    }

    /// What the vault signs are receipts and tombstones: neither is ever taken for the other, nor one act for another.
    #[test]
    fn a_tombstone_is_signed_as_what_it_is() {
        use stateward_format::tombstone::{self, Act, PointState, Tombstone};
        use stateward_model::{PointHash, ServerId, Timestamp, VaultId};
        let key = SigningKey::from_seed([1; 32]);
        let of = |act| Tombstone {
            vault: VaultId([1; 16]),
            server: ServerId([2; 16]),
            sequence: 3,
            point: PointHash([4; 32]),
            number: 1,
            act,
            before: PointState::SoftDeleted,
            at: Timestamp(5),
        };
        let unsigned = tombstone::encode_unsigned(&of(Act::Undelete));
        let object = tombstone::finish(unsigned.clone(), key.sign(&unsigned));
        let (read, signed, signature) = tombstone::decode(&object).unwrap();
        assert_eq!(read, of(Act::Undelete));
        assert_eq!(verify_signature(&key.public_key(), signed, &signature), Ok(()));
        let other = tombstone::finish(tombstone::encode_unsigned(&of(Act::Collect)), signature);
        let (_, signed, signature) = tombstone::decode(&other).unwrap();
        assert_eq!(verify_signature(&key.public_key(), signed, &signature), Err(BadSignature));
        assert!(stateward_format::receipt::decode(&object).is_err());
    }
}
