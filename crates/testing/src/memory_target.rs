//! A folder in memory that a recovery point is laid into.

use crate::listing::{Listed, Listing, Segments, Thing};
use crate::lock;
use stateward_engine::{GiveStream, Target, TargetError, TargetFile};
use stateward_format::manifest::Warning;
use stateward_format::{Attribute, Entry, EntryKind, FileName, Metadata};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex};

/// Collects what is restored. Clones share one state.
///
/// Keeps the contract of `Target` strictly: parents must have been made, nothing is replaced, a finished file is not
/// written to, a folder is finished after the last change of what it holds.
#[derive(Clone, Default)]
pub struct MemoryTarget(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    names: BTreeMap<Vec<u8>, Node>,
    files: Vec<File>,
    /// Counts changes, so that it shows what came after what.
    changes: u64,
    space_left: Option<u64>,
    fault: Option<(u64, TargetFault)>,
    syncs_that_fail: u32,
    failing: BTreeSet<Vec<u8>>,
    is_synced: bool,
    keeps_streams: bool,
}

/// How a target fails as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetFault {
    /// There is no space.
    Full,
    /// Its disk fails.
    Broken,
}

enum Node {
    Folder { finished: Option<(u64, Metadata)>, changed_at: u64, streams: Streams },
    File(usize),
    Special(Box<Entry>),
}

/// What was written to streams, by their names.
type Streams = BTreeMap<Vec<u8>, Segments>;

#[derive(Default)]
struct File {
    segments: Segments,
    streams: Streams,
    finished: Option<(u64, Metadata)>,
}

impl MemoryTarget {
    /// An empty folder.
    pub fn new() -> Self {
        Self::default()
    }

    /// One that keeps alternate streams.
    pub fn keeping_streams() -> Self {
        let target = Self::default();
        lock(&target.0).keeps_streams = true;
        target
    }

    /// What was written to the streams of the file or folder at a path, by their names.
    pub fn streams(&self, path: &str) -> Streams {
        let state = lock(&self.0);
        match state.names.get(path.as_bytes()) {
            Some(Node::File(file)) => state.files[*file].streams.clone(),
            Some(Node::Folder { streams, .. }) => streams.clone(),
            _ => BTreeMap::new(),
        }
    }

    /// So many bytes can still be written; then there is no space.
    pub fn limit_space(&self, bytes: u64) {
        lock(&self.0).space_left = Some(bytes);
    }

    /// So many changes succeed; from then on all fail.
    pub fn fail_after(&self, changes: u64, fault: TargetFault) {
        lock(&self.0).fault = Some((changes, fault));
    }

    /// So many of the next syncs fail.
    pub fn fail_sync(&self, times: u32) {
        lock(&self.0).syncs_that_fail = times;
    }

    /// How many changes there were: what was made, written, finished.
    pub fn changes(&self) -> u64 {
        lock(&self.0).changes
    }

    /// Making anything at this path fails as an operating system would refuse it.
    pub fn fail_at(&self, path: impl AsRef<[u8]>) {
        lock(&self.0).failing.insert(path.as_ref().to_vec());
    }

    /// Whether all was made durable after the last change.
    pub fn is_synced(&self) -> bool {
        lock(&self.0).is_synced
    }

    /// All that was said of everything that was finished, by its path: its attributes too, which a [`Listing`] has not.
    pub fn metadata(&self) -> BTreeMap<Vec<u8>, Metadata> {
        let state = lock(&self.0);
        let of = |node: &Node| match node {
            Node::Folder { finished, .. } => finished.as_ref().map(|(_, metadata)| metadata.clone()),
            Node::File(file) => state.files[*file].finished.as_ref().map(|(_, metadata)| metadata.clone()),
            Node::Special(entry) => Some(entry.metadata.clone()),
        };
        state.names.iter().filter_map(|(path, node)| Some((path.clone(), of(node)?))).collect()
    }

    /// What there is.
    ///
    /// # Panics
    /// If something was left unfinished, or a folder was changed after it was finished.
    pub fn listing(&self) -> Listing {
        let state = lock(&self.0);
        let names = state.names.iter();
        Listing(names.map(|(path, node)| (path.clone(), state.listed(path, node))).collect())
    }
}

impl State {
    fn listed(&self, path: &[u8], node: &Node) -> Listed {
        let text = String::from_utf8_lossy(path);
        match node {
            Node::Folder { finished, changed_at, .. } => {
                let (at, metadata) = finished.as_ref().unwrap_or_else(|| panic!("`{text}` was not finished"));
                assert!(at > changed_at, "`{text}` was finished before the last change in it");
                listed(Thing::Folder, metadata)
            }
            Node::File(file) => {
                let names =
                    self.names.iter().filter(|(_, node)| matches!(node, Node::File(other) if other == file));
                let names: Vec<_> = names.map(|(path, _)| path).collect();
                let file = &self.files[*file];
                let (size, metadata) =
                    file.finished.as_ref().unwrap_or_else(|| panic!("`{text}` was not finished"));
                let linked_with = (names.len() > 1).then(|| names[0].clone());
                listed(Thing::File { size: *size, segments: file.segments.clone(), linked_with }, metadata)
            }
            Node::Special(entry) => listed(special_thing(&entry.kind), &entry.metadata),
        }
    }

    /// Counts a change, unless the target fails.
    fn change(&mut self) -> Result<(), TargetError> {
        match self.fault {
            Some((after, TargetFault::Full)) if self.changes >= after => Err(TargetError::Full),
            Some((after, TargetFault::Broken)) if self.changes >= after => Err(broken()),
            _ => {
                self.changes += 1;
                self.is_synced = false;
                Ok(())
            }
        }
    }

    /// Checks that a thing can be made at a path, and that it is a path.
    fn prepare(&mut self, path: &[u8]) -> Result<(), TargetError> {
        let text = String::from_utf8_lossy(path).into_owned();
        assert!(
            path.split(|byte| *byte == b'/').all(|name| FileName::new(name).is_ok()) || path.is_empty(),
            "`{text}` is no path beneath the target"
        );
        if self.failing.contains(path) {
            return Err(TargetError::Failed { path: text, cause: io::ErrorKind::PermissionDenied.into() });
        }
        if self.names.contains_key(path) {
            return Err(TargetError::InTheWay { path: text });
        }
        self.touch_parent(path)
    }

    /// Notes that the folder which a path lies in changes now.
    fn touch_parent(&mut self, path: &[u8]) -> Result<(), TargetError> {
        self.change()?;
        let parent = path.iter().rposition(|byte| *byte == b'/').map_or(&path[..0], |at| &path[..at]);
        match self.names.get_mut(parent) {
            Some(Node::Folder { changed_at, .. }) => *changed_at = self.changes,
            None if parent.is_empty() => {}
            _ => panic!("`{}` is made before the folder that it lies in", String::from_utf8_lossy(path)),
        }
        Ok(())
    }
}

fn broken() -> TargetError {
    TargetError::Broken { path: ".".to_owned(), cause: io::Error::other("planned") }
}

fn listed(thing: Thing, metadata: &Metadata) -> Listed {
    Listed {
        thing,
        mode: metadata.mode,
        user: metadata.user,
        group: metadata.group,
        modified_at: metadata.modified_at,
        extended_attributes: metadata.extended_attributes.clone(),
    }
}

fn special_thing(kind: &EntryKind) -> Thing {
    match kind {
        EntryKind::SymbolicLink { target } => Thing::SymbolicLink(target.clone()),
        EntryKind::BlockDevice { major, minor } => Thing::BlockDevice(*major, *minor),
        EntryKind::CharacterDevice { major, minor } => Thing::CharacterDevice(*major, *minor),
        EntryKind::Fifo => Thing::Fifo,
        EntryKind::Socket => Thing::Socket,
        EntryKind::File { .. } | EntryKind::Folder => panic!("files and folders have their own calls"),
    }
}

impl Target for MemoryTarget {
    fn keeps_streams(&self) -> bool {
        lock(&self.0).keeps_streams
    }

    fn make_folder(&self, path: &[u8]) -> Result<(), TargetError> {
        let mut state = lock(&self.0);
        if let Some(Node::Folder { .. }) = state.names.get(path) {
            return Ok(());
        }
        state.prepare(path)?;
        let changed_at = state.changes;
        state
            .names
            .insert(path.to_vec(), Node::Folder { finished: None, changed_at, streams: Streams::new() });
        Ok(())
    }

    fn make_file(&self, path: &[u8]) -> Result<Box<dyn TargetFile>, TargetError> {
        let mut state = lock(&self.0);
        state.prepare(path)?;
        let file = state.files.len();
        state.files.push(File::default());
        state.names.insert(path.to_vec(), Node::File(file));
        Ok(Box::new(MemoryFile { target: self.clone(), file }))
    }

    fn make_hard_link(&self, existing: &[u8], path: &[u8]) -> Result<(), TargetError> {
        let mut state = lock(&self.0);
        state.prepare(path)?;
        let same = match state.names.get(existing) {
            Some(Node::File(file)) => Node::File(*file),
            // A listing tells of several names of files only.
            Some(Node::Special(entry)) => Node::Special(entry.clone()),
            _ => panic!("`{}` is no file of this target", String::from_utf8_lossy(existing)),
        };
        state.names.insert(path.to_vec(), same);
        Ok(())
    }

    fn remove_file(&self, path: &[u8]) -> Result<(), TargetError> {
        let mut state = lock(&self.0);
        if let Some(Node::Folder { .. } | Node::Special(_)) = state.names.get(path) {
            panic!("`{}` is no file", String::from_utf8_lossy(path));
        }
        match state.names.remove(path) {
            Some(_) => state.touch_parent(path),
            None => Ok(()),
        }
    }

    fn make_special(&self, path: &[u8], entry: &Entry) -> Result<Vec<Warning>, TargetError> {
        let mut state = lock(&self.0);
        state.prepare(path)?;
        special_thing(&entry.kind);
        state.names.insert(path.to_vec(), Node::Special(Box::new(entry.clone())));
        Ok(Vec::new())
    }

    fn write_folder_streams(
        &self,
        path: &[u8],
        metadata: &Metadata,
        give: &mut GiveStream<'_>,
    ) -> Result<(), TargetError> {
        assert!(lock(&self.0).keeps_streams, "a target that keeps no streams is not given them");
        for attribute in &metadata.attributes {
            let Attribute::Stream(stream) = attribute else { continue };
            let mut segments = Segments::default();
            let is_whole = give(stream, &mut |offset, bytes| {
                lock(&self.0).change()?;
                segments.write(offset, bytes);
                Ok(())
            })?;
            match lock(&self.0).names.get_mut(path) {
                Some(Node::Folder { finished: None, streams, .. }) if is_whole => {
                    streams.insert(stream.name.clone(), segments);
                }
                Some(Node::Folder { finished: None, .. }) => {}
                _ => panic!("`{}` is no folder that is being put back", String::from_utf8_lossy(path)),
            }
        }
        Ok(())
    }

    fn finish_folder(&self, path: &[u8], metadata: &Metadata) -> Result<Vec<Warning>, TargetError> {
        let mut state = lock(&self.0);
        state.change()?;
        let now = state.changes;
        match state.names.get_mut(path) {
            Some(Node::Folder { finished, .. }) => *finished = Some((now, metadata.clone())),
            _ => panic!("`{}` is no folder of this target", String::from_utf8_lossy(path)),
        }
        Ok(Vec::new())
    }

    fn sync(&self) -> Result<(), TargetError> {
        let mut state = lock(&self.0);
        if state.syncs_that_fail > 0 {
            state.syncs_that_fail -= 1;
            return Err(broken());
        }
        state.is_synced = true;
        Ok(())
    }
}

struct MemoryFile {
    target: MemoryTarget,
    file: usize,
}

impl TargetFile for MemoryFile {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<(), TargetError> {
        let mut state = lock(&self.target.0);
        if let Some(left) = &mut state.space_left {
            *left = left.checked_sub(bytes.len() as u64).ok_or(TargetError::Full)?;
        }
        state.change()?;
        let file = &mut state.files[self.file];
        assert!(file.finished.is_none(), "a file is written to after it was finished");
        file.segments.write(offset, bytes);
        Ok(())
    }

    fn write_stream_at(&self, name: &[u8], offset: u64, bytes: &[u8]) -> Result<(), TargetError> {
        let mut state = lock(&self.target.0);
        assert!(state.keeps_streams, "a target that keeps no streams is not given them");
        state.change()?;
        let file = &mut state.files[self.file];
        assert!(file.finished.is_none(), "a stream is written to after its file was finished");
        file.streams.entry(name.to_vec()).or_default().write(offset, bytes);
        Ok(())
    }

    fn finish(&self, size: u64, metadata: &Metadata) -> Result<Vec<Warning>, TargetError> {
        let mut state = lock(&self.target.0);
        state.change()?;
        let file = &mut state.files[self.file];
        assert!(file.finished.is_none(), "a file is finished twice");
        file.segments.truncate(size);
        file.finished = Some((size, metadata.clone()));
        Ok(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stateward_model::Timestamp;

    fn metadata() -> Metadata {
        Metadata {
            mode: 0o755,
            user: 1,
            group: 2,
            modified_at: Timestamp(3),
            identity: None,
            is_hard_linked: false,
            extended_attributes: Vec::new(),
            attributes: Vec::new(),
        }
    }

    fn finished_file(target: &MemoryTarget, path: &[u8], bytes: &[u8]) {
        let file = target.make_file(path).unwrap();
        file.write_at(0, bytes).unwrap();
        file.finish(bytes.len() as u64, &metadata()).unwrap();
    }

    #[test]
    fn what_was_laid_is_listed() {
        let target = MemoryTarget::new();
        target.make_folder(b"").unwrap();
        target.make_folder(b"etc").unwrap();
        target.make_folder(b"etc").unwrap();
        finished_file(&target, b"etc/hosts", b"localhost");
        target.make_hard_link(b"etc/hosts", b"etc/other").unwrap();
        target.finish_folder(b"etc", &metadata()).unwrap();
        target.finish_folder(b"", &metadata()).unwrap();
        target.sync().unwrap();
        assert!(target.is_synced());
        let listing = target.listing();
        assert_eq!(listing.0.len(), 4);
        let Thing::File { size, linked_with, .. } = &listing.0[b"etc/other".as_slice()].thing else {
            panic!("it is a file")
        };
        assert_eq!((*size, linked_with.as_deref()), (9, Some(b"etc/hosts".as_slice())));
    }

    #[test]
    fn nothing_is_replaced_and_refusals_and_lack_of_space_are_told() {
        let target = MemoryTarget::new();
        finished_file(&target, b"a", b"1");
        assert!(matches!(target.make_file(b"a").err(), Some(TargetError::InTheWay { .. })));
        assert!(matches!(target.make_folder(b"a"), Err(TargetError::InTheWay { .. })));
        target.remove_file(b"a").unwrap();
        target.remove_file(b"a").unwrap();
        target.fail_at("b");
        assert!(matches!(target.make_file(b"b").err(), Some(TargetError::Failed { .. })));
        target.limit_space(2);
        let file = target.make_file(b"c").unwrap();
        assert!(file.write_at(0, b"12").is_ok());
        assert!(matches!(file.write_at(2, b"3"), Err(TargetError::Full)));
    }

    #[test]
    #[should_panic(expected = "finished before the last change")]
    fn a_folder_that_changes_after_it_was_finished_fails_the_test() {
        let target = MemoryTarget::new();
        target.make_folder(b"etc").unwrap();
        target.finish_folder(b"etc", &metadata()).unwrap();
        finished_file(&target, b"etc/hosts", b"");
        target.listing();
    }

    #[test]
    #[should_panic(expected = "before the folder")]
    fn a_file_without_its_folder_fails_the_test() {
        let _ = MemoryTarget::new().make_file(b"etc/hosts");
    }

    #[test]
    #[should_panic(expected = "no path beneath the target")]
    fn a_path_that_leads_out_fails_the_test() {
        let _ = MemoryTarget::new().make_file(b"../etc");
    }
}
