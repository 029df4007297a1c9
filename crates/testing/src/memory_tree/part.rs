//! Building one component of a [`MemoryTree`] and changing it.

use super::{Inode, Kind, MemoryTree, Trouble, join, names_of};
use crate::listing::Segments;
use crate::{SeededRandom, lock};
use stateward_format::{Attribute, FileName};
use stateward_model::Timestamp;
use std::collections::BTreeMap;

/// One component of a [`MemoryTree`]. Paths are absolute within it; folders on the way are made. All methods panic
/// where a path is not what they need: the test is wrong then.
#[derive(Clone)]
pub struct Part {
    pub(super) tree: MemoryTree,
    pub(super) root: u64,
}

impl Part {
    /// Makes a file.
    pub fn file(&self, path: impl AsRef<[u8]>, content: &[u8]) -> &Self {
        let mut segments = Segments::default();
        segments.write(0, content);
        self.add(path.as_ref(), Kind::File { size: content.len() as u64, segments }, 0o644)
    }

    /// Makes a file of so many bytes that hardly compress and that the seed repeats.
    pub fn random_file(&self, path: impl AsRef<[u8]>, size: usize, seed: u64) -> &Self {
        self.file(path, &SeededRandom::new(seed).bytes(size))
    }

    /// Makes a file with holes: only the given (offset, bytes) are stored.
    pub fn sparse_file(&self, path: impl AsRef<[u8]>, size: u64, stored: &[(u64, &[u8])]) -> &Self {
        let mut segments = Segments::default();
        stored.iter().for_each(|(offset, bytes)| segments.write(*offset, bytes));
        segments.truncate(size);
        self.add(path.as_ref(), Kind::File { size, segments }, 0o644)
    }

    /// Makes a file as commands make them: it has no identity and is never taken for unchanged.
    pub fn generated_file(&self, path: impl AsRef<[u8]>, content: &[u8]) -> &Self {
        self.file(path.as_ref(), content).change(path, |node| node.is_generated = true)
    }

    /// Makes a folder, or leaves one that is there.
    pub fn folder(&self, path: impl AsRef<[u8]>) -> &Self {
        self.folder_id(path.as_ref());
        self
    }

    /// Makes a symbolic link.
    pub fn symbolic_link(&self, path: impl AsRef<[u8]>, target: impl AsRef<[u8]>) -> &Self {
        self.add(path.as_ref(), Kind::SymbolicLink(target.as_ref().to_vec()), 0o777)
    }

    /// Makes a named pipe.
    pub fn fifo(&self, path: impl AsRef<[u8]>) -> &Self {
        self.add(path.as_ref(), Kind::Fifo, 0o600)
    }

    /// Makes a socket.
    pub fn socket(&self, path: impl AsRef<[u8]>) -> &Self {
        self.add(path.as_ref(), Kind::Socket, 0o755)
    }

    /// Makes a block device.
    pub fn block_device(&self, path: impl AsRef<[u8]>, major: u32, minor: u32) -> &Self {
        self.add(path.as_ref(), Kind::BlockDevice(major, minor), 0o660)
    }

    /// Makes a character device.
    pub fn character_device(&self, path: impl AsRef<[u8]>, major: u32, minor: u32) -> &Self {
        self.add(path.as_ref(), Kind::CharacterDevice(major, minor), 0o666)
    }

    /// Gives a file another name.
    pub fn hard_link(&self, existing: impl AsRef<[u8]>, path: impl AsRef<[u8]>) -> &Self {
        let id = self.id(existing.as_ref());
        self.insert(path.as_ref(), id);
        self.change(existing, |node| node.names += 1).touch(path)
    }

    /// Takes a name away, with everything beneath it.
    pub fn remove(&self, path: impl AsRef<[u8]>) -> &Self {
        let id = self.take(path.as_ref());
        let mut state = lock(&self.tree.state);
        let mut beneath = BTreeMap::new();
        state.collect(id, &mut beneath);
        for id in beneath.into_values() {
            let node = state.nodes.get_mut(&id).expect("what a folder names is there");
            node.names -= 1;
            if node.names == 0 {
                state.nodes.remove(&id);
            }
        }
        drop(state);
        self
    }

    /// Gives something another name, taking the old one away.
    pub fn rename(&self, from: impl AsRef<[u8]>, to: impl AsRef<[u8]>) -> &Self {
        let id = self.take(from.as_ref());
        self.insert(to.as_ref(), id);
        self.touch(to)
    }

    /// Gives a file other content, now.
    pub fn write(&self, path: impl AsRef<[u8]>, content: &[u8]) -> &Self {
        let now = self.tree.clock.now();
        self.change(path, |node| {
            node.set_content(content);
            (node.modified_at, node.changed_at) = (now, now);
        })
    }

    /// Gives a file other content and sets its time back as a program may that hides it: the inode's change shows now.
    pub fn write_with_old_time(&self, path: impl AsRef<[u8]>, content: &[u8]) -> &Self {
        let now = self.tree.clock.now();
        self.change(path, |node| {
            node.set_content(content);
            node.changed_at = now;
        })
    }

    /// Gives a file other content behind the file system's back: no time changes.
    pub fn write_unseen(&self, path: impl AsRef<[u8]>, content: &[u8]) -> &Self {
        self.change(path, |node| node.set_content(content))
    }

    /// Sets permission bits, now.
    pub fn set_mode(&self, path: impl AsRef<[u8]>, mode: u32) -> &Self {
        self.change(path.as_ref(), |node| node.mode = mode).touch(path)
    }

    /// Sets owner and group, now.
    pub fn set_owner(&self, path: impl AsRef<[u8]>, user: u32, group: u32) -> &Self {
        self.change(path.as_ref(), |node| (node.user, node.group) = (user, group)).touch(path)
    }

    /// Sets an extended attribute, now.
    pub fn set_attribute(&self, path: impl AsRef<[u8]>, name: &str, value: &[u8]) -> &Self {
        let change = |node: &mut Inode| {
            node.attributes.insert(name.as_bytes().to_vec(), value.to_vec());
        };
        self.change(path.as_ref(), change).touch(path)
    }

    /// Gives a file or folder an alternate stream, now: only the given (offset, bytes) are stored, the rest are holes.
    pub fn set_stream(&self, path: impl AsRef<[u8]>, name: &str, stored: &[(u64, &[u8])]) -> &Self {
        let mut segments = Segments::default();
        stored.iter().for_each(|(offset, bytes)| segments.write(*offset, bytes));
        let change = |node: &mut Inode| {
            node.streams.insert(name.as_bytes().to_vec(), segments);
        };
        self.change(path.as_ref(), change).touch(path)
    }

    /// Gives it an attribute of another kind of system, now.
    pub fn add_other(&self, path: impl AsRef<[u8]>, attribute: Attribute) -> &Self {
        self.change(path.as_ref(), |node| node.others.push(attribute)).touch(path)
    }

    /// Takes an extended attribute away, now.
    pub fn remove_attribute(&self, path: impl AsRef<[u8]>, name: &str) -> &Self {
        let change = |node: &mut Inode| {
            node.attributes.remove(name.as_bytes());
        };
        self.change(path.as_ref(), change).touch(path)
    }

    /// Writes into a file, now: over what is there, or behind it.
    pub fn write_at(&self, path: impl AsRef<[u8]>, offset: u64, bytes: &[u8]) -> &Self {
        self.change_file(path, |size, segments| {
            segments.write(offset, bytes);
            *size = (*size).max(offset + bytes.len() as u64);
        })
    }

    /// Cuts a file or lengthens it by a hole, now.
    pub fn truncate(&self, path: impl AsRef<[u8]>, length: u64) -> &Self {
        self.change_file(path, |size, segments| {
            segments.truncate(length);
            *size = length;
        })
    }

    fn change_file(&self, path: impl AsRef<[u8]>, how: impl FnOnce(&mut u64, &mut Segments)) -> &Self {
        let now = self.tree.clock.now();
        self.change(path, |node| {
            match &mut node.kind {
                Kind::File { size, segments } => how(size, segments),
                _ => panic!("only a file has content"),
            }
            (node.modified_at, node.changed_at) = (now, now);
        })
    }

    /// Sets the time of the last change of content and no other.
    pub fn set_modified_at(&self, path: impl AsRef<[u8]>, moment: Timestamp) -> &Self {
        self.change(path, |node| node.modified_at = moment)
    }

    /// Sets the time of the inode's last change, which no program can on a real file system.
    pub fn set_changed_at(&self, path: impl AsRef<[u8]>, moment: Timestamp) -> &Self {
        self.change(path, |node| node.changed_at = moment)
    }

    /// Sets the number by which the file system knows a file: a new one stands for a file that took the old one's name.
    pub fn set_file_id(&self, path: impl AsRef<[u8]>, file_id: u64) -> &Self {
        self.change(path, |node| node.file_id = file_id)
    }

    /// The number by which the file system knows a file, and the time of its last change of content.
    pub fn file_id_and_time(&self, path: impl AsRef<[u8]>) -> (u64, Timestamp) {
        let id = self.id(path.as_ref());
        let state = lock(&self.tree.state);
        let node = &state.nodes[&id];
        (node.file_id, node.modified_at)
    }

    /// Opening the file, or listing the folder, is refused.
    pub fn make_unreadable(&self, path: impl AsRef<[u8]>) -> &Self {
        self.change(path, |node| node.trouble = Trouble::Unreadable)
    }

    /// The walk still finds it; opening it does not.
    pub fn vanish_before_open(&self, path: impl AsRef<[u8]>) -> &Self {
        self.change(path, |node| node.trouble = Trouble::Vanishes)
    }

    /// At each of the next `reads` reads the first byte is another one, with new times.
    pub fn change_while_read(&self, path: impl AsRef<[u8]>, reads: u32) -> &Self {
        self.change(path, |node| node.trouble = Trouble::Changes(reads))
    }

    /// At the next read the file is cut to this size, with new times.
    pub fn shrink_while_read(&self, path: impl AsRef<[u8]>, size: u64) -> &Self {
        self.change(path, |node| node.trouble = Trouble::Shrinks(size))
    }

    /// Reading beyond this offset fails.
    pub fn break_at(&self, path: impl AsRef<[u8]>, offset: u64) -> &Self {
        self.change(path, |node| node.trouble = Trouble::BadSector(offset))
    }

    fn touch(&self, path: impl AsRef<[u8]>) -> &Self {
        let now = self.tree.clock.now();
        self.change(path, |node| node.changed_at = now)
    }

    fn change(&self, path: impl AsRef<[u8]>, how: impl FnOnce(&mut Inode)) -> &Self {
        let id = self.id(path.as_ref());
        how(lock(&self.tree.state).nodes.get_mut(&id).expect("what a folder names is there"));
        self
    }

    fn id(&self, path: &[u8]) -> u64 {
        let found = lock(&self.tree.state).find(self.root, path);
        found.unwrap_or_else(|| panic!("there is no `{}` in this tree", String::from_utf8_lossy(path)))
    }

    fn add(&self, path: &[u8], kind: Kind, mode: u32) -> &Self {
        let id = self.tree.add_node(kind, mode);
        self.insert(path, id);
        self
    }

    /// The folder at a path; it and those on the way are made if they are missing.
    fn folder_id(&self, path: &[u8]) -> u64 {
        let mut so_far = Vec::new();
        for name in names_of(path) {
            so_far = join(&so_far, name);
            if lock(&self.tree.state).find(self.root, &so_far).is_none() {
                let id = self.tree.add_node(Kind::Folder(BTreeMap::new()), 0o755);
                self.insert(&so_far, id);
            }
        }
        self.id(path)
    }

    /// Puts a name into its folder, now.
    fn insert(&self, path: &[u8], id: u64) {
        let (folder, name) = split(path);
        FileName::new(name).expect("the last part of the path is a file name");
        let folder = self.folder_id(folder);
        let old = self.change_names(folder, |names| names.insert(name.to_vec(), id));
        assert!(old.is_none(), "`{}` is there already", String::from_utf8_lossy(path));
    }

    /// Takes a name out of its folder, now.
    fn take(&self, path: &[u8]) -> u64 {
        let (folder, name) = split(path);
        let folder = self.id(folder);
        let taken = self.change_names(folder, |names| names.remove(name));
        taken.unwrap_or_else(|| panic!("there is no `{}` in this tree", String::from_utf8_lossy(path)))
    }

    fn change_names<T>(&self, folder: u64, how: impl FnOnce(&mut BTreeMap<Vec<u8>, u64>) -> T) -> T {
        let now = self.tree.clock.now();
        let mut state = lock(&self.tree.state);
        let node = state.nodes.get_mut(&folder).expect("what a folder names is there");
        (node.modified_at, node.changed_at) = (now, now);
        match &mut node.kind {
            Kind::Folder(names) => how(names),
            _ => panic!("only a folder holds names"),
        }
    }
}

/// The folder's path and the last name.
fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(at) => (&path[..at], &path[at + 1..]),
        None => (b"", path),
    }
}
