use super::*;
use crate::cache::CacheFolder;
use stateward_format::pack::{Codec, Frame, FrameChunk, PackFoot, PackTable};
use stateward_model::{PackId, ServerId, VaultId};

fn id(number: u32) -> ChunkId {
    ChunkId(*blake3::hash(&number.to_le_bytes()).as_bytes())
}

/// A pack of frames of 100 chunks.
fn pack(number: u8, chunks: std::ops::Range<u32>) -> IndexedPack {
    let foot = PackFoot {
        vault: VaultId([1; 16]),
        domain: ServerId([2; 16]),
        epoch: 1,
        salt: [number; 32],
        commitment: [4; 32],
    };
    let ids: Vec<_> = chunks.collect();
    let frame = |ids: &[u32]| Frame {
        sealed_length: 30,
        codec: Codec::Stored,
        chunks: ids.iter().map(|n| FrameChunk { id: id(*n), length: 10 + n % 5 }).collect(),
    };
    let table = PackTable { frames: ids.chunks(100).map(frame).collect() };
    let reference = PackReference { id: PackId([number; 32]), length: 400 };
    IndexedPack { reference, contents: PackContents { foot, table } }
}

#[test]
fn chunks_are_found_where_they_are_whether_their_tables_are_held_or_journaled() {
    let folder = tempfile::tempdir().unwrap();
    let cache = CacheFolder::open(&folder.path().join("cache")).unwrap();
    let journal = Arc::new(PackJournal::open(&cache).unwrap().0);
    let index = ChunkIndex::over(Arc::clone(&journal), 0);
    let packs = [pack(0, 0..250), pack(1, 250..700), pack(2, 600..900)];
    index.add_pack(packs[0].clone());
    for pack in &packs[1..] {
        index.add_journaled(&pack.contents, journal.append(pack).unwrap());
    }
    for number in 0..900 {
        let place = index.place(id(number)).unwrap().unwrap();
        let table = index.table(place.pack).unwrap();
        let frame = &table.contents.table.frames[place.frame as usize];
        let before: Vec<_> = frame.chunks.iter().take_while(|chunk| chunk.id != id(number)).collect();
        assert_eq!(place.offset, before.iter().map(|chunk| chunk.length).sum::<u32>());
        assert_eq!(place.length, 10 + number % 5);
        assert_eq!(table.frame_range(place.frame), place.frame * 30..place.frame * 30 + 30);
        assert!(index.is_known(id(number)));
        assert_eq!(index.claim(id(number)), Claim::Known);
    }
    assert_eq!(index.place(id(900)).unwrap(), None);
    assert!(!index.is_known(id(900)));
}

#[test]
fn a_chunk_is_taken_on_once_and_its_pack_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let cache = CacheFolder::open(&folder.path().join("cache")).unwrap();
    let journal = Arc::new(PackJournal::open(&cache).unwrap().0);
    let index = ChunkIndex::over(Arc::clone(&journal), 0);
    let (old, new) = (pack(7, 0..10), pack(8, 10..20));
    index.add_pack(old.clone());
    assert_eq!(index.claim(id(10)), Claim::New);
    assert_eq!(index.claim(id(10)), Claim::Known);
    assert!(index.used_packs().is_empty());
    index.add_new_pack(&new.contents, journal.append(&new).unwrap());
    assert_eq!(index.claim(id(10)), Claim::Known);
    assert_eq!(index.used_packs(), [new.reference]);
    assert!(index.is_known(id(3)));
    assert_eq!(index.used_packs(), [old.reference, new.reference]);
    assert_eq!(index.journaled().len(), 1);
}

#[test]
fn another_chunk_of_the_same_fingerprint_is_another_chunk() {
    let index = ChunkIndex::default();
    let mut pack = pack(1, 0..10);
    let mut alike = id(3);
    alike.0[20] ^= 1;
    index.add_pack(pack.clone());
    assert_eq!(index.claim(alike), Claim::New);
    assert_eq!(index.place(alike).unwrap(), None);
    pack.contents.table.frames[0].chunks[0].id = alike;
    pack.reference.id = PackId([2; 32]);
    index.add_pack(pack);
    assert_eq!(index.place(alike).unwrap().unwrap().pack, 1);
    assert_eq!(index.place(id(3)).unwrap().unwrap().pack, 0);
    assert!(index.is_known(alike) && index.is_known(id(3)));
}

#[test]
fn a_table_that_can_no_longer_be_read_loses_nothing_in_silence() {
    let folder = tempfile::tempdir().unwrap();
    let cache = CacheFolder::open(&folder.path().join("cache")).unwrap();
    let journal = Arc::new(PackJournal::open(&cache).unwrap().0);
    let index = ChunkIndex::over(Arc::clone(&journal), 0);
    let pack = pack(1, 0..10);
    index.add_journaled(&pack.contents, journal.append(&pack).unwrap());
    std::fs::write(cache.path().join("packs"), []).unwrap();
    assert!(index.place(id(1)).is_err());
    // It is stored once more.
    assert_eq!(index.claim(id(1)), Claim::New);
}
