//! A key slot: one wrapping of an epoch's data key by one secret. An object beside the packs, created once, named by
//! its hash.
//!
//! Whoever opens a slot has the data key and the signing key: one secret wraps both. Neither yields the other, for the
//! data key may be shared by the servers of a domain, and a signing key is one server's.
//!
//! ```text
//! magic "SWKSLOT" and version 1
//! | vault 16 | server 16 | domain 16 | label (varint length, ASCII) | epoch u32
//! | secret: 1, memory in KiB u32, passes u32, lanes u32 (passphrase), or 2 (recovery code)
//! | salt 32 | signing public key 32                           -- up to here: the associated data
//! | commitment 32 | wrapped data key (varint length, bytes) | wrapped signing key (the same)
//! ```

use crate::magic;
use crate::wire::{FormatError, Reader, Writer};
use stateward_model::{Label, ServerId, SlotHash, VaultId};

/// The longest slot object that a reader takes, in bytes.
pub const SLOT_BYTES_MAX: usize = 4096;

/// How a secret becomes the key that wraps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotSecret {
    /// A passphrase through Argon2id with these costs. They come from the vault, so the reader holds them between a
    /// floor and a cap (`crypto`).
    Passphrase {
        /// Memory in KiB.
        memory_kib: u32,
        /// Passes.
        passes: u32,
        /// Lanes.
        lanes: u32,
    },
    /// The printed recovery code: 256 random bits, so it needs no slow function.
    RecoveryCode,
}

/// A decoded slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySlot {
    /// The vault it was made for.
    pub vault: VaultId,
    /// The server whose keys it wraps.
    pub server: ServerId,
    /// The deduplication domain that the data key is of: by default the server itself.
    pub domain: ServerId,
    /// The server's label when the slot was made: how `recover` finds a server by name without a database.
    pub server_label: Label,
    /// The generation of data keys.
    pub epoch: u32,
    /// How the secret becomes a key.
    pub secret: SlotSecret,
    /// Random, fresh for each slot.
    pub salt: [u8; 32],
    /// Commits to the wrapping key; compared before anything is opened.
    pub commitment: [u8; 32],
    /// The sealed data key.
    pub wrapped_data_key: Vec<u8>,
    /// The sealed signing key (its 32-byte seed).
    pub wrapped_signing_key: Vec<u8>,
    /// The signing key's public half.
    pub signing_public_key: [u8; 32],
}

const WHAT: &str = "key slot";
const MAGIC: &[u8; 7] = b"SWKSLOT";
const PASSPHRASE: u8 = 1;
const RECOVERY_CODE: u8 = 2;

impl KeySlot {
    /// The bytes that bind the wrapped keys: everything but the commitment and the wrapped keys themselves.
    pub fn associated_data(&self) -> Vec<u8> {
        let mut writer = magic::begin(MAGIC);
        writer.raw(&self.vault.0);
        writer.raw(&self.server.0);
        writer.raw(&self.domain.0);
        writer.bytes(self.server_label.as_str().as_bytes());
        writer.u32(self.epoch);
        self.secret.encode(&mut writer);
        writer.raw(&self.salt);
        writer.raw(&self.signing_public_key);
        writer.0
    }

    /// The whole object.
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer(self.associated_data());
        writer.raw(&self.commitment);
        writer.bytes(&self.wrapped_data_key);
        writer.bytes(&self.wrapped_signing_key);
        writer.0
    }

    /// Reads a whole object. Its costs and its keys are for `crypto` to judge.
    pub fn decode(object: &[u8]) -> Result<Self, FormatError> {
        if object.len() > SLOT_BYTES_MAX {
            return Err(FormatError::Malformed { what: WHAT, why: "it is longer than any may be" });
        }
        let mut reader = magic::open(WHAT, MAGIC, object)?;
        let vault = VaultId(reader.array()?);
        let server = ServerId(reader.array()?);
        let domain = ServerId(reader.array()?);
        let server_label = Label::try_from(reader.text()?.to_owned())
            .map_err(|_| reader.malformed("its server's label breaks the rule of labels"))?;
        let epoch = reader.u32()?;
        let secret = SlotSecret::decode(&mut reader)?;
        let salt = reader.array()?;
        let signing_public_key = reader.array()?;
        let commitment = reader.array()?;
        let wrapped_data_key = reader.bytes()?.to_vec();
        let wrapped_signing_key = reader.bytes()?.to_vec();
        reader.finish()?;
        Ok(Self {
            vault,
            server,
            domain,
            server_label,
            epoch,
            secret,
            salt,
            commitment,
            wrapped_data_key,
            wrapped_signing_key,
            signing_public_key,
        })
    }
}

impl SlotSecret {
    fn encode(self, writer: &mut Writer) {
        match self {
            Self::Passphrase { memory_kib, passes, lanes } => {
                writer.u8(PASSPHRASE);
                [memory_kib, passes, lanes].into_iter().for_each(|cost| writer.u32(cost));
            }
            Self::RecoveryCode => writer.u8(RECOVERY_CODE),
        }
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, FormatError> {
        match reader.u8()? {
            PASSPHRASE => Ok(Self::Passphrase {
                memory_kib: reader.u32()?,
                passes: reader.u32()?,
                lanes: reader.u32()?,
            }),
            RECOVERY_CODE => Ok(Self::RecoveryCode),
            found => Err(FormatError::Unsupported { what: WHAT, found: u64::from(found) }),
        }
    }
}

/// The name of a slot object.
pub fn hash(object: &[u8]) -> SlotHash {
    SlotHash(*blake3::hash(object).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::assert_one_spelling;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn sample(secret: SlotSecret) -> KeySlot {
        KeySlot {
            vault: VaultId([1; 16]),
            server: ServerId([2; 16]),
            domain: ServerId([9; 16]),
            server_label: "web-01".parse().unwrap(),
            epoch: 3,
            secret,
            salt: [4; 32],
            commitment: [5; 32],
            wrapped_data_key: vec![6; 48],
            wrapped_signing_key: vec![7; 48],
            signing_public_key: [8; 32],
        }
    }

    const PASSPHRASE_SECRET: SlotSecret =
        SlotSecret::Passphrase { memory_kib: 128 << 10, passes: 3, lanes: 1 };

    fn slots() -> impl Strategy<Value = KeySlot> {
        let secret = any::<Option<(u32, u32, u32)>>().prop_map(|costs| match costs {
            Some((memory_kib, passes, lanes)) => SlotSecret::Passphrase { memory_kib, passes, lanes },
            None => SlotSecret::RecoveryCode,
        });
        let who = (any::<([u8; 16], [u8; 16], [u8; 16], u32)>(), "[A-Za-z0-9][A-Za-z0-9._-]{0,63}");
        let keys =
            (any::<([u8; 32], [u8; 32], [u8; 32])>(), vec(any::<u8>(), 0..99), vec(any::<u8>(), 0..99));
        (who, secret, keys).prop_map(
            |(((vault, server, domain, epoch), label), secret, (fixed, data, signing))| KeySlot {
                vault: VaultId(vault),
                server: ServerId(server),
                domain: ServerId(domain),
                server_label: label.parse().unwrap(),
                epoch,
                secret,
                salt: fixed.0,
                commitment: fixed.1,
                wrapped_data_key: data,
                wrapped_signing_key: signing,
                signing_public_key: fixed.2,
            },
        )
    }

    proptest! {
        #[test]
        fn a_slot_survives_its_encoding(slot in slots()) {
            let object = slot.encode();
            prop_assert!(object.starts_with(&slot.associated_data()));
            prop_assert_eq!(KeySlot::decode(&object).unwrap(), slot);
        }

        #[test]
        fn any_bytes_are_read_or_refused(tail in vec(any::<u8>(), 0..300)) {
            let _ = KeySlot::decode(&tail);
            let _ = KeySlot::decode(&[magic::begin(MAGIC).0, tail].concat());
        }

        #[test]
        fn what_is_read_has_just_this_encoding(slot in slots()) {
            assert_one_spelling(&slot.encode(), |bytes| KeySlot::decode(bytes).ok().map(|read| read.encode()));
        }
    }

    #[test]
    fn the_encoding_never_moves() {
        let passphrase = sample(PASSPHRASE_SECRET).encode();
        assert_eq!(&passphrase[..8], b"SWKSLOT\x01");
        assert_eq!(
            hash(&passphrase).to_string(),
            "aa4ade902ceb964a82e4b46e8c230d8c7097f4f213f204d6e0460eab70844459"
        );
        let code = sample(SlotSecret::RecoveryCode).encode();
        assert_eq!(
            hash(&code).to_string(),
            "2c126407193d7895fc2514944dc69fff50d082e09ec344d6aa8352cece52cae1"
        );
    }

    #[test]
    fn any_shorter_or_longer_object_is_refused() {
        let mut bytes = sample(PASSPHRASE_SECRET).encode();
        for length in 0..bytes.len() {
            assert!(KeySlot::decode(&bytes[..length]).is_err(), "{length}");
        }
        bytes.push(0);
        assert!(KeySlot::decode(&bytes).is_err());
        let slot = KeySlot { wrapped_data_key: vec![0; SLOT_BYTES_MAX], ..sample(SlotSecret::RecoveryCode) };
        assert!(KeySlot::decode(&slot.encode()).is_err());
    }

    #[test]
    fn another_kind_of_secret_needs_a_newer_build() {
        let mut bytes = sample(SlotSecret::RecoveryCode).encode();
        let at = 8 + 16 + 16 + 16 + 1 + "web-01".len() + 4;
        assert_eq!(bytes[at], RECOVERY_CODE);
        bytes[at] = 3;
        assert!(matches!(KeySlot::decode(&bytes), Err(FormatError::Unsupported { found: 3, .. })));
    }
}
