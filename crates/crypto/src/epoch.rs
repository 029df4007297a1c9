//! What a data key becomes: the keys of one deduplication domain in one epoch.

use crate::hkdf::Derivation;
use crate::{DataKey, PackKeys};
use stateward_format::ChunkId;
use stateward_model::{ServerId, VaultId};
use zeroize::Zeroizing;

// Labels of the derivation from the data key. Each is used once, here.
const EPOCH_SALT: &[u8] = b"stateward v1 data key";
const CHUNK_ID_LABEL: &str = "stateward v1 chunk ids";
const GEAR_LABEL: &str = "stateward v1 cutter's gear table";
const PACK_LABEL: &str = "stateward v1 packs";
const MANIFEST_LABEL: &str = "stateward v1 manifests";

/// The keys of one domain (by default: one server) in one epoch. Make them once and share them: deriving costs
/// microseconds, and every secret of them is erased when dropped.
pub struct EpochKeys {
    vault: VaultId,
    domain: ServerId,
    epoch: u32,
    chunk_id_key: Zeroizing<[u8; 32]>,
    gear_key: Zeroizing<[u8; 32]>,
    pack_secret: Zeroizing<[u8; 32]>,
    pub(crate) manifest_secret: Zeroizing<[u8; 32]>,
}

impl EpochKeys {
    /// Derives them all. The same data key in another vault, domain or epoch gives other keys.
    pub fn derive(data_key: &DataKey, vault: VaultId, domain: ServerId, epoch: u32) -> Self {
        let derivation = Derivation::new(EPOCH_SALT, data_key.as_bytes());
        let context = context(vault, domain, epoch);
        Self {
            vault,
            domain,
            epoch,
            chunk_id_key: derivation.key(CHUNK_ID_LABEL, &context),
            gear_key: derivation.key(GEAR_LABEL, &context),
            pack_secret: derivation.key(PACK_LABEL, &context),
            manifest_secret: derivation.key(MANIFEST_LABEL, &context),
        }
    }

    /// The vault.
    pub fn vault(&self) -> VaultId {
        self.vault
    }

    /// The deduplication domain.
    pub fn domain(&self) -> ServerId {
        self.domain
    }

    /// The generation of data keys.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// A chunk's name: BLAKE3 of its plaintext, keyed. Tells nothing to who lacks the key, not even whether a known
    /// text is among the chunks.
    pub fn chunk_id(&self, plaintext: &[u8]) -> ChunkId {
        ChunkId(*blake3::keyed_hash(&self.chunk_id_key, plaintext).as_bytes())
    }

    /// The cutter's secret table: one random number for each byte, so that where chunks end depends on the key and a
    /// file is not known by the lengths of its chunks.
    pub fn gear_table(&self) -> Box<[u64; 256]> {
        let mut bytes = Zeroizing::new([0; 256 * 8]);
        blake3::Hasher::new_keyed(&self.gear_key).finalize_xof().fill(bytes.as_mut());
        let mut table = Box::new([0; 256]);
        for (number, bytes) in table.iter_mut().zip(bytes.as_chunks::<8>().0) {
            *number = u64::from_le_bytes(*bytes);
        }
        table
    }

    /// The keys of the pack that begins with this salt. A new pack needs 32 fresh random bytes, and new ones again if
    /// anything of it is sealed a second time.
    pub fn pack_keys(&self, salt: &[u8; 32]) -> PackKeys {
        PackKeys::derive(&self.pack_secret, salt, &self.context())
    }

    pub(crate) fn context(&self) -> [u8; 36] {
        context(self.vault, self.domain, self.epoch)
    }
}

/// Where keys belong: vault, domain, epoch (little-endian).
pub(crate) fn context(vault: VaultId, domain: ServerId, epoch: u32) -> [u8; 36] {
    let mut bytes = [0; 36];
    bytes[..16].copy_from_slice(&vault.0);
    bytes[16..32].copy_from_slice(&domain.0);
    bytes[32..].copy_from_slice(&epoch.to_le_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::hex;
    use std::collections::HashSet;

    fn keys(data_key: u8, vault: u8, domain: u8, epoch: u32) -> EpochKeys {
        EpochKeys::derive(
            &DataKey::from_bytes([data_key; 32]),
            VaultId([vault; 16]),
            ServerId([domain; 16]),
            epoch,
        )
    }

    #[test]
    fn the_derivation_never_moves() {
        let keys = keys(1, 2, 3, 4);
        assert_eq!(
            hex(&keys.chunk_id(b"").0),
            "877aa5c14c789b35fb53fb002e30f2851f8314afcbb2dd1d197d987a74eea196"
        );
        assert_eq!(
            hex(&keys.chunk_id(&[5; 100_000]).0),
            "a94d314523aa20b357a35b470c1b5c29b666079b42314929f6c0799c3789ee20"
        );
        let table: Vec<u8> = keys.gear_table().iter().flat_map(|number| number.to_le_bytes()).collect();
        assert_eq!(hex(&table[..16]), "a61fd20dc97063497043b74fc1d16b70");
        assert_eq!(
            blake3::hash(&table).to_hex().as_str(),
            "747525d13f84d9b0f42f5d303ab02a91eb831a41ef25e38263abe896bac50ebe"
        );
    }

    #[test]
    fn key_vault_domain_and_epoch_each_change_every_key() {
        let all = [(1, 2, 3, 4), (9, 2, 3, 4), (1, 9, 3, 4), (1, 2, 9, 4), (1, 2, 3, 9)];
        let mut seen = HashSet::new();
        for (data_key, vault, domain, epoch) in all {
            let keys = keys(data_key, vault, domain, epoch);
            for key in [&keys.chunk_id_key, &keys.gear_key, &keys.pack_secret, &keys.manifest_secret] {
                assert!(seen.insert(**key));
            }
            assert!(seen.insert(keys.chunk_id(b"same").0));
            assert!(seen.insert(*keys.pack_keys(&[0; 32]).commitment()));
        }
        assert_eq!(seen.len(), 30);
    }

    #[test]
    fn the_gear_table_has_no_number_twice() {
        let table = keys(1, 2, 3, 4).gear_table();
        assert_eq!(table.iter().collect::<HashSet<_>>().len(), 256);
    }
}
