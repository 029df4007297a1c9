//! The vault's word that it holds a recovery point, and since when: signed, and kept as an object beside the point.
//!
//! Retention uses the receipt's time, never the agent's. The vault's signing key is a file outside of its database;
//! its public half travels in the vault-credentials file.
//!
//! ```text
//! magic "SWRECPT" and version 1 | vault 16 | server 16 | sequence u64 | point 32 | received at 8
//! | Ed25519 signature over all before it, 64 bytes
//! ```

use crate::magic;
use crate::wire::FormatError;
use stateward_model::{PointHash, Sequence, ServerId, Timestamp, VaultId};

/// What the vault says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// Which vault speaks.
    pub vault: VaultId,
    /// Whose point.
    pub server: ServerId,
    /// Its place in the chain.
    pub sequence: Sequence,
    /// Which point.
    pub point: PointHash,
    /// When the vault committed it, by the vault's clock.
    pub received_at: Timestamp,
}

const WHAT: &str = "receipt";
const MAGIC: &[u8; 7] = b"SWRECPT";

/// The bytes to sign (they begin with a fixed prefix that no other signed thing has).
pub fn encode_unsigned(receipt: &Receipt) -> Vec<u8> {
    let mut writer = magic::begin(MAGIC);
    writer.raw(&receipt.vault.0);
    writer.raw(&receipt.server.0);
    writer.u64(receipt.sequence);
    writer.raw(&receipt.point.0);
    writer.time(receipt.received_at);
    writer.0
}

/// The whole object from its parts.
pub fn finish(mut unsigned: Vec<u8>, signature: [u8; 64]) -> Vec<u8> {
    unsigned.extend_from_slice(&signature);
    unsigned
}

/// Reads a whole object (unsigned bytes, then 64 bytes of Ed25519); gives the receipt, the signed bytes and the
/// signature, which the caller must check.
pub fn decode(object: &[u8]) -> Result<(Receipt, &[u8], [u8; 64]), FormatError> {
    let mut reader = magic::open(WHAT, MAGIC, object)?;
    let receipt = Receipt {
        vault: VaultId(reader.array()?),
        server: ServerId(reader.array()?),
        sequence: reader.u64()?,
        point: PointHash(reader.array()?),
        received_at: reader.time()?,
    };
    let unsigned = &object[..object.len() - reader.left()];
    let signature = reader.array()?;
    if receipt.sequence == 0 {
        return Err(reader.malformed("its sequence number is 0"));
    }
    reader.finish()?;
    Ok((receipt, unsigned, signature))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::assert_one_spelling;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn sample() -> Receipt {
        Receipt {
            vault: VaultId([1; 16]),
            server: ServerId([2; 16]),
            sequence: 3,
            point: PointHash([4; 32]),
            received_at: Timestamp(1_795_000_000_000_000_005),
        }
    }

    proptest! {
        #[test]
        fn a_receipt_survives_its_encoding(
            vault: [u8; 16], server: [u8; 16], sequence in 1..=u64::MAX, point: [u8; 32], time: i64,
        ) {
            let receipt = Receipt {
                vault: VaultId(vault),
                server: ServerId(server),
                sequence,
                point: PointHash(point),
                received_at: Timestamp(time),
            };
            let unsigned = encode_unsigned(&receipt);
            let object = finish(unsigned.clone(), [6; 64]);
            prop_assert_eq!(decode(&object).unwrap(), (receipt, unsigned.as_slice(), [6; 64]));
            assert_one_spelling(&object, |bytes| {
                decode(bytes).ok().map(|(read, _, signature)| finish(encode_unsigned(&read), signature))
            });
        }

        #[test]
        fn any_bytes_are_read_or_refused(tail in vec(any::<u8>(), 0..200)) {
            let _ = decode(&tail);
            let _ = decode(&[magic::begin(MAGIC).0, tail].concat());
        }
    }

    #[test]
    fn the_encoding_never_moves() {
        let bytes = finish(encode_unsigned(&sample()), [6; 64]);
        assert_eq!((&bytes[..8], bytes.len()), (b"SWRECPT\x01".as_slice(), 152));
        assert_eq!(
            blake3::hash(&bytes).to_hex().as_str(),
            "dd88be68cb3fe19615c29bef600ed1346eee70355167054293b5769358d12483"
        );
    }

    #[test]
    fn any_shorter_or_longer_object_and_sequence_0_are_refused() {
        let mut bytes = finish(encode_unsigned(&sample()), [6; 64]);
        for length in 0..bytes.len() {
            assert!(decode(&bytes[..length]).is_err(), "{length}");
        }
        bytes.push(0);
        assert!(decode(&bytes).is_err());
        let unsigned = encode_unsigned(&Receipt { sequence: 0, ..sample() });
        assert!(decode(&finish(unsigned, [6; 64])).is_err());
    }
}
