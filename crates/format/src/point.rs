//! A recovery point's object: a header that the vault reads, a sealed manifest that it does not, and the server's
//! signature over both.
//!
//! ```text
//! magic "SWPOINT" and version 1 | header | sealed manifest (varint length, bytes) | Ed25519 signature, 64 bytes
//!
//! header: vault 16 | server 16 | item 16 | kind u8 | sequence u64 | previous 32, all zero for the first
//!       | epoch u32 | agent time 8 | slots: varint count, 32 each | packs: varint count, then id 32 and length u32 each
//! ```
//! The header's slots and packs are strictly ascending: each is there once, and one header has one encoding.
//!
//! The signature covers BLAKE3 of all bytes before it, behind a fixed prefix (see [`signed_message`]). The object's
//! own BLAKE3 is the point's id; `previous` chains the points of one server, so that a vault that drops, rolls back or
//! forks shows itself.

use crate::magic;
use crate::wire::{FormatError, Reader, Writer};
use stateward_model::{
    ItemId, ItemKind, PackId, PointHash, Sequence, ServerId, SlotHash, Timestamp, VaultId,
};

/// The longest point object that a reader takes, in bytes.
pub const POINT_BYTES_MAX: usize = 64 << 20;

/// A pack that a recovery point needs, and its length in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackReference {
    /// Which pack.
    pub id: PackId,
    /// Its whole length in bytes as it is stored.
    pub length: u32,
}

/// What the vault knows of a recovery point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PointHeader {
    /// The vault that it was made for.
    pub vault: VaultId,
    /// The server that made it.
    pub server: ServerId,
    /// The protected item.
    pub item: ItemId,
    /// What kind of item.
    pub kind: ItemKind,
    /// Its place in the server's chain.
    pub sequence: Sequence,
    /// The point before it in the chain; `None` for the first.
    pub previous: Option<PointHash>,
    /// The generation of data keys that sealed the manifest.
    pub epoch: u32,
    /// When the agent began, by its own clock. Retention never uses it.
    pub agent_time: Timestamp,
    /// The key slots that open this epoch, as the agent knew them; sorted.
    pub slots: Vec<SlotHash>,
    /// Every pack that it needs; sorted by id, each once.
    pub packs: Vec<PackReference>,
}

/// A decoded point object, not yet believed: the signature is for `crypto` to check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    /// What the vault knows.
    pub header: PointHeader,
    /// The sealed manifest.
    pub sealed_manifest: Vec<u8>,
    /// Ed25519 by the server's signing key over [`signed_message`].
    pub signature: [u8; 64],
}

const WHAT: &str = "recovery point";
const MAGIC: &[u8; 7] = b"SWPOINT";
const SIGNATURE_BYTES: usize = 64;

/// What stands before the hash that is signed. Nothing else that the signing key signs begins like this.
const SIGNED_PREFIX: &[u8] = b"stateward recovery point v1\0";

/// The bytes before the signature.
pub fn encode_unsigned(header: &PointHeader, sealed_manifest: &[u8]) -> Vec<u8> {
    let mut writer = Writer(encode_header(header));
    writer.bytes(sealed_manifest);
    writer.0
}

/// The header's bytes alone, magic and version included: what the sealed manifest's associated data bind it to.
///
/// `slots` and `packs` must be sorted, each once, and `previous` missing in the first point only: [`decode`] refuses
/// everything else.
pub fn encode_header(header: &PointHeader) -> Vec<u8> {
    let mut writer = magic::begin(MAGIC);
    writer.raw(&header.vault.0);
    writer.raw(&header.server.0);
    writer.raw(&header.item.0);
    encode_kind(header.kind, &mut writer);
    writer.u64(header.sequence);
    writer.raw(&header.previous.map_or([0; 32], |hash| hash.0));
    writer.u32(header.epoch);
    writer.time(header.agent_time);
    writer.varint(header.slots.len() as u64);
    header.slots.iter().for_each(|slot| writer.raw(&slot.0));
    writer.varint(header.packs.len() as u64);
    for pack in &header.packs {
        writer.raw(&pack.id.0);
        writer.u32(pack.length);
    }
    writer.0
}

/// What is signed: a fixed prefix and the BLAKE3 of [`encode_unsigned`]'s bytes.
pub fn signed_message(unsigned: &[u8]) -> Vec<u8> {
    let mut message = SIGNED_PREFIX.to_vec();
    message.extend_from_slice(blake3::hash(unsigned).as_bytes());
    message
}

/// The whole object from its parts.
pub fn finish(mut unsigned: Vec<u8>, signature: [u8; 64]) -> Vec<u8> {
    unsigned.extend_from_slice(&signature);
    unsigned
}

/// The id of a whole object.
pub fn hash(object: &[u8]) -> PointHash {
    PointHash(*blake3::hash(object).as_bytes())
}

/// Reads a whole object; also gives the bytes before the signature.
pub fn decode(object: &[u8]) -> Result<(Point, &[u8]), FormatError> {
    if object.len() > POINT_BYTES_MAX {
        return Err(FormatError::Malformed { what: WHAT, why: "it is longer than any may be" });
    }
    let mut reader = magic::open(WHAT, MAGIC, object)?;
    let header = decode_header(&mut reader)?;
    let sealed_manifest = reader.bytes()?.to_vec();
    let unsigned = &object[..object.len() - reader.left()];
    let signature = reader.array::<SIGNATURE_BYTES>()?;
    reader.finish()?;
    Ok((Point { header, sealed_manifest, signature }, unsigned))
}

fn decode_header(reader: &mut Reader<'_>) -> Result<PointHeader, FormatError> {
    let vault = VaultId(reader.array()?);
    let server = ServerId(reader.array()?);
    let item = ItemId(reader.array()?);
    let kind = decode_kind(WHAT, reader)?;
    let sequence = reader.u64()?;
    let previous = decode_previous(sequence, reader)?;
    let epoch = reader.u32()?;
    let agent_time = reader.time()?;
    let count = reader.count(32)?;
    let slots = (0..count).map(|_| reader.array().map(SlotHash)).collect::<Result<Vec<_>, _>>()?;
    if !slots.is_sorted_by(|a, b| a < b) {
        return Err(reader.malformed("its key slots are not in order, each once"));
    }
    let packs = decode_packs(reader)?;
    Ok(PointHeader { vault, server, item, kind, sequence, previous, epoch, agent_time, slots, packs })
}

fn decode_previous(sequence: Sequence, reader: &mut Reader<'_>) -> Result<Option<PointHash>, FormatError> {
    let hash: [u8; 32] = reader.array()?;
    match (sequence, hash == [0; 32]) {
        (0, _) => Err(reader.malformed("its sequence number is 0")),
        (1, true) => Ok(None),
        (1, false) => Err(reader.malformed("it is the first of its chain and names one before it")),
        (_, true) => Err(reader.malformed("it is not the first of its chain and names none before it")),
        (_, false) => Ok(Some(PointHash(hash))),
    }
}

fn decode_packs(reader: &mut Reader<'_>) -> Result<Vec<PackReference>, FormatError> {
    let count = reader.count(36)?;
    let mut packs: Vec<PackReference> = Vec::with_capacity(count);
    for _ in 0..count {
        let pack = PackReference { id: PackId(reader.array()?), length: reader.u32()? };
        if pack.length == 0 {
            return Err(reader.malformed("a pack is empty"));
        }
        if packs.last().is_some_and(|last| last.id >= pack.id) {
            return Err(reader.malformed("its packs are not in order, each once"));
        }
        packs.push(pack);
    }
    Ok(packs)
}

/// Appends an item's kind.
pub(crate) fn encode_kind(kind: ItemKind, writer: &mut Writer) {
    writer.u8(match kind {
        ItemKind::SystemState => 1,
        ItemKind::Files => 2,
    });
}

/// Reads an item's kind.
pub(crate) fn decode_kind(what: &'static str, reader: &mut Reader<'_>) -> Result<ItemKind, FormatError> {
    match reader.u8()? {
        1 => Ok(ItemKind::SystemState),
        2 => Ok(ItemKind::Files),
        found => Err(FormatError::Unsupported { what, found: u64::from(found) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::assert_one_spelling;
    use proptest::collection::{btree_map, btree_set, vec};
    use proptest::prelude::*;

    fn headers() -> impl Strategy<Value = PointHeader> {
        let who = any::<([u8; 16], [u8; 16], [u8; 16], bool)>();
        let chain =
            (1..=u64::MAX, any::<[u8; 32]>().prop_filter("all zero means none", |hash| *hash != [0; 32]));
        let lists = (
            any::<u32>(),
            any::<i64>(),
            btree_set(any::<[u8; 32]>(), 0..4),
            btree_map(any::<[u8; 32]>(), 1..=u32::MAX, 0..9),
        );
        (who, chain, lists).prop_map(
            |((vault, server, item, is_files), (sequence, previous), (epoch, time, slots, packs))| {
                PointHeader {
                    vault: VaultId(vault),
                    server: ServerId(server),
                    item: ItemId(item),
                    kind: if is_files { ItemKind::Files } else { ItemKind::SystemState },
                    sequence,
                    previous: (sequence > 1).then_some(PointHash(previous)),
                    epoch,
                    agent_time: Timestamp(time),
                    slots: slots.into_iter().map(SlotHash).collect(),
                    packs: packs
                        .into_iter()
                        .map(|(id, length)| PackReference { id: PackId(id), length })
                        .collect(),
                }
            },
        )
    }

    fn sample() -> PointHeader {
        PointHeader {
            vault: VaultId([1; 16]),
            server: ServerId([2; 16]),
            item: ItemId([3; 16]),
            kind: ItemKind::SystemState,
            sequence: 7,
            previous: Some(PointHash([4; 32])),
            epoch: 5,
            agent_time: Timestamp(1_795_000_000_000_000_006),
            slots: vec![SlotHash([8; 32]), SlotHash([9; 32])],
            packs: [10u8, 11]
                .map(|i| PackReference { id: PackId([i; 32]), length: u32::from(i) << 20 })
                .to_vec(),
        }
    }

    fn object(header: &PointHeader) -> Vec<u8> {
        finish(encode_unsigned(header, b"sealed"), [6; 64])
    }

    proptest! {
        #[test]
        fn a_point_survives_its_encoding(header in headers(), sealed in vec(any::<u8>(), 0..300)) {
            let unsigned = encode_unsigned(&header, &sealed);
            let object = finish(unsigned.clone(), [6; 64]);
            let (point, signed) = decode(&object).unwrap();
            prop_assert_eq!(point, Point { header, sealed_manifest: sealed, signature: [6; 64] });
            prop_assert_eq!(signed, unsigned);
        }

        #[test]
        fn any_bytes_are_read_or_refused(tail in vec(any::<u8>(), 0..400)) {
            let _ = decode(&tail);
            let _ = decode(&[magic::begin(MAGIC).0, tail].concat());
        }

        #[test]
        fn what_is_read_has_just_this_encoding(header in headers(), sealed in vec(any::<u8>(), 0..40)) {
            let object = finish(encode_unsigned(&header, &sealed), [6; 64]);
            assert_one_spelling(&object, |bytes| {
                let (point, _) = decode(bytes).ok()?;
                Some(finish(encode_unsigned(&point.header, &point.sealed_manifest), point.signature))
            });
        }
    }

    #[test]
    fn the_encoding_never_moves() {
        let bytes = object(&sample());
        assert_eq!(&bytes[..8], b"SWPOINT\x01");
        assert_eq!(
            hash(&bytes).to_string(),
            "906e8cb86c0a5bf2129a7556b0d7e1f428a21e59899c877863c5caf8db418e71"
        );
        assert_eq!(signed_message(b"").len(), SIGNED_PREFIX.len() + 32);
    }

    #[test]
    fn any_shorter_or_longer_object_is_refused() {
        let mut bytes = object(&sample());
        for length in 0..bytes.len() {
            assert!(decode(&bytes[..length]).is_err(), "{length}");
        }
        bytes.push(0);
        assert!(decode(&bytes).is_err());
    }

    #[test]
    fn lists_out_of_order_or_with_doubles_are_refused() {
        let changes: [fn(&mut PointHeader); 5] = [
            |header| header.packs.reverse(),
            |header| header.packs[1].id = header.packs[0].id,
            |header| header.packs[1].length = 0,
            |header| header.slots.reverse(),
            |header| header.slots[1] = header.slots[0],
        ];
        for change in changes {
            let mut header = sample();
            change(&mut header);
            assert!(matches!(decode(&object(&header)), Err(FormatError::Malformed { .. })));
        }
    }

    #[test]
    fn only_the_first_of_a_chain_has_none_before_it() {
        for (sequence, previous, is_good) in [
            (1, None, true),
            (1, Some(PointHash([4; 32])), false),
            (2, None, false),
            (2, Some(PointHash([4; 32])), true),
            (0, None, false),
        ] {
            let header = PointHeader { sequence, previous, ..sample() };
            assert_eq!(decode(&object(&header)).is_ok(), is_good, "{sequence} {previous:?}");
        }
    }

    #[test]
    fn a_longer_object_than_any_may_be_is_refused_unread() {
        let long = finish(encode_unsigned(&sample(), &vec![0; POINT_BYTES_MAX]), [6; 64]);
        assert!(matches!(decode(&long), Err(FormatError::Malformed { .. })));
    }
}
