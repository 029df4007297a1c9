//! Files with several names: the first is laid like any file, the others are made when all content is there.

use super::lay::{absolute, size_of};
use stateward_format::Entry;
use stateward_format::manifest::Warning;
use std::collections::BTreeMap;

/// How many bytes the names of hard-linked files may take. Beyond, each name becomes a file of its own.
const BYTES_MAX: usize = 128 << 20;

/// What a name takes in memory besides its bytes.
const NAME_BYTES: usize = 64;

/// A hard-linked file's identity within the item.
type LinkId = (u64, u128);

/// The names of a hard-linked file.
pub(super) struct Links {
    pub(super) first: Vec<u8>,
    pub(super) others: Vec<Vec<u8>>,
    /// The size of a file, in bytes; `None` for anything else.
    pub(super) size: Option<u64>,
    /// Why it is lost.
    pub(super) lost: Option<String>,
    /// What lies at the first name.
    at_first: AtFirst,
}

/// What lies at the first name of a hard-linked file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum AtFirst {
    /// What this restore makes.
    Made,
    /// The same, from before.
    Same,
    /// Something else, which stays: no other name can be a link to it.
    Other,
}

/// All hard-linked files that were met.
#[derive(Default)]
pub(super) struct HardLinks {
    all: BTreeMap<LinkId, Links>,
    /// What their names take.
    bytes: usize,
}

impl HardLinks {
    /// Notes an entry of which nothing is made: what `is_same` can have the other names too; of anything else a later name
    /// begins a file of its own. Gives what is to be told.
    pub(super) fn leave(&mut self, path: &[u8], entry: &Entry, is_same: bool) -> Option<Warning> {
        let id = link_id(entry).filter(|_| self.bytes + path.len() <= BYTES_MAX)?;
        self.bytes += path.len() + NAME_BYTES;
        let is_made = self.all.get(&id).is_some_and(|links| links.at_first == AtFirst::Made);
        let at_first = if is_same { AtFirst::Same } else { AtFirst::Other };
        self.all.entry(id).or_insert_with(|| Links::begin(path, entry, at_first));
        (is_made && is_same).then(|| not_linked(path, "it was there before and is the same"))
    }

    /// Notes an entry that is made. Whether a file of its identity has been laid, so that this is only one more name of it;
    /// and what is to be told.
    pub(super) fn meet(&mut self, path: &[u8], entry: &Entry) -> (bool, Option<Warning>) {
        let Some(id) = link_id(entry) else { return (false, None) };
        let mut told = None;
        if self.all.get(&id).is_some_and(|links| links.at_first == AtFirst::Other) {
            self.all.remove(&id);
            told = Some(not_linked(path, "another name of it was left as it lies at the target"));
        }
        if self.bytes + path.len() > BYTES_MAX {
            let why = "there are more names of hard-linked files than can be held";
            return (false, told.or_else(|| Some(not_linked(path, why))));
        }
        self.bytes += path.len() + NAME_BYTES;
        let is_known = self.all.contains_key(&id);
        let links = self.all.entry(id).or_insert_with(|| Links::begin(path, entry, AtFirst::Made));
        if is_known {
            links.others.push(path.to_vec());
        }
        (is_known, told)
    }

    /// Notes that what an entry stands for could not be made, so that no other name of it can.
    pub(super) fn lose(&mut self, entry: &Entry, why: &str) {
        if let Some(links) = link_id(entry).and_then(|id| self.all.get_mut(&id)) {
            links.lost = Some(why.to_owned());
        }
    }

    pub(super) fn into_all(self) -> impl Iterator<Item = Links> {
        self.all.into_values()
    }
}

impl Links {
    fn begin(path: &[u8], entry: &Entry, at_first: AtFirst) -> Self {
        Self { first: path.to_vec(), others: Vec::new(), size: size_of(entry), lost: None, at_first }
    }
}

fn link_id(entry: &Entry) -> Option<LinkId> {
    let identity = entry.metadata.identity.filter(|_| entry.metadata.is_hard_linked)?;
    Some((identity.file_system, identity.file_id))
}

fn not_linked(path: &[u8], why: &str) -> Warning {
    let message = format!("It is a file of its own: {why}");
    Warning { code: "hard-link-not-restored".to_owned(), path: absolute(path), message }
}
