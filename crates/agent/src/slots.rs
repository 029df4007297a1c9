//! A server's key slots, opened by a passphrase or a recovery code.

use crate::AgentError;
use crate::secrets::{Secret, SecretError};
use stateward_crypto::{OpenedSlot, SlotError, open_slot};
use stateward_format::slot::{KeySlot, SlotSecret};
use stateward_model::{ServerId, VaultId};

/// Opens every slot that the secret opens, newest epoch first.
pub(crate) fn open_slots(
    objects: &[Vec<u8>],
    secret: Secret<'_>,
    owner: (VaultId, ServerId),
) -> Result<Vec<OpenedSlot>, AgentError> {
    let is_fitting = |slot: &KeySlot| {
        let is_passphrase = matches!(slot.secret, SlotSecret::Passphrase { .. });
        (slot.vault, slot.server) == owner && is_passphrase == matches!(secret, Secret::Passphrase(_))
    };
    let mut slots: Vec<KeySlot> =
        objects.iter().filter_map(|object| KeySlot::decode(object).ok()).filter(is_fitting).collect();
    slots.sort_by_key(|slot| std::cmp::Reverse(slot.epoch));
    let (mut opened, mut unusable) = (Vec::<OpenedSlot>::new(), None);
    for slot in &slots {
        // One slot of an epoch is enough: all of them wrap the same key.
        if opened.iter().any(|known| known.owner.epoch == slot.epoch) {
            continue;
        }
        match open_slot(slot, secret) {
            Ok(found) => opened.push(found),
            Err(SlotError::WrongSecret | SlotError::OtherKind) => (),
            Err(error) => unusable = Some(error),
        }
    }
    match (opened.is_empty(), slots.is_empty(), unusable) {
        (false, ..) => Ok(opened),
        (_, true, _) => Err(SecretError::NoSlot(kind_of(secret)).into()),
        (_, _, Some(error)) => Err(SecretError::SlotUnusable(error.to_string()).into()),
        _ => Err(match secret {
            Secret::Passphrase(_) => SecretError::WrongPassphrase,
            Secret::RecoveryCode(_) => SecretError::WrongRecoveryCode,
        }
        .into()),
    }
}

fn kind_of(secret: Secret<'_>) -> &'static str {
    match secret {
        Secret::Passphrase(_) => "passphrase",
        Secret::RecoveryCode(_) => "recovery code",
    }
}
