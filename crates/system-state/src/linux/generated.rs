//! What no file says: lists that the system makes, kept as files at `/stateward-generated/<component>/<name>`.
//!
//! When nothing changed they are the same to the byte: sorted, without times and counters. They carry the time 1970,
//! as no file stands behind them.

mod boot;
mod directory;
mod efi;
mod loaders;
mod made;
mod packages;
mod parts;
mod question;
mod storage;
mod tidy;

use crate::components::Part;
use crate::linux::tree::Tree;
use made::{Content, Made};
use rustix::process::{getegid, geteuid};
use stateward_engine::{Details, Extent, Found, FoundKind, Node, OpenFile, Stat, Visitor};
use stateward_format::FileName;
use stateward_format::entry::ExtendedAttribute;
use stateward_format::manifest::Warning;
use stateward_model::Timestamp;
use std::io;
use std::ops::ControlFlow;

/// The name of the folder below `/`.
pub(crate) const FOLDER: &[u8] = b"stateward-generated";

/// What the lists are made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To be kept.
    Backup,
    /// To tell a person how much there is: dumps of directories, which take long, are not made.
    Description,
}

/// The generated files of one part.
pub(crate) struct GeneratedFolder {
    part: Part,
    /// Sorted by name.
    files: Vec<(String, Content)>,
    /// What could not be made.
    pub warnings: Vec<Warning>,
}

impl GeneratedFolder {
    /// Makes a part's files; of another root than the running system's, only what its files tell.
    pub fn make(part: Part, tree: &Tree, purpose: Purpose) -> Self {
        let Made { mut files, warnings, .. } = parts::make(part, tree, purpose);
        files.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        Self { part, files, warnings }
    }

    /// Whether there is no file.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Gives the folder and its files to `visitor`, who has been given `/`.
    pub fn give(self, visitor: &mut dyn Visitor) -> ControlFlow<()> {
        let component = self.part.info().name.as_bytes();
        visitor.entry(found(FOLDER, None, path(&[FOLDER])))?;
        visitor.entry(found(component, None, path(&[FOLDER, component])))?;
        for (name, content) in self.files {
            let path = path(&[FOLDER, component, name.as_bytes()]);
            visitor.entry(found(name.as_bytes(), Some(content), path))?;
        }
        visitor.leave()?;
        visitor.leave()
    }
}

fn path(names: &[&[u8]]) -> Vec<u8> {
    names.iter().flat_map(|name| [b"/", *name].concat()).collect()
}

fn found(name: &[u8], content: Option<Content>, path: Vec<u8>) -> Found {
    let name = FileName::new(name).expect("`Made::keep` makes every name valid");
    let node = GeneratedNode { path, content };
    Found { name, stat: node.stat(), node: Box::new(node) }
}

struct GeneratedNode {
    path: Vec<u8>,
    /// `None` for a folder.
    content: Option<Content>,
}

impl GeneratedNode {
    /// For their maker only: they may hold what only root may read.
    fn stat(&self) -> Stat {
        let (kind, mode) = match &self.content {
            Some(content) => (FoundKind::File { size: content.length() }, 0o600),
            None => (FoundKind::Folder, 0o700),
        };
        Stat {
            kind,
            mode,
            user: geteuid().as_raw(),
            group: getegid().as_raw(),
            modified_at: Timestamp(0),
            identity: None,
            is_hard_linked: false,
        }
    }
}

impl Node for GeneratedNode {
    fn path(&self) -> Vec<u8> {
        self.path.clone()
    }

    fn details(&self) -> io::Result<Details> {
        Ok(Details::default())
    }

    fn open(&self) -> io::Result<(Box<dyn OpenFile>, Stat)> {
        let content = self.content.clone().ok_or(io::ErrorKind::IsADirectory)?;
        Ok((Box::new(GeneratedFile { stat: self.stat(), content }), self.stat()))
    }
}

struct GeneratedFile {
    stat: Stat,
    content: Content,
}

impl OpenFile for GeneratedFile {
    fn stat(&self) -> io::Result<Stat> {
        Ok(self.stat.clone())
    }

    fn extended_attributes(&self) -> io::Result<Vec<ExtendedAttribute>> {
        Ok(Vec::new())
    }

    fn next_extent(&self, offset: u64) -> io::Result<Option<Extent>> {
        let end = self.content.length();
        Ok((offset < end).then_some(Extent { start: offset, end }))
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.content.read_at(offset + filled as u64, &mut buffer[filled..])? {
                0 => break,
                read => filled += read,
            }
        }
        Ok(filled)
    }
}
