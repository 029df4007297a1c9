//! Giving what is whole its place, by the rule where something has it already.

use crate::conflicts::{ConflictRule, Laying};
use crate::linux::target::beneath::Place;
use crate::linux::target::merge::pending::named;
use crate::merging::{COPIES_MAX, Tally, skipped};
use rustix::fs::{AtFlags, fdatasync, renameat, unlinkat};
use rustix::io::Errno;
use stateward_format::manifest::Warning;
use std::os::fd::{BorrowedFd, OwnedFd};

/// Gives something a name in a folder, if nothing has it yet.
pub(super) type Give<'a> = dyn Fn(&OwnedFd, &[u8]) -> Result<(), Errno> + 'a;

/// What can be given a name.
pub(super) struct Pending<'a> {
    pub give: &'a Give<'a>,
    /// Of a file: its content must be on the disk before it takes the place of another.
    pub content: Option<BorrowedFd<'a>>,
}

impl<'a> Pending<'a> {
    /// What has no content of its own that could be lost.
    pub fn linked(give: &'a Give<'a>) -> Self {
        Self { give, content: None }
    }
}

/// What became of something.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// Its name, if it is not the one that it should have.
    pub name: Option<Vec<u8>>,
    pub warning: Option<Warning>,
}

/// Puts things at their places, and counts how.
#[derive(Debug)]
pub(super) struct Put {
    pub tally: Tally,
}

impl Put {
    pub fn new(laying: &Laying) -> Self {
        Self { tally: Tally::new(laying) }
    }

    /// Puts something at a place. What took it since it was judged is met by the same rule.
    pub fn put(&self, place: &Place<'_>, path: &[u8], pending: &Pending<'_>) -> Result<Done, Errno> {
        match (pending.give)(&place.folder, place.name) {
            Err(Errno::EXIST) => {}
            given => return given.map(|()| Done::default()),
        }
        match self.tally.rule() {
            ConflictRule::Copy => self.put_beside(place, pending),
            ConflictRule::Overwrite => self.put_over(place, pending),
            ConflictRule::Skip | ConflictRule::Fail => {
                self.tally.count(|counts| counts.skipped += 1);
                Ok(Done { name: None, warning: Some(skipped(path)) })
            }
        }
    }

    fn put_beside(&self, place: &Place<'_>, pending: &Pending<'_>) -> Result<Done, Errno> {
        for number in 1..=COPIES_MAX {
            let name = self.tally.copy_name(place.name, number);
            match (pending.give)(&place.folder, &name) {
                Err(Errno::EXIST) => {}
                given => {
                    given?;
                    self.tally.count(|counts| counts.copied += 1);
                    return Ok(Done { name: Some(name), warning: None });
                }
            }
        }
        Err(Errno::EXIST)
    }

    /// Atomically: whoever looks, even after a power failure, finds the one or the other, whole. A folder stays.
    fn put_over(&self, place: &Place<'_>, pending: &Pending<'_>) -> Result<Done, Errno> {
        if let Some(content) = pending.content {
            fdatasync(content)?;
        }
        let (ours, ()) = named(&place.folder, |folder, name| (pending.give)(folder, name))?;
        renameat(&place.folder, ours.name(), &place.folder, place.name)?;
        // If both were names of one file already, the kernel left both; otherwise there is nothing by that name now.
        let _ = unlinkat(&place.folder, ours.name(), AtFlags::empty());
        self.tally.count(|counts| counts.overwritten += 1);
        Ok(Done::default())
    }

    /// Notes under which name something was put that has other names.
    pub fn note_name(&self, path: &[u8], done: &Done) {
        if let Some(name) = &done.name {
            self.tally.note_name(path, name);
        }
    }
}
