//! A visitor that counts.

use stateward_engine::{Found, FoundKind, Visitor};
use stateward_format::manifest::Warning;
use std::ops::ControlFlow;

/// What a walk gave.
#[derive(Debug, Default)]
pub(crate) struct Counting {
    /// Files.
    pub files: u64,
    /// Their bytes, holes included.
    pub bytes: u64,
}

impl Visitor for Counting {
    fn entry(&mut self, found: Found) -> ControlFlow<()> {
        if let FoundKind::File { size } = found.stat.kind {
            self.files += 1;
            self.bytes += size;
        }
        ControlFlow::Continue(())
    }

    fn leave(&mut self) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn warning(&mut self, _: Warning) {}
}
