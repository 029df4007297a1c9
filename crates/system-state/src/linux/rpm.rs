//! What rpm's database says.
//!
//! The database has had three forms (Berkeley DB, ndb, SQLite) at three places, so it is read by rpm itself. That is
//! told where the database is, for its own default need not be the distribution's (Debian's rpm looks in the home).
//! The database of another root is copied first: reading it may write to the folder that it lies in.

mod verify;

use crate::linux::command::{CommandError, TIME_OUT, run};
use crate::linux::scratch::Scratch;
use crate::linux::tree::Tree;
use std::fmt;
use std::fs::File;
use std::io;
use std::path::PathBuf;

pub(crate) use verify::verify;

/// Where distributions keep it: Fedora and SUSE now, everybody before, image-based systems.
const PLACES: [&str; 3] = ["/usr/lib/sysimage/rpm", "/var/lib/rpm", "/usr/share/rpm"];

/// By which file each form is known.
const FORMS: [&str; 3] = ["rpmdb.sqlite", "Packages.db", "Packages"];

/// What else a form may need to be read.
const COMPANIONS: [&str; 1] = ["rpmdb.sqlite-wal"];

const PACKAGE_FORMAT: &str =
    "%{NAME}\\t%{EPOCHNUM}:%{VERSION}-%{RELEASE}\\t%{ARCH}\\t%{LONGSIZE}\\t%{FILENAMES:arraysize}\\n";

/// Why the database tells nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RpmError {
    /// There is no rpm to read it.
    #[error("`rpm` isn't installed")]
    Missing,
    /// rpm failed.
    #[error("{0}")]
    Command(CommandError),
    /// rpm answered what makes no sense.
    #[error("`rpm` answered with a line that is not understood")]
    Answer,
}

impl From<CommandError> for RpmError {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::Missing { .. } => Self::Missing,
            error => Self::Command(error),
        }
    }
}

/// An installed package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Package {
    /// Its name.
    pub name: String,
    /// `EPOCH:VERSION-RELEASE`.
    pub version: String,
    /// Its architecture, `(none)` for keys.
    pub architecture: String,
    /// The bytes of its files.
    pub bytes: u64,
    /// How many paths it owns.
    pub paths: u64,
}

impl fmt::Display for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\t{}\t{}", self.name, self.version, self.architecture)
    }
}

/// A tree's rpm database.
pub(crate) struct Database {
    folder: PathBuf,
    /// Where the copy lies, if it is one.
    _copy: Option<Scratch>,
}

impl Database {
    /// The tree's database, or `None` where there is none.
    pub fn find(tree: &Tree) -> io::Result<Option<Self>> {
        let is_here = |place: &str| FORMS.iter().any(|form| tree.has(&format!("{place}/{form}")));
        let Some(place) = PLACES.into_iter().find(|place| is_here(place)) else { return Ok(None) };
        if tree.is_running_system() {
            return Ok(Some(Self { folder: place.into(), _copy: None }));
        }
        let copy = Scratch::on_disk()?;
        for name in FORMS.iter().chain(&COMPANIONS) {
            match tree.open_file(&format!("{place}/{name}")) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
                Ok(mut file) => {
                    io::copy(&mut file, &mut File::create_new(copy.path().join(name))?)?;
                }
            }
        }
        Ok(Some(Self { folder: copy.path().to_owned(), _copy: Some(copy) }))
    }

    /// All packages, sorted, the keys that rpm trusts not among them.
    pub fn packages(&self) -> Result<Vec<Package>, RpmError> {
        let answer = self.ask(&["-qa", "--qf", PACKAGE_FORMAT])?;
        let mut packages = parse(&answer)?;
        packages.retain(|package| package.name != KEY);
        packages.sort_unstable();
        Ok(packages)
    }

    /// The keys that rpm trusts: their ids and whose they are.
    pub fn keys(&self) -> Result<Vec<u8>, RpmError> {
        let answer = self.ask(&["-qa", "--qf", "%{VERSION}-%{RELEASE}\\t%{SUMMARY}\\n", KEY])?;
        let mut lines: Vec<&[u8]> = answer.split_inclusive(|byte| *byte == b'\n').collect();
        lines.sort_unstable();
        Ok(lines.concat())
    }

    /// The paths that packages own, in no order and some more than once.
    pub fn owned_paths(&self, mut each: impl FnMut(&[u8])) -> Result<(), RpmError> {
        let answer = self.ask(&["-qa", "--qf", "[%{FILENAMES}\\n]"])?;
        answer.split(|byte| *byte == b'\n').filter(|path| path.starts_with(b"/")).for_each(&mut each);
        Ok(())
    }

    fn ask(&self, arguments: &[&str]) -> Result<Vec<u8>, RpmError> {
        let folder = self.folder.to_string_lossy();
        Ok(run("rpm", &[&["--dbpath", &*folder], arguments].concat(), &[0], TIME_OUT)?)
    }
}

/// The name under which rpm's database keeps each key.
const KEY: &str = "gpg-pubkey";

fn parse(answer: &[u8]) -> Result<Vec<Package>, RpmError> {
    let text = String::from_utf8_lossy(answer);
    let package = |line: &str| {
        let mut fields = line.split('\t');
        let mut field = || fields.next().map(str::to_owned);
        let (name, version, architecture) = (field()?, field()?, field()?);
        // A package without files has `(none)` of them.
        let (bytes, paths) = (field()?.parse().unwrap_or(0), field()?.parse().unwrap_or(0));
        Some(Package { name, version, architecture, bytes, paths })
    };
    text.lines().map(|line| package(line).ok_or(RpmError::Answer)).collect()
}

#[cfg(test)]
pub(crate) mod tests;
