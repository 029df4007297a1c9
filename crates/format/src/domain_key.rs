//! A domain file: the data key of a deduplication domain, sealed by a passphrase for a server that joins. It lies in no
//! store; a person carries it.
//!
//! ```text
//! magic "SWDOMKY" and version 1
//! | vault 16 | domain 16 | epoch u32 | memory in KiB u32 | passes u32 | lanes u32 | salt 32   -- the associated data
//! | commitment 32 | wrapped data key 48 | BLAKE3 of all before it 32
//! ```
//! The hash at the end proves nothing against who means harm: it tells a file that was damaged on its way from a wrong
//! passphrase.

use crate::magic;
use crate::wire::{FormatError, Reader, Writer};
use stateward_model::{ServerId, VaultId};

/// How long the file is, in bytes.
pub const DOMAIN_KEY_BYTES: usize = 8 + 16 + 16 + 4 * 4 + 32 + 32 + WRAPPED_BYTES + HASH_BYTES;

const WRAPPED_BYTES: usize = 48;
const HASH_BYTES: usize = 32;
const WHAT: &str = "domain file";
const MAGIC: &[u8; 7] = b"SWDOMKY";

/// A decoded domain file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedDomainKey {
    /// The vault that the domain is in.
    pub vault: VaultId,
    /// The domain: the id of the server that founded it.
    pub domain: ServerId,
    /// The generation of data keys.
    pub epoch: u32,
    /// Argon2id's memory in KiB. This and the next two are for `crypto` to judge.
    pub memory_kib: u32,
    /// Argon2id's passes.
    pub passes: u32,
    /// Argon2id's lanes.
    pub lanes: u32,
    /// Random, fresh for each file.
    pub salt: [u8; 32],
    /// Commits to the wrapping key; compared before anything is opened.
    pub commitment: [u8; 32],
    /// The sealed data key.
    pub wrapped_data_key: [u8; WRAPPED_BYTES],
}

impl SealedDomainKey {
    /// The bytes that bind the wrapped key: everything before the commitment.
    pub fn associated_data(&self) -> Vec<u8> {
        let mut writer = magic::begin(MAGIC);
        writer.raw(&self.vault.0);
        writer.raw(&self.domain.0);
        [self.epoch, self.memory_kib, self.passes, self.lanes]
            .into_iter()
            .for_each(|number| writer.u32(number));
        writer.raw(&self.salt);
        writer.0
    }

    /// The whole file.
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer(self.associated_data());
        writer.raw(&self.commitment);
        writer.raw(&self.wrapped_data_key);
        let hash = blake3::hash(&writer.0);
        writer.raw(hash.as_bytes());
        writer.0
    }

    /// Reads a whole file.
    ///
    /// # Errors
    /// It is no domain file, not whole, or a newer version's.
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        let mut reader = magic::open(WHAT, MAGIC, bytes)?;
        let key = Self {
            vault: VaultId(reader.array()?),
            domain: ServerId(reader.array()?),
            epoch: reader.u32()?,
            memory_kib: reader.u32()?,
            passes: reader.u32()?,
            lanes: reader.u32()?,
            salt: reader.array()?,
            commitment: reader.array()?,
            wrapped_data_key: reader.array()?,
        };
        let hash = blake3::hash(&bytes[..bytes.len() - reader.left()]);
        if reader.array::<HASH_BYTES>()? != *hash.as_bytes() {
            return Err(Reader::new(WHAT, bytes).malformed("its bytes do not have the hash at its end"));
        }
        reader.finish()?;
        Ok(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::assert_one_spelling;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn sample() -> SealedDomainKey {
        SealedDomainKey {
            vault: VaultId([1; 16]),
            domain: ServerId([2; 16]),
            epoch: 3,
            memory_kib: 128 << 10,
            passes: 3,
            lanes: 1,
            salt: [4; 32],
            commitment: [5; 32],
            wrapped_data_key: [6; 48],
        }
    }

    #[test]
    fn the_encoding_never_moves_and_survives() {
        let bytes = sample().encode();
        assert_eq!(bytes.len(), DOMAIN_KEY_BYTES);
        assert_eq!(SealedDomainKey::decode(&bytes).unwrap(), sample());
        assert_eq!(
            blake3::hash(&bytes).to_hex().as_str(),
            "d30f6fe184034c9321a5e85a2da3a7c934ed63bcb2c5914c43f03cd11ee04e53"
        );
    }

    #[test]
    fn every_flipped_bit_and_every_other_length_is_noticed() {
        let bytes = sample().encode();
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(SealedDomainKey::decode(&damaged).is_err(), "bit {bit}");
        }
        for length in 0..bytes.len() {
            assert!(SealedDomainKey::decode(&bytes[..length]).is_err(), "{length}");
        }
        assert!(SealedDomainKey::decode(&[bytes, vec![0]].concat()).is_err());
    }

    proptest! {
        #[test]
        fn any_owner_costs_and_keys_survive(
            ids: ([u8; 16], [u8; 16], u32), costs: (u32, u32, u32), keys: ([u8; 32], [u8; 32], [u8; 32], [u8; 16]),
        ) {
            let mut wrapped_data_key = [0; 48];
            wrapped_data_key[..32].copy_from_slice(&keys.2);
            wrapped_data_key[32..].copy_from_slice(&keys.3);
            let sealed = SealedDomainKey {
                vault: VaultId(ids.0),
                domain: ServerId(ids.1),
                epoch: ids.2,
                memory_kib: costs.0,
                passes: costs.1,
                lanes: costs.2,
                salt: keys.0,
                commitment: keys.1,
                wrapped_data_key,
            };
            let encoded = sealed.encode();
            prop_assert_eq!(SealedDomainKey::decode(&encoded).unwrap(), sealed);
            assert_one_spelling(&encoded, |bytes| SealedDomainKey::decode(bytes).ok().map(|read| read.encode()));
        }

        #[test]
        fn any_bytes_are_read_or_refused(tail in vec(any::<u8>(), 0..300)) {
            let _ = SealedDomainKey::decode(&tail);
            let _ = SealedDomainKey::decode(&[magic::begin(MAGIC).0, tail].concat());
        }
    }
}
