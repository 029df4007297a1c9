//! A source that goes away while it is read makes no recovery point: its files would seem to have vanished.

mod server;

use server::Server;
use stateward_engine::{EngineError, Source, SourceDescription, SourceError, VaultRead, Visitor};
use stateward_model::ComponentName;
use stateward_testing::MemoryTree;
use std::io;

/// A tree that is gone when all of it was read.
struct Gone(MemoryTree);

impl Source for Gone {
    fn description(&self) -> SourceDescription {
        self.0.description()
    }

    fn components(&self) -> Vec<ComponentName> {
        self.0.components()
    }

    fn estimate(&self) -> Option<(u64, u64)> {
        None
    }

    fn still_there(&self) -> Result<(), SourceError> {
        Err(SourceError::Unreadable { path: "/".to_owned(), cause: io::Error::other("it is gone") })
    }

    fn walk(&self, component: &ComponentName, visitor: &mut dyn Visitor) -> Result<bool, SourceError> {
        self.0.walk(component, visitor)
    }
}

#[test]
fn a_source_that_is_gone_makes_no_recovery_point_and_the_next_backup_does() {
    let mut server = Server::new(44);
    server.tree.component("files").file("one", b"a");
    let gone = Gone(server.tree.clone());
    let error = server.try_backup_of(&gone).unwrap_err();
    assert!(matches!(error, EngineError::Source(_)), "{error}");
    assert_eq!(server.vault.points().unwrap(), []);
    server.backup();
    server.assert_comes_back();
}
