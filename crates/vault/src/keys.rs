//! The vault's signing key: Ed25519, its 32-byte seed in a file of its own, outside of the database. Receipts and vault
//! credentials are signed with it.

use ring::signature::{Ed25519KeyPair, KeyPair};
use stateward_model::Random;

/// The key.
pub(crate) struct VaultKey(Ed25519KeyPair);

impl std::fmt::Debug for VaultKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("VaultKey")
    }
}

impl VaultKey {
    /// A seed for a new key.
    pub(crate) fn new_seed(random: &dyn Random) -> [u8; 32] {
        let mut seed = [0; 32];
        random.fill(&mut seed);
        seed
    }

    /// The key of a seed; `None` if that is not 32 bytes.
    pub(crate) fn from_seed(seed: &[u8]) -> Option<Self> {
        // Unchecked means that no public key is compared; there is no other copy to compare with.
        Ed25519KeyPair::from_seed_unchecked(seed).ok().map(Self)
    }

    /// Signs; the same bytes give the same signature.
    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        let mut signature = [0; 64];
        signature.copy_from_slice(self.0.sign(message).as_ref());
        signature
    }

    /// The public half.
    pub(crate) fn public(&self) -> [u8; 32] {
        let mut public = [0; 32];
        public.copy_from_slice(self.0.public_key().as_ref());
        public
    }
}
