//! Where a pass over entries is in the tree.

use stateward_format::FileName;

/// Where a pass is in the tree: the names of the open folders, below the topmost.
#[derive(Default)]
pub(crate) struct Position {
    pub(crate) names: Vec<FileName>,
    is_in_root: bool,
    /// The path that was last.
    pub(crate) last: Vec<u8>,
}

impl Position {
    /// The path of a name in the folder that is open; empty for the topmost folder itself.
    pub(crate) fn path(&self) -> Vec<u8> {
        let names: Vec<_> = self.names.iter().map(FileName::as_bytes).collect();
        names.join(&b'/')
    }

    /// Enters a folder.
    pub(crate) fn enter(&mut self, name: &FileName) {
        match self.is_in_root {
            true => self.names.push(name.clone()),
            false => self.is_in_root = true,
        }
    }

    /// Leaves the folder that was entered last.
    pub(crate) fn leave(&mut self) {
        if self.names.pop().is_none() {
            self.is_in_root = false;
        }
    }

    /// Calls `with` while `name` is open, as a file is.
    pub(crate) fn at<T>(&mut self, name: &FileName, with: impl FnOnce(&Self) -> T) -> T {
        self.enter(name);
        let done = with(self);
        self.last = self.path();
        self.leave();
        done
    }
}
