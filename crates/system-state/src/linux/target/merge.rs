//! A folder that a recovery point is laid into beside what is there already, by a rule for conflicts.
//!
//! Every file is written without a name, or under a name of ours, and gets its own when it is whole: so nothing half
//! written is ever seen, and what is overwritten is whole at every moment. Everything is reached from the target's own
//! descriptor, one folder after the other, never through a link: a link in the way is a conflict like any other.
//!
//! There is no marker file: what an interrupted restore laid is known by its content, and left; a folder that it made and did
//! not finish by an attribute, where the file system has such.

mod existing;
mod folders;
mod pending;
mod put;

use crate::conflicts::{ConflictCounts, ConflictRule, Laying};
use crate::linux::stat;
use crate::linux::target::beneath::{FOLDER, Place};
use crate::linux::target::marker::Makes;
use crate::linux::target::merge::existing::{Sameness, found, is_same};
use crate::linux::target::merge::folders::MergedFolders;
use crate::linux::target::merge::pending::PendingFile;
use crate::linux::target::merge::put::{Pending, Put};
use crate::linux::target::metadata::Holder;
use crate::linux::target::{failed, in_the_way, make_root, shown, special};
use crate::merging::{COPIES_MAX, skipped};
use crate::open_error::TargetOpenError;
use rustix::fs::{AtFlags, CWD, Mode, OFlags, fstat, linkat, mkdirat, openat};
use rustix::io::Errno;
use rustix::process::geteuid;
use stateward_engine::{IsSame, Judgement, Target, TargetError, TargetFile};
use stateward_format::manifest::Warning;
use stateward_format::{Entry, Metadata};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;

/// A folder that may hold something, as a [`Target`].
#[derive(Debug)]
pub struct MergeTarget {
    folders: MergedFolders,
    put: Arc<Put>,
    makes: Makes,
    sameness: Sameness,
}

impl MergeTarget {
    /// Opens the folder at `path`; makes it, and the folders above it, if it is absent.
    pub fn open(path: &Path, laying: &Laying) -> Result<Self, TargetOpenError> {
        let unusable = |cause: io::Error| TargetOpenError::Unusable { path: path.to_owned(), cause };
        make_root(path).map_err(unusable)?;
        let flags = FOLDER.difference(OFlags::NOFOLLOW);
        let root = openat(CWD, path, flags, Mode::empty()).map_err(|error| unusable(error.into()))?;
        let root = Arc::new(root);
        // What is left as it is only has to hold the same; what would be overwritten has to be the same in all.
        let sameness = match (laying.rule, laying.without_access) {
            (ConflictRule::Overwrite, false) if geteuid().is_root() => Sameness::Owner,
            (ConflictRule::Overwrite, false) => Sameness::Access,
            _ => Sameness::Content,
        };
        let makes = makes(&root);
        let folders = MergedFolders::new(root).map_err(|error| unusable(error.into()))?;
        Ok(Self { folders, put: Arc::new(Put::new(laying)), makes, sameness })
    }

    /// Ends a restore: makes everything durable, and tells what became of conflicts.
    pub fn finish(self) -> Result<ConflictCounts, TargetError> {
        self.sync()?;
        Ok(self.put.tally.counts())
    }

    fn rule(&self) -> ConflictRule {
        self.put.tally.rule()
    }

    /// Whether what lies at a place is what the entry would be, or a copy of it that was laid before.
    fn is_there(
        &self,
        place: &Place<'_>,
        entry: &Entry,
        is_same_content: &mut IsSame<'_>,
    ) -> Result<Option<bool>, Errno> {
        let Some(raw) = found(place)? else { return Ok(None) };
        if is_same(place, &raw, entry, self.sameness, is_same_content) {
            return Ok(Some(true));
        }
        for number in (1..=COPIES_MAX).take_while(|_| self.rule() == ConflictRule::Copy) {
            let name = self.put.tally.copy_name(place.name, number);
            let copy = Place { folder: Arc::clone(&place.folder), name: &name, is_at_top: place.is_at_top };
            let Some(raw) = found(&copy)? else { break };
            if is_same(&copy, &raw, entry, self.sameness, is_same_content) {
                return Ok(Some(true));
            }
        }
        Ok(Some(false))
    }

    /// Notes a folder that was just made.
    fn made(&self, path: &[u8], actual: &[u8], place: &Place<'_>) -> Result<(), TargetError> {
        let fail = |error| failed(path, error);
        let descriptor = openat(&place.folder, place.name, FOLDER, Mode::empty()).map_err(fail)?;
        let raw = fstat(&descriptor).map_err(fail)?;
        // Somebody may have put another folder in its place.
        if !self.makes.may_be_ours(&raw) {
            return Err(in_the_way(path));
        }
        Holder::Open(descriptor.as_fd()).forget_default_access_list();
        Holder::Open(descriptor.as_fd()).mark_unfinished();
        self.folders.add_made(actual, &raw, descriptor).map_err(fail)
    }

    /// Goes into a folder that was there before.
    fn enter(&self, path: &[u8], actual: &[u8], place: &Place<'_>) -> Result<(), TargetError> {
        match openat(&place.folder, place.name, FOLDER, Mode::empty()) {
            Ok(descriptor) => {
                let raw = fstat(&descriptor).map_err(|error| failed(path, error))?;
                // An interrupted restore made it and did not come to its owner and mode. Who else may write to a folder of
                // ours could mark it too: then it gets those that it was backed up with.
                let is_unfinished =
                    raw.st_uid == self.makes.user && Holder::Open(descriptor.as_fd()).is_unfinished();
                let added = match is_unfinished {
                    true => self.folders.add_made(actual, &raw, descriptor),
                    false => self.folders.add(actual, &raw, descriptor),
                };
                added.map_err(|error| failed(path, error))
            }
            // A link or a file, where a folder should be.
            Err(Errno::LOOP | Errno::NOTDIR) => match self.rule() {
                ConflictRule::Copy => self.make_beside(path, actual, place),
                ConflictRule::Skip => {
                    self.folders.elsewhere.skip(path);
                    self.put.tally.count(|counts| counts.skipped += 1);
                    Ok(())
                }
                ConflictRule::Overwrite | ConflictRule::Fail => Err(in_the_way(path)),
            },
            Err(error) => Err(failed(path, error)),
        }
    }

    /// Makes a folder beside what is in its way; all that belongs into it goes there.
    fn make_beside(&self, path: &[u8], actual: &[u8], place: &Place<'_>) -> Result<(), TargetError> {
        for number in 1..=COPIES_MAX {
            let name = self.put.tally.copy_name(place.name, number);
            let above = &actual[..actual.len() - place.name.len()];
            let copy = [above, &name].concat();
            let beside = Place { folder: Arc::clone(&place.folder), name: &name, is_at_top: place.is_at_top };
            match mkdirat(&beside.folder, beside.name, Mode::RWXU) {
                Ok(()) => self.made(path, &copy, &beside)?,
                // That of a restore of the same moment that was interrupted.
                Err(Errno::EXIST) => match openat(&beside.folder, beside.name, FOLDER, Mode::empty()) {
                    Ok(_) => self.enter(path, &copy, &beside)?,
                    Err(_) => continue,
                },
                Err(error) => return Err(failed(path, error)),
            }
            self.folders.elsewhere.rename(path, copy);
            self.put.tally.count(|counts| counts.copied += 1);
            return Ok(());
        }
        Err(in_the_way(path))
    }
}

/// What things look like that we make here. Who may write only further below is taken for who they are.
fn makes(root: &Arc<OwnedFd>) -> Makes {
    let probed = PendingFile::make(root).and_then(|file| fstat(&file.descriptor));
    match probed {
        Ok(raw) => Makes { user: raw.st_uid, keeps_modes: false },
        Err(_) => Makes { user: geteuid().as_raw(), keeps_modes: false },
    }
}

impl Target for MergeTarget {
    fn judge(
        &self,
        path: &[u8],
        entry: &Entry,
        is_same_content: &mut IsSame<'_>,
    ) -> Result<Judgement, TargetError> {
        let actual = self.folders.elsewhere.actual(path);
        let is_there = match self.folders.place(&actual) {
            Ok(place) => {
                self.is_there(&place, entry, is_same_content).map_err(|error| failed(path, error))?
            }
            // Something else lies where a folder above it should be.
            Err(TargetError::InTheWay { .. }) if self.rule() == ConflictRule::Skip => Some(false),
            Err(error) => return Err(error),
        };
        match (is_there, self.rule()) {
            (Some(true), _) => {
                self.put.tally.count(|counts| counts.identical += 1);
                Ok(Judgement::Leave(None))
            }
            (Some(false), ConflictRule::Skip) => {
                self.put.tally.count(|counts| counts.skipped += 1);
                Ok(Judgement::Leave(Some(skipped(path))))
            }
            _ => Ok(Judgement::Make),
        }
    }

    fn make_folder(&self, path: &[u8]) -> Result<(), TargetError> {
        let actual = self.folders.elsewhere.actual(path);
        let place = match self.folders.place(&actual) {
            // What is below a folder that was skipped is named by itself.
            Err(TargetError::InTheWay { .. }) if self.rule() == ConflictRule::Skip => return Ok(()),
            place => place?,
        };
        match mkdirat(&place.folder, place.name, Mode::RWXU) {
            Ok(()) => self.made(path, &actual, &place),
            Err(Errno::EXIST) => self.enter(path, &actual, &place),
            Err(error) => Err(failed(path, error)),
        }
    }

    fn make_file(&self, path: &[u8]) -> Result<Box<dyn TargetFile>, TargetError> {
        let actual = self.folders.elsewhere.actual(path);
        let place = self.folders.place(&actual)?;
        let file = PendingFile::make(&place.folder).map_err(|error| failed(path, error))?;
        Ok(Box::new(file.begin(path, &place, Arc::clone(&self.put))))
    }

    fn make_hard_link(&self, existing: &[u8], path: &[u8]) -> Result<(), TargetError> {
        let (from, to) = (self.folders.elsewhere.actual(existing), self.folders.elsewhere.actual(path));
        let (from, to) = (self.folders.place(&from)?, self.folders.place(&to)?);
        let first = self.put.tally.name_of(existing).unwrap_or_else(|| from.name.to_vec());
        let link = |folder: &OwnedFd, name: &[u8]| {
            linkat(&from.folder, first.as_slice(), folder, name, AtFlags::empty())
        };
        match self.put.put(&to, path, &Pending::linked(&link)) {
            // Another file system is mounted in between: that is no link in the way.
            Err(Errno::XDEV) => Err(TargetError::Failed { path: shown(path), cause: Errno::XDEV.into() }),
            put => put.map(|_| ()).map_err(|error| failed(path, error)),
        }
    }

    /// Nothing has its name before it is whole, so there is never anything to take away.
    fn remove_file(&self, _path: &[u8]) -> Result<(), TargetError> {
        Ok(())
    }

    fn make_special(&self, path: &[u8], entry: &Entry) -> Result<Vec<Warning>, TargetError> {
        let actual = self.folders.elsewhere.actual(path);
        let place = self.folders.place(&actual)?;
        let make = |folder: &OwnedFd, name: &[u8]| special::make_in(folder, name, &entry.kind);
        let (made, ()) = match pending::named(&place.folder, make) {
            Err(Errno::PERM | Errno::ACCESS | Errno::NODEV) if special::is_device(&entry.kind) => {
                return Ok(vec![special::not_made(path)]);
            }
            made => made.map_err(|error| failed(path, error))?,
        };
        let at = Place { folder: Arc::clone(&place.folder), name: made.name(), is_at_top: false };
        let mut warnings = special::finish(path, &at, entry, self.makes, true)?;
        let rename = |folder: &OwnedFd, name: &[u8]| made.give(folder, name);
        let put =
            self.put.put(&place, path, &Pending::linked(&rename)).map_err(|error| failed(path, error))?;
        if entry.metadata.is_hard_linked {
            self.put.note_name(path, &put);
        }
        warnings.extend(put.warning);
        Ok(warnings)
    }

    fn finish_folder(&self, path: &[u8], metadata: &Metadata) -> Result<Vec<Warning>, TargetError> {
        if self.folders.elsewhere.is_skipped(path) {
            return Ok(vec![skipped(path)]);
        }
        let actual = self.folders.elsewhere.actual(path);
        let place = match self.folders.place(&actual) {
            Err(TargetError::InTheWay { .. }) if self.rule() == ConflictRule::Skip => return Ok(Vec::new()),
            place => place?,
        };
        let descriptor = openat(&place.folder, place.name, FOLDER | OFlags::PATH, Mode::empty());
        let descriptor = descriptor.map_err(|error| failed(path, error))?;
        let raw = fstat(&descriptor).map_err(|error| failed(path, error))?;
        let identity = stat::identity(&raw);
        let is_set =
            self.folders.has_made(identity) || self.folders.has(identity) && self.put.tally.sets_folder(path);
        let holder = Holder::Beneath(descriptor.as_fd());
        if self.folders.has_made(identity) {
            holder.forget_unfinished();
        }
        match is_set {
            true => holder.set(path, metadata, true),
            false => Ok(Vec::new()),
        }
    }

    fn sync(&self) -> Result<(), TargetError> {
        self.folders.sync().map_err(|error| failed(b".", error))
    }
}

#[cfg(test)]
mod tests;
