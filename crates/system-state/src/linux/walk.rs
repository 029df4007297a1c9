//! The walk: one part of a [`Selection`] as a tree, in order, with one look at each entry.
//!
//! Nothing is followed and nothing is opened but folders. Folders on the way to what the part has are given too, but
//! only once something below them is. What vanishes while the walk goes on is no error.
//!
//! Begin with [`Walk::run`].

use crate::components::Part;
use crate::linux::device::Device;
use crate::linux::extended_attributes::path_in;
use crate::linux::file_systems::FileSystemKind;
use crate::linux::folder::Folder;
use crate::linux::generated::{self, GeneratedFolder};
use crate::linux::listing::{Listed, Lister};
use crate::linux::moments::Moments;
use crate::linux::node::{EntryNode, FolderNode};
use crate::linux::{stat, vault_store};
use crate::selection::{Claim, Names, Position, Selection};
use rustix::fs::{AtFlags, CWD, FileType, Stat as RawStat, fstat, statat};
use rustix::io::Errno;
use stateward_engine::{Found, SourceError, Visitor};
use stateward_format::FileName;
use stateward_format::entry::DEPTH_MAX;
use stateward_format::manifest::Warning;
use std::io;
use std::iter::Peekable;
use std::ops::ControlFlow;
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::Arc;

/// What is walked, and how.
pub(crate) struct Walk<'a> {
    /// The folder that stands for `/`.
    pub root: &'a Path,
    /// The rules.
    pub selection: &'a Selection,
    /// Whose paths are given.
    pub part: Part,
    /// Whether somebody named the paths and so wants to hear when one is not there, and why a vault is left out.
    pub is_asked_for: bool,
    /// What is given beside what lies on the disk.
    pub generated: Option<GeneratedFolder>,
    /// What is read from snapshots.
    pub moments: &'a Arc<Moments>,
}

impl Walk<'_> {
    /// Walks. `Ok(false)` means that nothing was found, and nothing was given.
    pub fn run(self, visitor: &mut dyn Visitor) -> Result<bool, SourceError> {
        let unreadable = |cause| SourceError::Unreadable { path: self.root.display().to_string(), cause };
        let (folder, raw) = Folder::topmost(self.root, self.moments).map_err(unreadable)?;
        need_proc(&folder).map_err(|cause| SourceError::Unreadable { path: "/proc".into(), cause })?;
        let mut walker = Walker {
            root: self.root,
            selection: self.selection,
            part: self.part,
            is_asked_for: self.is_asked_for,
            generated: self.generated,
            visitor,
            frames: Vec::new(),
            given: 0,
            has_given: false,
            lister: Lister::new(),
            moments: self.moments,
            noted: None,
        };
        // A visitor that has enough ends the walk, not the job.
        let _ = walker.begin(folder, &raw);
        Ok(walker.has_given)
    }
}

/// Attributes of what is not opened are read through `/proc`; without it everything would seem to have vanished.
fn need_proc(folder: &Arc<Folder>) -> io::Result<()> {
    let descriptor = folder.descriptor()?;
    let seen = statat(CWD, path_in(descriptor.as_fd(), b"."), AtFlags::empty())?;
    match stat::identity(&seen) == stat::identity(&fstat(&descriptor)?) {
        true => Ok(()),
        false => Err(io::ErrorKind::NotFound.into()),
    }
}

/// A folder that is being walked.
struct Frame {
    folder: Arc<Folder>,
    position: Position,
    names: Peekable<std::vec::IntoIter<Listed>>,
    /// The folder's own entry, as long as nothing below it was given.
    pending: Option<Found>,
}

struct Walker<'a> {
    root: &'a Path,
    selection: &'a Selection,
    part: Part,
    is_asked_for: bool,
    generated: Option<GeneratedFolder>,
    visitor: &'a mut dyn Visitor,
    frames: Vec<Frame>,
    /// How many frames, from the first, the visitor was given and has not left.
    given: usize,
    has_given: bool,
    lister: Lister,
    moments: &'a Moments,
    /// The file system that was noted last as read.
    noted: Option<Device>,
}

/// What lies at a name.
enum Seen {
    Folder(Arc<Folder>, RawStat),
    Other(RawStat),
}

impl Walker<'_> {
    fn begin(&mut self, folder: Arc<Folder>, raw: &RawStat) -> ControlFlow<()> {
        self.folder(FileName::root(), self.selection.top(), folder, raw)?;
        while let Some(frame) = self.frames.last_mut() {
            let next = frame.names.peek();
            let is_after_generated = next.is_none_or(|next| *next.name > *generated::FOLDER);
            match (self.frames.len() == 1 && is_after_generated).then(|| self.generated.take()).flatten() {
                Some(generated) => self.generated(generated)?,
                None => self.step()?,
            }
        }
        ControlFlow::Continue(())
    }

    /// Takes the next name of the folder entered last, or leaves that folder.
    fn step(&mut self) -> ControlFlow<()> {
        let Some(frame) = self.frames.last_mut() else { return ControlFlow::Continue(()) };
        let Some(Listed { name, hint }) = frame.names.next() else {
            self.frames.pop();
            return match self.frames.len() < self.given {
                true => {
                    self.given -= 1;
                    self.visitor.leave()
                }
                false => ControlFlow::Continue(()),
            };
        };
        let position = self.selection.below(frame.position, &name);
        let look = self.selection.look(position, self.part);
        if !look.is_kept && !look.leads_on {
            return ControlFlow::Continue(());
        }
        let folder = Arc::clone(&frame.folder);
        let seen = match look_at(&folder, &name, hint) {
            Ok(seen) => seen,
            Err(cause) => {
                self.unseen(&folder, &name, &cause);
                return ControlFlow::Continue(());
            }
        };
        let Ok(known) = FileName::new(&name) else {
            self.warn("name-refused", folder.path_of(&name), "Its name can't be kept, so it is left out");
            return ControlFlow::Continue(());
        };
        match seen {
            Seen::Folder(folder, raw) => self.folder(known, position, folder, &raw),
            Seen::Other(raw) if look.is_kept => self.other(known, folder, &raw),
            Seen::Other(raw) => {
                let is_link = stat::file_type(&raw) == FileType::Symlink;
                if look.is_needed && (is_link || self.is_asked_for) {
                    let why = "A link or file stands where a folder was expected, so what was to be below is left out";
                    self.warn("leads-elsewhere", folder.path_of(&name), why);
                }
                ControlFlow::Continue(())
            }
        }
    }

    /// Something cannot be looked at. What has vanished is an error only if somebody named it.
    fn unseen(&mut self, folder: &Folder, name: &[u8], cause: &io::Error) {
        let path = folder.path_of(name);
        match cause.kind() {
            io::ErrorKind::NotFound => {
                let frame = self.frames.last();
                let is_asked_for = self.is_asked_for
                    && frame
                        .is_some_and(|frame| self.selection.names(frame.position, self.part) != Names::All);
                if is_asked_for {
                    self.warn("not-found", path, "It is no longer there");
                }
            }
            _ => self.warn("unreadable", path, &format!("It can't be read: {cause}")),
        }
    }

    fn other(&mut self, name: FileName, folder: Arc<Folder>, raw: &RawStat) -> ControlFlow<()> {
        let Some(stat) = stat::describe(raw, folder.device()) else {
            let path = folder.path_of(name.as_bytes());
            self.warn("unreadable", path, "It is of a kind that is not known, so it is left out");
            return ControlFlow::Continue(());
        };
        self.note(&folder);
        let node = EntryNode { folder, name: name.as_bytes().into(), kind: stat::file_type(raw) };
        self.give_pending()?;
        self.give(Found { name, stat, node: Box::new(node) })
    }

    /// Gives a folder and enters it, as far as it is the part's or leads on.
    fn folder(
        &mut self,
        name: FileName,
        position: Position,
        folder: Arc<Folder>,
        raw: &RawStat,
    ) -> ControlFlow<()> {
        let look = self.selection.look(position, self.part);
        let Some(stat) = stat::describe(raw, folder.device()) else { return ControlFlow::Continue(()) };
        if self.moments.is_own(folder.device(), raw) {
            return ControlFlow::Continue(());
        }
        if self.frames.len() >= DEPTH_MAX {
            self.warn("too-deep", folder.path_of(b""), "Folders are nested too deep here, so it is left out");
            return ControlFlow::Continue(());
        }
        let may_enter = look.leads_on && self.may_cross(position, &folder);
        let names = match may_enter {
            true => self.names(position, &folder),
            false => Vec::new(),
        };
        let found = Found { name, stat, node: Box::new(FolderNode(Arc::clone(&folder))) };
        let mut pending = Some(found);
        if look.is_kept {
            if may_enter {
                self.note(&folder);
            }
            self.give_pending()?;
            pending.take().map_or(ControlFlow::Continue(()), |found| self.give(found))?;
            if names.is_empty() {
                return self.visitor.leave();
            }
            self.given += 1;
        }
        self.frames.push(Frame { folder, position, names: names.into_iter().peekable(), pending });
        ControlFlow::Continue(())
    }

    /// Whether a folder may be entered, as far as file systems are concerned.
    fn may_cross(&self, position: Position, folder: &Arc<Folder>) -> bool {
        let Some(above) = self.frames.last() else { return true };
        if above.folder.device().told == folder.device().told {
            return true;
        }
        let enters =
            matches!(self.selection.claim_at(position), Some(Claim::Part { enters_file_systems: true, .. }));
        let is_meant = enters || self.selection.look(position, self.part).is_named;
        is_meant
            && folder.descriptor().is_ok_and(|descriptor| match FileSystemKind::of(&descriptor) {
                FileSystemKind::Local => true,
                FileSystemKind::Network => self.is_asked_for,
                FileSystemKind::Pseudo => false,
            })
    }

    /// Something in the folder is read: whether that is of a moment is told of each file system.
    fn note(&mut self, folder: &Folder) {
        if self.noted != Some(folder.device()) {
            self.noted = Some(folder.device());
            folder.note();
        }
    }

    /// The names to look at in a folder that was just entered; none in the data folder of a vault.
    fn names(&mut self, position: Position, folder: &Arc<Folder>) -> Vec<Listed> {
        if let Names::Only(names) = self.selection.names(position, self.part) {
            return names.into_iter().map(|name| Listed { name, hint: FileType::Unknown }).collect();
        }
        let (listed, error) = match folder.descriptor() {
            Ok(descriptor) => self.lister.list(&descriptor),
            Err(error) => (Vec::new(), Some(error)),
        };
        if let Some(cause) = error {
            let why = format!("Not all of this folder can be read: {cause}");
            self.warn("unreadable", folder.path_of(b""), &why);
        }
        if vault_store::is_data_folder(folder, &listed) {
            if self.is_asked_for {
                let why = "It is the data folder of a Stateward vault: a backup of it into itself would grow without end, \
                           so what it holds is left out";
                self.warn("vault-store-left-out", folder.path_of(b""), why);
            }
            return Vec::new();
        }
        listed
    }

    fn generated(&mut self, generated: GeneratedFolder) -> ControlFlow<()> {
        for warning in generated.warnings.iter().cloned() {
            self.visitor.warning(warning);
        }
        if generated.is_empty() {
            return ControlFlow::Continue(());
        }
        self.give_pending()?;
        self.has_given = true;
        generated.give(self.visitor)
    }

    fn give_pending(&mut self) -> ControlFlow<()> {
        while self.given < self.frames.len() {
            let pending = self.frames[self.given].pending.take();
            self.given += 1;
            pending.map_or(ControlFlow::Continue(()), |found| self.give(found))?;
        }
        ControlFlow::Continue(())
    }

    fn give(&mut self, found: Found) -> ControlFlow<()> {
        self.has_given = true;
        self.visitor.entry(found)
    }

    fn warn(&mut self, code: &str, path: Vec<u8>, message: &str) {
        tracing::debug!(code, root = %self.root.display(), path = %String::from_utf8_lossy(&path), message);
        self.visitor.warning(Warning { code: code.to_owned(), path, message: message.to_owned() });
    }
}

/// Looks at a name without following it: a folder by opening it, anything else by one `stat`. If the folder's hint was
/// wrong or things change in between, what is there now counts.
fn look_at(folder: &Arc<Folder>, name: &[u8], hint: FileType) -> io::Result<Seen> {
    let enter = || folder.enter(name).map(|(folder, raw)| Seen::Folder(folder, raw));
    if hint == FileType::Directory {
        match enter() {
            Err(error) if is_no_folder(&error) => {}
            entered => return entered,
        }
    }
    let raw = statat(folder.descriptor()?, name, AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT)?;
    match stat::file_type(&raw) {
        FileType::Directory => enter(),
        _ => Ok(Seen::Other(raw)),
    }
}

fn is_no_folder(error: &io::Error) -> bool {
    matches!(Errno::from_io_error(error), Some(Errno::NOTDIR | Errno::LOOP))
}

#[cfg(test)]
mod tests;
