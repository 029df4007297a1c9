//! What Windows has besides a file's own content goes into a vault and comes back: alternate streams, and attributes.

mod server;

use server::Server;
use stateward_format::{Attribute, Metadata};
use stateward_testing::{MemoryTarget, SeededRandom};
use std::collections::BTreeMap;

fn rich_tree(server: &Server) {
    let tree = server.tree.component("files");
    tree.file("own", b"own content").set_stream("own", "note", &[(0, b"a note")]);
    tree.set_stream(
        "own",
        "large",
        &[(0, &SeededRandom::new(9).bytes(3 << 20)), (5 << 20, b"behind a hole")],
    );
    tree.set_stream("own", "empty", &[]);
    tree.add_other("own", Attribute::SecurityDescriptor(vec![1, 2, 3]));
    tree.add_other("own", Attribute::FileAttributes(0x20));
    tree.folder("folder").add_other("folder", Attribute::ReparsePoint { tag: 7, data: vec![1] });
    tree.set_stream("folder", "of a folder", &[(0, b"note")]);
    tree.file("plain", b"plain");
}

fn metadata(target: &MemoryTarget, path: &str) -> Metadata {
    target.metadata()[path.as_bytes()].clone()
}

/// What an entry tells of its streams: names and sizes, in order.
fn told(metadata: &Metadata) -> Vec<(String, u64)> {
    let told = |attribute: &Attribute| match attribute {
        Attribute::Stream(stream) => Some((String::from_utf8_lossy(&stream.name).into_owned(), stream.size)),
        _ => None,
    };
    metadata.attributes.iter().filter_map(told).collect()
}

#[test]
fn streams_and_attributes_come_back_to_a_target_that_keeps_them() {
    let mut server = Server::new(31);
    rich_tree(&server);
    assert_eq!(server.backup().warnings, []);
    let target = MemoryTarget::keeping_streams();
    let outcome = server.try_restore(&server.latest(), &[], &[], &target, None).unwrap();
    assert_eq!((outcome.files, outcome.lost), (2, Vec::new()));
    let streams = target.streams("own");
    let mut large = vec![0; (5 << 20) + 13];
    streams[&b"large"[..]].read(0, &mut large);
    let expected = SeededRandom::new(9).bytes(3 << 20);
    assert!(large[..3 << 20] == expected[..] && &large[5 << 20..] == b"behind a hole");
    assert_eq!(streams[&b"large"[..]].stored_bytes(), (3 << 20) + 13, "the hole stays one");
    let mut note = [0; 6];
    streams[&b"note"[..]].read(0, &mut note);
    assert_eq!(&note, b"a note");
    let own = metadata(&target, "own");
    let large = ("large".to_owned(), (5 << 20) + 13);
    assert_eq!(told(&own), [("empty".to_owned(), 0), large, ("note".to_owned(), 6)]);
    assert_eq!(
        own.attributes[..2],
        [Attribute::FileAttributes(0x20), Attribute::SecurityDescriptor(vec![1, 2, 3])]
    );
    let folder = metadata(&target, "folder");
    assert_eq!(told(&folder), [("of a folder".to_owned(), 4)]);
    assert!(folder.attributes.contains(&Attribute::ReparsePoint { tag: 7, data: vec![1] }));
    assert!(target.streams("plain").is_empty());
}

#[test]
fn a_target_without_streams_is_given_none_and_the_content_comes_back() {
    let mut server = Server::new(32);
    rich_tree(&server);
    server.backup();
    let (outcome, _) = server.restore();
    assert_eq!((outcome.files, outcome.lost), (2, Vec::new()));
}

#[test]
fn an_unchanged_file_with_streams_is_not_read_again_and_a_changed_stream_is() {
    let mut server = Server::new(33);
    let tree = server.tree.component("files");
    tree.file("own", b"own").set_stream("own", "note", &[(0, b"first")]);
    server.backup();
    let second = server.backup();
    assert_eq!((second.files, second.unchanged_files), (1, 1));
    tree.set_stream("own", "note", &[(0, b"second")]);
    assert_eq!(server.backup().unchanged_files, 0);
    let target = MemoryTarget::keeping_streams();
    server.try_restore(&server.latest(), &[], &[], &target, None).unwrap();
    let mut note = [0; 6];
    target.streams("own")[&b"note"[..]].read(0, &mut note);
    assert_eq!(&note, b"second");
    let verified = server.verify(stateward_engine::VerifyShare::Full, &BTreeMap::new());
    assert_eq!(verified.problems.len(), 0);
}
