//! Packs whose tables lie, and points that name packs that are none. The server itself can make them, and so can every
//! other server of a shared deduplication domain.

use crate::behaviour::Behaviour;
use crate::stage::{HONEST, Stage};
use stateward_format::pack::{Codec, FrameChunk};
use stateward_format::point::PackReference;
use stateward_format::{ChunkId, ChunkReference};
use stateward_model::PackId;
use stateward_testing::forge::{LyingFrame, Segment};
use stateward_testing::{ForgedEntry, ForgedPack};

/// A point of two files: `a` needs this chunk, which is said to be in that pack, `b` is honest.
fn file_in(stage: &mut Stage, chunk: ChunkReference, pack: PackReference) {
    let honest = stage.honest();
    let segment =
        Segment::begin().with(&ForgedEntry::file("a", &[chunk])).with(&ForgedEntry::file("b", &[honest]));
    let (segment, stream) = stage.pack(&[segment]);
    stage.point(stream, &[pack, segment]);
}

/// Just `a` is lost.
fn a_is_lost(stage: &mut Stage) {
    let restored = stage.restore().with_losses().tells(&[("file-lost", "/a")]);
    restored.holds(&["b"]).holds_honest("b");
}

/// A frame of one chunk; its bytes and its chunk as they are told.
fn frame(codec: Codec, chunk: ChunkReference, bytes: Vec<u8>) -> LyingFrame {
    LyingFrame { codec, chunks: vec![FrameChunk { id: chunk.id, length: chunk.length }], bytes, longer: 0 }
}

fn put(stage: &mut Stage, frame: LyingFrame) -> PackReference {
    stage.forger.put_pack(&ForgedPack::default().with_frame(frame))
}

const LOST: &str = "found when the frame is opened; the file is told as lost, the others come back";

pub const BOMB: Behaviour<Stage> = Behaviour {
    name: "frame-bomb",
    does: "A frame is said to hold 64 KiB and decompresses to a gigabyte",
    outcome: LOST,
    play: |stage| {
        let mut compressor = zstd::bulk::Compressor::new(1).unwrap();
        let bytes = compressor.compress(&vec![0; 1 << 30]).unwrap();
        let chunk = stage.forger.chunk(&vec![0; 64 << 10]);
        let pack = put(stage, frame(Codec::Zstd, chunk, bytes));
        file_in(stage, chunk, pack);
        a_is_lost(stage);
    },
};

pub const STORED: Behaviour<Stage> = Behaviour {
    name: "frame-of-another-length",
    does: "A frame that is not compressed is longer than it is said to be",
    outcome: LOST,
    play: |stage| {
        let chunk = stage.forger.chunk(&[7; 100]);
        let pack = put(stage, frame(Codec::Stored, chunk, vec![7; 200]));
        file_in(stage, chunk, pack);
        a_is_lost(stage);
    },
};

pub const OTHER_CHUNK: Behaviour<Stage> = Behaviour {
    name: "table-lies-about-a-chunk",
    does: "A pack's table says that a chunk is in it; other bytes of the same length are",
    outcome: "each chunk is proved by its id before a byte is written: the file is told as lost. Until a restore or \
              `verify --full`, nobody knows",
    play: |stage| {
        let chunk = stage.forger.chunk(b"what was backed up");
        let pack = put(stage, frame(Codec::Stored, chunk, b"what was not saved".to_vec()));
        file_in(stage, chunk, pack);
        a_is_lost(stage);
    },
};

pub const FRAME_LENGTH: Behaviour<Stage> = Behaviour {
    name: "table-lies-about-lengths",
    does: "The frames that a table names are longer than the pack",
    outcome: "the pack is not read; what needs it is told as lost",
    play: |stage| {
        let chunk = stage.forger.chunk(b"inside");
        let mut lying = frame(Codec::Stored, chunk, b"inside".to_vec());
        lying.longer = 1 << 20;
        let pack = put(stage, lying);
        file_in(stage, chunk, pack);
        a_is_lost(stage);
    },
};

pub const ALIKE: Behaviour<Stage> = Behaviour {
    name: "chunks-all-alike",
    does: "A table names 230,000 chunks whose ids all begin with the same bytes, and 230,000 that lie close together",
    outcome: "harmless: such ids cost no more than others",
    play: |stage| {
        let chunk = stage.honest();
        let id = |number: u64, is_close: bool| {
            let mut id = [7; 32];
            id[8..16].copy_from_slice(&number.to_le_bytes());
            if is_close {
                id[..8].copy_from_slice(&number.to_le_bytes());
            }
            ChunkId(id)
        };
        let numbers = [false, true].into_iter().flat_map(|is_close| {
            (0..230_000).map(move |number| FrameChunk { id: id(number, is_close), length: 1 })
        });
        let bytes = vec![0; 460_000];
        let lying = LyingFrame { codec: Codec::Stored, chunks: numbers.collect(), bytes, longer: 0 };
        let pack = put(stage, lying);
        file_in(stage, chunk, pack);
        let restored = stage.restore().with_code(0).holds(&["a", "b"]).holds_honest("a");
        assert!(restored.outcome.took.as_secs() < 20, "{:?}", restored.outcome.took);
    },
};

pub const NOT_LISTED: Behaviour<Stage> = Behaviour {
    name: "pack-not-listed",
    does: "A file's bytes are in a pack that the recovery point does not name",
    outcome: "that pack is not looked at; the file is told as lost",
    play: |stage| {
        let chunk = stage.forger.chunk(b"elsewhere");
        stage.forger.put_pack(&ForgedPack::default().with(&stage.forger.keys, b"elsewhere"));
        let another = stage.forger.put_pack(&ForgedPack::default().with(&stage.forger.keys, b"another"));
        file_in(stage, chunk, another);
        a_is_lost(stage);
    },
};

pub const LONGEST: Behaviour<Stage> = Behaviour {
    name: "pack-of-four-gigabytes",
    does: "The recovery point says that a pack has 4 GiB",
    outcome: "none is asked for that is longer than any may be; what needs it is told as lost",
    play: |stage| {
        let chunk = stage.forger.chunk(b"inside");
        let pack = stage.forger.put_pack(&ForgedPack::default().with(&stage.forger.keys, b"inside"));
        file_in(stage, chunk, PackReference { length: u32::MAX, ..pack });
        a_is_lost(stage);
    },
};

pub const ABSENT: Behaviour<Stage> = Behaviour {
    name: "packs-by-the-thousand",
    does: "The recovery point names fifty thousand packs that are not there",
    outcome: "harmless: each is asked for once; what is there comes back",
    play: |stage| {
        let honest = stage.honest();
        let (pack, stream) = stage.pack(&[Segment::begin().with(&ForgedEntry::file("b", &[honest]))]);
        let absent = (0..50_000_u32).map(|number| {
            let mut id = [9; 32];
            id[..4].copy_from_slice(&number.to_be_bytes());
            PackReference { id: PackId(id), length: 1000 }
        });
        let packs: Vec<_> = absent.chain([pack]).collect();
        stage.point(stream, &packs);
        stage.restore().with_code(0).holds(&["b"]).holds_honest("b");
    },
};

pub const SIZE_LIES: Behaviour<Stage> = Behaviour {
    name: "pieces-do-not-add-up",
    does: "A file's listed pieces are fewer, and another's more, than its size",
    outcome: "both are told as lost, nothing of them is left",
    play: |stage| {
        let honest = stage.honest();
        let mut list = stateward_format::wire::Writer::default();
        stateward_format::Piece::Data(honest).encode(&mut list);
        let pack = stage.forger.put_pack(&ForgedPack::default().with(&stage.forger.keys, &list.0));
        let listed = stateward_testing::forge::stream(&[stage.forger.chunk(&list.0)]);
        let size = HONEST.len() as u64;
        let segment = Segment::begin()
            .with(&ForgedEntry::listed("a", size + 1, listed.clone()))
            .with(&ForgedEntry::listed("b", size, listed.clone()))
            .with(&ForgedEntry::listed("c", size - 1, listed));
        let (segment, stream) = stage.pack(&[segment]);
        stage.point(stream, &[pack, segment]);
        let restored = stage.restore().with_losses();
        restored.tells(&[("file-lost", "/a"), ("file-lost", "/c")]).holds(&["b"]).holds_honest("b");
    },
};
