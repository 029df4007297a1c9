//! Giving what is whole its place, by the rule where something has it already.

use crate::conflicts::{ConflictCounts, ConflictRule, Laying};
use crate::linux::target::beneath::Place;
use crate::linux::target::merge::copy_name::copy_name;
use crate::linux::target::merge::folders::lock;
use crate::linux::target::merge::pending::named;
use crate::linux::target::metadata::warning;
use rustix::fs::{AtFlags, fdatasync, renameat, unlinkat};
use rustix::io::Errno;
use stateward_format::manifest::Warning;
use std::collections::HashMap;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Mutex;

/// So many copies of one thing, all of one moment, can lie beside each other.
pub(super) const COPIES_MAX: u32 = 100;

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
    pub laying: Laying,
    counts: Mutex<ConflictCounts>,
    /// The names of copies that have several names in the recovery point, by their paths.
    names: Mutex<HashMap<Vec<u8>, Vec<u8>>>,
}

impl Put {
    pub fn new(laying: &Laying) -> Self {
        Self { laying: laying.clone(), counts: Mutex::default(), names: Mutex::default() }
    }

    pub fn counts(&self) -> ConflictCounts {
        *lock(&self.counts)
    }

    pub fn count(&self, change: impl FnOnce(&mut ConflictCounts)) {
        change(&mut lock(&self.counts));
    }

    /// Puts something at a place. What took it since it was judged is met by the same rule.
    pub fn put(&self, place: &Place<'_>, path: &[u8], pending: &Pending<'_>) -> Result<Done, Errno> {
        match (pending.give)(&place.folder, place.name) {
            Err(Errno::EXIST) => {}
            given => return given.map(|()| Done::default()),
        }
        match self.laying.rule {
            ConflictRule::Copy => self.put_beside(place, pending),
            ConflictRule::Overwrite => self.put_over(place, pending),
            ConflictRule::Skip | ConflictRule::Fail => {
                self.count(|counts| counts.skipped += 1);
                Ok(Done { name: None, warning: Some(skipped(path)) })
            }
        }
    }

    fn put_beside(&self, place: &Place<'_>, pending: &Pending<'_>) -> Result<Done, Errno> {
        for number in 1..=COPIES_MAX {
            let name = copy_name(place.name, &self.laying.moment, number);
            match (pending.give)(&place.folder, &name) {
                Err(Errno::EXIST) => {}
                given => {
                    given?;
                    self.count(|counts| counts.copied += 1);
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
        self.count(|counts| counts.overwritten += 1);
        Ok(Done::default())
    }

    /// Notes under which name something was put that has other names.
    pub fn note_name(&self, path: &[u8], done: &Done) {
        if let Some(name) = &done.name {
            lock(&self.names).insert(path.to_vec(), name.clone());
        }
    }

    /// The name of what was put beside its path.
    pub fn name_of(&self, path: &[u8]) -> Option<Vec<u8>> {
        lock(&self.names).get(path).cloned()
    }

    /// Whether the owner and mode of a folder that was there are set.
    pub fn sets_folder(&self, path: &[u8]) -> bool {
        let is_at_or_below = |named: &Vec<u8>| {
            let named: &[u8] = named.strip_prefix(b"/").unwrap_or(named);
            let named = named.strip_suffix(b"/").unwrap_or(named);
            let rest = path.strip_prefix(named);
            named.is_empty() || rest.is_some_and(|rest| rest.first().is_none_or(|byte| *byte == b'/'))
        };
        self.laying.rule == ConflictRule::Overwrite
            && !self.laying.without_access
            && (self.laying.named.is_empty() || self.laying.named.iter().any(is_at_or_below))
    }
}

/// What is told of something that was left out.
pub(super) fn skipped(path: &[u8]) -> Warning {
    let message = "It was left out: what lies there already is something else, and stays".to_owned();
    warning("conflict-skipped", path, message)
}
