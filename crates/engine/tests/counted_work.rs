//! What a backup, a restore and a verify cost a vault in calls and bytes, over one fixed tree of 94 MB. Counted work is
//! the same on every machine and under every load, so a regression shows here before a clock can tell.

mod server;

use server::Server;
use stateward_engine::{BackupOptions, VerifyShare};
use stateward_testing::{Call, SeededRandom};
use std::collections::BTreeMap;

/// What one kind of call may come to.
struct Bound {
    call: Call,
    /// Exactly so many calls.
    calls: usize,
    /// Bytes, give or take [`SLACK`].
    bytes: u64,
}

/// By which part bytes may differ: another release of the compressor changes them a little, another cut not much more.
const SLACK: f64 = 0.03;

fn bound(call: Call, calls: usize, bytes: u64) -> Bound {
    Bound { call, calls, bytes }
}

/// The calls since the last look are these and no others.
#[track_caller]
fn assert_work(phase: &str, server: &Server, bounds: &[Bound]) {
    let calls = server.vault.calls();
    let mut counted: BTreeMap<String, (usize, u64)> = BTreeMap::new();
    for made in &calls {
        let entry = counted.entry(format!("{:?}", made.call)).or_default();
        *entry = (entry.0 + 1, entry.1 + made.bytes);
    }
    for Bound { call, calls, bytes } in bounds {
        let (made, moved) = counted.remove(&format!("{call:?}")).unwrap_or_default();
        assert_eq!(made, *calls, "{phase}: calls of {call:?}, which moved {moved} bytes");
        let off = moved.abs_diff(*bytes) as f64;
        assert!(off <= *bytes as f64 * SLACK, "{phase}: {call:?} moved {moved} bytes, expected {bytes}");
    }
    assert!(counted.is_empty(), "{phase}: calls that it needs not make: {counted:?}");
    server.vault.forget_calls();
}

/// Text of 512 words: compresses as prose does.
fn text(size: usize, seed: u64) -> Vec<u8> {
    let random = SeededRandom::new(seed);
    let word = |_| format!("{:x} ", random.next() >> (16 + random.below(40)));
    let words: Vec<String> = (0..512).map(word).collect();
    let mut bytes = Vec::with_capacity(size + 16);
    while bytes.len() < size {
        bytes.extend_from_slice(words[random.below(512) as usize].as_bytes());
    }
    bytes.truncate(size);
    bytes
}

/// 6000 small files, one large text, one that does not compress, one sparse disk image.
fn plant(server: &Server) {
    let tree = server.tree.component("files");
    for number in 0..6000_usize {
        let path = format!("small/{:02}/{number}", number % 60);
        tree.file(path, &text(2000 + number % 97 * 40, number as u64));
    }
    tree.file("text", &text(32 << 20, 1)).random_file("random", 32 << 20, 2);
    let mut image = text(8 << 20, 3);
    image.extend(SeededRandom::new(4).bytes(4 << 20));
    tree.sparse_file("disk.img", 64 << 20, &[(0, &image), (32 << 20, &image[..1 << 20])]);
}

/// 60 small files, one bit of the large file and three bytes put into it.
fn change(server: &Server) {
    let tree = server.tree.component("files");
    for number in 0..60 {
        tree.write(format!("small/{number:02}/{number}"), &text(3000, 10_000 + number));
    }
    let mut random = SeededRandom::new(2).bytes(32 << 20);
    random[10 << 20] ^= 1;
    random.splice(20 << 20..20 << 20, [1, 2, 3]);
    tree.write("random", &random);
}

#[test]
fn each_phase_makes_the_calls_and_moves_the_bytes_that_it_must() {
    let mut server = Server::new(77);
    // One thread of each kind, so that frames and packs are filled in one order.
    server.options = BackupOptions { threads: 1, ..server.options };
    plant(&server);
    use Call::{Close, Commit, OpenSession, Point, Points, PutPack, ReadPack, Receipt};

    server.backup();
    // 37.7 MB that do not compress, 72 MB of text at a third of it: in packs of 16 MiB, each sent once. No look-ups.
    let work =
        [bound(OpenSession, 1, 0), bound(PutPack, 4, 59_768_832), bound(Commit, 1, 545), bound(Close, 1, 0)];
    assert_work("first", &server, &work);

    server.backup();
    // Three calls, whatever there is: a session, a recovery point that names the same chunks, the session's end.
    assert_work("unchanged", &server, &[bound(OpenSession, 1, 0), bound(Commit, 1, 545), bound(Close, 1, 0)]);

    change(&server);
    server.backup();
    // The chunks around two places of the large file (64 KiB each in the mean, a few of them), 60 files of 3 KB, and
    // the metadata chunks that name them; one pack, padded.
    let work =
        [bound(OpenSession, 1, 0), bound(PutPack, 1, 475_136), bound(Commit, 1, 645), bound(Close, 1, 0)];
    assert_work("changed", &server, &work);

    server.lose_cache();
    server.backup();
    // The head's point twice (the chain, the parent), its receipt; a MiB for each of five packs' tables and three more for
    // the metadata stream. No content.
    let work = [
        bound(OpenSession, 1, 0),
        bound(Point, 2, 0),
        bound(Receipt, 1, 0),
        bound(ReadPack, 10, 11_911_168),
        bound(Commit, 1, 645),
        bound(Close, 1, 0),
    ];
    assert_work("cache lost", &server, &work);

    server.restore();
    // Without a cache: the tables (a MiB for each of five packs), the metadata, then every pack in two reads, which bounds
    // memory and reads the MiB between them twice.
    let work =
        [bound(Points, 1, 0), bound(Point, 1, 0), bound(Receipt, 1, 0), bound(ReadPack, 21, 77_873_152)];
    assert_work("restore", &server, &work);

    let verified = server.verify(VerifyShare::Full, &BTreeMap::new());
    assert_eq!(verified.problems, []);
    // Four points with their receipts, every pack once, then each piece of their metadata once.
    let work =
        [bound(Points, 1, 0), bound(Point, 4, 0), bound(Receipt, 4, 0), bound(ReadPack, 20, 78_823_424)];
    assert_work("verify", &server, &work);
}
