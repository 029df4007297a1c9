//! Files whose size shows only when they end, as raw content of EFS: they are read once, in order, and come back.

mod server;

use server::Server;
use stateward_engine::{
    Details, Extent, Found, FoundKind, Node, OpenFile, SIZE_UNKNOWN, Source, SourceDescription, SourceError,
    Stat, Visitor,
};
use stateward_format::entry::ExtendedAttribute;
use stateward_format::manifest::Warning;
use stateward_model::ComponentName;
use stateward_testing::MemoryTree;
use std::cell::Cell;
use std::io;
use std::ops::ControlFlow;

/// A tree whose files don't tell their sizes.
struct Untold(MemoryTree);

impl Source for Untold {
    fn description(&self) -> SourceDescription {
        self.0.description()
    }

    fn components(&self) -> Vec<ComponentName> {
        self.0.components()
    }

    fn estimate(&self) -> Option<(u64, u64)> {
        None
    }

    fn walk(&self, component: &ComponentName, visitor: &mut dyn Visitor) -> Result<bool, SourceError> {
        self.0.walk(component, &mut Wrapping(visitor))
    }
}

struct Wrapping<'a>(&'a mut dyn Visitor);

impl Visitor for Wrapping<'_> {
    fn entry(&mut self, mut found: Found) -> ControlFlow<()> {
        if matches!(found.stat.kind, FoundKind::File { .. }) {
            found.stat.identity = None;
            found.node = Box::new(UntoldNode(found.node));
        }
        self.0.entry(found)
    }

    fn leave(&mut self) -> ControlFlow<()> {
        self.0.leave()
    }

    fn warning(&mut self, warning: Warning) {
        self.0.warning(warning);
    }
}

struct UntoldNode(Box<dyn Node>);

impl Node for UntoldNode {
    fn path(&self) -> Vec<u8> {
        self.0.path()
    }

    fn details(&self) -> io::Result<Details> {
        self.0.details()
    }

    fn open(&self) -> io::Result<(Box<dyn OpenFile>, Stat)> {
        let (file, stat) = self.0.open()?;
        Ok((Box::new(UntoldFile { file, offset: Cell::new(0) }), untold(stat)))
    }
}

fn untold(stat: Stat) -> Stat {
    Stat { kind: FoundKind::File { size: SIZE_UNKNOWN }, ..stat }
}

struct UntoldFile {
    file: Box<dyn OpenFile>,
    /// Where it goes on.
    offset: Cell<u64>,
}

impl OpenFile for UntoldFile {
    fn stat(&self) -> io::Result<Stat> {
        self.file.stat().map(untold)
    }

    fn extended_attributes(&self) -> io::Result<Vec<ExtendedAttribute>> {
        self.file.extended_attributes()
    }

    fn next_extent(&self, offset: u64) -> io::Result<Option<Extent>> {
        Ok(Some(Extent { start: offset, end: SIZE_UNKNOWN }))
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        assert_eq!(offset, self.offset.get(), "read in order, and once");
        let read = self.file.read_at(offset, buffer)?;
        self.offset.set(offset + read as u64);
        Ok(read)
    }
}

fn tree_of(server: &Server) -> Untold {
    let tree = server.tree.component("files");
    tree.file("one", b"a").file("empty", b"");
    tree.random_file("small", 70_000, 1).random_file("large", (5 << 20) + 17, 2);
    tree.random_file("as long as the buffer", 1 << 20, 3);
    Untold(server.tree.clone())
}

#[test]
fn files_of_unknown_size_are_read_to_their_end_and_come_back() {
    let mut server = Server::new(41);
    let source = tree_of(&server);
    let outcome = server.try_backup_of(&source).unwrap();
    assert_eq!((outcome.files, outcome.warnings), (5, Vec::new()));
    server.assert_comes_back();
}

#[test]
fn they_are_read_again_by_each_backup_and_nothing_of_them_is_sent_again() {
    let mut server = Server::new(42);
    let source = tree_of(&server);
    server.try_backup_of(&source).unwrap();
    server.clock.advance_seconds(3600);
    let outcome = server.try_backup_of(&source).unwrap();
    assert_eq!((outcome.files, outcome.unchanged_files), (5, 0));
    assert!(outcome.uploaded_bytes < 1 << 20, "{}", outcome.uploaded_bytes);
    server.assert_comes_back();
}

#[test]
fn one_that_changes_meanwhile_is_named() {
    let mut server = Server::new(43);
    let source = tree_of(&server);
    server.tree.component("files").change_while_read("small", 100);
    let outcome = server.try_backup_of(&source).unwrap();
    let codes: Vec<&str> = outcome.warnings.iter().map(|warning| warning.code.as_str()).collect();
    assert_eq!(codes, ["file-changed-while-read"]);
}
