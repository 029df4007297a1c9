//! The cache folder: what makes the next run fast and may be lost at any time.
//!
//! | file | holds |
//! |---|---|
//! | `packs` | the tables of all packs that the vault has acknowledged: [`packs`] |
//! | `items/<item>/<point>/…` | the newest recovery point's records, for the unchanged rule: [`parent`] |
//!
//! All of it can be rebuilt from the vault, and is, when it is missing or damaged. It is for its owner only, because
//! names stand in it unsealed. Secrets and anything that must not be lost never lie here.

pub(crate) mod packs;
pub(crate) mod parent;
mod platform;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The cache folder cannot be used. What is merely damaged in it is thrown away and made again, without an error.
#[derive(Debug, thiserror::Error)]
#[error("The cache folder can't be used: `{path}`: {cause}")]
pub struct CacheError {
    /// Where.
    pub path: String,
    /// The operating system's reason.
    pub cause: io::Error,
}

impl CacheError {
    pub(crate) fn at(path: &Path) -> impl Fn(io::Error) -> Self + use<> {
        let path = path.display().to_string();
        move |cause| Self { path: path.clone(), cause }
    }

    /// Whether a file can be read and is not what it should be: then it is made again, and nothing ends.
    pub(crate) fn is_damage(&self) -> bool {
        self.cause.kind() == io::ErrorKind::InvalidData
    }
}

/// An open cache folder. One process at a time uses it; the agent's lock on its home sees to that.
#[derive(Debug, Clone)]
pub struct CacheFolder {
    path: PathBuf,
}

impl CacheFolder {
    /// Opens the folder, making it (for its owner only) if it is not there.
    pub fn open(path: &Path) -> Result<Self, CacheError> {
        make_private_folder(path).map_err(CacheError::at(path))?;
        Ok(Self { path: path.to_owned() })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes of all files in it.
    pub fn bytes(&self) -> u64 {
        NAMES.iter().map(|name| bytes_below(&self.path.join(name))).sum()
    }

    /// Takes what is in it to another folder, which is made if it is not there, and must be empty. What was in it stays until
    /// [`Self::remove`]: whoever notes where the cache is can do so in between.
    ///
    /// # Errors
    /// If that folder is not empty or lies within this one, or can't be written.
    pub fn copy_to(&self, target: &Path) -> Result<Self, CacheError> {
        let at_target = CacheError::at(target);
        let refused = |why| at_target(io::Error::new(io::ErrorKind::InvalidInput, why));
        if target.starts_with(&self.path) || self.path.starts_with(target) {
            return Err(refused("it is the present cache folder, or one lies within the other"));
        }
        let copy = Self::open(target)?;
        if fs::read_dir(target).map_err(&at_target)?.next().is_some() {
            return Err(refused("it is not empty"));
        }
        for name in NAMES {
            if let Err(cause) = copy_all(&self.path.join(name), &target.join(name)) {
                // Nothing points there yet.
                let _ = copy.remove();
                return Err(at_target(cause));
            }
        }
        Ok(copy)
    }

    /// Removes what the cache is made of, and the folder if nothing else is in it.
    ///
    /// # Errors
    /// If something can't be removed.
    pub fn remove(&self) -> Result<(), CacheError> {
        for name in NAMES {
            let path = self.path.join(name);
            let removed = match path.is_dir() {
                true => fs::remove_dir_all(&path),
                false => fs::remove_file(&path),
            };
            match removed {
                Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
                    return Err(CacheError::at(&path)(cause));
                }
                _ => (),
            }
        }
        // Somebody else's files keep it.
        let _ = fs::remove_dir(&self.path);
        Ok(())
    }
}

/// What lies in a cache folder.
const NAMES: [&str; 2] = ["packs", "items"];

fn bytes_below(path: &Path) -> u64 {
    match (fs::symlink_metadata(path), fs::read_dir(path)) {
        (Ok(_), Ok(entries)) => entries.flatten().map(|entry| bytes_below(&entry.path())).sum(),
        (Ok(file), Err(_)) => file.len(),
        (Err(_), _) => 0,
    }
}

/// Copies a file or a folder with all that is in it; nothing, if there is none.
fn copy_all(from: &Path, to: &Path) -> io::Result<()> {
    if from.is_dir() {
        make_private_folder(to)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            copy_all(&entry.path(), &to.join(entry.file_name()))?;
        }
        return Ok(());
    }
    match fs::copy(from, to) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(()),
        copied => copied.map(drop),
    }
}

/// Makes a folder and what leads to it; the last part for its owner only.
pub(crate) fn make_private_folder(path: &Path) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let mut builder = fs::DirBuilder::new();
    platform::owner_only_folder(&mut builder);
    match builder.create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        done => done,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(path: &Path) -> CacheFolder {
        let cache = CacheFolder::open(path).unwrap();
        fs::write(path.join("packs"), b"tables").unwrap();
        fs::create_dir_all(path.join("items/one/point")).unwrap();
        fs::write(path.join("items/one/point/records"), b"records").unwrap();
        cache
    }

    #[test]
    fn a_cache_is_copied_whole_and_the_old_one_goes_with_nothing_but_itself() {
        let folder = tempfile::tempdir().unwrap();
        let cache = filled(&folder.path().join("old"));
        fs::write(cache.path().join("note"), b"somebody else's").unwrap();
        let copy = cache.copy_to(&folder.path().join("deep/new")).unwrap();
        assert_eq!((copy.bytes(), cache.bytes()), (13, 13));
        assert_eq!(fs::read(copy.path().join("items/one/point/records")).unwrap(), b"records");
        cache.remove().unwrap();
        assert_eq!((copy.bytes(), cache.bytes()), (13, 0));
        assert!(cache.path().join("note").exists());
        copy.remove().unwrap();
        assert!(!copy.path().exists());
    }

    #[test]
    fn no_cache_goes_into_itself_or_to_where_something_is() {
        let folder = tempfile::tempdir().unwrap();
        let cache = filled(&folder.path().join("old"));
        fs::create_dir(folder.path().join("full")).unwrap();
        fs::write(folder.path().join("full/file"), b"").unwrap();
        for wrong in ["old", "old/inner", ".", "full"] {
            let wrong = folder.path().join(wrong);
            let wrong = wrong.components().as_path();
            assert!(cache.copy_to(wrong).is_err(), "{}", wrong.display());
        }
        assert_eq!(cache.bytes(), 13);
        // An empty cache is one, too.
        let empty = CacheFolder::open(&folder.path().join("empty")).unwrap();
        assert_eq!(empty.copy_to(&folder.path().join("other")).unwrap().bytes(), 0);
    }
}
