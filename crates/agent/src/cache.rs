//! The home's cache folder: where it is, how large, and moving it.

use crate::items::absolute;
use crate::{Agent, AgentError, Registration, platform};
use stateward_engine::{CacheError, CacheFolder, EngineError};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The cache folder as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheState {
    /// Where.
    pub path: PathBuf,
    /// Bytes of all files in it.
    pub bytes: u64,
}

/// The home's cache folder.
pub fn state(agent: &Agent) -> Result<CacheState, AgentError> {
    let path = Registration::load(agent.home())?.cache;
    let bytes = bytes(&open(&path).map_err(EngineError::from)?);
    Ok(CacheState { path, bytes })
}

/// Moves the cache to another folder, which must be absent or empty. No job may run meanwhile. The new place is noted between
/// copying and removing, so that whatever happens there is a cache, or one that is made anew from the vault.
pub fn relocate(agent: &Agent, target: &Path) -> Result<CacheState, AgentError> {
    let _job = agent.home().lock_for_job()?;
    let registration = Registration::load(agent.home())?;
    let target = absolute(target)?.0;
    let old = open(&registration.cache).map_err(EngineError::from)?;
    let new = copy(&old, &target).map_err(EngineError::from)?;
    Registration { cache: target.clone(), ..registration }.save(agent.home())?;
    if let Err(error) = remove(&old) {
        tracing::warn!(%error, "the old cache folder can't be removed");
    }
    Ok(CacheState { path: target, bytes: bytes(&new) })
}

/// Bytes of all files of a cache.
fn bytes(cache: &CacheFolder) -> u64 {
    CacheFolder::ENTRIES.iter().map(|name| bytes_below(&cache.path().join(name))).sum()
}

fn bytes_below(path: &Path) -> u64 {
    match (fs::symlink_metadata(path), fs::read_dir(path)) {
        (Ok(_), Ok(entries)) => entries.flatten().map(|entry| bytes_below(&entry.path())).sum(),
        (Ok(file), Err(_)) => file.len(),
        (Err(_), _) => 0,
    }
}

fn error_at(path: &Path, cause: io::Error) -> CacheError {
    CacheError { path: path.display().to_string(), cause }
}

/// Copies a cache to another folder, which is made if it is not there, and must be empty and apart from it.
fn copy(cache: &CacheFolder, target: &Path) -> Result<CacheFolder, CacheError> {
    let refused = |why| Err(error_at(target, io::Error::new(io::ErrorKind::InvalidInput, why)));
    if target.starts_with(cache.path()) || cache.path().starts_with(target) {
        return refused("it is the present cache folder, or one lies within the other");
    }
    let copy = open(target)?;
    let mut present = fs::read_dir(target).map_err(|cause| error_at(target, cause))?;
    if present.next().is_some() {
        return refused("it is not empty");
    }
    for name in CacheFolder::ENTRIES {
        if let Err(cause) = copy_all(&cache.path().join(name), &target.join(name)) {
            // Nothing points there yet.
            let _ = remove(&copy);
            return Err(error_at(target, cause));
        }
    }
    Ok(copy)
}

/// Opens a cache folder. One that is made for that is for its owner only; on Windows its access list says so, which the
/// engine does not know.
pub(crate) fn open(path: &Path) -> Result<CacheFolder, CacheError> {
    let is_new = !path.is_dir();
    let cache = CacheFolder::open(path)?;
    if is_new {
        platform::restrict_folder(path).map_err(|cause| error_at(path, cause))?;
    }
    Ok(cache)
}

/// Copies a file or a folder with all that is in it; nothing, if there is none.
fn copy_all(from: &Path, to: &Path) -> io::Result<()> {
    if from.is_dir() {
        platform::make_private_folder(to)?;
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

/// Removes what a cache is made of, and its folder if nothing else is in it.
fn remove(cache: &CacheFolder) -> Result<(), CacheError> {
    for name in CacheFolder::ENTRIES {
        let path = cache.path().join(name);
        let removed = match path.is_dir() {
            true => fs::remove_dir_all(&path),
            false => fs::remove_file(&path),
        };
        match removed {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(error_at(&path, cause)),
            _ => (),
        }
    }
    // Somebody else's files keep it.
    let _ = fs::remove_dir(cache.path());
    Ok(())
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
        let new = copy(&cache, &folder.path().join("deep/new")).unwrap();
        assert_eq!((bytes(&new), bytes(&cache)), (13, 13));
        assert_eq!(fs::read(new.path().join("items/one/point/records")).unwrap(), b"records");
        remove(&cache).unwrap();
        assert_eq!((bytes(&new), bytes(&cache)), (13, 0));
        assert!(cache.path().join("note").exists());
        remove(&new).unwrap();
        assert!(!new.path().exists());
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
            assert!(copy(&cache, wrong).is_err(), "{}", wrong.display());
        }
        assert_eq!(bytes(&cache), 13);
        // An empty cache is one, too.
        let empty = CacheFolder::open(&folder.path().join("empty")).unwrap();
        assert_eq!(bytes(&copy(&empty, &folder.path().join("other")).unwrap()), 0);
    }
}
