//! The folders that a target has made or gone into: known by their numbers on the volume, the last few of them open.

use super::{failed, in_the_way};
use crate::windows::paths::root_of_drive;
use stateward_engine::TargetError;
use stateward_format::FileName;
use stateward_windows::handle::{Expected, Handle, Look, Wish, rights};
use std::collections::HashSet;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many folders stay open: entries come folder by folder, to a few threads.
const OPEN_MAX: usize = 32;

/// What a folder is opened with on the way to what lies in it.
const PASS: u32 = rights::LOOK | rights::READ | rights::WRITE | rights::GO_THROUGH;

/// A name in a folder of ours.
#[derive(Debug)]
pub(super) struct Place {
    pub folder: Arc<Handle>,
    pub name: Vec<u16>,
    /// Whether the folder is the target itself.
    pub is_at_top: bool,
}

/// Where paths begin.
#[derive(Debug)]
enum Top {
    /// In a folder.
    Folder(Arc<Handle>),
    /// At the drives: the first name is the letter of one.
    Drives,
}

#[derive(Debug)]
pub(super) struct MadeFolders {
    top: Top,
    identities: Mutex<HashSet<(u64, u128)>>,
    /// Open folders by path, that used last at the end.
    open: Mutex<Vec<(Box<[u8]>, Arc<Handle>)>>,
}

/// Nothing is left half done by a thread that panics while it holds one of these locks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The units of a name that means one on Windows.
pub(super) fn units(name: &[u8]) -> io::Result<Vec<u16>> {
    let refused = |why: &str| io::Error::new(io::ErrorKind::InvalidFilename, why.to_owned());
    FileName::new(name)
        .and_then(|name| name.to_utf16())
        .map_err(|_| refused("its name holds `\\` or `:` or is no text, which Windows can't have"))
}

impl MadeFolders {
    pub fn new(root: Handle) -> Self {
        Self { top: Top::Folder(Arc::new(root)), identities: Mutex::default(), open: Mutex::default() }
    }

    /// Of all drives of this machine.
    pub fn of_drives() -> Self {
        Self { top: Top::Drives, identities: Mutex::default(), open: Mutex::default() }
    }

    /// Whether a path is that of a drive itself.
    pub fn is_drive(&self, path: &[u8]) -> bool {
        matches!(self.top, Top::Drives) && !path.contains(&b'/')
    }

    /// Goes into a drive.
    pub fn enter_drive(&self, path: &[u8]) -> io::Result<()> {
        let handle = open_drive(path)?;
        let look = handle.look()?;
        self.add(path, &look, handle);
        Ok(())
    }

    /// Notes a folder that was just made, or gone into.
    pub fn add(&self, path: &[u8], look: &Look, handle: Handle) {
        lock(&self.identities).insert((look.volume, look.id));
        self.keep(path, Arc::new(handle));
    }

    /// Whether the folder that was looked at is one of these.
    pub fn has(&self, look: &Look) -> bool {
        lock(&self.identities).contains(&(look.volume, look.id))
    }

    /// The folder that was added last, if it is that one.
    pub fn added_last(&self, path: &[u8]) -> Option<Arc<Handle>> {
        lock(&self.open).last().filter(|(known, _)| **known == *path).map(|(_, handle)| Arc::clone(handle))
    }

    fn keep(&self, path: &[u8], handle: Arc<Handle>) {
        let mut open = lock(&self.open);
        open.retain(|(known, _)| **known != *path);
        if open.len() == OPEN_MAX {
            open.remove(0);
        }
        open.push((path.into(), handle));
    }

    /// The folder that holds `path`, if it is one of these, and the name in it.
    pub fn place(&self, path: &[u8]) -> Result<Place, TargetError> {
        let fail = |error| failed(path, error);
        let slash = path.iter().rposition(|byte| *byte == b'/');
        let (above, name) = slash.map_or((&[][..], path), |slash| (&path[..slash], &path[slash + 1..]));
        let name = units(name).map_err(fail)?;
        if slash.is_none() {
            return match &self.top {
                Top::Folder(root) => Ok(Place { folder: Arc::clone(root), name, is_at_top: true }),
                Top::Drives => Err(fail(no_drive())),
            };
        }
        let known =
            lock(&self.open).iter().rfind(|(known, _)| **known == *above).map(|(_, open)| Arc::clone(open));
        if let Some(folder) = known {
            return Ok(Place { folder, name, is_at_top: false });
        }
        let folder = Arc::new(self.open_folder(above).map_err(fail)?);
        if !self.has(&folder.look().map_err(fail)?) {
            return Err(in_the_way(path));
        }
        self.keep(above, Arc::clone(&folder));
        Ok(Place { folder, name, is_at_top: false })
    }

    /// Opens a folder name by name, each of them itself: a link on the way is no folder to go on in.
    fn open_folder(&self, path: &[u8]) -> io::Result<Handle> {
        let mut at: Option<Handle> = None;
        for name in path.split(|byte| *byte == b'/') {
            let next = match (&at, &self.top) {
                (Some(from), _) => open_to_pass(from, &units(name)?)?,
                (None, Top::Folder(root)) => open_to_pass(root, &units(name)?)?,
                (None, Top::Drives) => open_drive(name)?,
            };
            if next.look()?.is_reparse_point() {
                return Err(io::ErrorKind::NotADirectory.into());
            }
            at = Some(next);
        }
        at.ok_or_else(|| io::ErrorKind::InvalidFilename.into())
    }
}

/// Opens a folder, itself, to go on in it: with as much as it lets this process do.
pub(super) fn open_to_pass(from: &Handle, name: &[u16]) -> io::Result<Handle> {
    let wish = Wish::to(PASS).expecting(Expected::Folder).in_any_case();
    match from.open_at(name, wish) {
        // What is to be made in it is refused for itself then.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            from.open_at(name, Wish { rights: rights::LOOK | rights::GO_THROUGH, ..wish })
        }
        opened => opened,
    }
}

fn no_drive() -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, "it is no drive of this machine")
}

/// Opens the root of a drive that is named by its letter.
fn open_drive(name: &[u8]) -> io::Result<Handle> {
    let [letter] = name else { return Err(no_drive()) };
    if !letter.is_ascii_alphabetic() {
        return Err(no_drive());
    }
    let root = root_of_drive(letter.to_ascii_uppercase());
    Handle::open_folder(&root, PASS)
        .or_else(|_| Handle::open_folder(&root, rights::LOOK | rights::GO_THROUGH))
}
