//! A server's key slots, opened by a passphrase or a recovery code.

use crate::AgentError;
use crate::secrets::{Secret, SecretError};
use stateward_crypto::{KdfCosts, OpenedSlot, SlotError, open_slot};
use stateward_format::slot::{KeySlot, SlotSecret};
use stateward_model::{ServerId, VaultId};

/// How much is done to try a secret on slots, in KiB of memory passed over: fifty slots as they are made, some 20 seconds.
/// Whoever has the folder, or is the vault, may have put any number of slots there.
const WORK_MAX: u64 = 50 * (128 << 10) * 3;

/// What trying a secret on a slot takes. Costs that are refused take nothing.
fn work_of(slot: &KeySlot) -> u64 {
    match slot.secret {
        SlotSecret::Passphrase { memory_kib, passes, lanes } => KdfCosts::new(memory_kib, passes, lanes)
            .map_or(0, |costs| u64::from(costs.memory_kib()) * u64::from(costs.passes())),
        SlotSecret::RecoveryCode => 0,
    }
}

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
    let (mut opened, mut unusable, mut work) = (Vec::<OpenedSlot>::new(), None, 0);
    for slot in &slots {
        // One slot of an epoch is enough: all of them wrap the same key.
        if opened.iter().any(|known| known.owner.epoch == slot.epoch) {
            continue;
        }
        work += work_of(slot);
        if work > WORK_MAX {
            let words = "there are more of them than can be tried, as no server makes; take those away that it did not";
            unusable = Some(words.to_owned());
            break;
        }
        match open_slot(slot, secret) {
            Ok(found) => opened.push(found),
            Err(SlotError::WrongSecret | SlotError::OtherKind) => (),
            Err(error) => unusable = Some(error.to_string()),
        }
    }
    match (opened.is_empty(), slots.is_empty(), unusable) {
        (false, ..) => Ok(opened),
        (_, true, _) => Err(SecretError::NoSlot(kind_of(secret)).into()),
        (_, _, Some(why)) => Err(SecretError::SlotUnusable(why).into()),
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
