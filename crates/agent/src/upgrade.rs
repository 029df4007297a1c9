//! Upgrading the agent with a package that its vault offers.
//!
//! The vault is not believed in any of it: a package is installed when a release key that is trusted *here* signed its name,
//! size and hash, and when what came has these. Which keys that are is set on the server, and none is without that: whoever
//! holds such a key can run what he likes on it. The vault can keep a new package back, and that is all.

mod error;
mod keys;
mod received;

pub use error::UpgradeError;
pub use keys::{keys_in, trusted};
pub use received::Received;

use crate::platform::{self, InstalledPackage};
use crate::{Agent, AgentError, RegisteredServer, disk};
use serde::{Deserialize, Serialize};
use stateward_api::agent::OfferedPackage;
use stateward_client::{DownloadError, HttpVault, Manner};
use stateward_crypto::ReleaseKeys;
use stateward_engine::Cancellation;
use stateward_model::package::PACKAGE_BYTES_MAX;
use stateward_model::{AgentVersion, PackageFile, PackageSignature, PackageStatement};
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

/// So much of what the installing program said is told when it failed.
const WORDS_BYTES_MAX: u64 = 2048;

/// Whether a new agent is installed without a person at the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UpgradeMode {
    /// Only when somebody runs `stateward agent upgrade`.
    #[default]
    OnCommand,
    /// Also by the running agent, between jobs.
    Automatically,
}

/// What is wished for.
#[derive(Debug, Clone, Copy, Default)]
pub struct UpgradeWish {
    /// This version instead of the newest.
    pub version: Option<AgentVersion>,
    /// Also one that is older than what is installed.
    pub allow_downgrade: bool,
}

/// What there is to install.
#[derive(Debug, Clone)]
pub struct Found {
    /// What is installed.
    pub installed: InstalledPackage,
    /// What would be installed: another version, signed by a trusted key. `None`: nothing newer is offered.
    pub package: Option<PackageStatement>,
}

/// What happens on the way.
#[derive(Debug)]
pub enum Step<'a> {
    /// The package is being downloaded.
    Downloading(&'a PackageStatement),
    /// It was proved and is being installed: from now on it is not to be stopped.
    Installing(&'a PackageStatement),
}

/// An agent that was upgraded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upgraded {
    /// What was installed before.
    pub before: AgentVersion,
    /// What is installed now.
    pub after: AgentVersion,
}

/// Looks for a package to install. Nothing is changed.
///
/// # Errors
/// If nobody is trusted here, the agent did not come in a package, the vault can't be asked, or what would be installed is not
/// to be trusted.
pub fn look(agent: &Agent, wish: UpgradeWish, stop: &Cancellation) -> Result<Found, AgentError> {
    Session::begin(agent, stop)?.look(wish)
}

/// Installs what the wish is for. `None`: it is installed already. No job runs meanwhile.
///
/// # Errors
/// As [`look`]; if a job runs, what came is not what was signed, or it can't be installed.
pub fn upgrade(
    agent: &Agent,
    wish: UpgradeWish,
    stop: &Cancellation,
    told: &dyn Fn(Step<'_>),
) -> Result<(Found, Option<Upgraded>), AgentError> {
    let _lock = agent.home().lock_for_job()?;
    let session = Session::begin(agent, stop)?;
    let found = session.look(wish)?;
    let Some(package) = &found.package else { return Ok((found, None)) };
    let folder = Folder::make(agent.home().packages())?;
    told(Step::Downloading(package));
    let path = session.download(package, &folder)?;
    if stop.is_cancelled() {
        return Err(AgentError::cancelled());
    }
    told(Step::Installing(package));
    let after = install(agent, &path, &package.file)?;
    let before = found.installed.version;
    Ok((found, Some(Upgraded { before, after })))
}

/// One look at what is installed, who is trusted, and the vault.
struct Session {
    installed: InstalledPackage,
    keys: ReleaseKeys,
    vault: HttpVault,
}

impl Session {
    fn begin(agent: &Agent, stop: &Cancellation) -> Result<Self, AgentError> {
        let server = RegisteredServer::load(agent.home())?;
        let keys = trusted(agent.home())?;
        if keys.is_empty() {
            return Err(UpgradeError::NoReleaseKey.into());
        }
        let installed = platform::installed_package().map_err(UpgradeError::PackagesUnknown)?;
        let installed = installed.ok_or(UpgradeError::NotPackaged)?;
        let vault = server.connect(agent, Manner::interactive(stop.clone()), None)?;
        Ok(Self { installed, keys, vault })
    }

    fn look(&self, wish: UpgradeWish) -> Result<Found, AgentError> {
        let offered = self.vault.packages()?;
        let package = choose(&offered, &self.installed, &self.keys, wish)?;
        Ok(Found { installed: self.installed.clone(), package })
    }

    /// Downloads a package and proves it; gives the path of the file.
    fn download(&self, package: &PackageStatement, folder: &Folder) -> Result<PathBuf, AgentError> {
        let unwritable = |cause| {
            AgentError::from(UpgradeError::folder(&folder.path, disk::explained(&folder.path, cause)))
        };
        let received = Received::begin(folder.path.join(package.file.to_string())).map_err(unwritable)?;
        let file = received.file().map_err(unwritable)?;
        self.vault.download_package(package, file).map_err(|error| match error {
            DownloadError::Call(error) => AgentError::from(error),
            DownloadError::File(cause) => unwritable(cause),
        })?;
        received.prove(package)
    }
}

/// Which of the packages is to be installed, if any.
fn choose(
    offered: &[OfferedPackage],
    installed: &InstalledPackage,
    keys: &ReleaseKeys,
    wish: UpgradeWish,
) -> Result<Option<PackageStatement>, UpgradeError> {
    let version = |package: &&OfferedPackage| package.statement.file.version;
    let fitting = offered.iter().filter(|package| fits(&package.statement.file, installed));
    let chosen = match wish.version {
        None => fitting.max_by_key(version),
        // Without the package's release, the newest release of that version.
        Some(wanted) => fitting
            .filter(|package| version(package) == wanted || version(package).of_program() == wanted)
            .max_by_key(version),
    };
    let Some(chosen) = chosen else {
        return match wish.version {
            None => Ok(None),
            Some(version) => Err(UpgradeError::NotOffered {
                version,
                kind: installed.kind,
                architecture: installed.architecture.clone(),
            }),
        };
    };
    let found = version(&chosen);
    if found == installed.version || (found < installed.version && wish.version.is_none()) {
        return Ok(None);
    }
    // Before it is said that a downgrade must be wished for: what is not signed is nothing to wish for.
    believe(chosen, keys)?;
    if found < installed.version && !wish.allow_downgrade {
        return Err(UpgradeError::Downgrade { installed: installed.version, asked: found });
    }
    Ok(Some(chosen.statement.clone()))
}

fn fits(file: &PackageFile, installed: &InstalledPackage) -> bool {
    let is_any = matches!(file.architecture.as_str(), "all" | "noarch");
    file.kind == installed.kind && (file.architecture == installed.architecture || is_any)
}

/// Checks that a trusted key signed just what the vault says of a package.
fn believe(package: &OfferedPackage, keys: &ReleaseKeys) -> Result<(), UpgradeError> {
    let file = &package.statement.file;
    let refused = |why: &str| UpgradeError::NotTrusted { file: file.clone(), why: why.to_owned() };
    let text = package.signature.as_deref().ok_or_else(|| refused("it is not signed"))?;
    let signature: PackageSignature = text.parse().map_err(|_| refused("its signature is none"))?;
    if signature.statement != package.statement {
        return Err(refused("its signature is of another file"));
    }
    if package.statement.size_bytes > PACKAGE_BYTES_MAX {
        return Err(refused("it is longer than any package"));
    }
    keys.check(&signature).map_err(|why| refused(&why.to_string()))
}

/// Has the system install a package that was proved; tells what is installed then.
fn install(agent: &Agent, path: &Path, file: &PackageFile) -> Result<AgentVersion, AgentError> {
    let log = agent.home().logs().join("upgrade.log");
    let failed = |why: String| AgentError::from(UpgradeError::InstallFailed { file: file.clone(), why });
    let options = platform::make_private_options().read(true).create(true).truncate(true).open(&log);
    let output = options.map_err(|cause| UpgradeError::folder(&log, disk::explained(&log, cause)))?;
    let status = platform::install_package(file.kind, path, &output)
        .map_err(|cause| failed(format!("the program that installs it can't be run: {cause}")))?;
    if !status.success() {
        return Err(failed(format!("{status}: {}", last_words(&output).unwrap_or_default())));
    }
    let installed = platform::installed_package().map_err(UpgradeError::PackagesUnknown)?;
    match installed.map(|installed| installed.version) {
        Some(version) if version == file.version => Ok(version),
        Some(other) => Err(failed(format!("it said that it did, and {other} is installed"))),
        None => Err(failed("it said that it did, and no agent is installed".to_owned())),
    }
}

/// The end of what a program said, in one line.
fn last_words(mut log: &File) -> io::Result<String> {
    let length = log.metadata()?.len();
    log.seek(SeekFrom::Start(length.saturating_sub(WORDS_BYTES_MAX)))?;
    let mut bytes = Vec::new();
    log.take(WORDS_BYTES_MAX).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    Ok(lines.collect::<Vec<_>>().join("; "))
}

/// The folder that packages are downloaded to: there as long as this is.
struct Folder {
    path: PathBuf,
}

impl Folder {
    fn make(path: PathBuf) -> Result<Self, UpgradeError> {
        let made = || {
            // Whatever an interrupted run left there.
            match std::fs::remove_dir_all(&path) {
                Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(cause),
                _ => {}
            }
            platform::make_private_folder(&path)
        };
        made().map_err(|cause| UpgradeError::folder(&path, disk::explained(&path, cause)))?;
        Ok(Self { path })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(cause) = std::fs::remove_dir_all(&self.path) {
            tracing::warn!(%cause, "the folder of downloaded packages can't be removed");
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
