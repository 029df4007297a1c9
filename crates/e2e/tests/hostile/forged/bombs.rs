//! Little that stands for much: depth, sizes, lists, metadata.

use crate::behaviour::Behaviour;
use crate::stage::Stage;
use rustix::process::{Signal, kill_process};
use stateward_format::wire::Writer;
use stateward_format::{ChunkReference, Piece, StreamReference};
use stateward_testing::forge::{Segment, stream};
use stateward_testing::{ForgedEntry, ForgedPack};
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::process::Command;
use std::time::{Duration, Instant};

/// The longest chunk.
const CHUNK_BYTES: usize = 8 << 20;

/// Adds packs of these chunks.
fn put(stage: &mut Stage, chunks: &[&[u8]]) -> Vec<stateward_format::point::PackReference> {
    let keys = &stage.forger.keys;
    let packs: Vec<_> = chunks.iter().map(|chunk| ForgedPack::default().with(keys, chunk)).collect();
    packs.iter().map(|pack| stage.forger.put_pack(pack)).collect()
}

/// A list that names one chunk as often as fits in a chunk.
fn list_of(chunk: ChunkReference) -> Vec<u8> {
    let mut piece = Writer::default();
    Piece::Data(chunk).encode(&mut piece);
    piece.0.repeat(CHUNK_BYTES / piece.0.len())
}

/// A point of one component with these entries, which needs these packs besides.
fn point_of(stage: &mut Stage, entries: &[ForgedEntry], packs: Vec<stateward_format::point::PackReference>) {
    let segment = entries.iter().fold(Segment::begin(), |segment, entry| segment.with(entry)).leave();
    let (pack, stream) = stage.pack(&[segment]);
    stage.point(stream, &[packs, vec![pack]].concat());
}

pub const DEEP: Behaviour<Stage> = Behaviour {
    name: "folders-without-end",
    does: "A hundred thousand folders lie one in another",
    outcome: "those down to 5,000 are made, as deep as a writer goes; the rest is told as lost (`entries-lost`)",
    play: |stage| {
        let folder = ForgedEntry::folder("d");
        let deep = (0..100_000).fold(Segment::begin(), |segment, _| segment.with(&folder));
        let (pack, stream) = stage.pack(&[deep]);
        stage.point(stream, &[pack]);
        let restored = stage.restore().with_losses().tells_of("entries-lost");
        // Too deep for whoever takes a test's folder away by itself.
        let removed = Command::new("rm").arg("-rf").arg(&restored.target).status().unwrap();
        assert!(removed.success());
    },
};

pub const SIZE: Behaviour<Stage> = Behaviour {
    name: "size-beyond-all",
    does: "A file is said to be one hole of 18 exabytes, another one of 4",
    outcome: "each is a hole that takes no space, or told as lost where the file system has no such files",
    play: |stage| {
        let chunk = [stage.honest()];
        let hole = |name, size| {
            let content = stateward_format::Content::Inline(vec![Piece::Hole(size)]);
            ForgedEntry::file_of(name, size, &content)
        };
        stage.point_of(&[hole("a", u64::MAX), hole("b", 1 << 62), ForgedEntry::file("c", &chunk)]);
        let restored = stage.restore().with_losses().holds_honest("c");
        assert!(restored.told().contains(&("file-lost".to_owned(), "/a".to_owned())));
        match fs::metadata(restored.target.join("b")) {
            Ok(found) => assert_eq!((found.len(), found.blocks()), (1 << 62, 0)),
            Err(_) => assert!(restored.told().contains(&("file-lost".to_owned(), "/b".to_owned()))),
        }
    },
};

pub const HOLES: Behaviour<Stage> = Behaviour {
    name: "holes-by-the-million",
    does: "A file is 268 million holes of one byte each, listed in a few kilobytes",
    outcome: "harmless: the list is read piece by piece, the file is a hole",
    play: |stage| {
        let holes = [0, 1].repeat(CHUNK_BYTES / 2);
        let packs = put(stage, &[&holes]);
        let size = 64 * (CHUNK_BYTES as u64 / 2);
        let list = stream(&[stage.forger.chunk(&holes); 64]);
        point_of(stage, &[ForgedEntry::listed("holes", size, list)], packs);
        let restored = stage.restore().with_code(0).holds(&["holes"]);
        let found = fs::metadata(restored.target.join("holes")).unwrap();
        assert_eq!((found.len(), found.blocks()), (size, 0));
    },
};

pub const LIST: Behaviour<Stage> = Behaviour {
    name: "list-of-a-terabyte",
    does: "A file's list is 28,000 times the same 8 MiB, which are no list",
    outcome: "the file is told as lost at the first piece; no list is ever put together",
    play: |stage| {
        let chunk = [stage.honest()];
        let nonsense = vec![0xff; CHUNK_BYTES];
        let packs = put(stage, &[&nonsense]);
        let list = stream(&vec![stage.forger.chunk(&nonsense); 28_000]);
        let entries = [ForgedEntry::listed("a", 1 << 40, list), ForgedEntry::file("b", &chunk)];
        point_of(stage, &entries, packs);
        stage.restore().with_losses().tells(&[("file-lost", "/a")]).holds(&["b"]).holds_honest("b");
    },
};

pub const ENDLESS: Behaviour<Stage> = Behaviour {
    name: "list-without-end",
    does: "Lists of lists of lists name one list of holes: 10²² of them",
    outcome: "harmless: memory stays bounded, nothing is written, and it ends within seconds when it is told to",
    play: |stage| {
        let holes = [0, 1].repeat(CHUNK_BYTES / 2);
        let first = list_of(stage.forger.chunk(&holes));
        let second = list_of(stage.forger.chunk(&first));
        let third = list_of(stage.forger.chunk(&second));
        let packs = put(stage, &[&holes, &first, &second, &third]);
        let list = StreamReference { depth: 3, chunks: vec![stage.forger.chunk(&third)] };
        point_of(stage, &[ForgedEntry::listed("a", u64::MAX, list)], packs);
        stage.lay_out();
        let (command, target) = stage.restore_command();
        let (begin, mut asked_at) = (Instant::now(), None);
        let outcome = stage.run_meanwhile(command, |running| {
            if asked_at.is_none() && begin.elapsed() > Duration::from_secs(5) {
                kill_process(running.pid(), Signal::INT).unwrap();
                asked_at = Some(Instant::now());
            }
        });
        let outcome = outcome.expect_code(130);
        let took = asked_at.expect("it did not end by itself").elapsed();
        assert!(took < Duration::from_secs(5), "{took:?}: {outcome:#?}");
        assert!(fs::read_dir(target).unwrap().count() <= 1, "the marker is all that is there");
    },
};

pub const REPEATED: Behaviour<Stage> = Behaviour {
    name: "segments-without-end",
    does: "A component's list names one segment 10¹⁵ times",
    outcome: "it counts once; the repetitions are told as lost, and after 65,536 of them the rest is given up",
    play: |stage| {
        let chunk = [stage.honest()];
        let segment = Segment::begin().with(&ForgedEntry::file("a", &chunk));
        let (pack, stream) = stage.pack(&[segment]);
        let first = list_of(stream.chunks[0]);
        let second = list_of(stage.forger.chunk(&first));
        let third = list_of(stage.forger.chunk(&second));
        let mut packs = put(stage, &[&first, &second, &third]);
        packs.push(pack);
        let forged = StreamReference { depth: 3, chunks: vec![stage.forger.chunk(&third)] };
        stage.point(forged, &packs);
        let restored = stage.restore().with_losses();
        restored.tells(&[("entries-lost", "/a")]).holds(&["a"]).holds_honest("a");
    },
};

/// An entry with two megabytes of an attribute that can't be set.
fn heavy(entry: ForgedEntry) -> ForgedEntry {
    entry.extended_attribute(b"user.heavy", &vec![0; 2 << 20])
}

pub const METADATA: Behaviour<Stage> = Behaviour {
    name: "metadata-by-the-gigabyte",
    does: "Three hundred files have attributes of 2 MiB each",
    outcome: "harmless: few are held at a time; the attributes are told as not set",
    play: |stage| {
        let chunk = [stage.honest()];
        let mut segments = vec![Segment::begin()];
        for number in 0..300 {
            if number > 0 {
                segments.push(Segment::within(&[""]));
            }
            let last = segments.pop().unwrap();
            segments.push(last.with(&heavy(ForgedEntry::file(format!("f{number:03}"), &chunk))));
        }
        let (pack, stream) = stage.pack(&segments);
        stage.point(stream, &[pack]);
        let restored = stage.restore().with_code(3).holds_honest("f299");
        assert_eq!(restored.told().len(), 300);
    },
};

pub const FOLDERS: Behaviour<Stage> = Behaviour {
    name: "metadata-on-the-way-down",
    does: "Two hundred folders one in another have attributes of 2 MiB each",
    outcome: "some are set, and of the deeper ones it is told that they can't be held; the file within comes back",
    play: |stage| {
        let chunk = [stage.honest()];
        let mut segments = vec![Segment::begin().with(&heavy(ForgedEntry::folder("d")))];
        for depth in 1..200 {
            let open: Vec<&str> = std::iter::once("").chain(std::iter::repeat_n("d", depth)).collect();
            segments.push(Segment::within(&open).with(&heavy(ForgedEntry::folder("d"))));
        }
        let open: Vec<&str> = std::iter::once("").chain(std::iter::repeat_n("d", 200)).collect();
        segments.push(Segment::within(&open).with(&ForgedEntry::file("f", &chunk)));
        let (pack, stream) = stage.pack(&segments);
        stage.point(stream, &[pack]);
        let restored = stage.restore().with_losses().tells_of("attribute-not-restored");
        restored.tells_of("file-lost").holds_honest(&format!("{}f", "d/".repeat(200)));
    },
};

pub const TOTALS: Behaviour<Stage> = Behaviour {
    name: "totals-beyond-all",
    does: "Two components are said to have 2⁶⁴ − 1 files and bytes each",
    outcome: "harmless: totals are only shown",
    play: |stage| {
        let chunk = [stage.honest()];
        let (pack, stream) = stage.pack(&[Segment::begin().with(&ForgedEntry::file("a", &chunk)).leave()]);
        let mut point =
            stage.forger.point(&[("one", stream.clone()), ("two", StreamReference::default())], &[pack]);
        for component in &mut point.manifest.components {
            (component.files, component.others, component.bytes) = (u64::MAX, u64::MAX, u64::MAX);
        }
        stage.forger.put_point(&point);
        assert_eq!(stage.list().done().last()["files"], u64::MAX);
        stage.restore().with_code(0).holds(&["a"]).holds_honest("a");
    },
};
