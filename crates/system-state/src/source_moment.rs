//! What a recovery point tells of the moments that it shows: whether all of it is of one, and of each file system when it was
//! read, or why live.

use stateward_format::manifest::Precheck;
use stateward_model::Timestamp;
use std::collections::BTreeMap;
use std::path::Path;

/// A file system that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Noted {
    /// Its type.
    pub kind: String,
    /// From a snapshot of then, or live because of that.
    pub read: Result<Timestamp, String>,
}

/// Of a file system, that it has no snapshot, and why.
pub(crate) fn no_snapshot(entry: &Path, why: &str) -> Precheck {
    let entry = entry.display();
    let message = format!("No snapshot could be made of `{entry}`, so it is read live: {why}");
    told("source-snapshot", false, message)
}

/// All that was noted, by its path: the whole first, then each. `is_one_set` says that all snapshots were made at once.
pub(crate) fn remarks(noted: &BTreeMap<Vec<u8>, Noted>, is_one_set: bool) -> Vec<Precheck> {
    if noted.is_empty() {
        return Vec::new();
    }
    let frozen: Vec<Timestamp> = noted.values().filter_map(|noted| noted.read.clone().ok()).collect();
    let (count, all) = (frozen.len(), noted.len());
    let (is_one, summary) = match frozen.first() {
        None => (false, "The files were read live, one after another".to_owned()),
        Some(at) if count == all && (count == 1 || is_one_set) => {
            (true, format!("All files are of one moment, {at}"))
        }
        Some(at) if is_one_set => (
            false,
            format!("{count} of {all} file systems are of one moment, {at}; the others were read live"),
        ),
        Some(_) => (false, format!("{count} of {all} file systems are of a moment of their own each")),
    };
    let each = noted.iter().map(|(path, Noted { kind, read })| {
        let path = String::from_utf8_lossy(path);
        let message = match read {
            Ok(at) => format!("`{path}` ({kind}) is of {at}, from a snapshot"),
            Err(why) => format!("`{path}` ({kind}) was read live: {why}"),
        };
        told("source-moment", read.is_ok(), message)
    });
    std::iter::once(told("one-moment", is_one, summary)).chain(each).collect()
}

/// What is as it should be, or is not while the job goes on.
fn told(code: &str, is_well: bool, message: String) -> Precheck {
    Precheck { code: code.to_owned(), outcome: u8::from(!is_well), message }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_made_at_once_is_of_one_moment() {
        let at = |seconds: i64| Ok(Timestamp(seconds * 1_000_000_000));
        let live = || Err("no room".to_owned());
        for (read, is_one_set, outcome, words) in [
            (vec![live()], true, 1, "read live, one after another"),
            (vec![at(1)], false, 0, "All files are of one moment"),
            (vec![at(1), at(1)], true, 0, "All files are of one moment"),
            (vec![at(1), at(2)], false, 1, "2 of 2 file systems are of a moment of their own each"),
            (vec![at(1), live()], false, 1, "1 of 2 file systems are of a moment of their own each"),
            (vec![at(1), at(1), live()], true, 1, "2 of 3 file systems are of one moment"),
        ] {
            let noted = read.into_iter().zip(b'C'..);
            let noted = noted.map(|(read, drive)| (vec![drive], Noted { kind: "NTFS".to_owned(), read }));
            let noted: BTreeMap<_, _> = noted.collect();
            let said = remarks(&noted, is_one_set);
            assert_eq!((said[0].code.as_str(), said[0].outcome), ("one-moment", outcome), "{said:?}");
            assert!(said[0].message.contains(words), "{said:?}");
            let worst = said[1..].iter().map(|said| said.outcome).max();
            assert_eq!(worst, Some(u8::from(noted.values().any(|noted| noted.read.is_err()))));
        }
        assert_eq!(remarks(&BTreeMap::new(), true), []);
    }
}
