//! Folders beside what is there: gone into, made beside something in their way, and what lies at their path in the end.

use super::super::made::{Place, open_to_pass, units};
use super::super::{MAKE, failed, in_the_way, is_there, metadata};
use super::existing::Existing;
use super::{MergeTarget, lock, name_in};
use crate::conflicts::ConflictRule;
use crate::merging::COPIES_MAX;
use stateward_engine::TargetError;
use stateward_format::Metadata;
use stateward_format::manifest::Warning;
use stateward_windows::descriptor;
use stateward_windows::handle::{Expected, Handle, Wish, rights};
use std::io;

/// What lies at the path of a folder when all it holds was made.
pub(super) enum Met {
    /// A folder that gets what is known of it.
    Ours(Place),
    /// One that was there before, and stays as it is.
    AsItWas,
    /// Something for which the folder was left out.
    Skipped,
    /// A plain folder where a reparse point belongs.
    OtherThing,
}

/// Opens a folder to set all that there is of it.
pub(super) fn open_ours(place: &Place) -> io::Result<Handle> {
    place.folder.open_at(&place.name, Wish::to(MAKE).expecting(Expected::Folder).in_any_case())
}

impl MergeTarget {
    /// Goes into a folder that was there before.
    pub(super) fn enter(&self, path: &[u8], actual: &[u8], place: &Place) -> Result<(), TargetError> {
        let fail = |error| failed(path, error);
        let handle = match open_to_pass(&place.folder, &place.name) {
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                return self.meet(path, actual, place);
            }
            opened => opened.map_err(fail)?,
        };
        let look = handle.look().map_err(fail)?;
        if look.is_reparse_point() {
            lock(&self.unsettled).insert(path.to_vec());
            return Ok(());
        }
        // An interrupted restore made it and did not come to its access list.
        let of_ours =
            |ours: &Vec<u8>| handle.security(false).is_ok_and(|found| descriptor::is_same_list(&found, ours));
        if self.descriptor.as_ref().is_some_and(of_ours) {
            lock(&self.made).insert((look.volume, look.id));
        }
        self.folders.add(actual, &look, handle);
        Ok(())
    }

    /// Something else lies where a folder should be.
    fn meet(&self, path: &[u8], actual: &[u8], place: &Place) -> Result<(), TargetError> {
        match self.tally.rule() {
            ConflictRule::Copy => self.make_beside(path, actual, place),
            ConflictRule::Skip => {
                self.elsewhere.skip(path);
                self.tally.count(|counts| counts.skipped += 1);
                Ok(())
            }
            ConflictRule::Overwrite | ConflictRule::Fail => Err(in_the_way(path)),
        }
    }

    /// Something belongs below a folder at whose path a reparse point lies: so it is a conflict.
    pub(super) fn settle(&self, path: &[u8]) -> Result<(), TargetError> {
        if !lock(&self.unsettled).remove(path) {
            return Ok(());
        }
        let actual = self.elsewhere.actual(path).into_owned();
        let place = self.folders.place(&actual)?;
        self.meet(path, &actual, &place)
    }

    /// Makes a folder beside what is in its way; all that belongs into it goes there.
    fn make_beside(&self, path: &[u8], actual: &[u8], place: &Place) -> Result<(), TargetError> {
        let (fail, name) = (|error| failed(path, error), name_in(actual));
        for number in 1..=COPIES_MAX {
            let copy_name = self.tally.copy_name(name, number);
            let copy = [&actual[..actual.len() - name.len()], &copy_name].concat();
            let beside = units(&copy_name).map_err(fail)?;
            match place.folder.open_at(&beside, self.wish(Expected::Folder)) {
                Ok(handle) => self.note_made(path, &copy, handle)?,
                // That of a restore of the same moment that was interrupted.
                Err(error) if is_there(&error) => match open_to_pass(&place.folder, &beside) {
                    Ok(handle) => {
                        let look = handle.look().map_err(fail)?;
                        if look.is_reparse_point() {
                            continue;
                        }
                        self.folders.add(&copy, &look, handle);
                    }
                    Err(_) => continue,
                },
                Err(error) => return Err(fail(error)),
            }
            self.elsewhere.rename(path, copy);
            self.tally.count(|counts| counts.copied += 1);
            return Ok(());
        }
        Err(in_the_way(path))
    }

    /// What lies at the path of a folder, when all it holds was made.
    pub(super) fn met(&self, path: &[u8], metadata: &Metadata) -> Result<Met, TargetError> {
        // What a drive is like itself is left as it is.
        if self.folders.is_drive(path) || lock(&self.unsettled).contains(path) {
            return Ok(Met::AsItWas);
        }
        if self.elsewhere.is_skipped(path) {
            return Ok(Met::Skipped);
        }
        let (_, place) = match self.place(path) {
            Err(TargetError::InTheWay { .. }) if self.tally.rule() == ConflictRule::Skip => {
                return Ok(Met::AsItWas);
            }
            place => place?,
        };
        let fail = |error| failed(path, error);
        let wish = Wish::to(rights::LOOK).expecting(Expected::Folder).in_any_case();
        let look = place.folder.open_at(&place.name, wish).and_then(|handle| handle.look()).map_err(fail)?;
        let is_made = self.has_made(&look);
        if !is_made && metadata::is_reparse_point(metadata) {
            return Ok(Met::OtherThing);
        }
        let is_ours = is_made || (self.folders.has(&look) && self.tally.sets_folder(path));
        Ok(if is_ours { Met::Ours(place) } else { Met::AsItWas })
    }

    /// A reparse point that lies where one belongs: the same, or a conflict.
    pub(super) fn finish_point(
        &self,
        path: &[u8],
        metadata: &Metadata,
    ) -> Result<Option<Vec<Warning>>, TargetError> {
        if !lock(&self.unsettled).contains(path) {
            return Ok(None);
        }
        let place = self.folders.place(&self.elsewhere.actual(path))?;
        let found = Existing::at(&place.folder, &place.name).map_err(|error| failed(path, error))?;
        if found.is_some_and(|found| found.is_point_of(metadata)) {
            lock(&self.unsettled).remove(path);
            self.tally.count(|counts| counts.identical += 1);
            return Ok(Some(Vec::new()));
        }
        self.settle(path).map(|()| None)
    }
}
