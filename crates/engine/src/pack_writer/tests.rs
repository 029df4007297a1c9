use super::*;
use crate::pack_reader::{PackError, damaged, open_whole};
use proptest::prelude::*;
use stateward_crypto::DataKey;
use stateward_format::ChunkId;
use stateward_model::{ServerId, VaultId};
use stateward_testing::SeededRandom;
use std::collections::HashMap;
use std::sync::Mutex;

fn keys() -> EpochKeys {
    EpochKeys::derive(&DataKey::from_bytes([9; 32]), VaultId([1; 16]), ServerId([2; 16]), 1)
}

fn bytes(random: &SeededRandom, length: usize, is_random: bool) -> Vec<u8> {
    let mut bytes = vec![0; length];
    random.fill(&mut bytes);
    if !is_random {
        bytes.iter_mut().for_each(|byte| *byte &= 0x07);
    }
    bytes
}

fn frame(keys: &EpochKeys, chunks: &[Vec<u8>]) -> PlainFrame {
    let mut frame = PlainFrame::default();
    for chunk in chunks {
        frame.chunks.push(FrameChunk { id: keys.chunk_id(chunk), length: chunk.len() as u32 });
        frame.plaintext.extend_from_slice(chunk);
    }
    frame
}

/// Opens a whole pack: its table, and every chunk of every frame.
fn prove(keys: &EpochKeys, id: PackId, bytes: &[u8]) -> Result<(), PackError> {
    let contents = open_whole(keys, id, bytes)?;
    let pack_keys = keys.pack_keys(&contents.foot.salt);
    let (mut reader, mut left) = (FrameReader::new(), bytes);
    for (ordinal, frame) in contents.table.frames.iter().enumerate() {
        let (sealed, after) = left.split_at(frame.sealed_length as usize);
        left = after;
        reader.open(keys, &pack_keys, &contents, ordinal, sealed).map_err(damaged(id))?;
    }
    Ok(())
}

/// Every chunk of some packs, by its id.
fn read_back(keys: &EpochKeys, packs: &[FinishedPack]) -> HashMap<ChunkId, Vec<u8>> {
    let mut reader = FrameReader::new();
    let mut out = HashMap::new();
    for pack in packs {
        let contents = open_whole(keys, pack.id, &pack.bytes).unwrap();
        let pack_keys = keys.pack_keys(&contents.foot.salt);
        let mut left = pack.bytes.as_slice();
        for (ordinal, frame) in contents.table.frames.iter().enumerate() {
            let (sealed, after) = left.split_at(frame.sealed_length as usize);
            left = after;
            let mut rest = reader.open(keys, &pack_keys, &contents, ordinal, sealed).unwrap();
            for chunk in &frame.chunks {
                let (plaintext, after) = rest.split_at(chunk.length as usize);
                out.insert(chunk.id, plaintext.to_vec());
                rest = after;
            }
        }
    }
    out
}

static CLOSING: Mutex<()> = Mutex::new(());

#[test]
fn full_packs_have_one_size_waste_little_and_hold_everything() {
    let (keys, random) = (keys(), SeededRandom::new(1));
    let mut writer = PackWriter::new(&keys, &random, Compression::Default, Buffers::new(1), &CLOSING);
    let mut packs = Vec::new();
    let mut put = HashMap::new();
    for number in 0..70 {
        let chunks: Vec<_> =
            (0..16).map(|_| bytes(&random, 60_000 + number * 100, number % 2 == 0)).collect();
        put.extend(chunks.iter().map(|chunk| (keys.chunk_id(chunk), chunk.clone())));
        packs.extend(writer.add(&frame(&keys, &chunks)).unwrap());
    }
    assert!(packs.len() >= 2);
    for pack in &packs {
        assert_eq!(pack.bytes.len(), PACK_BYTES);
        let frames: usize = pack.contents.table.frames.iter().map(|frame| frame.sealed_length as usize).sum();
        let waste = PACK_BYTES - frames - pack.contents.table.encode(0).len() - FIXED_BYTES;
        // Less than one chunk (67 kB at most here), and what the table's reserve was too large.
        assert!(waste < 80_000, "{waste} bytes of a full pack are padding");
    }
    let last = writer.finish().unwrap().unwrap();
    assert!(writer.finish().unwrap().is_none());
    assert_eq!(padme(last.bytes.len() as u64), last.bytes.len() as u64);
    packs.push(last);
    assert_eq!(read_back(&keys, &packs), put);
}

#[test]
fn the_same_content_twice_makes_packs_that_share_nothing() {
    let (keys, random) = (keys(), SeededRandom::new(2));
    let frame = frame(&keys, &[b"the same".to_vec()]);
    let make = || {
        let mut writer = PackWriter::new(&keys, &random, Compression::Default, Buffers::new(1), &CLOSING);
        writer.add(&frame).unwrap();
        writer.finish().unwrap().unwrap()
    };
    let (one, other) = (make(), make());
    assert_ne!(one.id, other.id);
    assert_ne!(one.contents.foot.salt, other.contents.foot.salt);
    assert_ne!(one.bytes[..24], other.bytes[..24]);
}

#[test]
fn another_key_does_not_open_a_pack() {
    let (keys, random) = (keys(), SeededRandom::new(3));
    let mut writer = PackWriter::new(&keys, &random, Compression::Default, Buffers::new(1), &CLOSING);
    writer.add(&frame(&keys, &[b"content".to_vec()])).unwrap();
    let pack = writer.finish().unwrap().unwrap();
    let other = EpochKeys::derive(&DataKey::from_bytes([8; 32]), VaultId([1; 16]), ServerId([2; 16]), 1);
    assert_eq!(open_whole(&other, pack.id, &pack.bytes), Err(PackError::OtherKey(pack.id)));
    let elsewhere = EpochKeys::derive(&DataKey::from_bytes([9; 32]), VaultId([3; 16]), ServerId([2; 16]), 1);
    assert_eq!(open_whole(&elsewhere, pack.id, &pack.bytes), Err(PackError::OtherKey(pack.id)));
}

#[test]
fn every_flipped_bit_of_a_pack_is_found() {
    let (keys, random) = (keys(), SeededRandom::new(4));
    let mut writer = PackWriter::new(&keys, &random, Compression::Default, Buffers::new(1), &CLOSING);
    writer.add(&frame(&keys, &[b"some content".to_vec(), b"and some more".to_vec()])).unwrap();
    let pack = writer.finish().unwrap().unwrap();
    assert!(prove(&keys, pack.id, &pack.bytes).is_ok());
    for at in 0..pack.bytes.len() {
        for bit in 0..8 {
            let mut altered = pack.bytes.clone();
            altered[at] ^= 1 << bit;
            assert!(prove(&keys, pack.id, &altered).is_err(), "bit {bit} of byte {at}");
        }
    }
    for length in 0..pack.bytes.len() {
        assert!(prove(&keys, pack.id, &pack.bytes[..length]).is_err(), "cut to {length} bytes");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn chunks_of_any_lengths_come_back(lengths in proptest::collection::vec((1..200_000usize, any::<bool>()), 1..60), seed: u64) {
        let (keys, random) = (keys(), SeededRandom::new(seed));
        let mut writer = PackWriter::new(&keys, &random, Compression::Level(1), Buffers::new(1), &CLOSING);
        let chunks: Vec<_> = lengths.iter().map(|(length, is_random)| bytes(&random, *length, *is_random)).collect();
        let mut packs = Vec::new();
        for some in chunks.chunks(7) {
            packs.extend(writer.add(&frame(&keys, some)).unwrap());
        }
        packs.extend(writer.finish().unwrap());
        let put: HashMap<_, _> = chunks.into_iter().map(|chunk| (keys.chunk_id(&chunk), chunk)).collect();
        prop_assert_eq!(read_back(&keys, &packs), put);
    }
}
