//! Lists as a writer may cut them, and as only a forger would.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]

use stateward_engine::progress::Silent;
use stateward_engine::{
    Cancellation, PointSummary, RestoreOutcome, RestoreRequest, ServerTrust, Tools, points, restore,
};
use stateward_format::wire::Writer;
use stateward_format::{ChunkReference, Piece, StreamReference, layout};
use stateward_testing::forge::{Segment, stream};
use stateward_testing::{
    FakeClock, ForgedEntry, ForgedPack, Forger, MemoryTarget, MemoryVault, SeededRandom, Thing,
};
use std::sync::Arc;

/// Restores the forger's only point.
fn lay(forger: &Forger) -> (RestoreOutcome, MemoryTarget) {
    let (clock, random) = (Arc::new(FakeClock::default()), Arc::new(SeededRandom::new(1)));
    let public_key = forger.signing_key.public_key();
    let vault = MemoryVault::new(forger.vault, forger.server, public_key, clock.clone(), random.clone());
    forger.objects().iter().for_each(|(name, object)| vault.replace(name, object.clone()));
    let trust = ServerTrust {
        vault: forger.vault,
        server: forger.server,
        signing_public_keys: vec![public_key],
        vault_public_key: None,
    };
    let keys = std::slice::from_ref(&forger.keys);
    let name = forger.objects().keys().find(|name| name.starts_with("points/")).unwrap();
    let (sequence, hash) = layout::parse_point(name.rsplit('/').next().unwrap()).unwrap();
    let summary = PointSummary { sequence, hash };
    let point = points::open_point(&vault, &trust, keys, summary).unwrap();
    let target = MemoryTarget::new();
    let request = RestoreRequest {
        point: &point,
        vault: &vault,
        keys: &forger.keys,
        components: &[],
        paths: &[],
        target: &target,
        cache: None,
        threads: 2,
    };
    let cancellation = Cancellation::default();
    let tools = Tools { clock: &*clock, random: &*random, progress: &Silent, cancellation: &cancellation };
    (restore(request, &tools).unwrap(), target)
}

/// Adds these bytes in chunks of so many; their references.
fn cut(forger: &Forger, pack: &mut ForgedPack, bytes: &[u8], length: usize) -> Vec<ChunkReference> {
    let mut chunks = Vec::new();
    for part in bytes.chunks(length) {
        *pack = std::mem::take(pack).with(&forger.keys, part);
        chunks.push(forger.chunk(part));
    }
    chunks
}

fn encode(pieces: impl Iterator<Item = Piece>) -> Vec<u8> {
    let mut list = Writer::default();
    pieces.for_each(|piece| piece.encode(&mut list));
    list.0
}

/// Issue 4: lists were put together whole, whatever length a forged one said.
#[test]
fn pieces_lie_across_the_borders_of_every_list() {
    let mut forger = Forger::new(7);
    let (mut pack, mut pieces, mut content) = (ForgedPack::default(), Vec::new(), Vec::new());
    for number in 0..400_usize {
        let bytes = format!("{number:>width$}", width = 1 + number % 50).into_bytes();
        pieces.extend(cut(&forger, &mut pack, &bytes, 1000).into_iter().map(Piece::Data));
        content.extend_from_slice(&bytes);
        let hole = number % 3;
        if hole > 0 {
            pieces.push(Piece::Hole(hole as u64));
            content.extend(vec![0; hole]);
        }
    }
    // The list of pieces, the list of its chunks, and the list of that one's.
    let mut chunks = cut(&forger, &mut pack, &encode(pieces.into_iter()), 97);
    for length in [53, 61] {
        let list = encode(chunks.into_iter().map(Piece::Data));
        chunks = cut(&forger, &mut pack, &list, length);
    }
    let list = StreamReference { depth: 2, chunks };
    let entry = ForgedEntry::listed("file", content.len() as u64, list.clone());
    let short = ForgedEntry::listed("short", content.len() as u64 - 1, list);
    let segment = Segment::begin().with(&entry).with(&short).leave();
    pack = pack.with(&forger.keys, segment.bytes());
    let segments = stream(&[forger.chunk(segment.bytes())]);
    let pack = forger.put_pack(&pack);
    let point = forger.point(&[("files", segments)], &[pack]);
    forger.put_point(&point);
    let (outcome, target) = lay(&forger);
    let lost: Vec<_> = outcome.lost.iter().map(|lost| &lost.path[..]).collect();
    assert_eq!((outcome.files, lost), (1, vec![&b"/short"[..]]));
    assert_eq!(outcome.lost_in_all, 1);
    let listing = target.listing();
    let Thing::File { size, segments, .. } = &listing.0[&b"file"[..]].thing else { panic!("it is no file") };
    let mut found = vec![0; *size as usize];
    segments.read(0, &mut found);
    assert!(found == content);
}
