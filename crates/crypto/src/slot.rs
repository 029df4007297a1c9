//! Making and opening key slots.
//!
//! ```text
//! passphrase --Argon2id(slot's salt and costs)--> 32 bytes |  HKDF-SHA256(slot's salt)
//! recovery code's 32 bytes                                 | ------------------------> key that wraps, commitment
//! ```
//! The same derivation under another label gives the key that wraps the signing key's seed. It is not derived from the
//! data key: that one may be shared by several servers, and none of them may sign in another's name.
//!
//! Both wrapping keys seal one message each: a slot's salt is fresh, and a slot is never sealed again. Both messages
//! are bound to all the rest of the slot ([`KeySlot::associated_data`]).

use crate::aead::{self, NumberedKey};
use crate::epoch::context;
use crate::hkdf::Derivation;
use crate::kdf::stretch;
use crate::{DataKey, KdfCosts, Passphrase, RecoveryCode, SealError, SigningKey, UnacceptableCosts};
use stateward_format::slot::{KeySlot, SlotSecret};
use stateward_model::{Label, Random, ServerId, VaultId};
use zeroize::{Zeroize, Zeroizing};

// Labels of the derivations with a slot's salt. Each is used once, here.
const WRAP_LABEL: &str = "stateward v1 slot key";
const COMMITMENT_LABEL: &str = "stateward v1 slot commitment";
const SIGNING_WRAP_LABEL: &str = "stateward v1 slot signing key";

/// What opens a slot.
#[derive(Debug, Clone, Copy)]
pub enum Secret<'a> {
    /// What a person remembers.
    Passphrase(&'a Passphrase),
    /// What was printed.
    RecoveryCode(&'a RecoveryCode),
}

/// Whose keys a slot wraps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotOwner {
    /// The vault.
    pub vault: VaultId,
    /// The server.
    pub server: ServerId,
    /// The deduplication domain that the data key is of: the server itself, or the one that founded the domain.
    pub domain: ServerId,
    /// The server's label at this time.
    pub server_label: Label,
    /// The generation of data keys.
    pub epoch: u32,
}

/// What an opened slot gives.
#[derive(Debug)]
pub struct OpenedSlot {
    /// Whose keys these are.
    pub owner: SlotOwner,
    /// The epoch's data key.
    pub data_key: DataKey,
    /// The key that signs recovery points.
    pub signing_key: SigningKey,
}

/// Why a slot can't be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SlotError {
    /// The commitment is one to another secret.
    #[error("The passphrase or recovery code is not the one that this key slot was made with")]
    WrongSecret,
    /// A passphrase was given for a recovery code's slot, or the other way round.
    #[error("This key slot was made for the other kind of secret")]
    OtherKind,
    /// See [`KdfCosts`].
    #[error(transparent)]
    UnacceptableCosts(#[from] UnacceptableCosts),
    /// The secret is right and the slot is not as it was made.
    #[error("The key slot was altered or damaged")]
    Tampered,
}

/// Wraps both keys by one secret. `costs` matter to a passphrase only: a recovery code needs no slow function.
pub fn create_slot(
    secret: Secret<'_>,
    costs: KdfCosts,
    who: SlotOwner,
    data_key: &DataKey,
    signing_key: &SigningKey,
    random: &dyn Random,
) -> KeySlot {
    let mut salt = [0; 32];
    random.fill(&mut salt);
    let (kind, stretched) = match secret {
        Secret::Passphrase(passphrase) => (
            SlotSecret::Passphrase {
                memory_kib: costs.memory_kib(),
                passes: costs.passes(),
                lanes: costs.lanes(),
            },
            stretch(passphrase, &salt, costs),
        ),
        Secret::RecoveryCode(code) => (SlotSecret::RecoveryCode, Zeroizing::new(*code.as_bytes())),
    };
    let mut slot = KeySlot {
        vault: who.vault,
        server: who.server,
        domain: who.domain,
        server_label: who.server_label,
        epoch: who.epoch,
        secret: kind,
        salt,
        commitment: [0; 32],
        wrapped_data_key: Vec::new(),
        wrapped_signing_key: Vec::new(),
        signing_public_key: signing_key.public_key(),
    };
    let associated = slot.associated_data();
    let keys = SlotKeys::derive(&slot, &stretched);
    slot.commitment = *keys.commitment;
    slot.wrapped_data_key = seal_key(&keys.data_wrap, &associated, data_key.as_bytes());
    slot.wrapped_signing_key = seal_key(&keys.signing_wrap, &associated, signing_key.seed());
    slot
}

/// Opens a slot.
///
/// # Errors
/// See [`SlotError`]. A slot whose salt, costs, owner or commitment was altered looks like a wrong secret: check its
/// hash against its name first.
pub fn open_slot(slot: &KeySlot, secret: Secret<'_>) -> Result<OpenedSlot, SlotError> {
    let stretched = match (secret, slot.secret) {
        (Secret::Passphrase(passphrase), SlotSecret::Passphrase { memory_kib, passes, lanes }) => {
            stretch(passphrase, &slot.salt, KdfCosts::new(memory_kib, passes, lanes)?)
        }
        (Secret::RecoveryCode(code), SlotSecret::RecoveryCode) => Zeroizing::new(*code.as_bytes()),
        _ => return Err(SlotError::OtherKind),
    };
    let associated = slot.associated_data();
    let keys = SlotKeys::derive(slot, &stretched);
    aead::check_commitment(&keys.commitment, &slot.commitment).map_err(|_| SlotError::WrongSecret)?;
    let data_key = DataKey::from_bytes(*open_key(&keys.data_wrap, &associated, &slot.wrapped_data_key)?);
    let seed = open_key(&keys.signing_wrap, &associated, &slot.wrapped_signing_key)?;
    let signing_key = SigningKey::from_seed(*seed);
    if signing_key.public_key() != slot.signing_public_key {
        return Err(SlotError::Tampered);
    }
    let owner = SlotOwner {
        vault: slot.vault,
        server: slot.server,
        domain: slot.domain,
        server_label: slot.server_label.clone(),
        epoch: slot.epoch,
    };
    Ok(OpenedSlot { owner, data_key, signing_key })
}

/// What a secret becomes for one slot.
struct SlotKeys {
    data_wrap: NumberedKey,
    signing_wrap: NumberedKey,
    commitment: Zeroizing<[u8; 32]>,
}

impl SlotKeys {
    fn derive(slot: &KeySlot, stretched: &[u8; 32]) -> Self {
        let derivation = Derivation::new(&slot.salt, stretched);
        let context = context(slot.vault, slot.server, slot.epoch);
        Self {
            data_wrap: NumberedKey::new(&derivation.key(WRAP_LABEL, &context)),
            signing_wrap: NumberedKey::new(&derivation.key(SIGNING_WRAP_LABEL, &context)),
            commitment: derivation.key(COMMITMENT_LABEL, &context),
        }
    }
}

pub(crate) fn seal_key(wrap: &NumberedKey, associated: &[u8], key: &[u8; 32]) -> Vec<u8> {
    // Room for the tag, so that growing leaves no copy of the key behind.
    let mut sealed = Vec::with_capacity(key.len() + crate::TAG_BYTES);
    sealed.extend_from_slice(key);
    wrap.seal(0, associated, &mut sealed, 0);
    sealed
}

pub(crate) fn open_key(
    wrap: &NumberedKey,
    associated: &[u8],
    sealed: &[u8],
) -> Result<Zeroizing<[u8; 32]>, SlotError> {
    let mut buffer = Zeroizing::new(sealed.to_vec());
    let opened = wrap.open(0, associated, &mut buffer).map_err(|_: SealError| SlotError::Tampered)?;
    let mut key = Zeroizing::new([0; 32]);
    if opened.len() != key.len() {
        return Err(SlotError::Tampered);
    }
    key.copy_from_slice(opened);
    opened.zeroize();
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Counting;

    fn owner() -> SlotOwner {
        SlotOwner {
            vault: VaultId([1; 16]),
            server: ServerId([2; 16]),
            domain: ServerId([8; 16]),
            server_label: "web-01".parse().unwrap(),
            epoch: 3,
        }
    }

    fn slot(secret: Secret<'_>) -> KeySlot {
        let (data_key, signing_key) = (DataKey::from_bytes([4; 32]), SigningKey::from_seed([5; 32]));
        create_slot(secret, KdfCosts::FLOOR, owner(), &data_key, &signing_key, &Counting::new())
    }

    fn passphrase(text: &str) -> Passphrase {
        Passphrase::new(text.to_owned()).unwrap()
    }

    #[test]
    fn a_passphrase_yields_both_keys_and_another_yields_none() {
        let right = passphrase("correct horse battery staple");
        let slot = KeySlot::decode(&slot(Secret::Passphrase(&right)).encode()).unwrap();
        let opened = open_slot(&slot, Secret::Passphrase(&right)).unwrap();
        assert_eq!((opened.data_key.as_bytes(), opened.signing_key.seed()), (&[4; 32], &[5; 32]));
        assert_eq!(opened.owner, owner());
        let wrong = passphrase("correct horse battery staples");
        assert_eq!(open_slot(&slot, Secret::Passphrase(&wrong)).unwrap_err(), SlotError::WrongSecret);
        let code = RecoveryCode::generate(&Counting::new());
        assert_eq!(open_slot(&slot, Secret::RecoveryCode(&code)).unwrap_err(), SlotError::OtherKind);
    }

    #[test]
    fn a_recovery_code_yields_both_keys_and_another_yields_none() {
        let random = Counting::new();
        let (right, wrong) = (RecoveryCode::generate(&random), RecoveryCode::generate(&random));
        let slot = slot(Secret::RecoveryCode(&right));
        let opened = open_slot(&slot, Secret::RecoveryCode(&right)).unwrap();
        assert_eq!((opened.data_key.as_bytes(), opened.signing_key.seed()), (&[4; 32], &[5; 32]));
        assert_eq!(open_slot(&slot, Secret::RecoveryCode(&wrong)).unwrap_err(), SlotError::WrongSecret);
        let phrase = passphrase("correct horse battery staple");
        assert_eq!(open_slot(&slot, Secret::Passphrase(&phrase)).unwrap_err(), SlotError::OtherKind);
    }

    #[test]
    fn costs_that_a_vault_lowered_or_raised_are_refused_before_they_are_paid() {
        let right = passphrase("correct horse battery staple");
        let mut slot = slot(Secret::Passphrase(&right));
        for (memory_kib, passes, lanes) in
            [(8, 1, 1), (u32::MAX, 1, 1), (64 << 10, u32::MAX, 1), (64 << 10, 1, 99)]
        {
            slot.secret = SlotSecret::Passphrase { memory_kib, passes, lanes };
            let error = UnacceptableCosts { memory_kib, passes, lanes }.into();
            assert_eq!(open_slot(&slot, Secret::Passphrase(&right)).unwrap_err(), error);
        }
    }

    #[test]
    fn every_flipped_bit_of_a_slot_is_noticed() {
        let code = RecoveryCode::generate(&Counting::new());
        let object = slot(Secret::RecoveryCode(&code)).encode();
        for bit in 0..object.len() * 8 {
            let mut damaged = object.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let opened = KeySlot::decode(&damaged).map(|slot| open_slot(&slot, Secret::RecoveryCode(&code)));
            assert!(!matches!(opened, Ok(Ok(_))), "bit {bit}");
        }
    }

    #[test]
    fn wrapped_keys_can_not_be_moved_to_another_slot_or_place() {
        let code = RecoveryCode::generate(&Counting::new());
        let open = |slot: &KeySlot| open_slot(slot, Secret::RecoveryCode(&code)).unwrap_err();
        let good = slot(Secret::RecoveryCode(&code));
        let swapped = KeySlot {
            wrapped_data_key: good.wrapped_signing_key.clone(),
            wrapped_signing_key: good.wrapped_data_key.clone(),
            ..good.clone()
        };
        assert_eq!(open(&swapped), SlotError::Tampered);
        assert_eq!(open(&KeySlot { epoch: 4, ..good.clone() }), SlotError::WrongSecret);
        let renamed = KeySlot { server_label: "web-02".parse().unwrap(), ..good.clone() };
        assert_eq!(open(&renamed), SlotError::Tampered);
        let moved = KeySlot { domain: ServerId([9; 16]), ..good.clone() };
        assert_eq!(open(&moved), SlotError::Tampered);
        let replaced = KeySlot { signing_public_key: [9; 32], ..good };
        assert_eq!(open(&replaced), SlotError::Tampered);
    }

    #[test]
    fn who_has_a_domains_data_key_has_no_members_signing_key() {
        let code = RecoveryCode::generate(&Counting::new());
        let slot = slot(Secret::RecoveryCode(&code));
        let keys = SlotKeys::derive(&slot, DataKey::from_bytes([4; 32]).as_bytes());
        let opened = open_key(&keys.signing_wrap, &slot.associated_data(), &slot.wrapped_signing_key);
        assert_eq!(opened.unwrap_err(), SlotError::Tampered);
    }

    #[test]
    fn the_same_keys_are_wrapped_differently_each_time() {
        let (random, code) = (Counting::new(), RecoveryCode::generate(&Counting::new()));
        let (data_key, signing_key) = (DataKey::from_bytes([4; 32]), SigningKey::from_seed([5; 32]));
        let make = || {
            let secret = Secret::RecoveryCode(&code);
            create_slot(secret, KdfCosts::FLOOR, owner(), &data_key, &signing_key, &random)
        };
        let (one, two) = (make(), make());
        assert_ne!(one.wrapped_data_key, two.wrapped_data_key);
        assert_ne!(one.wrapped_signing_key, two.wrapped_signing_key);
        assert_ne!(one.commitment, two.commitment);
    }

    #[test]
    fn the_object_never_moves() {
        let right = passphrase("correct horse battery staple");
        let object = slot(Secret::Passphrase(&right)).encode();
        assert_eq!(
            stateward_format::slot::hash(&object).to_string(),
            "fc675263fa1ea8926bed3213f1d2ef25866ceb3e3f22c71bb7e4fc43e2acfc2f"
        );
        let code = RecoveryCode::generate(&Counting::new());
        let object = slot(Secret::RecoveryCode(&code)).encode();
        assert_eq!(
            stateward_format::slot::hash(&object).to_string(),
            "bc4dbe3be66285df2de8970d913ad2638486e9abfd98fce251debd4d4c0bd929"
        );
    }
}
