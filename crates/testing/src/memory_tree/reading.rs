//! How a [`MemoryTree`] is walked and read.

use super::{Inode, Kind, MemoryTree, Root, Trouble, join};
use crate::listing::{Segments, Thing};
use crate::lock;
use stateward_engine::{
    Details, Extent, Found, FoundKind, NamedStream, Node, OpenFile, Source, SourceDescription, SourceError,
    Stat, Visitor,
};
use stateward_format::entry::ExtendedAttribute;
use stateward_format::manifest::{Precheck, Warning};
use stateward_format::{Attribute, FileName, Identity, NameKind};
use stateward_model::{ComponentName, Timestamp};
use std::collections::BTreeMap;
use std::io;
use std::ops::ControlFlow;

impl Inode {
    fn stat(&self) -> Stat {
        let kind = match &self.kind {
            Kind::File { size, .. } => FoundKind::File { size: *size },
            Kind::Folder(_) => FoundKind::Folder,
            Kind::SymbolicLink(_) => FoundKind::SymbolicLink,
            Kind::BlockDevice(major, minor) => FoundKind::BlockDevice { major: *major, minor: *minor },
            Kind::CharacterDevice(major, minor) => {
                FoundKind::CharacterDevice { major: *major, minor: *minor }
            }
            Kind::Fifo => FoundKind::Fifo,
            Kind::Socket => FoundKind::Socket,
        };
        let identity = Identity {
            file_system: super::FILE_SYSTEM,
            file_id: self.file_id.into(),
            changed_at: self.changed_at,
        };
        Stat {
            kind,
            mode: self.mode,
            user: self.user,
            group: self.group,
            modified_at: self.modified_at,
            identity: (!self.is_generated).then_some(identity),
            is_hard_linked: self.names > 1,
        }
    }

    /// What becomes of a file under its reader's hands.
    fn suffer_a_read(&mut self, now: Timestamp, end: u64) -> io::Result<()> {
        let Kind::File { size, segments } = &mut self.kind else { return Ok(()) };
        match self.trouble {
            Trouble::Changes(left @ 1..) => {
                let mut first = [0];
                segments.read(0, &mut first);
                segments.write(0, &[first[0].wrapping_add(1)]);
                *size = (*size).max(1);
                self.trouble = Trouble::Changes(left - 1);
            }
            Trouble::Shrinks(to) => {
                segments.truncate(to);
                *size = to;
                self.trouble = Trouble::None;
            }
            Trouble::BadSector(at) if end > at => return Err(io::Error::other("bad sector")),
            _ => return Ok(()),
        }
        // Each change has a time of its own, even if the clock stands still.
        self.changed_at = now.max(Timestamp(self.changed_at.0 + 1));
        self.modified_at = self.changed_at;
        Ok(())
    }
}

impl Source for MemoryTree {
    fn description(&self) -> SourceDescription {
        SourceDescription {
            host_name: "memory".into(),
            operating_system: "Test system 1".into(),
            names: NameKind::Bytes,
        }
    }

    fn components(&self) -> Vec<ComponentName> {
        lock(&self.state).components.iter().map(|(name, _)| name.clone()).collect()
    }

    fn estimate(&self) -> Option<(u64, u64)> {
        let sizes: Vec<u64> = self
            .listing()
            .0
            .values()
            .filter_map(|listed| match listed.thing {
                Thing::File { size, .. } => Some(size),
                _ => None,
            })
            .collect();
        Some((sizes.len() as u64, sizes.iter().sum()))
    }

    fn moment(&self) -> Option<Timestamp> {
        lock(&self.state).moment
    }

    fn remarks(&self) -> Vec<Precheck> {
        let remark = |at: Timestamp| Precheck { code: "moment".into(), outcome: 0, message: at.to_string() };
        self.moment().map(remark).into_iter().collect()
    }

    fn walk(&self, component: &ComponentName, visitor: &mut dyn Visitor) -> Result<bool, SourceError> {
        let root =
            lock(&self.state).components.iter().find(|(name, _)| name == component).map(|(_, root)| *root);
        match root {
            None => Err(SourceError::NoSuchComponent(component.clone())),
            Some(Root::Broken) => {
                let cause = io::ErrorKind::PermissionDenied.into();
                Err(SourceError::Unreadable { path: "/".into(), cause })
            }
            Some(Root::Absent) => Ok(false),
            Some(Root::At(root)) => {
                // A visitor that had enough is no error.
                let _ = self.walk_tree(root, visitor);
                Ok(true)
            }
        }
    }
}

/// What listing an entry gives.
enum Names {
    /// It is no folder.
    None,
    Refused,
    Listed(BTreeMap<Vec<u8>, u64>),
}

/// A step of a walk that is still to be taken.
enum Step {
    Visit { name: Vec<u8>, path: Vec<u8>, id: u64 },
    Leave,
}

impl MemoryTree {
    /// Depth first, over a stack of its own. No lock is held while the visitor works.
    fn walk_tree(&self, root: u64, visitor: &mut dyn Visitor) -> ControlFlow<()> {
        let mut steps = vec![Step::Visit { name: Vec::new(), path: Vec::new(), id: root }];
        while let Some(step) = steps.pop() {
            let Step::Visit { name, path, id } = step else {
                visitor.leave()?;
                continue;
            };
            let Some((stat, names)) = self.look(id) else { continue };
            let name = match name.is_empty() {
                true => FileName::root(),
                false => FileName::new(&name).expect("only file names get into the tree"),
            };
            let reference = MemoryNode { tree: self.clone(), id, path: path.clone() };
            visitor.entry(Found { name, stat, node: Box::new(reference) })?;
            match names {
                Names::None => {}
                Names::Refused => {
                    visitor.warning(unreadable(&path));
                    steps.push(Step::Leave);
                }
                Names::Listed(names) => {
                    steps.push(Step::Leave);
                    let inner = names.into_iter().rev();
                    steps.extend(inner.map(|(name, id)| Step::Visit { path: join(&path, &name), name, id }));
                }
            }
        }
        ControlFlow::Continue(())
    }
}

impl MemoryTree {
    /// One look at a node; `None` if it went away since its folder was listed.
    fn look(&self, id: u64) -> Option<(Stat, Names)> {
        let state = lock(&self.state);
        let node = state.nodes.get(&id)?;
        let names = match (&node.kind, node.trouble) {
            (Kind::Folder(_), Trouble::Unreadable) => Names::Refused,
            (Kind::Folder(names), _) => Names::Listed(names.clone()),
            _ => Names::None,
        };
        Some((node.stat(), names))
    }
}

fn unreadable(path: &[u8]) -> Warning {
    let path = [b"/", path].concat();
    Warning { code: "unreadable".into(), path, message: "The folder can't be read".into() }
}

#[derive(Clone)]
struct MemoryNode {
    tree: MemoryTree,
    id: u64,
    path: Vec<u8>,
}

impl MemoryNode {
    fn with<T>(&self, how: impl FnOnce(&mut Inode) -> io::Result<T>) -> io::Result<T> {
        match lock(&self.tree.state).nodes.get_mut(&self.id) {
            Some(node) => how(node),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

impl Node for MemoryNode {
    fn path(&self) -> Vec<u8> {
        [b"/".as_slice(), &self.path].concat()
    }

    fn details(&self) -> io::Result<Details> {
        self.with(|node| {
            let link_target = match &node.kind {
                Kind::SymbolicLink(target) => target.clone(),
                _ => Vec::new(),
            };
            Ok(Details {
                extended_attributes: node.extended_attributes(),
                link_target,
                attributes: node.others.clone(),
            })
        })
    }

    fn streams(&self) -> io::Result<Vec<NamedStream>> {
        self.with(|node| Ok(node.named_streams()))
    }

    fn open(&self) -> io::Result<(Box<dyn OpenFile>, Stat)> {
        self.with(|node| match (&node.kind, node.trouble) {
            (_, Trouble::Vanishes) => Err(io::ErrorKind::NotFound.into()),
            (_, Trouble::Unreadable) => Err(io::ErrorKind::PermissionDenied.into()),
            (Kind::File { .. }, _) => Ok(()),
            _ => Err(io::ErrorKind::InvalidInput.into()),
        })?;
        Ok((Box::new(self.clone()), self.stat()?))
    }
}

/// A stream as it was when it was asked for.
struct MemoryStream {
    segments: Segments,
    stat: Stat,
}

impl Inode {
    /// In the wrong order, for any will do.
    fn named_streams(&self) -> Vec<NamedStream> {
        let named = |(name, segments): (&Vec<u8>, &Segments)| {
            let content = MemoryStream { segments: segments.clone(), stat: self.stat() };
            NamedStream { name: name.clone(), size: segments.end(), content: Box::new(content) }
        };
        self.streams.iter().rev().map(named).collect()
    }
}

impl OpenFile for MemoryStream {
    fn stat(&self) -> io::Result<Stat> {
        Ok(self.stat.clone())
    }

    fn extended_attributes(&self) -> io::Result<Vec<ExtendedAttribute>> {
        Ok(Vec::new())
    }

    fn next_extent(&self, offset: u64) -> io::Result<Option<Extent>> {
        Ok(self.segments.next_stored(offset).map(|(start, end)| Extent { start, end }))
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.segments.end().saturating_sub(offset).min(buffer.len() as u64) as usize;
        self.segments.read(offset, &mut buffer[..length]);
        Ok(length)
    }
}

impl OpenFile for MemoryNode {
    fn stat(&self) -> io::Result<Stat> {
        self.with(|node| Ok(node.stat()))
    }

    fn extended_attributes(&self) -> io::Result<Vec<ExtendedAttribute>> {
        self.with(|node| Ok(node.extended_attributes()))
    }

    fn attributes(&self) -> io::Result<Vec<Attribute>> {
        self.with(|node| Ok(node.others.clone()))
    }

    fn streams(&self) -> io::Result<Vec<NamedStream>> {
        self.with(|node| Ok(node.named_streams()))
    }

    fn next_extent(&self, offset: u64) -> io::Result<Option<Extent>> {
        self.with(|node| {
            let Kind::File { segments, .. } = &node.kind else { return Ok(None) };
            Ok(segments.next_stored(offset).map(|(start, end)| Extent { start, end }))
        })
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let now = self.tree.clock.now();
        self.with(|node| {
            node.suffer_a_read(now, offset + buffer.len() as u64)?;
            let Kind::File { size, segments } = &node.kind else { return Ok(0) };
            let length = size.saturating_sub(offset).min(buffer.len() as u64) as usize;
            segments.read(offset, &mut buffer[..length]);
            Ok(length)
        })
    }
}
