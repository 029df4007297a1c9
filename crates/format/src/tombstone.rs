//! The vault's word on what became of a recovery point after its receipt: soft-deleted, taken back, expired, collected.
//! Signed, and kept as an object beside the point, so that a vault whose database is lost knows it again.
//!
//! The tombstones of one point are numbered from 1; the one with the highest number says how it stands. Two with one
//! number, or a number left out, show that objects were lost or brought back.
//!
//! ```text
//! magic "SWTOMBS" and version 1 | vault 16 | server 16 | sequence u64 | point 32 | number u32 | act u8 | state before u8
//! | at 8 | recoverable until 8 (after expiry and soft delete only) | Ed25519 signature over all before it, 64 bytes
//! ```

use crate::magic;
use crate::wire::{FormatError, Reader, Writer};
use stateward_model::{PointHash, Sequence, ServerId, Timestamp, VaultId};

/// How a recovery point stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PointState {
    /// It is kept: there is a receipt, and no tombstone says otherwise.
    Live,
    /// Its retention ended; it can still be taken back.
    Expired,
    /// A person deleted it; it can still be taken back.
    SoftDeleted,
    /// Its packs may be gone.
    Collected,
}

/// What was done to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Its retention ended.
    Expire {
        /// Until when it can be taken back, by the vault's clock.
        recoverable_until: Timestamp,
    },
    /// A person deleted it.
    SoftDelete {
        /// Until when it can be taken back, by the vault's clock.
        recoverable_until: Timestamp,
    },
    /// It was taken back.
    Undelete,
    /// The time to take it back is over: its packs are freed.
    Collect,
}

/// What the vault says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tombstone {
    /// Which vault speaks.
    pub vault: VaultId,
    /// Whose point.
    pub server: ServerId,
    /// Its place in the chain.
    pub sequence: Sequence,
    /// Which point.
    pub point: PointHash,
    /// Counts the tombstones of this point, from 1.
    pub number: u32,
    /// What was done.
    pub act: Act,
    /// How it stood before.
    pub before: PointState,
    /// When, by the vault's clock.
    pub at: Timestamp,
}

const WHAT: &str = "tombstone";
const MAGIC: &[u8; 7] = b"SWTOMBS";

impl Tombstone {
    /// How the point stands now.
    pub fn after(&self) -> PointState {
        match self.act {
            Act::Expire { .. } => PointState::Expired,
            Act::SoftDelete { .. } => PointState::SoftDeleted,
            Act::Undelete => PointState::Live,
            Act::Collect => PointState::Collected,
        }
    }

    /// Whether the act can be done to a point that stood so: nothing live is collected, nothing collected comes back.
    fn is_possible(&self) -> bool {
        use PointState::{Expired, Live, SoftDeleted};
        match self.act {
            Act::Expire { .. } => self.before == Live,
            Act::SoftDelete { .. } => matches!(self.before, Live | Expired),
            Act::Undelete | Act::Collect => matches!(self.before, Expired | SoftDeleted),
        }
    }
}

/// The bytes to sign (they begin with a fixed prefix that no other signed thing has). [`decode`] refuses an act that
/// cannot follow the state before, and the number 0.
pub fn encode_unsigned(tombstone: &Tombstone) -> Vec<u8> {
    let mut writer = magic::begin(MAGIC);
    writer.raw(&tombstone.vault.0);
    writer.raw(&tombstone.server.0);
    writer.u64(tombstone.sequence);
    writer.raw(&tombstone.point.0);
    writer.u32(tombstone.number);
    writer.u8(match tombstone.act {
        Act::Expire { .. } => 1,
        Act::SoftDelete { .. } => 2,
        Act::Undelete => 3,
        Act::Collect => 4,
    });
    writer.u8(match tombstone.before {
        PointState::Live => 0,
        PointState::Expired => 1,
        PointState::SoftDeleted => 2,
        PointState::Collected => 3,
    });
    writer.time(tombstone.at);
    if let Act::Expire { recoverable_until } | Act::SoftDelete { recoverable_until } = tombstone.act {
        writer.time(recoverable_until);
    }
    writer.0
}

/// The whole object from its parts.
pub fn finish(unsigned: Vec<u8>, signature: [u8; 64]) -> Vec<u8> {
    let mut writer = Writer(unsigned);
    writer.raw(&signature);
    writer.0
}

/// Reads a whole object; gives the tombstone, the signed bytes and the signature, which the caller must check.
pub fn decode(object: &[u8]) -> Result<(Tombstone, &[u8], [u8; 64]), FormatError> {
    let mut reader = magic::open(WHAT, MAGIC, object)?;
    let (vault, server) = (VaultId(reader.array()?), ServerId(reader.array()?));
    let (sequence, point, number) = (reader.u64()?, PointHash(reader.array()?), reader.u32()?);
    let (act, before, at) = (reader.u8()?, decode_state(&mut reader)?, reader.time()?);
    let act = decode_act(act, &mut reader)?;
    let tombstone = Tombstone { vault, server, sequence, point, number, act, before, at };
    let unsigned = &object[..object.len() - reader.left()];
    let signature = reader.array()?;
    if sequence == 0 || number == 0 {
        return Err(reader.malformed("its sequence number or its own number is 0"));
    }
    if !tombstone.is_possible() {
        return Err(reader.malformed("what it says was done cannot follow the state before"));
    }
    reader.finish()?;
    Ok((tombstone, unsigned, signature))
}

fn decode_state(reader: &mut Reader<'_>) -> Result<PointState, FormatError> {
    match reader.u8()? {
        0 => Ok(PointState::Live),
        1 => Ok(PointState::Expired),
        2 => Ok(PointState::SoftDeleted),
        3 => Ok(PointState::Collected),
        found => Err(FormatError::Unsupported { what: WHAT, found: u64::from(found) }),
    }
}

fn decode_act(act: u8, reader: &mut Reader<'_>) -> Result<Act, FormatError> {
    match act {
        1 => Ok(Act::Expire { recoverable_until: reader.time()? }),
        2 => Ok(Act::SoftDelete { recoverable_until: reader.time()? }),
        3 => Ok(Act::Undelete),
        4 => Ok(Act::Collect),
        found => Err(FormatError::Unsupported { what: WHAT, found: u64::from(found) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::assert_one_spelling;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn sample(act: Act, before: PointState) -> Tombstone {
        Tombstone {
            vault: VaultId([1; 16]),
            server: ServerId([2; 16]),
            sequence: 3,
            point: PointHash([4; 32]),
            number: 5,
            act,
            before,
            at: Timestamp(1_795_000_000_000_000_005),
        }
    }

    const UNTIL: Timestamp = Timestamp(1_796_209_600_000_000_005);
    const ACTS: [Act; 4] = [
        Act::Expire { recoverable_until: UNTIL },
        Act::SoftDelete { recoverable_until: UNTIL },
        Act::Undelete,
        Act::Collect,
    ];
    const STATES: [PointState; 4] =
        [PointState::Live, PointState::Expired, PointState::SoftDeleted, PointState::Collected];

    proptest! {
        #[test]
        fn a_tombstone_survives_its_encoding(
            ids: ([u8; 16], [u8; 16], [u8; 32]), sequence in 1..=u64::MAX, number in 1..=u32::MAX, at: i64, until: i64,
            act in 0usize..4,
        ) {
            let until = Timestamp(until);
            let (act, before) = match act {
                0 => (Act::Expire { recoverable_until: until }, PointState::Live),
                1 => (Act::SoftDelete { recoverable_until: until }, PointState::Expired),
                2 => (Act::Undelete, PointState::SoftDeleted),
                _ => (Act::Collect, PointState::Expired),
            };
            let (vault, server, point) = (VaultId(ids.0), ServerId(ids.1), PointHash(ids.2));
            let tombstone = Tombstone { vault, server, sequence, point, number, act, before, at: Timestamp(at) };
            let unsigned = encode_unsigned(&tombstone);
            let object = finish(unsigned.clone(), [6; 64]);
            prop_assert_eq!(decode(&object).unwrap(), (tombstone, unsigned.as_slice(), [6; 64]));
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
    fn acts_follow_the_states_that_they_can_follow() {
        let possible: Vec<_> = ACTS
            .iter()
            .map(|act| {
                STATES.map(|before| decode(&finish(encode_unsigned(&sample(*act, before)), [6; 64])).is_ok())
            })
            .collect();
        let expected = [
            [true, false, false, false],
            [true, true, false, false],
            [false, true, true, false],
            [false, true, true, false],
        ];
        assert_eq!(possible, expected);
        let after: Vec<_> = ACTS.iter().map(|act| sample(*act, PointState::Expired).after()).collect();
        assert_eq!(
            after,
            [PointState::Expired, PointState::SoftDeleted, PointState::Live, PointState::Collected]
        );
    }

    /// A change of these bytes is a change of the format.
    #[test]
    fn the_encoding_never_moves() {
        let head = format!(
            "5357544f4d425301{}{}0300000000000000{}05000000",
            "01".repeat(16),
            "02".repeat(16),
            "04".repeat(32)
        );
        let tail = "0580d35bfd1ee918";
        let until = "0580254e1d6bed18";
        for (act, before, expected) in [
            (ACTS[0], STATES[0], format!("{head}0100{tail}{until}")),
            (ACTS[1], STATES[1], format!("{head}0201{tail}{until}")),
            (ACTS[2], STATES[2], format!("{head}0302{tail}")),
            (ACTS[3], STATES[1], format!("{head}0401{tail}")),
        ] {
            assert_eq!(crate::attribute::tests::hex(&encode_unsigned(&sample(act, before))), expected);
        }
    }

    #[test]
    fn any_shorter_or_longer_object_and_numbers_of_0_are_refused() {
        let good = sample(ACTS[1], PointState::Live);
        let mut bytes = finish(encode_unsigned(&good), [6; 64]);
        for length in 0..bytes.len() {
            assert!(decode(&bytes[..length]).is_err(), "{length}");
        }
        bytes.push(0);
        assert!(decode(&bytes).is_err());
        for bad in [Tombstone { sequence: 0, ..good }, Tombstone { number: 0, ..good }] {
            assert!(decode(&finish(encode_unsigned(&bad), [6; 64])).is_err());
        }
    }
}
