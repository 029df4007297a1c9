//! What no file says: lists that the system makes, kept as files at `/stateward-generated/<component>/<name>`.
//!
//! When nothing changed they are the same to the byte: sorted, without times and counters. They carry the time 1970,
//! as no file stands behind them.

mod parts;
mod tidy;

use crate::components::Part;
use crate::linux::tree::Tree;
use rustix::process::{getegid, geteuid};
use stateward_engine::{Details, Extent, Found, FoundKind, Node, OpenFile, Stat, Visitor};
use stateward_format::FileName;
use stateward_format::entry::ExtendedAttribute;
use stateward_format::manifest::Warning;
use stateward_model::Timestamp;
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;

/// The name of the folder below `/`.
pub(crate) const FOLDER: &[u8] = b"stateward-generated";

/// The generated files of one part.
pub(crate) struct GeneratedFolder {
    part: Part,
    /// Sorted by name.
    files: Vec<(&'static str, Arc<[u8]>)>,
    /// What could not be made.
    pub warnings: Vec<Warning>,
}

impl GeneratedFolder {
    /// Makes a part's files; of another root than the running system's, only what its files tell.
    pub fn make(part: Part, tree: &Tree) -> Self {
        let mut made = Self { part, files: Vec::new(), warnings: Vec::new() };
        for (name, content) in parts::make(part, tree) {
            match content {
                Ok(Some(content)) => made.files.push((name, content.into())),
                Ok(None) => {}
                Err(message) => made.warnings.push(Warning {
                    code: "command-failed".into(),
                    path: path(&[FOLDER, part.info().name.as_bytes(), name.as_bytes()]),
                    message,
                }),
            }
        }
        made.files.sort_unstable_by_key(|(name, _)| *name);
        made
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

fn found(name: &[u8], content: Option<Arc<[u8]>>, path: Vec<u8>) -> Found {
    let name = FileName::new(name).expect("names of generated files are ours and valid");
    let node = GeneratedNode { path, content };
    Found { name, stat: node.stat(), node: Box::new(node) }
}

struct GeneratedNode {
    path: Vec<u8>,
    /// `None` for a folder.
    content: Option<Arc<[u8]>>,
}

impl GeneratedNode {
    /// For their maker only: they may hold what only root may read.
    fn stat(&self) -> Stat {
        let (kind, mode) = match &self.content {
            Some(content) => (FoundKind::File { size: content.len() as u64 }, 0o600),
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
    content: Arc<[u8]>,
}

impl OpenFile for GeneratedFile {
    fn stat(&self) -> io::Result<Stat> {
        Ok(self.stat.clone())
    }

    fn extended_attributes(&self) -> io::Result<Vec<ExtendedAttribute>> {
        Ok(Vec::new())
    }

    fn next_extent(&self, offset: u64) -> io::Result<Option<Extent>> {
        let end = self.content.len() as u64;
        Ok((offset < end).then_some(Extent { start: offset, end }))
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|offset| self.content.get(offset..)).unwrap_or(&[]);
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }
}
