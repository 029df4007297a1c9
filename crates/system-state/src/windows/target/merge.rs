//! A folder, or all drives, that a recovery point is laid into beside what is there already, by a rule for conflicts.
//!
//! Every file is written under a name of ours, and gets its own when it is whole: so nothing half written is ever seen under a
//! name that somebody knows, and what is overwritten is whole at every moment. Everything is reached from open folders, one after
//! the other, never through a reparse point: one in the way is a conflict like any other.
//!
//! There is no marker file: what an interrupted restore laid is known by its content, and left; a folder that it made and did not
//! finish by its access list, which only what is being made here has.

mod existing;
mod folders;
mod put;

use self::existing::{Existing, Sameness};
use self::folders::{Met, open_ours};
use self::put::{MergedFile, Named, put};
use super::made::{MadeFolders, Place, units};
use super::new_file::NewFile;
use super::{
    MAKE, failed, is_there, kind_of_point, make_root, metadata, of_unix_only, see_that_it_is, streams,
};
use crate::conflicts::{ConflictCounts, ConflictRule, Laying};
use crate::merging::{COPIES_MAX, Elsewhere, Tally, skipped};
use crate::open_error::TargetOpenError;
use stateward_engine::{GiveStream, IsSame, Judgement, Target, TargetError, TargetFile};
use stateward_format::manifest::Warning;
use stateward_format::{Entry, Metadata};
use stateward_windows::access;
use stateward_windows::handle::{Expected, Handle, Look, Wish, rights};
use std::collections::{BTreeSet, HashSet};
use std::io;
use std::path::{Component, Path};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A folder that may hold something, as a [`Target`].
#[derive(Debug)]
pub struct MergeTarget {
    /// Those that were gone into or made.
    folders: MadeFolders,
    /// The numbers of those that were made.
    made: Mutex<HashSet<(u64, u128)>>,
    /// Paths of folders at which a reparse point lies: whether it is a conflict, what belongs below it tells, or its metadata.
    unsettled: Mutex<BTreeSet<Vec<u8>>>,
    elsewhere: Elsewhere,
    tally: Arc<Tally>,
    sameness: Sameness,
    /// The security descriptor of what is made, until it has its own; `None` if what its folder hands down is meant.
    descriptor: Option<Vec<u8>>,
}

/// Nothing is left half done by a thread that panics while it holds one of these locks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn above(path: &[u8]) -> &[u8] {
    path.iter().rposition(|byte| *byte == b'/').map_or(&[], |slash| &path[..slash])
}

/// The last name of a path.
fn name_in(path: &[u8]) -> &[u8] {
    path.iter().rposition(|byte| *byte == b'/').map_or(path, |slash| &path[slash + 1..])
}

impl MergeTarget {
    /// Opens the folder at `path`; makes it, and the folders above it, if it is absent. The root without a drive is where all
    /// drives are: what is laid there goes back to where it came from.
    pub fn open(path: &Path, laying: &Laying) -> Result<Self, TargetOpenError> {
        let unusable = |cause: io::Error| TargetOpenError::Unusable { path: path.to_owned(), cause };
        let rights_held = crate::windows::privileges();
        let folders = match path.components().next() {
            Some(Component::RootDir) => MadeFolders::of_drives(),
            _ => {
                let path = make_root(path).map_err(unusable)?;
                let reading = rights::LOOK | rights::READ | rights::GO_THROUGH;
                let root = Handle::open_folder(&path, reading | rights::WRITE)
                    .or_else(|_| Handle::open_folder(&path, reading));
                MadeFolders::new(root.map_err(unusable)?)
            }
        };
        let sameness = match (laying.rule, laying.without_access) {
            (ConflictRule::Overwrite, false) if rights_held.restore => Sameness::Owner,
            (ConflictRule::Overwrite, false) => Sameness::Access,
            _ => Sameness::Content,
        };
        let words = || access::private_words(false).and_then(|words| access::from_words(&words));
        let descriptor = (!laying.without_access).then(words).transpose().map_err(unusable)?;
        Ok(Self {
            folders,
            made: Mutex::default(),
            unsettled: Mutex::default(),
            elsewhere: Elsewhere::default(),
            tally: Arc::new(Tally::new(laying)),
            sameness,
            descriptor,
        })
    }

    /// Ends a restore: makes everything durable, and tells what became of conflicts.
    pub fn finish(self) -> Result<ConflictCounts, TargetError> {
        self.sync()?;
        Ok(self.tally.counts())
    }

    fn wish(&self, expected: Expected) -> Wish<'_> {
        Wish::to(MAKE).making(expected, self.descriptor.as_deref())
    }

    /// Where what belongs at `path` lies, and the place of that.
    fn place(&self, path: &[u8]) -> Result<(Vec<u8>, Place), TargetError> {
        self.settle(above(path))?;
        let actual = self.elsewhere.actual(path).into_owned();
        let place = self.folders.place(&actual)?;
        Ok((actual, place))
    }

    /// Whether what lies at a place is what the entry would be, or a copy of it that was laid before.
    fn is_there(
        &self,
        place: &Place,
        name: &[u8],
        entry: &Entry,
        is_same: &mut IsSame<'_>,
    ) -> io::Result<Option<bool>> {
        let Some(found) = Existing::at(&place.folder, &place.name)? else { return Ok(None) };
        if found.is(entry, self.sameness, is_same) {
            return Ok(Some(true));
        }
        for number in (1..=COPIES_MAX).take_while(|_| self.tally.rule() == ConflictRule::Copy) {
            let copy = units(&self.tally.copy_name(name, number))?;
            let Some(found) = Existing::at(&place.folder, &copy)? else { break };
            if found.is(entry, self.sameness, is_same) {
                return Ok(Some(true));
            }
        }
        Ok(Some(false))
    }

    fn has_made(&self, look: &Look) -> bool {
        lock(&self.made).contains(&(look.volume, look.id))
    }

    /// Notes a folder that was just made.
    fn note_made(&self, path: &[u8], actual: &[u8], handle: Handle) -> Result<(), TargetError> {
        let look = handle.look().map_err(|error| failed(path, error))?;
        lock(&self.made).insert((look.volume, look.id));
        self.folders.add(actual, &look, handle);
        Ok(())
    }

    /// A reparse point with all of its metadata, under a name of ours first.
    fn make_reparse_point(&self, path: &[u8], metadata: &Metadata) -> Result<Vec<Warning>, TargetError> {
        let fail = |error| failed(path, error);
        let (actual, place) = self.place(path)?;
        let wish = self.wish(kind_of_point(metadata));
        let (named, handle) =
            Named::make(&place.folder, |folder, name| folder.open_at(name, wish)).map_err(fail)?;
        if let Err(cause) = metadata::set_reparse_point(&handle, metadata) {
            return Ok(vec![metadata::not_made(path, &format!("it can't be made: {cause}"))]);
        }
        let mut warnings = metadata::set(&handle, path, metadata)?;
        let give =
            |folder: &Handle, name: &[u16], replaces: bool| named.give(&handle, folder, name, replaces);
        let done = put(&self.tally, &place, name_in(&actual), path, &give).map_err(fail)?;
        if let Some(name) = done.name.as_ref().filter(|_| metadata.is_hard_linked) {
            self.tally.note_name(path, name);
        }
        warnings.extend(done.warning);
        Ok(warnings)
    }
}

impl Target for MergeTarget {
    fn keeps_streams(&self) -> bool {
        true
    }

    fn judge(&self, path: &[u8], entry: &Entry, is_same: &mut IsSame<'_>) -> Result<Judgement, TargetError> {
        let is_there = match self.place(path) {
            Ok((actual, place)) => self
                .is_there(&place, name_in(&actual), entry, is_same)
                .map_err(|error| failed(path, error))?,
            // Something else lies where a folder above it should be.
            Err(TargetError::InTheWay { .. }) if self.tally.rule() == ConflictRule::Skip => Some(false),
            Err(error) => return Err(error),
        };
        match (is_there, self.tally.rule()) {
            (Some(true), _) => {
                self.tally.count(|counts| counts.identical += 1);
                Ok(Judgement::Leave(None))
            }
            (Some(false), ConflictRule::Skip) => {
                self.tally.count(|counts| counts.skipped += 1);
                Ok(Judgement::Leave(Some(skipped(path))))
            }
            _ => Ok(Judgement::Make),
        }
    }

    fn make_folder(&self, path: &[u8]) -> Result<(), TargetError> {
        if self.folders.is_drive(path) {
            return self.folders.enter_drive(path).map_err(|error| failed(path, error));
        }
        let (actual, place) = match self.place(path) {
            // What is below a folder that was skipped is named by itself.
            Err(TargetError::InTheWay { .. }) if self.tally.rule() == ConflictRule::Skip => return Ok(()),
            place => place?,
        };
        match place.folder.open_at(&place.name, self.wish(Expected::Folder)) {
            Ok(handle) => self.note_made(path, &actual, handle),
            Err(error) if is_there(&error) => self.enter(path, &actual, &place),
            Err(error) => Err(failed(path, error)),
        }
    }

    fn make_file(&self, path: &[u8]) -> Result<Box<dyn TargetFile>, TargetError> {
        let (actual, place) = self.place(path)?;
        let wish = self.wish(Expected::File);
        let (named, handle) = Named::make(&place.folder, |folder, name| folder.open_at(name, wish))
            .map_err(|error| failed(path, error))?;
        let file = NewFile::new(handle, named.place(), path);
        let name = name_in(&actual).to_vec();
        Ok(Box::new(MergedFile {
            file,
            named,
            place,
            name,
            path: path.into(),
            tally: Arc::clone(&self.tally),
        }))
    }

    fn make_hard_link(&self, existing: &[u8], path: &[u8]) -> Result<(), TargetError> {
        let fail = |error| failed(path, error);
        let ((_, from), (actual, to)) = (self.place(existing)?, self.place(path)?);
        let first = match self.tally.name_of(existing) {
            Some(name) => units(&name).map_err(fail)?,
            None => from.name,
        };
        let wish = Wish::to(rights::LOOK | rights::MARK).expecting(Expected::File).in_any_case();
        let file = from.folder.open_at(&first, wish).map_err(fail)?;
        let give = |folder: &Handle, name: &[u16], replaces: bool| {
            if !replaces {
                file.link_at(folder, name)?;
                return see_that_it_is(&file, folder, name);
            }
            let (named, ()) = Named::make(&to.folder, |folder, name| file.link_at(folder, name))?;
            let link = to.folder.open_at(named.name(), Wish::to(rights::LOOK | rights::DELETE))?;
            named.give(&link, folder, name, true)
        };
        put(&self.tally, &to, name_in(&actual), path, &give).map(drop).map_err(fail)
    }

    /// Nothing has its name before it is whole, so there is never anything to take away.
    fn remove_file(&self, _path: &[u8]) -> Result<(), TargetError> {
        Ok(())
    }

    fn make_special(&self, path: &[u8], entry: &Entry) -> Result<Vec<Warning>, TargetError> {
        match metadata::is_reparse_point(&entry.metadata) {
            true => self.make_reparse_point(path, &entry.metadata),
            false => Ok(vec![of_unix_only(path, &entry.kind)]),
        }
    }

    fn begin_folder(&self, path: &[u8], metadata: &Metadata) -> Result<(), TargetError> {
        let Some(handle) = self.folders.added_last(&self.elsewhere.actual(path)) else { return Ok(()) };
        // What was there before stays as it is.
        if handle.look().is_ok_and(|look| self.has_made(&look)) {
            metadata::settle_case(&handle, metadata);
        }
        Ok(())
    }

    fn write_folder_streams(
        &self,
        path: &[u8],
        metadata: &Metadata,
        give: &mut GiveStream<'_>,
    ) -> Result<(), TargetError> {
        // What is no folder of ours is told when it is finished.
        let Ok(Met::Ours(place)) = self.met(path, metadata) else { return Ok(()) };
        let handle = open_ours(&place).map_err(|error| failed(path, error))?;
        streams::write_all(&handle, &place, path, metadata, give)
    }

    fn finish_folder(&self, path: &[u8], metadata: &Metadata) -> Result<Vec<Warning>, TargetError> {
        if let Some(warnings) = self.finish_point(path, metadata)? {
            return Ok(warnings);
        }
        let place = match self.met(path, metadata)? {
            Met::Ours(place) => place,
            Met::AsItWas => return Ok(Vec::new()),
            Met::Skipped => return Ok(vec![skipped(path)]),
            Met::OtherThing => {
                self.tally.count(|counts| counts.skipped += 1);
                return Ok(vec![skipped(path)]);
            }
        };
        let handle = open_ours(&place).map_err(|error| failed(path, error))?;
        let mut warnings = Vec::new();
        if let Err(cause) = metadata::set_reparse_point(&handle, metadata) {
            warnings.push(metadata::not_made(path, &format!("it is a plain folder now: {cause}")));
        }
        warnings.extend(metadata::set(&handle, path, metadata)?);
        Ok(warnings)
    }

    /// Files and folders were made durable one by one, for a volume as a whole can be by administrators only.
    fn sync(&self) -> Result<(), TargetError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
