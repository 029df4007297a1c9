//! Where the image is staged: a volume that was given, or a virtual disk that is made for it.
//!
//! Windows Server Backup writes no System State to a volume that belongs to it. A virtual disk is another volume, although
//! its file lies on one of the machine's own; it grows as it is filled. `diskpart` makes it by a script, and afterwards the
//! volume must be there as it was asked for: what `diskpart` says of it isn't read.

use crate::server_backup::backup::IMAGE_FOLDER;
use crate::server_backup::machine::{CommandError, Commands, Invocation, Volume, Volumes};
use crate::server_backup::wbadmin;
use crate::server_backup::wbadmin::failure::Failure;
use crate::server_backup::wbadmin::version::VersionId;
use stateward_engine::Cancellation;
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A quick format takes seconds; a virtual disk on a slow disk, longer.
const TIME_OUT: Duration = Duration::from_secs(15 * 60);

/// How the volume is named.
const LABEL: &str = "Stateward";

/// What a file system takes of a disk for itself, at most: one part in …
const OVERHEAD: u64 = 16;

/// A virtual disk for staging.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StagingDisk {
    /// Its file: `….vhdx`, or `….vhd` on Server 2008 R2.
    pub file: PathBuf,
    /// The folder at which its volume appears.
    pub mount: PathBuf,
    /// How large it may become.
    pub bytes: u64,
}

/// Why there is no place for staging.
#[derive(Debug, thiserror::Error)]
pub enum StagingError {
    /// `diskpart` did not come to its end.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// A path can't stand in a script of `diskpart`.
    #[error("`{0}` can't be given to `diskpart`: choose a path of ASCII letters, without quotes")]
    Path(PathBuf),
    /// `diskpart` failed.
    #[error(
        "`diskpart` can't {what} the virtual disk `{file}` (exit code {}): see that its volume has room and isn't \
         compressed, and that virtual disks aren't forbidden there",
        .code.map_or("none".to_owned(), |code| code.to_string())
    )]
    Refused {
        /// What was to be done.
        what: &'static str,
        /// The disk.
        file: PathBuf,
        /// How it ended.
        code: Option<i32>,
    },
    /// The volume isn't there afterwards.
    #[error("`diskpart` ended without an error, but no NTFS volume of {} MiB is at `{mount}`: look in Disk Management", .bytes >> 20)]
    NoVolume {
        /// Where it should be.
        mount: PathBuf,
        /// How large it should be.
        bytes: u64,
    },
    /// The given volume is no place for it.
    #[error("`{place}` is no place for staging: {why}")]
    Unfit {
        /// Which.
        place: PathBuf,
        /// Why.
        why: String,
    },
    /// It's still there.
    #[error("The staged backups can't be removed: {0}")]
    NotTrimmed(String),
    /// A file or folder can't be made or read.
    #[error("`{path}` can't be used: {cause}")]
    Unusable {
        /// Which.
        path: PathBuf,
        /// The operating system's reason.
        cause: io::Error,
    },
}

impl StagingDisk {
    /// The script that makes it and lets its volume appear.
    pub fn making_script(&self) -> Result<String, StagingError> {
        let (file, mount) = (spelled(&self.file)?, spelled(&self.mount)?);
        Ok(script(&[
            &format!("create vdisk file=\"{file}\" maximum={} type=expandable", self.bytes.div_ceil(1 << 20)),
            &format!("select vdisk file=\"{file}\""),
            "attach vdisk",
            "convert gpt",
            "create partition primary",
            &format!("format fs=ntfs label=\"{LABEL}\" quick"),
            &format!("assign mount=\"{mount}\""),
        ]))
    }

    /// The script that lets the volume appear again where it was.
    pub fn attaching_script(&self) -> Result<String, StagingError> {
        let file = spelled(&self.file)?;
        Ok(script(&[&format!("select vdisk file=\"{file}\""), "attach vdisk"]))
    }

    /// The script that takes the volume away, so that the file is complete and nobody else writes to it.
    pub fn detaching_script(&self) -> Result<String, StagingError> {
        let file = spelled(&self.file)?;
        Ok(script(&[&format!("select vdisk file=\"{file}\""), "detach vdisk"]))
    }

    /// Lets the volume appear, makes the disk first if there is none, and gives the volume.
    pub fn attach(
        &self,
        commands: &dyn Commands,
        volumes: &dyn Volumes,
        cancellation: &Cancellation,
    ) -> Result<Volume, StagingError> {
        let unusable = |cause| StagingError::Unusable { path: self.mount.clone(), cause };
        if let Some(volume) = self.volume(volumes)? {
            return Ok(volume);
        }
        fs::create_dir_all(&self.mount).map_err(unusable)?;
        let (what, script) = match self.file.exists() {
            true => ("attach", self.attaching_script()?),
            false => ("make", self.making_script()?),
        };
        self.run(what, &script, commands, cancellation)?;
        self.volume(volumes)?
            .ok_or_else(|| StagingError::NoVolume { mount: self.mount.clone(), bytes: self.bytes })
    }

    /// Takes the volume away.
    pub fn detach(
        &self,
        commands: &dyn Commands,
        volumes: &dyn Volumes,
        cancellation: &Cancellation,
    ) -> Result<(), StagingError> {
        if self.volume(volumes)?.is_none() {
            return Ok(());
        }
        self.run("detach", &self.detaching_script()?, commands, cancellation)?;
        let why = || "the volume is still there".to_owned();
        match self.volume(volumes)? {
            None => Ok(()),
            Some(_) => Err(StagingError::Unfit { place: self.mount.clone(), why: why() }),
        }
    }

    /// Takes the disk away however far its making came, and removes its file. What it held is gone.
    pub fn remove(
        &self,
        commands: &dyn Commands,
        volumes: &dyn Volumes,
        cancellation: &Cancellation,
    ) -> Result<(), StagingError> {
        self.detach(commands, volumes, cancellation)?;
        let Err(cause) = remove_file(&self.file) else { return Ok(()) };
        // A disk without a volume is attached all the same.
        self.run("detach", &self.detaching_script()?, commands, cancellation)
            .and_then(|()| remove_file(&self.file).map_err(|cause| self.unusable(cause)))
            .map_err(|error| match error {
                StagingError::Refused { .. } => self.unusable(cause),
                other => other,
            })
    }

    fn unusable(&self, cause: io::Error) -> StagingError {
        StagingError::Unusable { path: self.file.clone(), cause }
    }

    /// The volume at the mount, if it is as large as it should be.
    fn volume(&self, volumes: &dyn Volumes) -> Result<Option<Volume>, StagingError> {
        let all = list(volumes, &self.mount)?;
        let is_it = |volume: &Volume| {
            volume.mounts.iter().any(|mount| is_same_place(mount, &self.mount))
                && volume.file_system.eq_ignore_ascii_case("NTFS")
                && volume.bytes >= self.bytes - self.bytes / OVERHEAD
        };
        Ok(all.into_iter().find(is_it))
    }

    fn run(
        &self,
        what: &'static str,
        script: &str,
        commands: &dyn Commands,
        cancellation: &Cancellation,
    ) -> Result<(), StagingError> {
        let path = self.file.with_extension("diskpart.txt");
        let unusable = |cause| StagingError::Unusable { path: path.clone(), cause };
        fs::write(&path, script).map_err(unusable)?;
        let argument = spelled(&path)?;
        let ended = commands.run(
            &Invocation::new("diskpart", &["/s", &argument], TIME_OUT),
            &mut |_| {},
            cancellation,
        );
        fs::remove_file(&path).map_err(unusable)?;
        match ended?.code {
            Some(0) => Ok(()),
            code => Err(StagingError::Refused { what, file: self.file.clone(), code }),
        }
    }
}

/// Removes a file that need not be there.
fn remove_file(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(cause),
        _ => Ok(()),
    }
}

/// Lines as `diskpart` reads them from a file.
fn script(lines: &[&str]) -> String {
    lines.iter().flat_map(|line| [line, "\r\n"]).collect()
}

/// A path as it may stand between quotes in a script, whose code page nobody knows.
fn spelled(path: &Path) -> Result<String, StagingError> {
    let text = path.to_str().filter(|text| text.chars().all(|c| (' '..='~').contains(&c) && c != '"'));
    text.map(str::to_owned).ok_or_else(|| StagingError::Path(path.to_owned()))
}

fn is_same_place(one: &Path, other: &Path) -> bool {
    let spelling = |path: &Path| path.to_string_lossy().trim_end_matches(['\\', '/']).to_lowercase();
    spelling(one) == spelling(other)
}

fn list(volumes: &dyn Volumes, path: &Path) -> Result<Vec<Volume>, StagingError> {
    volumes.list().map_err(|cause| StagingError::Unusable { path: path.to_owned(), cause })
}

/// The volume that is mounted at a place, if one is.
pub fn volume_at(volumes: &dyn Volumes, place: &Path) -> Result<Option<Volume>, StagingError> {
    Ok(at(&list(volumes, place)?, place).cloned())
}

fn at<'a>(all: &'a [Volume], place: &Path) -> Option<&'a Volume> {
    all.iter().find(|volume| volume.mounts.iter().any(|mount| is_same_place(mount, place)))
}

/// Whether Windows lies on a volume: it's that of the longest mount on the way.
pub fn holds_windows(volumes: &dyn Volumes, volume: &Volume, windows: &Path) -> Result<bool, StagingError> {
    let all = list(volumes, windows)?;
    Ok(windows.ancestors().find_map(|place| at(&all, place)).is_some_and(|found| found.id == volume.id))
}

/// A volume that somebody chose, if a System State can be staged there.
pub fn given_volume(volumes: &dyn Volumes, place: &Path, windows: &Path) -> Result<Volume, StagingError> {
    let unfit = |why: &str| StagingError::Unfit { place: place.to_owned(), why: why.to_owned() };
    let volume = volume_at(volumes, place)?
        .ok_or_else(|| unfit("no volume is mounted there; give a drive or a mount point"))?;
    let holds_windows = holds_windows(volumes, &volume, windows)?;
    match (holds_windows, volume.is_fixed, volume.file_system.eq_ignore_ascii_case("NTFS")) {
        (true, ..) => Err(unfit("Windows lies on it; choose another volume, or let a virtual disk be made")),
        (_, false, _) => Err(unfit("it is no fixed disk; choose one that is, or let a virtual disk be made")),
        (.., false) => Err(unfit("its file system isn't NTFS; format it, or choose another volume")),
        _ => Ok(volume),
    }
}

/// Removes the staged backups: the vault keeps the history.
pub fn trim(
    commands: &dyn Commands,
    target: &str,
    machine: &str,
    cancellation: &Cancellation,
) -> Result<(), StagingError> {
    let before = versions(commands, target, machine, cancellation)?;
    if before.is_empty() {
        return Ok(());
    }
    let ended = commands.run(&wbadmin::delete_all(target, machine), &mut |_| {}, cancellation)?;
    match versions(commands, target, machine, cancellation)?.last() {
        None => Ok(()),
        Some(left) => {
            let (failure, _) = Failure::in_text(&ended.text());
            Err(StagingError::NotTrimmed(format!("version `{left}` is still listed. {failure}")))
        }
    }
}

/// Removes all that a backup left at a volume's root, whole or half made: first by `wbadmin`, which knows of its versions, then
/// the folder, of which it knows nothing any more. The volume must hold nobody else's.
pub fn clear(
    commands: &dyn Commands,
    target: &str,
    root: &Path,
    machine: &str,
    cancellation: &Cancellation,
) -> Result<(), StagingError> {
    let folder = root.join(IMAGE_FOLDER);
    if !folder.exists() {
        return Ok(());
    }
    trim(commands, target, machine, cancellation)?;
    match fs::remove_dir_all(&folder) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
            Err(StagingError::Unusable { path: folder, cause })
        }
        _ => Ok(()),
    }
}

fn versions(
    commands: &dyn Commands,
    target: &str,
    machine: &str,
    cancellation: &Cancellation,
) -> Result<BTreeSet<VersionId>, CommandError> {
    Ok(wbadmin::versions(commands, target, Some(machine), cancellation)?.0)
}

#[cfg(test)]
mod tests;
