//! The packages of the agent that a vault offers: files in `packages/` of its data folder, and an index of them. The vault
//! keeps their signatures and can't check them; agents do.
//!
//! A file is put into its place whole before the index names it, and is taken out of the index before it goes. Whatever is
//! not in the index is not offered.

use crate::platform;
use ring::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};
use stateward_model::package::{PACKAGE_BYTES_MAX, SIGNATURE_BYTES_MAX, hex};
use stateward_model::{AgentVersion, PackageFile, PackageSignature, PackageStatement, Timestamp};
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

/// How much of a file is in memory at once.
pub(crate) const PIECE_BYTES: usize = 256 << 10;

/// The form of the index that this build reads and writes.
const INDEX_VERSION: u32 = 1;

/// More than so many are an oversight: nobody has that many releases in use.
const PACKAGES_MAX: usize = 200;

/// Why a package can't be offered, or not be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PackageError {
    /// It is not one, or not what its name or its signature says.
    #[error("`{path}` can't be offered: {why}")]
    Wrong {
        /// Which file.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// Another file of that name is offered.
    #[error("Another `{0}` is offered already; a new package needs a new release, or remove that one first")]
    Exists(PackageFile),
    /// There are as many as there may be.
    #[error("{PACKAGES_MAX} packages are offered already; remove those that nobody needs any more")]
    TooMany,
    /// There is none of that name.
    #[error("No package `{0}` is offered; `stateward-vault packages list` shows them")]
    Unknown(String),
    /// A file can't be read or written.
    #[error("Can't use `{path}`: {source}")]
    Io {
        /// Which.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// The index holds what it should not.
    #[error("The index of packages `{path}` can't be used: {why}; remove it and add the packages again")]
    Index {
        /// Where it is.
        path: String,
        /// What is wrong with it.
        why: String,
    },
}

/// A package that is offered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Offered {
    /// Its file's name, its size and its hash.
    #[serde(flatten)]
    pub(crate) statement: PackageStatement,
    /// The file with its signature, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) signature: Option<String>,
    /// Since when it is offered.
    pub(crate) added_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct Index {
    version: u32,
    packages: Vec<Offered>,
}

/// The folder of packages. Making one of these touches nothing.
#[derive(Debug, Clone)]
pub(crate) struct Packages {
    root: PathBuf,
}

impl Packages {
    /// Those of a data folder.
    pub(crate) fn of(data: &Path) -> Self {
        Self { root: data.join("packages") }
    }

    /// All of them, the newest version first.
    pub(crate) fn list(&self) -> Result<Vec<Offered>, PackageError> {
        let path = self.index();
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(at(&path, error)),
        };
        let wrong = |why: String| PackageError::Index { path: path.display().to_string(), why };
        let index: Index = serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
        match index.version {
            INDEX_VERSION => Ok(index.packages),
            other => {
                Err(wrong(format!("it has form {other}, and this release knows form {INDEX_VERSION} only")))
            }
        }
    }

    /// The version of the newest.
    pub(crate) fn newest(&self) -> Result<Option<AgentVersion>, PackageError> {
        Ok(self.list()?.iter().map(|offered| offered.statement.file.version).max())
    }

    /// One, with its file opened. Its name comes from anywhere: what is not in the index is not looked for.
    pub(crate) fn open(&self, name: &str) -> Result<(Offered, File), PackageError> {
        let unknown = || PackageError::Unknown(name.to_owned());
        let asked: PackageFile = name.parse().map_err(|_| unknown())?;
        let found = self.list()?.into_iter().find(|offered| offered.statement.file == asked);
        let offered = found.ok_or_else(unknown)?;
        let path = self.file(&asked);
        let file = File::open(&path).map_err(|error| at(&path, error))?;
        let length = file.metadata().map_err(|error| at(&path, error))?.len();
        match length == offered.statement.size_bytes {
            true => Ok((offered, file)),
            false => {
                Err(wrong(&path, format!("it has {length} bytes, and had more or fewer when it was added")))
            }
        }
    }

    /// Offers the package in a file, with the signature in the file beside it (`.sig`), if there is one. Offering the same
    /// again is no error; its signature may be another one then.
    pub(crate) fn add(&self, path: &Path, now: Timestamp) -> Result<Offered, PackageError> {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let file: PackageFile = name.parse().map_err(|_| {
            let form = "`stateward_VERSION_ARCHITECTURE.deb`, `stateward-VERSION.ARCHITECTURE.rpm`, or the same with `.msi`";
            wrong(path, format!("its name is not of the form {form}, with a version such as `0.1.0-1`"))
        })?;
        let signature = signature_beside(path, &file)?;
        platform::create_private_folder(&self.root).map_err(|error| at(&self.root, error))?;
        let _lock = self.lock()?;
        let staged = self.root.join("new");
        let statement = copy(path, &staged, file)?;
        if let Some(signature) = &signature
            && signature.statement != statement
        {
            return Err(wrong(path, "its signature is of another file: size or hash differ".to_owned()));
        }
        let mut packages = self.list()?;
        if let Some(index) = packages.iter().position(|known| known.statement.file == statement.file) {
            if packages[index].statement != statement {
                return Err(PackageError::Exists(statement.file));
            }
            packages.remove(index);
        }
        if packages.len() >= PACKAGES_MAX {
            return Err(PackageError::TooMany);
        }
        let place = self.file(&statement.file);
        std::fs::rename(&staged, &place)
            .and_then(|()| platform::sync_folder(&self.root))
            .map_err(|error| at(&place, error))?;
        let signature = signature.map(|signature| signature.to_string());
        let offered = Offered { statement, signature, added_at: now };
        packages.push(offered.clone());
        self.write(packages)?;
        Ok(offered)
    }

    /// Offers a package no more.
    pub(crate) fn remove(&self, name: &str) -> Result<Offered, PackageError> {
        let unknown = || PackageError::Unknown(name.to_owned());
        let asked: PackageFile = name.parse().map_err(|_| unknown())?;
        if self.list()?.is_empty() {
            return Err(unknown());
        }
        let _lock = self.lock()?;
        let mut packages = self.list()?;
        let index = packages.iter().position(|known| known.statement.file == asked).ok_or_else(unknown)?;
        let removed = packages.remove(index);
        self.write(packages)?;
        let path = self.file(&asked);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(at(&path, error)),
            _ => Ok(removed),
        }
    }

    fn index(&self) -> PathBuf {
        self.root.join("index.json")
    }

    fn file(&self, file: &PackageFile) -> PathBuf {
        self.root.join(file.to_string())
    }

    /// Held while packages are changed.
    fn lock(&self) -> Result<File, PackageError> {
        let path = self.root.join("lock");
        let open = || {
            let file = File::options().write(true).create(true).truncate(false).open(&path)?;
            file.lock()?;
            Ok(file)
        };
        open().map_err(|error| at(&path, error))
    }

    fn write(&self, mut packages: Vec<Offered>) -> Result<(), PackageError> {
        packages.sort_by(|one, other| {
            let key = |offered: &Offered| (offered.statement.file.version, offered.statement.file.clone());
            key(other).cmp(&key(one))
        });
        let (path, staged) = (self.index(), self.root.join("index.json.new"));
        let write = || {
            let bytes = serde_json::to_vec_pretty(&Index { version: INDEX_VERSION, packages })?;
            let mut file = fresh(&staged)?;
            file.write_all(&bytes)?;
            file.sync_all()?;
            std::fs::rename(&staged, &path)?;
            platform::sync_folder(&self.root)
        };
        write().map_err(|error| at(&path, error))
    }
}

/// The signature in the file beside a package.
fn signature_beside(path: &Path, file: &PackageFile) -> Result<Option<PackageSignature>, PackageError> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".sig");
    let beside = PathBuf::from(beside);
    let mut text = String::new();
    let read = File::open(&beside)
        .and_then(|file| file.take(SIGNATURE_BYTES_MAX as u64 + 1).read_to_string(&mut text));
    match read {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(at(&beside, error)),
        Ok(_) => {}
    }
    let signature: PackageSignature = text.parse().map_err(|error| wrong(&beside, format!("{error}")))?;
    match signature.statement.file == *file {
        true => Ok(Some(signature)),
        false => Err(wrong(&beside, format!("it is the signature of `{}`", signature.statement.file))),
    }
}

/// Copies a package, durably, and tells what it is.
fn copy(from: &Path, to: &Path, file: PackageFile) -> Result<PackageStatement, PackageError> {
    let mut source = File::open(from).map_err(|error| at(from, error))?;
    let mut target = fresh(to).map_err(|error| at(to, error))?;
    let (mut hash, mut size_bytes) = (Context::new(&SHA256), 0u64);
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let length = fill(&mut source, &mut piece).map_err(|error| at(from, error))?;
        if size_bytes == 0 && !piece[..length].starts_with(file.kind.magic()) {
            return Err(wrong(from, format!("it does not begin as a {} package does", file.kind)));
        }
        if length == 0 {
            break;
        }
        size_bytes += length as u64;
        if size_bytes > PACKAGE_BYTES_MAX {
            return Err(wrong(from, format!("it is longer than {PACKAGE_BYTES_MAX} bytes")));
        }
        hash.update(&piece[..length]);
        target.write_all(&piece[..length]).map_err(|error| at(to, error))?;
    }
    target.sync_all().map_err(|error| at(to, error))?;
    Ok(PackageStatement { file, size_bytes, sha256: hex(hash.finish().as_ref()) })
}

/// Reads until the piece is full or the file ends; tells how much came.
pub(crate) fn fill(file: &mut File, piece: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while length < piece.len() {
        match file.read(&mut piece[length..]) {
            Ok(0) => break,
            Ok(more) => length += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}

/// A new file for its owner only, in place of whatever an interrupted run left there.
fn fresh(path: &Path) -> io::Result<File> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => platform::create_private_file(path),
    }
}

fn at(path: &Path, source: io::Error) -> PackageError {
    PackageError::Io { path: path.display().to_string(), source }
}

fn wrong(path: &Path, why: String) -> PackageError {
    PackageError::Wrong { path: path.display().to_string(), why }
}

#[cfg(test)]
mod tests;
