//! What laying something beside what is there has to remember, on any operating system: what became of conflicts, and what
//! lies elsewhere than it belongs.

mod copy_name;

use copy_name::copy_name;

use crate::conflicts::{ConflictCounts, ConflictRule, Laying};
use stateward_format::manifest::Warning;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// So many copies of one thing, all of one moment, can lie beside each other.
pub(crate) const COPIES_MAX: u32 = 100;

/// Nothing is left half done by a thread that panics while it holds one of these locks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How things are laid, and what became of them.
#[derive(Debug)]
pub(crate) struct Tally {
    pub laying: Laying,
    counts: Mutex<ConflictCounts>,
    /// The names of copies that have several names in the recovery point, by their paths.
    names: Mutex<HashMap<Vec<u8>, Vec<u8>>>,
}

impl Tally {
    pub fn new(laying: &Laying) -> Self {
        Self { laying: laying.clone(), counts: Mutex::default(), names: Mutex::default() }
    }

    pub fn rule(&self) -> ConflictRule {
        self.laying.rule
    }

    pub fn counts(&self) -> ConflictCounts {
        *lock(&self.counts)
    }

    pub fn count(&self, change: impl FnOnce(&mut ConflictCounts)) {
        change(&mut lock(&self.counts));
    }

    /// Notes the name under which something was put that has other names.
    pub fn note_name(&self, path: &[u8], name: &[u8]) {
        lock(&self.names).insert(path.to_vec(), name.to_vec());
    }

    /// The name of what was put beside its path.
    pub fn name_of(&self, path: &[u8]) -> Option<Vec<u8>> {
        lock(&self.names).get(path).cloned()
    }

    /// The name of the `number`th copy (from 1) of a name.
    pub fn copy_name(&self, name: &[u8], number: u32) -> Vec<u8> {
        copy_name(name, &self.laying.moment, number)
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

/// Folders that do not lie where they belong.
#[derive(Debug, Default)]
pub(crate) struct Elsewhere {
    /// Those that were made beside something in their way: their path, and where they lie.
    renamed: Mutex<BTreeMap<Vec<u8>, Vec<u8>>>,
    /// Those that were not made, because what is in their way stays.
    skipped: Mutex<BTreeSet<Vec<u8>>>,
}

impl Elsewhere {
    /// Where what belongs at `path` lies: elsewhere, if a folder above it was made beside something.
    pub fn actual<'a>(&self, path: &'a [u8]) -> Cow<'a, [u8]> {
        let renamed = lock(&self.renamed);
        if renamed.is_empty() {
            return Cow::Borrowed(path);
        }
        let ends = (0..=path.len()).rev().filter(|end| *end == path.len() || path[*end] == b'/');
        for end in ends {
            if let Some(actual) = renamed.get(&path[..end]) {
                return Cow::Owned([actual, &path[end..]].concat());
            }
        }
        Cow::Borrowed(path)
    }

    pub fn rename(&self, path: &[u8], actual: Vec<u8>) {
        lock(&self.renamed).insert(path.to_vec(), actual);
    }

    pub fn skip(&self, path: &[u8]) {
        lock(&self.skipped).insert(path.to_vec());
    }

    pub fn is_skipped(&self, path: &[u8]) -> bool {
        lock(&self.skipped).contains(path)
    }
}

/// What is told of something that was left out.
pub(crate) fn skipped(path: &[u8]) -> Warning {
    let message = "It was left out: what lies there already is something else, and stays".to_owned();
    Warning { code: "conflict-skipped".to_owned(), path: [b"/", path].concat(), message }
}
