//! What a crash leaves in a folder: `object_store` writes an object to `<name>#<number>` beside its place, links it
//! there and removes the first name. A process that dies in between leaves that name behind; the store hides it from
//! lists, but it takes space.

use std::io;
use std::path::Path;

/// Removes all staged files below `root`; gives how many. Nobody else may write there meanwhile.
pub(crate) fn remove(root: &Path) -> io::Result<u64> {
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
}
