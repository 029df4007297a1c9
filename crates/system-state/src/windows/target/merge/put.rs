//! What has a name of ours until it is whole, and giving it its own, by the rule where something has that already.

use super::super::made::{Place, units};
use super::super::metadata::take_over;
use super::super::new_file::NewFile;
use super::super::{NORMAL, failed, is_there, remove, see_that_it_is};
use crate::conflicts::ConflictRule;
use crate::merging::{COPIES_MAX, Tally, skipped};
use stateward_engine::{TargetError, TargetFile};
use stateward_format::Metadata;
use stateward_format::manifest::Warning;
use stateward_windows::handle::{Expected, Handle, Look, Wish, rights};
use stateward_windows::metadata::Basic;
use stateward_windows::volume;
use std::io;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What names of ours begin with.
const PREFIX: &str = ".stateward-restore-";

/// So many names of ours are tried: those of a process of the same number that was killed may be left.
const NAMES_MAX: u32 = 1000;

/// The bit of file attributes that says that it may only be read.
const READ_ONLY: u32 = 0x1;

/// A name of ours; taken away at the end, unless what had it was given another.
pub(super) struct Named {
    folder: Arc<Handle>,
    name: Vec<u16>,
    is_given: AtomicBool,
}

impl Named {
    /// Makes something under a name of ours.
    pub fn make<T>(
        folder: &Arc<Handle>,
        make: impl Fn(&Handle, &[u16]) -> io::Result<T>,
    ) -> io::Result<(Self, T)> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        for _ in 0..NAMES_MAX {
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let name: Vec<u16> = format!("{PREFIX}{:x}-{number:x}", process::id()).encode_utf16().collect();
            match make(folder, &name) {
                Err(error) if is_there(&error) => {}
                made => {
                    let named =
                        || Self { folder: Arc::clone(folder), name, is_given: AtomicBool::new(false) };
                    return made.map(|made| (named(), made));
                }
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    pub fn name(&self) -> &[u16] {
        &self.name
    }

    pub fn place(&self) -> Place {
        Place { folder: Arc::clone(&self.folder), name: self.name.clone(), is_at_top: false }
    }

    /// Gives what has it, open as `handle`, another name, and sees that it has that.
    pub fn give(&self, handle: &Handle, folder: &Handle, name: &[u16], replaces: bool) -> io::Result<()> {
        handle.rename_at(folder, name, replaces)?;
        self.is_given.store(true, Ordering::Relaxed);
        see_that_it_is(handle, folder, name)
    }
}

impl Drop for Named {
    fn drop(&mut self) {
        if !self.is_given.load(Ordering::Relaxed)
            && let Err(cause) = remove(&self.place(), Expected::Any)
            // What EFS did not take back has lost its name already.
            && cause.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%cause, "a name of a restore is left behind");
        }
    }
}

/// Gives something a name in a folder; where something has it, only if it is to be replaced.
pub(super) type Give<'a> = dyn Fn(&Handle, &[u16], bool) -> io::Result<()> + 'a;

/// What became of something.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// Its name, if it is not the one that it should have.
    pub name: Option<Vec<u8>>,
    pub warning: Option<Warning>,
}

/// Puts something at a place, whose name is `name` in the recovery point. What took it since it was judged is met by the same
/// rule.
pub(super) fn put(
    tally: &Tally,
    place: &Place,
    name: &[u8],
    path: &[u8],
    give: &Give<'_>,
) -> io::Result<Done> {
    match give(&place.folder, &place.name, false) {
        Err(error) if is_there(&error) => {}
        given => return given.map(|()| Done::default()),
    }
    match tally.rule() {
        ConflictRule::Copy => put_beside(tally, place, name, give),
        ConflictRule::Overwrite => {
            put_over(place, give)?;
            tally.count(|counts| counts.overwritten += 1);
            Ok(Done::default())
        }
        ConflictRule::Skip | ConflictRule::Fail => {
            tally.count(|counts| counts.skipped += 1);
            Ok(Done { name: None, warning: Some(skipped(path)) })
        }
    }
}

fn put_beside(tally: &Tally, place: &Place, name: &[u8], give: &Give<'_>) -> io::Result<Done> {
    for number in 1..=COPIES_MAX {
        let copy = tally.copy_name(name, number);
        match give(&place.folder, &units(&copy)?, false) {
            Err(error) if is_there(&error) => {}
            given => {
                given?;
                tally.count(|counts| counts.copied += 1);
                return Ok(Done { name: Some(copy), warning: None });
            }
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// Atomically: whoever looks finds the one or the other, whole. A folder, or a link to one, stays.
fn put_over(place: &Place, give: &Give<'_>) -> io::Result<()> {
    let wish = Wish::to(rights::LOOK).in_any_case();
    let there = place.folder.open_at(&place.name, wish)?.look()?;
    if there.is_folder() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    // What may only be read can't be replaced.
    let is_read_only = there.attributes & READ_ONLY != 0;
    if is_read_only {
        set_attributes(place, there.attributes & !READ_ONLY)?;
    }
    let Err(cause) = give(&place.folder, &place.name, true) else { return Ok(()) };
    if is_read_only && let Err(cause) = set_attributes(place, there.attributes) {
        tracing::warn!(%cause, "a file that was to be replaced could only be read, and can be written now");
    }
    Err(explained(place, &there, cause))
}

fn set_attributes(place: &Place, attributes: u32) -> io::Result<()> {
    let handle = place.folder.open_at(&place.name, Wish::to(rights::LOOK | rights::MARK).in_any_case())?;
    // None at all must be said.
    let attributes = if attributes == 0 { NORMAL } else { attributes };
    handle.set_basic(Basic { attributes, ..Basic::default() })
}

/// Why something can't be replaced. Windows says that access is denied where a program has it open, too.
fn explained(place: &Place, there: &Look, cause: io::Error) -> io::Error {
    if cause.kind() != io::ErrorKind::PermissionDenied && !volume::is_held(&cause) {
        return cause;
    }
    // Whoever may remove it may replace it, unless somebody uses it.
    let removable = place.folder.open_at(&place.name, Wish::to(rights::LOOK | rights::DELETE).in_any_case());
    let is_still_there =
        removable.as_ref().is_ok_and(|handle| handle.look().is_ok_and(|look| look.id == there.id));
    match removable {
        Err(error) if !volume::is_held(&error) => cause,
        Ok(_) if !is_still_there => cause,
        _ => io::Error::new(
            io::ErrorKind::ResourceBusy,
            "a program uses what lies there: end that program, or stop its service, and restore it again; or lay it beside \
             (`--conflict copy`)",
        ),
    }
}

/// A file that is being put back.
pub(super) struct MergedFile {
    pub file: NewFile,
    pub named: Named,
    /// Where it belongs, and its name there in the recovery point.
    pub place: Place,
    pub name: Vec<u8>,
    pub path: Box<[u8]>,
    pub tally: Arc<Tally>,
}

impl TargetFile for MergedFile {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<(), TargetError> {
        self.file.write_at(offset, bytes)
    }

    fn write_stream_at(&self, name: &[u8], offset: u64, bytes: &[u8]) -> Result<(), TargetError> {
        self.file.write_stream_at(name, offset, bytes)
    }

    fn finish(&self, size: u64, metadata: &Metadata) -> Result<Vec<Warning>, TargetError> {
        let mut warnings = self.file.finish(size, metadata)?;
        let give = |folder: &Handle, name: &[u16], replaces: bool| {
            self.named.give(self.file.handle(), folder, name, replaces)
        };
        let done = put(&self.tally, &self.place, &self.name, &self.path, &give)
            .map_err(|error| failed(&self.path, error))?;
        take_over(self.file.handle(), metadata);
        if let Some(name) = done.name.as_ref().filter(|_| metadata.is_hard_linked) {
            self.tally.note_name(&self.path, name);
        }
        warnings.extend(done.warning);
        Ok(warnings)
    }
}
