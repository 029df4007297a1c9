//! The agent's small files: JSON with a version, for the owner only, replaced as a whole or not at all.
//!
//! A file is written beside its place, made durable, and renamed over it, so a crash leaves the old one or the new one.
//! A newer version than this program knows is refused instead of being guessed at.

use crate::platform;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Longer files than this are none of the agent's.
const DOCUMENT_BYTES_MAX: u64 = 256 << 20;

/// Something that is kept in one file.
pub trait Document: Serialize + DeserializeOwned {
    /// The newest form that this program reads, and the one that it writes.
    const VERSION: u32;
}

/// Why a file of the agent's home could not be used.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// The operating system refused.
    #[error("`{}` can't be {done}: {cause}", path.display())]
    Unusable {
        /// Where.
        path: PathBuf,
        /// `read` or `written`.
        done: &'static str,
        /// The reason.
        cause: io::Error,
    },
    /// It is not what it should be.
    #[error("`{}` is damaged: {why}", path.display())]
    Damaged {
        /// Where.
        path: PathBuf,
        /// What is wrong with it; never its content.
        why: String,
    },
    /// A newer program wrote it.
    #[error("`{}` was written by a newer version of stateward (its form is {found}, this program knows {known})", path.display())]
    Newer {
        /// Where.
        path: PathBuf,
        /// Its form.
        found: u32,
        /// The newest that is known.
        known: u32,
    },
}

#[derive(Deserialize)]
struct VersionOnly {
    version: u32,
}

#[derive(Serialize)]
struct Versioned<'a, T> {
    version: u32,
    #[serde(flatten)]
    content: &'a T,
}

/// Reads a file; `None` if there is none.
pub fn read<T: Document>(path: &Path) -> Result<Option<T>, DocumentError> {
    let unusable = |cause| DocumentError::Unusable { path: path.to_owned(), done: "read", cause };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(unusable(cause)),
    };
    // Some documents hold keys, so that no copy of any is left in memory.
    let mut bytes = Zeroizing::new(Vec::with_capacity(4096));
    file.take(DOCUMENT_BYTES_MAX).read_to_end(&mut bytes).map_err(unusable)?;
    parse(&bytes, path).map(Some)
}

fn parse<T: Document>(bytes: &[u8], path: &Path) -> Result<T, DocumentError> {
    // A JSON error tells line and column, and may quote a value of the wrong type: only its place is passed on.
    let damaged = |cause: serde_json::Error| DocumentError::Damaged {
        path: path.to_owned(),
        why: format!("it is not what it should be at line {}, column {}", cause.line(), cause.column()),
    };
    let VersionOnly { version: found } = serde_json::from_slice(bytes).map_err(damaged)?;
    if found > T::VERSION {
        return Err(DocumentError::Newer { path: path.to_owned(), found, known: T::VERSION });
    }
    serde_json::from_slice(bytes).map_err(damaged)
}

/// Writes a file, durably, in place of the one that is there.
pub fn write<T: Document>(path: &Path, content: &T) -> Result<(), DocumentError> {
    write_as(path, content, true)
}

/// Writes a file in place of the one that is there, without waiting for the disk: for what is soon written again.
pub fn write_soon<T: Document>(path: &Path, content: &T) -> Result<(), DocumentError> {
    write_as(path, content, false)
}

fn write_as<T: Document>(path: &Path, content: &T, durably: bool) -> Result<(), DocumentError> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(4096));
    serde_json::to_writer_pretty(&mut *bytes, &Versioned { version: T::VERSION, content })
        .map_err(io::Error::from)
        .and_then(|()| {
            bytes.push(b'\n');
            replace(path, &bytes, durably)
        })
        .map_err(|cause| DocumentError::Unusable { path: path.to_owned(), done: "written", cause })
}

fn replace(path: &Path, bytes: &[u8], durably: bool) -> io::Result<()> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let mut beside = name.to_owned();
    beside.push(".new");
    let beside = folder.join(beside);
    let mut file = platform::make_private_options().create(true).truncate(true).open(&beside)?;
    file.write_all(bytes)?;
    if durably {
        file.sync_all()?;
    }
    std::fs::rename(&beside, path)?;
    if durably {
        platform::sync_folder(folder)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Note {
        text: String,
    }
    impl Document for Note {
        const VERSION: u32 = 2;
    }

    fn with(content: &str) -> Result<Option<Note>, DocumentError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("note.json");
        std::fs::write(&path, content).unwrap();
        read(&path)
    }

    #[test]
    fn what_was_written_is_read_again_and_only_the_owner_may() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("note.json");
        assert_eq!(read::<Note>(&path).unwrap(), None);
        for text in ["first", "second"] {
            let note = Note { text: text.to_owned() };
            write(&path, &note).unwrap();
            assert_eq!(read::<Note>(&path).unwrap(), Some(note));
        }
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn an_older_form_is_read_and_a_newer_one_is_refused() {
        assert!(with(r#"{"version": 1, "text": "a"}"#).unwrap().is_some());
        let refused = with(r#"{"version": 3, "texts": ["a"]}"#).unwrap_err();
        assert!(matches!(refused, DocumentError::Newer { found: 3, known: 2, .. }), "{refused}");
    }

    #[test]
    fn a_damaged_file_is_named_without_its_content() {
        for wrong in ["", "{", "[]", r#"{"text": "secret"}"#, r#"{"version": 1, "text": 5}"#, "\u{0}\u{0}"] {
            let error = with(wrong).unwrap_err();
            assert!(matches!(error, DocumentError::Damaged { .. }), "{wrong}");
            assert!(!error.to_string().contains("secret") && error.to_string().contains("note.json"));
        }
    }
}
