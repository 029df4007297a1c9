//! What Windows has besides a file's own content goes into a vault and comes back: alternate streams, and attributes.

mod server;

use server::Server;
use stateward_engine::{
    ContentOf, EngineError, ExistingFile, IsSame, Judgement, Target, TargetError, TargetFile,
};
use stateward_format::manifest::Warning;
use stateward_format::{Attribute, Entry, Metadata};
use stateward_testing::{MemoryTarget, SeededRandom, TargetFault};
use std::collections::BTreeMap;
use std::io;
use std::sync::Mutex;

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
    let mut of_folder = [0; 4];
    target.streams("folder")[&b"of a folder"[..]].read(0, &mut of_folder);
    assert_eq!(&of_folder, b"note");
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

#[test]
fn a_folders_stream_that_the_vault_damaged_is_named_and_all_else_comes_back() {
    let mut server = Server::new(34);
    let tree = server.tree.component("files");
    tree.folder("folder").file("folder/file", b"content");
    let large = SeededRandom::new(10).bytes(6 << 20);
    tree.set_stream("folder", "large", &[(0, &large)]).set_stream("folder", "note", &[(0, b"a note")]);
    server.backup();
    let packs = server.vault.names("packs/");
    let pack = packs.iter().max_by_key(|pack| server.vault.object(pack).unwrap().len()).unwrap();
    // In the middle of it there is nothing but that stream.
    server.vault.corrupt(pack, server.vault.object(pack).unwrap().len() / 2);
    let target = MemoryTarget::keeping_streams();
    let outcome = server.try_restore(&server.latest(), &[], &[], &target, None).unwrap();
    let lost: Vec<_> = outcome.lost.iter().map(|lost| (&lost.path[..], &lost.message[..])).collect();
    assert!(
        matches!(lost[..], [(b"/folder", message)] if message.contains("its stream `large` can't be read")),
        "{lost:?}"
    );
    let streams = target.streams("folder");
    assert_eq!(streams.keys().collect::<Vec<_>>(), [b"note"]);
    assert!(target.metadata().contains_key(&b"folder"[..]), "the folder itself is finished");
    assert_eq!(outcome.files, 1);
}

#[test]
fn a_target_that_is_full_when_a_folders_stream_comes_ends_the_restore() {
    let mut server = Server::new(35);
    let tree = server.tree.component("files");
    tree.folder("folder").set_stream("folder", "note", &[(0, b"a note")]);
    server.backup();
    let target = MemoryTarget::keeping_streams();
    // The folder is made; its stream is not written any more.
    target.fail_after(1, TargetFault::Full);
    let ended = server.try_restore(&server.latest(), &[], &[], &target, None).unwrap_err();
    assert!(matches!(ended, EngineError::Target(TargetError::Full)), "{ended}");
}

/// Bytes that lie at a target.
struct There(&'static [u8]);

impl ExistingFile for There {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = self.0.get(offset as usize..).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        Ok(length)
    }
}

/// Asks of each file whether bytes are its own content or that of its stream `note`, and notes the answers.
struct Asking {
    target: MemoryTarget,
    answers: Mutex<Vec<[bool; 5]>>,
}

impl Target for Asking {
    fn judge(&self, _: &[u8], _: &Entry, is_same: &mut IsSame<'_>) -> Result<Judgement, TargetError> {
        let note = ContentOf::Stream(b"note");
        let asked = [
            (ContentOf::File, &b"own"[..]),
            (ContentOf::File, b"not"),
            (note, b"a note"),
            (note, b"no not"),
            (ContentOf::Stream(b"other"), b""),
        ];
        let answers = asked.map(|(which, bytes)| is_same(which, &There(bytes)));
        self.answers.lock().expect("one thread asks").push(answers);
        Ok(Judgement::Leave(None))
    }

    fn make_folder(&self, path: &[u8]) -> Result<(), TargetError> {
        self.target.make_folder(path)
    }

    fn make_file(&self, path: &[u8]) -> Result<Box<dyn TargetFile>, TargetError> {
        self.target.make_file(path)
    }

    fn make_hard_link(&self, existing: &[u8], path: &[u8]) -> Result<(), TargetError> {
        self.target.make_hard_link(existing, path)
    }

    fn remove_file(&self, path: &[u8]) -> Result<(), TargetError> {
        self.target.remove_file(path)
    }

    fn make_special(&self, path: &[u8], entry: &Entry) -> Result<Vec<Warning>, TargetError> {
        self.target.make_special(path, entry)
    }

    fn finish_folder(&self, path: &[u8], metadata: &Metadata) -> Result<Vec<Warning>, TargetError> {
        self.target.finish_folder(path, metadata)
    }

    fn sync(&self) -> Result<(), TargetError> {
        self.target.sync()
    }
}

#[test]
fn what_lies_at_a_target_is_compared_with_a_streams_content_too() {
    let mut server = Server::new(36);
    server.tree.component("files").file("own", b"own").set_stream("own", "note", &[(0, b"a note")]);
    server.backup();
    let asking = Asking { target: MemoryTarget::new(), answers: Mutex::default() };
    server.try_restore(&server.latest(), &[], &[], &asking, None).unwrap();
    assert_eq!(asking.answers.into_inner().unwrap(), [[true, false, true, false, false]]);
}
