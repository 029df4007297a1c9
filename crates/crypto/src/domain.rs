//! Sealing a domain's data key for a server that joins the domain, and opening it there.
//!
//! ```text
//! passphrase --Argon2id(file's salt and costs)--> 32 bytes -- HKDF-SHA256(file's salt) --> key that wraps, commitment
//! ```
//! The construction is that of key slots ([`crate::slot`]) under labels of its own, so that a domain file is never taken
//! for a slot. It holds no signing key: a member signs with its own.

use crate::aead::{self, NumberedKey};
use crate::epoch::context;
use crate::hkdf::Derivation;
use crate::kdf::stretch;
use crate::slot::{open_key, seal_key};
use crate::{DataKey, KdfCosts, Passphrase, UnacceptableCosts};
use stateward_format::domain_key::SealedDomainKey;
use stateward_model::{Random, ServerId, VaultId};
use zeroize::Zeroizing;

// Labels of the derivations with a domain file's salt. Each is used once, here.
const WRAP_LABEL: &str = "stateward v1 domain file key";
const COMMITMENT_LABEL: &str = "stateward v1 domain file commitment";

/// Whose data key a domain file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DomainOwner {
    /// The vault.
    pub vault: VaultId,
    /// The domain: the id of the server that founded it.
    pub domain: ServerId,
    /// The generation of data keys.
    pub epoch: u32,
}

/// Why a domain file can't be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DomainKeyError {
    /// The commitment is one to another passphrase.
    #[error("The passphrase is not the one that the domain file was made with")]
    WrongPassphrase,
    /// See [`KdfCosts`].
    #[error(transparent)]
    UnacceptableCosts(#[from] UnacceptableCosts),
    /// The passphrase is right and the file is not as it was made.
    #[error("The domain file was altered")]
    Tampered,
}

/// Wraps a domain's data key by a passphrase.
pub fn seal_domain_key(
    passphrase: &Passphrase,
    costs: KdfCosts,
    who: DomainOwner,
    data_key: &DataKey,
    random: &dyn Random,
) -> SealedDomainKey {
    let mut salt = [0; 32];
    random.fill(&mut salt);
    let mut sealed = SealedDomainKey {
        vault: who.vault,
        domain: who.domain,
        epoch: who.epoch,
        memory_kib: costs.memory_kib(),
        passes: costs.passes(),
        lanes: costs.lanes(),
        salt,
        commitment: [0; 32],
        wrapped_data_key: [0; 48],
    };
    let (wrap, commitment) = wrapping_key(&sealed, &stretch(passphrase, &salt, costs));
    sealed.commitment = *commitment;
    let wrapped = seal_key(&wrap, &sealed.associated_data(), data_key.as_bytes());
    sealed.wrapped_data_key.copy_from_slice(&wrapped);
    sealed
}

/// Opens what [`seal_domain_key`] sealed.
///
/// # Errors
/// See [`DomainKeyError`]. A file whose salt, costs, owner or commitment was altered by who can also hash it anew looks
/// like a wrong passphrase.
pub fn open_domain_key(sealed: &SealedDomainKey, passphrase: &Passphrase) -> Result<DataKey, DomainKeyError> {
    let costs = KdfCosts::new(sealed.memory_kib, sealed.passes, sealed.lanes)?;
    let (wrap, commitment) = wrapping_key(sealed, &stretch(passphrase, &sealed.salt, costs));
    aead::check_commitment(&commitment, &sealed.commitment).map_err(|_| DomainKeyError::WrongPassphrase)?;
    let key = open_key(&wrap, &sealed.associated_data(), &sealed.wrapped_data_key)
        .map_err(|_| DomainKeyError::Tampered)?;
    Ok(DataKey::from_bytes(*key))
}

fn wrapping_key(sealed: &SealedDomainKey, stretched: &[u8; 32]) -> (NumberedKey, Zeroizing<[u8; 32]>) {
    let derivation = Derivation::new(&sealed.salt, stretched);
    let context = context(sealed.vault, sealed.domain, sealed.epoch);
    let key = NumberedKey::new(&derivation.key(WRAP_LABEL, &context));
    (key, derivation.key(COMMITMENT_LABEL, &context))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Counting;

    fn passphrase(text: &str) -> Passphrase {
        Passphrase::new(text.to_owned()).unwrap()
    }

    fn sealed() -> SealedDomainKey {
        let who = DomainOwner { vault: VaultId([1; 16]), domain: ServerId([2; 16]), epoch: 3 };
        let right = passphrase("correct horse battery staple");
        seal_domain_key(&right, KdfCosts::FLOOR, who, &DataKey::from_bytes([4; 32]), &Counting::new())
    }

    #[test]
    fn the_passphrase_yields_the_key_and_another_does_not() {
        let sealed = SealedDomainKey::decode(&sealed().encode()).unwrap();
        let opened = open_domain_key(&sealed, &passphrase("correct horse battery staple")).unwrap();
        assert_eq!(opened.as_bytes(), &[4; 32]);
        let wrong = open_domain_key(&sealed, &passphrase("correct horse battery staples"));
        assert_eq!(wrong.unwrap_err(), DomainKeyError::WrongPassphrase);
    }

    #[test]
    fn an_altered_file_yields_no_key_and_unsafe_costs_are_not_paid() {
        let open =
            |sealed| open_domain_key(&sealed, &passphrase("correct horse battery staple")).unwrap_err();
        let mut altered = sealed();
        altered.wrapped_data_key[0] ^= 1;
        assert_eq!(open(altered), DomainKeyError::Tampered);
        let elsewhere = SealedDomainKey { vault: VaultId([9; 16]), ..sealed() };
        assert_eq!(open(elsewhere), DomainKeyError::WrongPassphrase);
        let cheap = SealedDomainKey { memory_kib: 8, ..sealed() };
        assert!(matches!(open(cheap), DomainKeyError::UnacceptableCosts(_)));
        let dear = SealedDomainKey { memory_kib: u32::MAX, ..sealed() };
        assert!(matches!(open(dear), DomainKeyError::UnacceptableCosts(_)));
    }

    #[test]
    fn the_file_never_moves() {
        assert_eq!(
            blake3::hash(&sealed().encode()).to_hex().as_str(),
            "b6fe55c21da2797c9a7d05e44a492c5e1ce5f5fbe145718a72afccb8de064d33"
        );
    }
}
