//! The keys of one pack.
//!
//! From the epoch's secret for packs and the pack's salt come four outputs of HKDF-SHA256: keys for frames, table and
//! trailer, and the commitment that stands in the pack. Whoever finds a second key for the same commitment has found
//! a collision in HMAC-SHA256.

use crate::SealError;
use crate::aead::{self, NumberedKey};
use crate::hkdf::Derivation;

// Labels of the derivation from a pack's salt. Each is used once, here.
const FRAME_LABEL: &str = "stateward v1 pack frames";
const TABLE_LABEL: &str = "stateward v1 pack table";
const TRAILER_LABEL: &str = "stateward v1 pack trailer";
const COMMITMENT_LABEL: &str = "stateward v1 pack commitment";

/// The keys of one pack. Sealing: each ordinal, the table and the trailer once in the life of a salt.
pub struct PackKeys {
    frames: NumberedKey,
    table: NumberedKey,
    trailer: NumberedKey,
    commitment: [u8; 32],
}

impl PackKeys {
    pub(crate) fn derive(pack_secret: &[u8; 32], salt: &[u8; 32], context: &[u8; 36]) -> Self {
        let derivation = Derivation::new(salt, pack_secret);
        Self {
            frames: NumberedKey::new(&derivation.key(FRAME_LABEL, context)),
            table: NumberedKey::new(&derivation.key(TABLE_LABEL, context)),
            trailer: NumberedKey::new(&derivation.key(TRAILER_LABEL, context)),
            commitment: *derivation.key(COMMITMENT_LABEL, context),
        }
    }

    /// What the pack says of its key; not secret.
    pub fn commitment(&self) -> &[u8; 32] {
        &self.commitment
    }

    /// Whether a pack that says this was sealed with these keys. Check it before anything of the pack is opened.
    ///
    /// # Errors
    /// [`SealError::WrongKey`].
    pub fn check_commitment(&self, found: &[u8; 32]) -> Result<(), SealError> {
        aead::check_commitment(&self.commitment, found)
    }

    /// Seals the frame `buffer[from..]` in place and appends [`TAG_BYTES`](crate::TAG_BYTES) bytes. An ordinal may be
    /// given once.
    ///
    /// # Panics
    /// If `from` lies behind the buffer's end.
    pub fn seal_frame(&self, ordinal: u32, associated: &[u8], buffer: &mut Vec<u8>, from: usize) {
        self.frames.seal(ordinal, associated, buffer, from);
    }

    /// Opens a frame in place and gives its plaintext, the front of `sealed`.
    ///
    /// # Errors
    /// [`SealError::Tampered`]; `sealed` holds nothing of use then.
    pub fn open_frame<'a>(
        &self,
        ordinal: u32,
        associated: &[u8],
        sealed: &'a mut [u8],
    ) -> Result<&'a mut [u8], SealError> {
        self.frames.open(ordinal, associated, sealed)
    }

    /// Seals the table `buffer[from..]`, as [`Self::seal_frame`] does, once.
    ///
    /// # Panics
    /// If `from` lies behind the buffer's end.
    pub fn seal_table(&self, associated: &[u8], buffer: &mut Vec<u8>, from: usize) {
        self.table.seal(0, associated, buffer, from);
    }

    /// Opens the table in place.
    ///
    /// # Errors
    /// [`SealError::Tampered`].
    pub fn open_table<'a>(&self, associated: &[u8], sealed: &'a mut [u8]) -> Result<&'a mut [u8], SealError> {
        self.table.open(0, associated, sealed)
    }

    /// Seals the trailer `buffer[from..]`, as [`Self::seal_frame`] does, once.
    ///
    /// # Panics
    /// If `from` lies behind the buffer's end.
    pub fn seal_trailer(&self, associated: &[u8], buffer: &mut Vec<u8>, from: usize) {
        self.trailer.seal(0, associated, buffer, from);
    }

    /// Opens the trailer in place.
    ///
    /// # Errors
    /// [`SealError::Tampered`].
    pub fn open_trailer<'a>(
        &self,
        associated: &[u8],
        sealed: &'a mut [u8],
    ) -> Result<&'a mut [u8], SealError> {
        self.trailer.open(0, associated, sealed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::hex;

    fn keys(salt: u8) -> PackKeys {
        PackKeys::derive(&[1; 32], &[salt; 32], &[2; 36])
    }

    fn sealed(seal: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
        let mut buffer = b"the same text".to_vec();
        seal(&mut buffer);
        buffer
    }

    #[test]
    fn the_keys_never_move() {
        let keys = keys(3);
        assert_eq!(
            hex(keys.commitment()),
            "1bf0b5a9e6df77ca12b10e8150c86cc1286e23d90eb0d6e1778fd9a87789d9fe"
        );
        let frame = sealed(|buffer| keys.seal_frame(7, b"bound", buffer, 0));
        let table = sealed(|buffer| keys.seal_table(b"bound", buffer, 0));
        let trailer = sealed(|buffer| keys.seal_trailer(b"bound", buffer, 0));
        assert_eq!(hex(&frame), "afe96a198f406fb06806e94a0f3524890a062a72bef087e0a51005cc1c");
        assert_eq!(hex(&table), "88e57a2ac4f9245dec71036d2cd5fcf33a1c158b5abb9380c759a763cc");
        assert_eq!(hex(&trailer), "72a1d572ebbadb4566594739b07701cf142c75d26ebc2dfe7f89a647b6");
    }

    #[test]
    fn one_text_is_sealed_differently_by_each_key_ordinal_and_salt() {
        let (keys, other) = (keys(3), keys(4));
        let all = [
            sealed(|buffer| keys.seal_frame(0, b"", buffer, 0)),
            sealed(|buffer| keys.seal_frame(1, b"", buffer, 0)),
            sealed(|buffer| keys.seal_table(b"", buffer, 0)),
            sealed(|buffer| keys.seal_trailer(b"", buffer, 0)),
            sealed(|buffer| other.seal_frame(0, b"", buffer, 0)),
        ];
        let different: std::collections::HashSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len());
    }

    #[test]
    fn each_part_opens_only_as_what_it_is() {
        let keys = keys(3);
        let frame = sealed(|buffer| keys.seal_frame(0, b"a", buffer, 0));
        assert_eq!(keys.open_frame(0, b"a", &mut frame.clone()).unwrap(), b"the same text");
        assert_eq!(keys.open_table(b"a", &mut frame.clone()), Err(SealError::Tampered));
        assert_eq!(keys.open_trailer(b"a", &mut frame.clone()), Err(SealError::Tampered));
        let table = sealed(|buffer| keys.seal_table(b"a", buffer, 0));
        assert_eq!(keys.open_table(b"a", &mut table.clone()).unwrap(), b"the same text");
        assert_eq!(keys.open_frame(0, b"a", &mut table.clone()), Err(SealError::Tampered));
        let trailer = sealed(|buffer| keys.seal_trailer(b"a", buffer, 0));
        assert_eq!(keys.open_trailer(b"a", &mut trailer.clone()).unwrap(), b"the same text");
        assert_eq!(keys.open_table(b"a", &mut trailer.clone()), Err(SealError::Tampered));
    }

    #[test]
    fn a_commitment_is_one_to_its_own_salt_only() {
        assert_eq!(keys(3).check_commitment(keys(3).commitment()), Ok(()));
        assert_eq!(keys(3).check_commitment(keys(4).commitment()), Err(SealError::WrongKey));
        for bit in 0..256 {
            let mut damaged = *keys(3).commitment();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(keys(3).check_commitment(&damaged), Err(SealError::WrongKey));
        }
    }
}
