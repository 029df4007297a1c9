//! Changes of the tree. What a change needs and does not find makes it none.

use crate::world::World;
use stateward_model::Timestamp;
use stateward_testing::history::{Change, Which};
use stateward_testing::{Listing, Part, SeededRandom, Thing};

/// Names that can come to be: few, so that things meet.
const NAMES: [&str; 5] = ["a", "b", "c", "d", "e\u{301}"];

const ATTRIBUTES: [&str; 3] = ["user.a", "user.b", "security.capability"];

pub fn content(seed: u64, length: usize) -> Vec<u8> {
    SeededRandom::new(seed).bytes(length)
}

impl World {
    /// A path that there is, of a kind that is wanted.
    fn path(&self, which: Which, is_wanted: impl Fn(&Thing) -> bool) -> Option<(Vec<u8>, Thing)> {
        let Listing(all) = self.listing();
        let fitting: Vec<_> = all.into_iter().filter(|(_, listed)| is_wanted(&listed.thing)).collect();
        let index = usize::from(which) % fitting.len().max(1);
        fitting.into_iter().nth(index).map(|(path, listed)| (path, listed.thing))
    }

    fn any(&self, which: Which) -> Option<Vec<u8>> {
        self.path(which, |_| true).map(|(path, _)| path)
    }

    /// A file and its size.
    pub fn file(&self, which: Which) -> Option<(Vec<u8>, u64)> {
        match self.path(which, |thing| matches!(thing, Thing::File { .. }))? {
            (path, Thing::File { size, .. }) => Some((path, size)),
            _ => None,
        }
    }

    fn folder(&self, which: Which) -> Vec<u8> {
        let mut folders = vec![Vec::new()];
        let Listing(all) = self.listing();
        folders.extend(
            all.into_iter().filter(|(_, listed)| listed.thing == Thing::Folder).map(|(path, _)| path),
        );
        folders.swap_remove(usize::from(which) % folders.len())
    }

    /// A path at which there is nothing, in a folder that is there.
    fn free(&self, which: Which) -> Option<Vec<u8>> {
        let folder = self.folder(which / NAMES.len() as Which);
        let name = NAMES[usize::from(which) % NAMES.len()].as_bytes();
        let path = if folder.is_empty() { name.to_vec() } else { [&folder, &b"/"[..], name].concat() };
        (!self.listing().0.contains_key(&path)).then_some(path)
    }

    pub fn change(&mut self, change: &Change) {
        // `None`: there was nothing to change.
        let _ = self.try_change(change);
    }

    fn try_change(&mut self, change: &Change) -> Option<()> {
        let tree: Part = self.tree().clone();
        match change {
            Change::Create(at, bytes) => tree.file(self.free(*at)?, &bytes.get()),
            Change::CreateSparse(at, bytes) => {
                let stored = bytes.get();
                let size = 2 * stored.len() as u64 + 100_000;
                tree.sparse_file(self.free(*at)?, size, &[(bytes.seed * 1000, &stored)])
            }
            Change::Write(at, bytes) => tree.write(self.file(*at)?.0, &bytes.get()),
            Change::WriteUnderOldTime(at, seed) => {
                let (path, size) = self.file(*at)?;
                tree.write_with_old_time(path, &content(*seed, size.min(1 << 20) as usize))
            }
            Change::Append(at, bytes) => {
                let (path, size) = self.file(*at)?;
                tree.write_at(path, size, &bytes.get())
            }
            Change::WriteInside(at, offset, bytes) => {
                let (path, size) = self.file(*at)?;
                tree.write_at(path, size * u64::from(*offset) / u64::from(Which::MAX), &bytes.get())
            }
            Change::Truncate(at, length) => {
                let (path, size) = self.file(*at)?;
                tree.truncate(path, size * 5 / 4 * u64::from(*length) / u64::from(Which::MAX))
            }
            Change::Rename(from, to) => self.rename(&tree, *from, self.free(*to)?)?,
            Change::RenameOver(from, to) => {
                let ((from, _), (to, _)) = (self.file(*from)?, self.file(*to)?);
                if from == to {
                    return None;
                }
                tree.remove(&to).rename(from, to)
            }
            Change::Remove(at) => tree.remove(self.any(*at)?),
            Change::Chmod(at, mode) => tree.set_mode(self.any(*at)?, *mode),
            Change::Chown(at, user, group) => tree.set_owner(self.any(*at)?, *user, *group),
            Change::SetAttribute(at, name, value) => {
                tree.set_attribute(self.any(*at)?, ATTRIBUTES[usize::from(*name)], value)
            }
            Change::RemoveAttribute(at, name) => {
                tree.remove_attribute(self.any(*at)?, ATTRIBUTES[usize::from(*name)])
            }
            Change::HardLink(from, to) => tree.hard_link(self.file(*from)?.0, self.free(*to)?),
            Change::SymbolicLink(at, target) => tree.symbolic_link(self.free(*at)?, target),
            Change::Special(at, kind) => special(&tree, self.free(*at)?, *kind),
            Change::Folder(at) => tree.folder(self.free(*at)?),
            Change::FileBecomesFolder(at, bytes) => {
                let (path, _) = self.file(*at)?;
                tree.remove(&path).folder(&path).file([&path, &b"/a"[..]].concat(), &bytes.get())
            }
            Change::FolderBecomesFile(at, bytes) => {
                let (path, _) = self.path(*at, |thing| *thing == Thing::Folder)?;
                tree.remove(&path).file(path, &bytes.get())
            }
            Change::SameNumber(at, seed) => {
                // A file that has other names lives on, and so does its number.
                let has_one_name = |thing: &Thing| matches!(thing, Thing::File { linked_with: None, .. });
                let (path, thing) = self.path(*at, has_one_name)?;
                let Thing::File { size, .. } = thing else { return None };
                let (id, modified_at) = tree.file_id_and_time(&path);
                tree.remove(&path).file(&path, &content(*seed, size.min(1 << 20) as usize));
                tree.set_file_id(&path, id).set_modified_at(path, modified_at)
            }
            Change::SetTime(at, time) => tree.set_modified_at(self.any(*at)?, Timestamp(*time)),
        };
        Some(())
    }

    /// Nothing goes into itself.
    fn rename<'a>(&self, tree: &'a Part, from: Which, to: Vec<u8>) -> Option<&'a Part> {
        let from = self.any(from)?;
        let goes_into_itself =
            to.strip_prefix(from.as_slice()).is_some_and(|rest| rest.first() == Some(&b'/'));
        (!goes_into_itself).then(|| tree.rename(from, to))
    }
}

fn special(tree: &Part, path: Vec<u8>, kind: u8) -> &Part {
    match kind % 4 {
        0 => tree.fifo(path),
        1 => tree.socket(path),
        2 => tree.block_device(path, 8, u32::from(kind)),
        _ => tree.character_device(path, 1, u32::from(kind)),
    }
}
