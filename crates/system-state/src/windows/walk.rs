//! The walk: chosen paths as one tree, in order, each entry looked at by itself.
//!
//! What a folder says of its entries is not believed: NTFS brings it up to date late, and for a file with several names only
//! where it was opened by. Nothing is followed, and nothing is opened but to look; folders on the way to what was chosen are
//! given too, once something below them is.

use super::encrypted;
use super::moments::Moments;
use super::node::{EntryNode, Folder, FolderNode, open_to_read};
use super::stat::{self, Behind, MOUNT_POINT};
use crate::components::Part;
use crate::selection::{Names, Position, Selection};
use stateward_engine::{Found, FoundKind, SourceError, Stat, Visitor};
use stateward_format::entry::DEPTH_MAX;
use stateward_format::manifest::Warning;
use stateward_format::{FileName, wtf8};
use stateward_model::Timestamp;
use stateward_windows::handle::{Expected, Handle, Look, Wish, rights};
use std::io;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

/// What a folder is opened with.
const ENTER: u32 = rights::LOOK | rights::READ | rights::GO_THROUGH;

/// A folder that is being walked.
struct Frame {
    folder: Arc<Folder>,
    position: Position,
    /// Names that are still to come, the next at the end: their bytes and their units.
    names: Vec<(Vec<u8>, Vec<u16>)>,
    /// The folder's own entry, as long as nothing below it was given.
    pending: Option<Found>,
}

/// Walks what a part of a selection has.
pub(super) struct Walker<'a> {
    selection: &'a Selection,
    part: Part,
    moments: &'a Moments,
    visitor: &'a mut dyn Visitor,
    frames: Vec<Frame>,
    /// How many frames, from the first, the visitor was given and has not left.
    given: usize,
    has_given: bool,
}

/// Walks, from the folder `top` or from what holds all drives, of which `moments` say where they are read. `Ok(false)` means that
/// nothing was found, and nothing was given.
pub(super) fn walk(
    selection: &Selection,
    part: Part,
    top: Option<&Path>,
    moments: &Moments,
    visitor: &mut dyn Visitor,
) -> Result<bool, SourceError> {
    let handle = top.map(|path| {
        let opened = Handle::open_folder(path, ENTER);
        opened.map_err(|cause| SourceError::Unreadable { path: path.display().to_string(), cause })
    });
    let mut walker =
        Walker { selection, part, moments, visitor, frames: Vec::new(), given: 0, has_given: false };
    // A visitor that has enough ends the walk, not the job.
    let _ = walker.begin(handle.transpose()?);
    Ok(walker.has_given)
}

impl Walker<'_> {
    fn begin(&mut self, handle: Option<Handle>) -> ControlFlow<()> {
        let top = Arc::new(Folder { handle, path: Vec::new() });
        let stat = Stat {
            kind: FoundKind::Folder,
            mode: 0o700,
            user: 0,
            group: 0,
            modified_at: Timestamp(0),
            identity: None,
            is_hard_linked: false,
        };
        let node = FolderNode { folder: Arc::clone(&top), place: None, has_audit: false };
        let found = Found { name: FileName::root(), stat, node: Box::new(node) };
        self.enter(found, self.selection.top(), top)?;
        while !self.frames.is_empty() {
            self.step()?;
        }
        ControlFlow::Continue(())
    }

    /// Takes the next name of the folder entered last, or leaves that folder.
    fn step(&mut self) -> ControlFlow<()> {
        let Some(frame) = self.frames.last_mut() else { return ControlFlow::Continue(()) };
        let Some((bytes, units)) = frame.names.pop() else {
            self.frames.pop();
            return match self.frames.len() < self.given {
                true => {
                    self.given -= 1;
                    self.visitor.leave()
                }
                false => ControlFlow::Continue(()),
            };
        };
        let position = self.selection.below(frame.position, &bytes);
        let look = self.selection.look(position, self.part);
        if !look.is_kept && !look.leads_on {
            return ControlFlow::Continue(());
        }
        let folder = Arc::clone(&frame.folder);
        let seen = match folder.handle {
            None => self.open_drive(&bytes),
            Some(_) => look_at(&folder, &units),
        };
        let seen = match seen {
            Ok(seen) => seen,
            Err(cause) => {
                self.unseen(&folder, &bytes, &cause);
                return ControlFlow::Continue(());
            }
        };
        let Ok(name) = FileName::from_utf16(&units) else {
            let why = "Its name can't be kept, so it is left out";
            self.warn("name-refused", folder.path_of(&bytes), why);
            return ControlFlow::Continue(());
        };
        match seen.behind == Behind::Itself && seen.look.is_folder() {
            true => self.folder(name, units, position, &folder, seen),
            false if look.is_kept => self.other(name, units, folder, &seen),
            false => {
                if look.is_needed {
                    let why = "A link or file stands where a folder was expected, so what was to be below is left out";
                    self.warn("leads-elsewhere", folder.path_of(&bytes), why);
                }
                ControlFlow::Continue(())
            }
        }
    }

    /// Opens the root of the drive of that letter, or of what is read in its place.
    fn open_drive(&self, letter: &[u8]) -> io::Result<Seen> {
        let [letter] = letter else { return Err(io::ErrorKind::NotFound.into()) };
        let handle = Handle::open_folder(&self.moments.root_of(*letter), ENTER)?;
        let look = handle.look()?;
        self.moments.note(*letter);
        Ok(Seen { look, behind: Behind::Itself, handle })
    }

    /// Something cannot be looked at. What has vanished is an error only if somebody named it.
    fn unseen(&mut self, folder: &Folder, name: &[u8], cause: &io::Error) {
        let is_named = self
            .frames
            .last()
            .is_some_and(|frame| self.selection.names(frame.position, self.part) != Names::All);
        match cause.kind() {
            io::ErrorKind::NotFound if is_named => {
                self.warn("not-found", folder.path_of(name), "It is no longer there");
            }
            io::ErrorKind::NotFound => {}
            _ => self.warn("unreadable", folder.path_of(name), &format!("It can't be read: {cause}")),
        }
    }

    fn other(
        &mut self,
        name: FileName,
        units: Vec<u16>,
        folder: Arc<Folder>,
        seen: &Seen,
    ) -> ControlFlow<()> {
        let is_folder = seen.behind != Behind::Link && seen.look.is_folder();
        if is_folder && let Ok(Some((MOUNT_POINT, data))) = seen.handle.reparse_point() {
            self.tell_of_volume(&folder, &name, &data);
        }
        let is_raw = self.gives_raw(&folder, &name, seen);
        let mut stat = stat::describe(&seen.look, seen.behind);
        if is_raw {
            // What the parent has is compared by its size, which of raw content is not known before it is read; and plain content,
            // of a run that EFS refused, must not stand for it. So it is read each time.
            stat.identity = None;
        }
        self.give_pending()?;
        let node = EntryNode { folder, name: units, behind: seen.behind, is_raw };
        self.give(Found { name, stat, node: Box::new(node) })?;
        // A folder that is not entered ends at once.
        if is_folder { self.visitor.leave() } else { ControlFlow::Continue(()) }
    }

    /// Whether something is a file whose raw content EFS gives. That it refuses an encrypted file's is told.
    fn gives_raw(&mut self, folder: &Folder, name: &FileName, seen: &Seen) -> bool {
        let is_encrypted =
            seen.behind == Behind::Itself && seen.look.is_encrypted() && !seen.look.is_folder();
        if !is_encrypted {
            return false;
        }
        let Err(cause) = encrypted::can_be_read(&seen.handle) else { return true };
        let why = format!(
            "It is encrypted by EFS, which doesn't give its raw content ({cause}). It is read as this process sees it, if it may; a \
             restore then makes a file of it that is not encrypted"
        );
        self.warn("encrypted-read-plain", folder.path_of(name.as_bytes()), &why);
        false
    }

    fn tell_of_volume(&mut self, folder: &Folder, name: &FileName, data: &[u8]) {
        if stat::is_volume(data) {
            let why = "Another volume is mounted here: what it holds is left out, unless it is protected by a letter of its own";
            self.warn("leads-elsewhere", folder.path_of(name.as_bytes()), why);
        }
    }

    fn folder(
        &mut self,
        name: FileName,
        units: Vec<u16>,
        position: Position,
        above: &Arc<Folder>,
        seen: Seen,
    ) -> ControlFlow<()> {
        let path = above.path_of(name.as_bytes());
        if self.frames.len() >= DEPTH_MAX {
            self.warn("too-deep", path, "Folders are nested too deep here, so it is left out");
            return ControlFlow::Continue(());
        }
        let stat = stat::describe(&seen.look, Behind::Itself);
        let opened = match &above.handle {
            // A drive was opened to be read at once.
            None => Ok((seen.handle, false)),
            Some(above) => open_to_read(above, &units, Wish::to(ENTER).expecting(Expected::Folder)),
        };
        let (handle, has_audit) = match opened {
            Ok(opened) => opened,
            Err(cause) => {
                self.warn("unreadable", path, &format!("It can't be read: {cause}"));
                return ControlFlow::Continue(());
            }
        };
        let folder = Arc::new(Folder { handle: Some(handle), path });
        let place = above.handle.is_some().then(|| (Arc::clone(above), units));
        let node = FolderNode { folder: Arc::clone(&folder), place, has_audit };
        self.enter(Found { name, stat, node: Box::new(node) }, position, folder)
    }

    /// Gives a folder and enters it, as far as it is the part's or leads on.
    fn enter(&mut self, found: Found, position: Position, folder: Arc<Folder>) -> ControlFlow<()> {
        let look = self.selection.look(position, self.part);
        let names = if look.leads_on { self.names(position, &folder) } else { Vec::new() };
        let mut pending = Some(found);
        if look.is_kept {
            self.give_pending()?;
            pending.take().map_or(ControlFlow::Continue(()), |found| self.give(found))?;
            if names.is_empty() {
                return self.visitor.leave();
            }
            self.given += 1;
        }
        self.frames.push(Frame { folder, position, names, pending });
        ControlFlow::Continue(())
    }

    /// The names to look at in a folder, the first at the end.
    fn names(&mut self, position: Position, folder: &Folder) -> Vec<(Vec<u8>, Vec<u16>)> {
        let mut names: Vec<(Vec<u8>, Vec<u16>)> = match self.selection.names(position, self.part) {
            Names::Only(names) => names
                .into_iter()
                .filter_map(|name| wtf8::decode(&name).ok().map(|units| (name.into_vec(), units)))
                .collect(),
            Names::All => {
                let (listed, error) = match &folder.handle {
                    Some(handle) => handle.list(),
                    None => (Vec::new(), None),
                };
                if let Some(cause) = error {
                    let why = format!("Not all of this folder can be read: {cause}");
                    self.warn("unreadable", folder.path_of(b""), &why);
                }
                listed.into_iter().map(|listed| (wtf8::encode(&listed.name), listed.name)).collect()
            }
        };
        names.sort_unstable_by(|a, b| b.cmp(a));
        // A folder that changes under the reader may tell a name twice.
        names.dedup();
        names
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
        tracing::debug!(code, path = %String::from_utf8_lossy(&path), message);
        self.visitor.warning(Warning { code: code.to_owned(), path, message: message.to_owned() });
    }
}

/// What lies at a name.
struct Seen {
    look: Look,
    behind: Behind,
    handle: Handle,
}

fn look_at(folder: &Folder, name: &[u16]) -> io::Result<Seen> {
    let handle = folder.handle()?.open_at(name, Wish::to(rights::LOOK))?;
    let mut look = handle.look()?;
    if !look.is_reparse_point() {
        return Ok(Seen { look, behind: Behind::Itself, handle });
    }
    let tag = handle.reparse_point()?.map(|(tag, _)| tag);
    let behind = Behind::of(tag);
    if behind == Behind::Content {
        // As whoever reads it sees it.
        let read = Wish { follows: true, ..Wish::to(rights::LOOK) };
        look = folder.handle()?.open_at(name, read)?.look()?;
    }
    Ok(Seen { look, behind, handle })
}
