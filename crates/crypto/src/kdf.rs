//! Argon2id: from what a person can remember to a key, slowly and with much memory.

use crate::Passphrase;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use zeroize::{Zeroize, Zeroizing};

/// What turning a passphrase into a key costs. Only costs between [`Self::FLOOR`] and [`Self::CAP`] can be had: they
/// are read from an untrusted vault, which must not make them cheap to break or too dear to open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KdfCosts {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

/// Costs below the floor or above the cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "A key slot asks for {memory_kib} KiB of memory, {passes} passes and {lanes} lanes, \
     which is less than is safe or more than is sane"
)]
pub struct UnacceptableCosts {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl KdfCosts {
    /// What new slots get: 128 MiB, 3 passes, 1 lane (more than the second recommendation of RFC 9106, section 4).
    pub const STANDARD: Self = Self { memory_kib: 128 << 10, passes: 3, lanes: 1 };
    /// The least that is accepted: 64 MiB, 1 pass, 1 lane.
    pub const FLOOR: Self = Self { memory_kib: 64 << 10, passes: 1, lanes: 1 };
    /// The most that is accepted: 1 GiB, 10 passes, 4 lanes.
    pub const CAP: Self = Self { memory_kib: 1 << 20, passes: 10, lanes: 4 };

    /// Costs within the bounds.
    ///
    /// # Errors
    /// One of them is outside.
    pub fn new(memory_kib: u32, passes: u32, lanes: u32) -> Result<Self, UnacceptableCosts> {
        let is_within = (Self::FLOOR.memory_kib..=Self::CAP.memory_kib).contains(&memory_kib)
            && (Self::FLOOR.passes..=Self::CAP.passes).contains(&passes)
            && (Self::FLOOR.lanes..=Self::CAP.lanes).contains(&lanes);
        match is_within {
            true => Ok(Self { memory_kib, passes, lanes }),
            false => Err(UnacceptableCosts { memory_kib, passes, lanes }),
        }
    }

    /// Memory in KiB.
    pub fn memory_kib(&self) -> u32 {
        self.memory_kib
    }

    /// Passes over the memory.
    pub fn passes(&self) -> u32 {
        self.passes
    }

    /// Lanes.
    pub fn lanes(&self) -> u32 {
        self.lanes
    }
}

/// Argon2id, version 1.3 (RFC 9106), 32 bytes; its memory is erased afterwards.
pub(crate) fn stretch(passphrase: &Passphrase, salt: &[u8; 32], costs: KdfCosts) -> Zeroizing<[u8; 32]> {
    let params = Params::new(costs.memory_kib, costs.passes, costs.lanes, Some(32))
        .expect("costs within our bounds are within those of Argon2");
    let mut memory = vec![Block::default(); params.block_count()];
    let mut key = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into_with_memory(passphrase.expose().as_bytes(), salt, key.as_mut(), &mut memory)
        .expect("passphrase, salt, output and memory have lengths that Argon2 takes");
    memory.zeroize();
    key
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::hex;

    #[test]
    fn costs_outside_of_the_bounds_can_not_be_had() {
        let (floor, cap) = (KdfCosts::FLOOR, KdfCosts::CAP);
        for good in [floor, cap, KdfCosts::STANDARD] {
            assert_eq!(KdfCosts::new(good.memory_kib, good.passes, good.lanes), Ok(good));
        }
        let bad = [
            (floor.memory_kib - 1, 1, 1),
            (cap.memory_kib + 1, 1, 1),
            (floor.memory_kib, 0, 1),
            (floor.memory_kib, cap.passes + 1, 1),
            (floor.memory_kib, 1, 0),
            (floor.memory_kib, 1, cap.lanes + 1),
        ];
        for (memory_kib, passes, lanes) in bad {
            let error = UnacceptableCosts { memory_kib, passes, lanes };
            assert_eq!(KdfCosts::new(memory_kib, passes, lanes), Err(error));
        }
    }

    /// The value is also what `argon2-cffi` (the reference implementation in C) gives for the same input.
    #[test]
    fn the_key_of_a_passphrase_never_moves() {
        let passphrase = Passphrase::new("correct horse battery staple".to_owned()).unwrap();
        let key = stretch(&passphrase, &[7; 32], KdfCosts::FLOOR);
        assert_eq!(hex(key.as_ref()), "b146dd74deae35f0e9040684bdfb6fd0cb6d3f0334f3b9105948cb08cc01d0a0");
    }
}
