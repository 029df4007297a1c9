//! The agent's small files: JSON with a version, for the owner only, replaced as a whole or not at all.
//!
//! A file is written beside its place, made durable, and renamed over it, so a crash leaves the old one or the new one.
//! A newer version than this program knows is refused instead of being guessed at.

use crate::{disk, platform};
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
    encode(content).and_then(|bytes| replace(path, &bytes, durably)).map_err(|cause| unwritable(path, cause))
}

fn encode<T: Document>(content: &T) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(4096));
    serde_json::to_writer_pretty(&mut *bytes, &Versioned { version: T::VERSION, content })?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn unwritable(path: &Path, cause: io::Error) -> DocumentError {
    DocumentError::Unusable { path: path.to_owned(), done: "written", cause: disk::explained(path, cause) }
}

fn replace(path: &Path, bytes: &[u8], durably: bool) -> io::Result<()> {
    let (folder, beside) = (folder_of(path)?, beside(path, ".new"));
    let mut file = platform::make_private_options().create(true).truncate(true).open(&beside)?;
    let written = file.write_all(bytes).and_then(|()| if durably { file.sync_all() } else { Ok(()) });
    if let Err(cause) = written.and_then(|()| std::fs::rename(&beside, path)) {
        // A full disk needs every byte, and a sync that failed is never believed by trying it again: the next try begins
        // with a new file.
        let _ = std::fs::remove_file(&beside);
        return Err(cause);
    }
    if durably { platform::sync_folder(folder) } else { Ok(()) }
}

fn folder_of(path: &Path) -> io::Result<&Path> {
    path.parent().ok_or_else(|| io::ErrorKind::InvalidInput.into())
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Space that a file's last content is written into when there is no other.
const SPARE: &str = ".spare";

/// So many bytes more than its present content are set aside for a file's last one.
const SPARE_BYTES: usize = 8 << 10;

/// Sets space aside for what will be written to `path` at last ([`write_last`]).
pub fn set_aside<T: Document>(path: &Path, content: &T) -> Result<(), DocumentError> {
    let spare = beside(path, SPARE);
    let made = encode(content).and_then(|bytes| {
        let file = platform::make_private_options().create(true).truncate(true).open(&spare)?;
        platform::set_space_aside(&file, (bytes.len() + SPARE_BYTES) as u64)
    });
    made.map_err(|cause| {
        let _ = std::fs::remove_file(&spare);
        unwritable(path, cause)
    })
}

/// Writes a file, durably, in place of the one that is there; on a full disk into the space that was set aside for it.
/// Nothing is set aside any more afterwards.
pub fn write_last<T: Document>(path: &Path, content: &T) -> Result<(), DocumentError> {
    let spare = beside(path, SPARE);
    let written = match write(path, content) {
        Err(error) => write_into(&spare, path, content).map_err(|cause| {
            tracing::warn!(%cause, "what was set aside can't be used");
            error
        }),
        written => written,
    };
    let _ = std::fs::remove_file(&spare);
    written
}

/// JSON may be followed by white space: it fills what was set aside and not needed, so that nothing is freed or taken.
fn write_into<T: Document>(spare: &Path, path: &Path, content: &T) -> io::Result<()> {
    let mut file = platform::make_private_options().open(spare)?;
    let mut bytes = encode(content)?;
    let length = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
    if bytes.len() > length {
        return Err(io::ErrorKind::StorageFull.into());
    }
    bytes.resize(length, b'\n');
    file.write_all(&bytes)?;
    file.sync_all()?;
    std::fs::rename(spare, path)?;
    platform::sync_folder(folder_of(path)?)
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

    #[cfg(unix)]
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
    fn a_last_content_is_written_into_what_was_set_aside_when_nothing_else_can_be() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("note.json");
        let note = |text: &str| Note { text: text.to_owned() };
        write(&path, &note("first")).unwrap();
        set_aside(&path, &note("first")).unwrap();
        // Nothing can be written beside the file: a folder is in the way.
        std::fs::create_dir(folder.path().join("note.json.new")).unwrap();
        assert!(write(&path, &note("second")).is_err());
        assert!(write_last(&path, &note(&"x".repeat(SPARE_BYTES * 2))).is_err(), "it does not fit");
        assert_eq!(read::<Note>(&path).unwrap(), Some(note("first")));
        set_aside(&path, &note("first")).unwrap();
        write_last(&path, &note("last")).unwrap();
        assert_eq!(read::<Note>(&path).unwrap(), Some(note("last")));
        std::fs::remove_dir(folder.path().join("note.json.new")).unwrap();
        set_aside(&path, &note("last")).unwrap();
        write_last(&path, &note("the very last")).unwrap();
        assert_eq!(read::<Note>(&path).unwrap(), Some(note("the very last")));
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
