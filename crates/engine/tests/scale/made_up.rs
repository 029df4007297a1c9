//! A source that is made up from numbers, and a target that knows from the path what must come.

use stateward_engine::{
    Details, Extent, Found, FoundKind, Node, OpenFile, Source, SourceDescription, SourceError, Stat, Target,
    TargetError, TargetFile, Visitor,
};
use stateward_format::entry::ExtendedAttribute;
use stateward_format::manifest::Warning;
use stateward_format::{Entry, FileName, Identity, Metadata, NameKind};
use stateward_model::{ComponentName, Timestamp};
use std::io;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// What is made up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// So many files, a thousand to a folder.
    Many { files: u64 },
    /// So many files in one folder, with names of 255 bytes.
    OneFolder { files: u64 },
    /// So many folders in each other, a file in each.
    Deep { levels: u64 },
    /// One file of a terabyte, all holes but a few pages.
    Terabyte,
}

const TERABYTE: u64 = 1 << 40;
const ISLAND_BYTES: u64 = 4096;
const ISLANDS: [u64; 4] = [0, 4096 * 1234, TERABYTE / 2, TERABYTE - ISLAND_BYTES];

/// Long before any run.
const MODIFIED_AT: Timestamp = Timestamp(1_700_000_000_000_000_000);

impl Shape {
    pub fn files(self) -> u64 {
        match self {
            Self::Many { files } | Self::OneFolder { files } => files,
            Self::Deep { levels } => levels,
            Self::Terabyte => 1,
        }
    }

    fn folders(self) -> u64 {
        match self {
            Self::Many { files } => files.div_ceil(1000),
            Self::OneFolder { .. } => 1,
            Self::Deep { levels } => levels,
            Self::Terabyte => 0,
        }
    }

    fn size(self, number: u64) -> u64 {
        match self {
            Self::Terabyte => TERABYTE,
            _ => content(number).len() as u64,
        }
    }

    /// The number of the file at a path.
    fn number(self, path: &[u8]) -> u64 {
        let text = std::str::from_utf8(path).unwrap();
        let last = text.rsplit('/').next().unwrap();
        match self {
            Self::Deep { .. } => text.bytes().filter(|byte| *byte == b'/').count() as u64 - 1,
            Self::Terabyte => 0,
            Self::Many { .. } | Self::OneFolder { .. } => last.parse().unwrap(),
        }
    }
}

fn content(number: u64) -> Vec<u8> {
    format!("file {number} ").repeat(1 + number as usize % 9).into_bytes()
}

pub struct MadeUp(Shape);

impl MadeUp {
    pub fn new(shape: Shape) -> Self {
        Self(shape)
    }

    fn found(&self, name: &[u8], kind: FoundKind, number: u64) -> Found {
        let identity = Identity { file_system: 1, file_id: u128::from(number) + 10, changed_at: MODIFIED_AT };
        let stat = Stat {
            kind,
            mode: 0o644,
            user: 0,
            group: 0,
            modified_at: MODIFIED_AT,
            identity: Some(identity),
            is_hard_linked: false,
        };
        let name = if name.is_empty() { FileName::root() } else { FileName::new(name).unwrap() };
        let node = MadeUpNode { shape: self.0, number, stat: stat.clone() };
        Found { name, stat, node: Box::new(node) }
    }

    fn give(&self, visitor: &mut dyn Visitor) -> ControlFlow<()> {
        // Folders are numbered behind the files.
        let folder = |name: &[u8], number| self.found(name, FoundKind::Folder, self.0.files() + number);
        let file =
            |name: &[u8], number| self.found(name, FoundKind::File { size: self.0.size(number) }, number);
        visitor.entry(folder(b"", 0))?;
        match self.0 {
            Shape::Many { files } => {
                for number in 0..files {
                    if number.is_multiple_of(1000) {
                        visitor
                            .entry(folder(format!("{:06}", number / 1000).as_bytes(), 1 + number / 1000))?;
                    }
                    visitor.entry(file(format!("{number:08}").as_bytes(), number))?;
                    if number % 1000 == 999 || number + 1 == files {
                        visitor.leave()?;
                    }
                }
            }
            Shape::OneFolder { files } => {
                visitor.entry(folder(b"one", 1))?;
                for number in 0..files {
                    visitor.entry(file(format!("{number:0>255}").as_bytes(), number))?;
                }
                visitor.leave()?;
            }
            Shape::Deep { levels } => {
                for level in 0..levels {
                    visitor.entry(folder(b"d", 1 + level))?;
                }
                // Of a folder's names `d` comes before `f`: files come on the way out.
                for level in (0..levels).rev() {
                    visitor.entry(file(b"f", level))?;
                    visitor.leave()?;
                }
            }
            Shape::Terabyte => visitor.entry(file(b"terabyte", 0))?,
        }
        visitor.leave()
    }
}

impl Source for MadeUp {
    fn description(&self) -> SourceDescription {
        SourceDescription {
            host_name: "made-up".into(),
            operating_system: "Test system 1".into(),
            names: NameKind::Bytes,
        }
    }

    fn components(&self) -> Vec<ComponentName> {
        vec!["files".parse().unwrap()]
    }

    fn estimate(&self) -> Option<(u64, u64)> {
        None
    }

    fn walk(&self, _: &ComponentName, visitor: &mut dyn Visitor) -> Result<bool, SourceError> {
        let _ = self.give(visitor);
        Ok(true)
    }
}

#[derive(Clone)]
struct MadeUpNode {
    shape: Shape,
    number: u64,
    stat: Stat,
}

impl Node for MadeUpNode {
    fn path(&self) -> Vec<u8> {
        format!("/{}", self.number).into_bytes()
    }

    fn details(&self) -> io::Result<Details> {
        Ok(Details::default())
    }

    fn open(&self) -> io::Result<(Box<dyn OpenFile>, Stat)> {
        Ok((Box::new(self.clone()), self.stat.clone()))
    }
}

impl OpenFile for MadeUpNode {
    fn stat(&self) -> io::Result<Stat> {
        Ok(self.stat.clone())
    }

    fn extended_attributes(&self) -> io::Result<Vec<ExtendedAttribute>> {
        Ok(Vec::new())
    }

    fn next_extent(&self, offset: u64) -> io::Result<Option<Extent>> {
        if self.shape != Shape::Terabyte {
            let end = self.shape.size(self.number);
            return Ok((offset < end).then_some(Extent { start: offset, end }));
        }
        let island = ISLANDS.iter().find(|start| **start + ISLAND_BYTES > offset);
        Ok(island.map(|start| Extent { start: offset.max(*start), end: start + ISLAND_BYTES }))
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        if self.shape == Shape::Terabyte {
            buffer.fill(1);
            return Ok((buffer.len() as u64).min(TERABYTE - offset) as usize);
        }
        let content = content(self.number);
        let rest = content.get(offset as usize..).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        Ok(length)
    }
}

/// What has come so far.
struct Counted {
    shape: Shape,
    files: AtomicU64,
    folders: AtomicU64,
    finished_folders: AtomicU64,
    bytes: AtomicU64,
    /// By the numbers of files, so that none comes twice.
    seen: Mutex<Vec<bool>>,
}

/// Takes what is laid, and fails at once where it is not what it must be.
pub struct Proving(Arc<Counted>);

impl Proving {
    pub fn new(shape: Shape) -> Self {
        Self(Arc::new(Counted {
            shape,
            files: AtomicU64::new(0),
            folders: AtomicU64::new(0),
            finished_folders: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            seen: Mutex::new(vec![false; shape.files() as usize]),
        }))
    }

    /// # Panics
    /// If anything is missing.
    pub fn assert_whole(&self) {
        let Self(counted) = self;
        let seen = |count: &AtomicU64| count.load(Ordering::SeqCst);
        assert_eq!(seen(&counted.files), counted.shape.files());
        let folders = counted.shape.folders();
        assert_eq!((seen(&counted.folders), seen(&counted.finished_folders)), (folders, folders));
        let bytes = match counted.shape {
            Shape::Terabyte => ISLANDS.len() as u64 * ISLAND_BYTES,
            shape => (0..shape.files()).map(|number| shape.size(number)).sum(),
        };
        assert_eq!(seen(&counted.bytes), bytes);
    }
}

/// A file on its way.
struct ProvingFile {
    counted: Arc<Counted>,
    number: u64,
}

impl TargetFile for ProvingFile {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<(), TargetError> {
        let is_right = match self.counted.shape {
            Shape::Terabyte => {
                let is_in = |start: &u64| {
                    (*start..=start + ISLAND_BYTES).contains(&offset)
                        && offset + bytes.len() as u64 <= start + ISLAND_BYTES
                };
                ISLANDS.iter().any(is_in) && bytes.iter().all(|byte| *byte == 1)
            }
            _ => content(self.number)[offset as usize..].starts_with(bytes),
        };
        assert!(is_right, "file {} at {offset}", self.number);
        self.counted.bytes.fetch_add(bytes.len() as u64, Ordering::SeqCst);
        Ok(())
    }

    fn finish(&self, size: u64, metadata: &Metadata) -> Result<Vec<Warning>, TargetError> {
        assert_eq!((size, metadata.modified_at), (self.counted.shape.size(self.number), MODIFIED_AT));
        self.counted.files.fetch_add(1, Ordering::SeqCst);
        Ok(Vec::new())
    }
}

impl Target for Proving {
    fn make_folder(&self, _: &[u8]) -> Result<(), TargetError> {
        self.0.folders.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    fn make_file(&self, path: &[u8]) -> Result<Box<dyn TargetFile>, TargetError> {
        let number = self.0.shape.number(path);
        let was_there = std::mem::replace(&mut self.0.seen.lock().unwrap()[number as usize], true);
        assert!(!was_there, "file {number} comes twice");
        Ok(Box::new(ProvingFile { counted: Arc::clone(&self.0), number }))
    }

    fn make_hard_link(&self, _: &[u8], path: &[u8]) -> Result<(), TargetError> {
        panic!("there is no link at {path:?}")
    }

    fn remove_file(&self, path: &[u8]) -> Result<(), TargetError> {
        panic!("nothing is lost at {path:?}")
    }

    fn make_special(&self, path: &[u8], _: &Entry) -> Result<Vec<Warning>, TargetError> {
        panic!("there is nothing special at {path:?}")
    }

    fn finish_folder(&self, _: &[u8], _: &Metadata) -> Result<Vec<Warning>, TargetError> {
        self.0.finished_folders.fetch_add(1, Ordering::SeqCst);
        Ok(Vec::new())
    }

    fn sync(&self) -> Result<(), TargetError> {
        Ok(())
    }
}
