//! What a crash leaves in a folder: `object_store` writes an object to `<name>#<number>` beside its place, links it
//! there and removes the first name. A process that dies in between leaves that name behind; the store hides it from
//! lists, but it takes space.
//!
//! Another process may write to the same folder, and what it has just staged is not left over. So each that writes holds a
//! shared lock on the folder itself, and only who is alone removes anything. Where a file system has no such locks (NFS
//! has none on folders) nothing is ever removed.

use std::fs::File;
use std::io;
use std::path::Path;

/// Shows others that this process writes to a folder, until it is dropped.
#[derive(Debug)]
pub(crate) struct Presence {
    _lock: Option<File>,
}

/// Begins to write to a folder; removes what a crash left there, if nobody else writes there. Gives how many files that were.
pub(crate) fn enter(root: &Path) -> io::Result<(Presence, u64)> {
    let folder = File::open(root)?;
    let mut removed = 0;
    if folder.try_lock().is_ok() {
        removed = remove(root)?;
        folder.unlock()?;
    }
    // Waits for another that is just removing something.
    let lock = folder.lock_shared().is_ok().then_some(folder);
    Ok((Presence { _lock: lock }, removed))
}

/// Removes all staged files below `root`; gives how many. Nobody else may write there meanwhile.
fn remove(root: &Path) -> io::Result<u64> {
    let mut removed = 0;
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() && entry.file_name().to_str().is_some_and(is_staged) {
                std::fs::remove_file(entry.path())?;
                removed += 1;
            }
        }
    }
    Ok(removed)
}

/// Whether `object_store` gives this name to a file that is being written.
fn is_staged(name: &str) -> bool {
    name.rsplit_once('#')
        .is_some_and(|(_, number)| !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_staged_files_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("vaults/1/packs");
        std::fs::create_dir_all(&deep).unwrap();
        for name in ["a", "a#1", "a#23", "b#", "c#x"] {
            std::fs::write(deep.join(name), b"x").unwrap();
        }
        assert_eq!(remove(folder.path()).unwrap(), 2);
        let mut left: Vec<_> = std::fs::read_dir(&deep)
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        assert_eq!(left, ["a", "b#", "c#x"]);
    }

    #[test]
    fn nothing_is_removed_while_another_process_may_write() {
        let folder = tempfile::tempdir().unwrap();
        let (first, _) = enter(folder.path()).unwrap();
        let staged = folder.path().join("a#1");
        std::fs::write(&staged, b"x").unwrap();
        let (second, removed) = enter(folder.path()).unwrap();
        assert!(staged.exists() && removed == 0);
        drop(first);
        assert_eq!(enter(folder.path()).unwrap().1, 0);
        drop(second);
        assert_eq!(enter(folder.path()).unwrap().1, 1);
        assert!(!staged.exists());
    }
}
