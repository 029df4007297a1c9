//! What keys open, and the texts that people copy.

use stateward_api::credentials::{decode_base64, decode_bytes, encode_base64, encode_bytes};
use stateward_crypto::{
    DataKey, EpochKeys, KdfCosts, Passphrase, RecoveryCode, ReleaseKeys, Secret, SlotError, open_domain_key,
    open_slot, verify_signature,
};
use stateward_format::domain_key::SealedDomainKey;
use stateward_format::slot::{KeySlot, SlotSecret};
use stateward_model::{ServerId, VaultId};
use stateward_testing::SeededRandom;
use std::sync::LazyLock;

/// The vault and the server that everything here is of.
pub const VAULT: VaultId = VaultId([1; 16]);
pub const SERVER: ServerId = ServerId([2; 16]);

pub static KEYS: LazyLock<EpochKeys> =
    LazyLock::new(|| EpochKeys::derive(&DataKey::from_bytes([3; 32]), VAULT, SERVER, 1));

/// The recovery code that the seeds' slots open with.
pub static CODE: LazyLock<RecoveryCode> = LazyLock::new(|| RecoveryCode::generate(&SeededRandom::new(4)));

static PHRASE: LazyLock<Passphrase> =
    LazyLock::new(|| Passphrase::new("correct horse battery staple".to_owned()).unwrap());

pub fn texts(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(code) = RecoveryCode::parse(text) {
        let printed = code.printable();
        assert_eq!(*RecoveryCode::parse(&printed).unwrap().printable(), *printed);
    }
    if let Ok(phrase) = Passphrase::new(text.to_owned()) {
        let again = Passphrase::new(phrase.expose().to_owned()).unwrap();
        assert_eq!(again.expose(), phrase.expose(), "a normal form is its own");
    }
    if let Ok(keys) = ReleaseKeys::parse(text) {
        let twice = ReleaseKeys::parse(&format!("{text}\n# And once more\n{text}")).unwrap();
        assert_eq!(twice.is_empty(), keys.is_empty(), "a file of good lines stays one");
    }
    if let Some(read) = decode_bytes(text) {
        assert_eq!(encode_bytes(&read), text);
    }
    if let Some(read) = decode_base64(text) {
        assert_eq!(encode_base64(&read), text);
    }
}

/// Slots of a recovery code are opened. A passphrase's are not, unless their costs are refused: stretching takes too long.
pub fn open_slot_of(bytes: &[u8]) {
    let Ok(slot) = KeySlot::decode(bytes) else { return };
    match slot.secret {
        SlotSecret::RecoveryCode => {
            if let Ok(opened) = open_slot(&slot, Secret::RecoveryCode(&CODE)) {
                assert_eq!(opened.signing_key.public_key(), slot.signing_public_key);
            }
        }
        SlotSecret::Passphrase { memory_kib, passes, lanes } => {
            if KdfCosts::new(memory_kib, passes, lanes).is_err() {
                let refused = open_slot(&slot, Secret::Passphrase(&PHRASE));
                assert!(matches!(refused, Err(SlotError::UnacceptableCosts(_))));
            }
        }
    }
}

pub fn open_domain_file(bytes: &[u8]) {
    let Some(content) = bytes.len().checked_sub(32).map(|end| &bytes[..end]) else { return };
    let hashed = [content, blake3::hash(content).as_bytes()].concat();
    let Ok(sealed) = SealedDomainKey::decode(&hashed) else { return };
    if KdfCosts::new(sealed.memory_kib, sealed.passes, sealed.lanes).is_err() {
        assert!(open_domain_key(&sealed, &PHRASE).is_err());
    }
}

/// The first byte says how long the header is that the manifest is bound to.
pub fn open_manifest(bytes: &[u8]) {
    let Some((length, rest)) = bytes.split_first() else { return };
    if let Some((header, sealed)) = rest.split_at_checked(usize::from(*length)) {
        let _ = KEYS.open_manifest(header, sealed);
    }
}

pub fn signature(bytes: &[u8]) {
    let Some((key, rest)) = bytes.split_first_chunk::<32>() else { return };
    let Some((signature, message)) = rest.split_first_chunk::<64>() else { return };
    let _ = verify_signature(key, message, signature);
}
