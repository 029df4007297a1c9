//! Sealing a manifest: one message, one key, a length that tells little.
//!
//! ```text
//! salt 32 | commitment 32 | AES-256-GCM of (length u64 | manifest | zeros up to Padmé's length), tag 16
//! ```
//! Key and commitment are outputs of HKDF-SHA256 over the epoch's secret for manifests and the fresh salt. The
//! associated data are the point's header, so a manifest can't be moved to another point.

use crate::aead::{self, NumberedKey};
use crate::hkdf::Derivation;
use crate::{EpochKeys, SealError, TAG_BYTES, padme};
use stateward_model::Random;
use zeroize::Zeroizing;

// Labels of the derivation from a manifest's salt. Each is used once, here.
const KEY_LABEL: &str = "stateward v1 manifest key";
const COMMITMENT_LABEL: &str = "stateward v1 manifest commitment";

const LENGTH_BYTES: usize = 8;
const PREFIX_BYTES: usize = 64;

impl EpochKeys {
    /// Seals a manifest to its point's header (the bytes of `stateward_format::point::encode_header`).
    pub fn seal_manifest(&self, random: &dyn Random, header: &[u8], manifest: &[u8]) -> Vec<u8> {
        let mut salt = [0; 32];
        random.fill(&mut salt);
        let (key, commitment) = self.manifest_key(&salt);
        let length = LENGTH_BYTES + manifest.len();
        let padded = padme(length as u64) as usize;
        let mut sealed = Vec::with_capacity(PREFIX_BYTES + padded + TAG_BYTES);
        sealed.extend_from_slice(&salt);
        sealed.extend_from_slice(&*commitment);
        sealed.extend_from_slice(&(manifest.len() as u64).to_le_bytes());
        sealed.extend_from_slice(manifest);
        sealed.resize(PREFIX_BYTES + padded, 0);
        key.seal(0, header, &mut sealed, PREFIX_BYTES);
        sealed
    }

    /// Opens what [`Self::seal_manifest`] sealed to the same header.
    ///
    /// # Errors
    /// [`SealError::WrongKey`] when the commitment is one to another key; otherwise [`SealError::Tampered`].
    pub fn open_manifest(&self, header: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let (salt, rest) = sealed.split_first_chunk::<32>().ok_or(SealError::Tampered)?;
        let (found, rest) = rest.split_first_chunk::<32>().ok_or(SealError::Tampered)?;
        let (key, commitment) = self.manifest_key(salt);
        aead::check_commitment(&commitment, found)?;
        let mut buffer = rest.to_vec();
        unpad(key.open(0, header, &mut buffer)?).map(<[u8]>::to_vec)
    }

    fn manifest_key(&self, salt: &[u8; 32]) -> (NumberedKey, Zeroizing<[u8; 32]>) {
        let derivation = Derivation::new(salt, &self.manifest_secret);
        let context = self.context();
        let key = NumberedKey::new(&derivation.key(KEY_LABEL, &context));
        (key, derivation.key(COMMITMENT_LABEL, &context))
    }
}

/// What a length and zeros were put around.
fn unpad(padded: &[u8]) -> Result<&[u8], SealError> {
    let (length, rest) = padded.split_first_chunk::<LENGTH_BYTES>().ok_or(SealError::Tampered)?;
    let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| SealError::Tampered)?;
    let (content, zeros) = rest.split_at_checked(length).ok_or(SealError::Tampered)?;
    let is_padded = padme((LENGTH_BYTES + length) as u64) == padded.len() as u64;
    match is_padded && zeros.iter().all(|byte| *byte == 0) {
        true => Ok(content),
        false => Err(SealError::Tampered),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DataKey;
    use crate::testing::{Counting, hex};
    use proptest::collection::vec;
    use proptest::prelude::*;
    use stateward_model::{ServerId, VaultId};

    fn keys(epoch: u32) -> EpochKeys {
        EpochKeys::derive(&DataKey::from_bytes([1; 32]), VaultId([2; 16]), ServerId([3; 16]), epoch)
    }

    proptest! {
        #[test]
        fn a_manifest_comes_back(header in vec(any::<u8>(), 0..99), manifest in vec(any::<u8>(), 0..2000)) {
            let sealed = keys(1).seal_manifest(&Counting::new(), &header, &manifest);
            let content = sealed.len() - PREFIX_BYTES - TAG_BYTES;
            prop_assert_eq!(content as u64, padme(8 + manifest.len() as u64));
            prop_assert_eq!(keys(1).open_manifest(&header, &sealed).unwrap(), manifest);
        }

        #[test]
        fn any_bytes_are_refused(bytes in vec(any::<u8>(), 0..200)) {
            prop_assert!(keys(1).open_manifest(b"", &bytes).is_err());
        }
    }

    #[test]
    fn the_seal_never_moves() {
        let sealed = keys(1).seal_manifest(&Counting::new(), b"header", b"manifest");
        assert_eq!(
            hex(&sealed),
            "71e0a99173564931c0b8acc52d2685a8e39c64dc52e3d02390fdac2a12b155cb652da3f634e58b3d112b76793ce85a36994f198e4b1da68f42b87692ed07c46387a0652fc0f40b34b0d1f4ad3390dacf6dbcca0544b7b72d741969c1bacd1ac7"
        );
    }

    #[test]
    fn every_flipped_bit_every_cut_and_another_header_are_refused() {
        let sealed = keys(1).seal_manifest(&Counting::new(), b"header", b"manifest");
        for bit in 0..sealed.len() * 8 {
            let mut damaged = sealed.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let expected = if bit < PREFIX_BYTES * 8 { SealError::WrongKey } else { SealError::Tampered };
            assert_eq!(keys(1).open_manifest(b"header", &damaged), Err(expected), "bit {bit}");
        }
        for length in 0..sealed.len() {
            assert_eq!(keys(1).open_manifest(b"header", &sealed[..length]), Err(SealError::Tampered));
        }
        assert_eq!(keys(1).open_manifest(b"other", &sealed), Err(SealError::Tampered));
        assert_eq!(keys(2).open_manifest(b"header", &sealed), Err(SealError::WrongKey));
    }

    #[test]
    fn one_manifest_is_sealed_differently_each_time() {
        let random = Counting::new();
        let one = keys(1).seal_manifest(&random, b"header", b"manifest");
        let two = keys(1).seal_manifest(&random, b"header", b"manifest");
        assert_ne!(one[..32], two[..32]);
        assert_ne!(one[PREFIX_BYTES..], two[PREFIX_BYTES..]);
    }

    #[test]
    fn padding_that_seal_never_makes_is_refused() {
        let good = [8u64.to_le_bytes().as_slice(), b"manifest"].concat();
        assert_eq!(unpad(&good), Ok(b"manifest".as_slice()));
        let bad: [&[u8]; 4] = [b"", &[9; 8], &[7, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1], &[0; 20]];
        for padded in bad {
            assert_eq!(unpad(padded), Err(SealError::Tampered), "{padded:?}");
        }
    }
}
