//! One backup of the System State into a staging volume, by `wbadmin`.
//!
//! It has succeeded if all of this is so afterwards: the program ended with 0, a version identifier is listed that was not there
//! before, a folder `Backup …` is there that was not there before, each virtual disk in it is whole, each document in it is
//! whole, and the writers without which it is no System State took part. Nothing that the program says counts for it.

use crate::server_backup::image::{ImageFacts, ImageFault, check_image};
use crate::server_backup::machine::{CommandError, Commands, Ended};
use crate::server_backup::roles::{ESSENTIAL, WriterId, writer, writer_of_file};
use crate::server_backup::wbadmin::failure::Failure;
use crate::server_backup::wbadmin::progress::PercentReader;
use crate::server_backup::wbadmin::version::VersionId;
use crate::server_backup::wbadmin::{start_backup, stop_job, versions};
use crate::server_backup::xml::{DOCUMENT_BYTES_MAX, DocumentFault, check_document};
use stateward_engine::Cancellation;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The folder that Windows Server Backup makes at the root of its target.
pub const IMAGE_FOLDER: &str = "WindowsImageBackup";

/// A backup may take so long: a System State is some 20 GB.
pub const TIME_OUT: Duration = Duration::from_secs(6 * 60 * 60);

/// What is wanted.
#[derive(Debug, Clone)]
pub struct BackupWish {
    /// The target as `wbadmin` takes it: `E:`, `\\?\Volume{GUID}\`.
    pub target: String,
    /// Where the same target can be looked at.
    pub root: PathBuf,
    /// The machine's name, which its folder bears.
    pub machine: String,
    /// How long it may take.
    pub time_out: Duration,
}

/// A virtual disk of a backup.
#[derive(Debug, Clone)]
pub struct StagedImage {
    /// Where it lies.
    pub path: PathBuf,
    /// What it is.
    pub facts: ImageFacts,
}

/// A backup that was made and looked at.
#[derive(Debug, Clone)]
pub struct StagedBackup {
    /// Its version.
    pub version: VersionId,
    /// The machine's folder below [`IMAGE_FOLDER`].
    pub machine_folder: PathBuf,
    /// Its own folder in there.
    pub folder: PathBuf,
    /// Its virtual disks.
    pub images: Vec<StagedImage>,
    /// The writers that took part.
    pub writers: BTreeSet<WriterId>,
}

impl StagedBackup {
    /// How long all its virtual disks are, in bytes.
    pub fn image_bytes(&self) -> u64 {
        self.images.iter().map(|image| image.facts.file_bytes).sum()
    }
}

/// Why there is no backup.
#[derive(Debug, thiserror::Error)]
pub enum ServerBackupError {
    /// The program did not come to its end.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// It ended, and said why it failed.
    #[error("{failure}{}", told(*.exit_code, *.code))]
    Failed {
        /// Why.
        failure: Failure,
        /// How it ended.
        exit_code: Option<i32>,
        /// The code that it told.
        code: Option<u32>,
    },
    /// It ended well and lists nothing new.
    #[error(
        "Windows Server Backup ended without an error but lists no new version: see its log in \
         `C:\\Windows\\Logs\\WindowsServerBackup`, and run the backup again"
    )]
    NoVersion,
    /// It lists a version that isn't there.
    #[error(
        "Windows Server Backup lists the version `{version}`, but there is no new backup in `{folder}`: run it again"
    )]
    NoFolder {
        /// Which.
        version: VersionId,
        /// Where it should be.
        folder: PathBuf,
    },
    /// The backup has no virtual disk.
    #[error(
        "The backup in `{folder}` holds no virtual disk, so nothing can be restored from it: run it again"
    )]
    NoImage {
        /// Its folder.
        folder: PathBuf,
    },
    /// A virtual disk isn't whole.
    #[error(
        "`{path}` can't be restored from: {fault}; see that the staging volume has room, and run the backup again"
    )]
    Image {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        fault: ImageFault,
    },
    /// A document isn't there.
    #[error(
        "The backup in `{folder}` has no `{name}`, so Windows Server Backup can't restore it: run it again"
    )]
    NoDocument {
        /// Its folder.
        folder: PathBuf,
        /// Which.
        name: &'static str,
    },
    /// A document isn't whole.
    #[error("`{path}` can't be restored from: {fault}; run the backup again")]
    Document {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        fault: DocumentFault,
    },
    /// A writer is missing without which it is no System State.
    #[error(
        "`{writer}` took no part in the backup, so it is no System State: see `vssadmin list writers`, and run it again"
    )]
    NoWriter {
        /// Which.
        writer: &'static str,
    },
    /// Something can't be read.
    #[error("`{path}` can't be read: {cause}")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// The operating system's reason.
        cause: io::Error,
    },
}

fn told(exit_code: Option<i32>, code: Option<u32>) -> String {
    let exit_code = exit_code.map_or("no exit code".to_owned(), |code| format!("exit code {code}"));
    match code {
        Some(code) => format!(" (`wbadmin` ended with {exit_code}, error 0x{code:08x})"),
        None => format!(" (`wbadmin` ended with {exit_code})"),
    }
}

impl ServerBackupError {
    /// Its stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Command(CommandError::Missing { .. }) => Failure::NotInstalled.code(),
            Self::Command(CommandError::TimedOut { .. }) => "server-backup-timed-out",
            Self::Command(CommandError::Cancelled { .. }) => "cancelled",
            Self::Command(CommandError::Unusable { .. }) => Failure::Unknown.code(),
            Self::Failed { failure, .. } => failure.code(),
            Self::NoVersion | Self::NoFolder { .. } => "server-backup-without-version",
            Self::NoImage { .. } | Self::Image { .. } => "staged-image-damaged",
            Self::NoDocument { .. } | Self::Document { .. } => "staged-document-damaged",
            Self::NoWriter { .. } => "writer-missing",
            Self::Unreadable { .. } => "staging-unreadable",
        }
    }

    /// Whether the same backup may succeed a little later, without anybody doing anything.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Failed { failure, .. } if failure.may_pass())
    }
}

/// Makes a backup and looks at it. `progress` is given percentages as they come.
pub fn back_up(
    commands: &dyn Commands,
    wish: &BackupWish,
    progress: &mut dyn FnMut(u8),
    cancellation: &Cancellation,
) -> Result<StagedBackup, ServerBackupError> {
    let (listed_before, _) = versions(commands, &wish.target, Some(&wish.machine), cancellation)?;
    let machine_folder = wish.root.join(IMAGE_FOLDER).join(&wish.machine);
    let folders_before = backup_folders(&machine_folder)?;
    let ended = run(commands, wish, progress, cancellation)?;
    if ended.code != Some(0) {
        return Err(failed(&ended));
    }
    let (listed, _) = versions(commands, &wish.target, Some(&wish.machine), cancellation)?;
    // More than one would be somebody else's, made meanwhile; the newest holds what is there now.
    let version = listed.difference(&listed_before).last().copied().ok_or_else(|| match failed(&ended) {
        // That it failed is told by a code although it ended with 0.
        ServerBackupError::Failed { failure: Failure::Unknown, .. } => ServerBackupError::NoVersion,
        told => told,
    })?;
    let new = backup_folders(&machine_folder)?.into_iter().rfind(|name| !folders_before.contains(name));
    let folder = new.map(|name| machine_folder.join(name));
    let folder = folder.ok_or(ServerBackupError::NoFolder { version, folder: machine_folder.clone() })?;
    let (images, writers) = check_backup(&folder)?;
    Ok(StagedBackup { version, machine_folder, folder, images, writers })
}

fn failed(ended: &Ended) -> ServerBackupError {
    let (failure, code) = Failure::in_text(&ended.text());
    ServerBackupError::Failed { failure, exit_code: ended.code, code }
}

/// Runs the program. When it is stopped, so is the engine that does the work, which would go on.
fn run(
    commands: &dyn Commands,
    wish: &BackupWish,
    progress: &mut dyn FnMut(u8),
    cancellation: &Cancellation,
) -> Result<Ended, CommandError> {
    let mut reader = PercentReader::default();
    let mut hear = |piece: &[u8]| {
        if let Some(percent) = reader.read(piece) {
            progress(percent);
        }
    };
    let ended = commands.run(&start_backup(&wish.target, wish.time_out), &mut hear, cancellation);
    if let Err(CommandError::TimedOut { .. } | CommandError::Cancelled { .. }) = &ended
        && let Err(error) = commands.run(&stop_job(), &mut |_| {}, &Cancellation::default())
    {
        tracing::warn!(%error, "the backup that was begun can't be stopped");
    }
    ended
}

/// The names of the folders `Backup …` of a machine; none if the machine has no folder.
fn backup_folders(machine_folder: &Path) -> Result<BTreeSet<String>, ServerBackupError> {
    let names = names_in(machine_folder)?;
    Ok(names.into_iter().filter(|name| name.starts_with("Backup ")).collect())
}

fn names_in(folder: &Path) -> Result<BTreeSet<String>, ServerBackupError> {
    let unreadable = |cause| ServerBackupError::Unreadable { path: folder.to_owned(), cause };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
        Err(cause) => return Err(unreadable(cause)),
    };
    let name = |entry: io::Result<fs::DirEntry>| Ok(entry?.file_name().to_string_lossy().into_owned());
    entries.map(name).collect::<io::Result<_>>().map_err(unreadable)
}

/// Documents without which Windows Server Backup restores nothing: by how their names end.
const DOCUMENTS: [&str; 2] = ["BackupSpecs.xml", "_Components.xml"];

/// Looks at each file of a backup.
pub fn check_backup(folder: &Path) -> Result<(Vec<StagedImage>, BTreeSet<WriterId>), ServerBackupError> {
    let names = names_in(folder)?;
    let (mut images, mut writers) = (Vec::new(), BTreeSet::new());
    for name in &names {
        let path = folder.join(name);
        match path.extension().and_then(|extension| extension.to_str()).map(str::to_lowercase).as_deref() {
            Some("vhd" | "vhdx") => match check_image(&path) {
                Ok(facts) => images.push(StagedImage { path, facts }),
                Err(fault) => return Err(ServerBackupError::Image { path, fault }),
            },
            Some("xml") => {
                check_file(&path)?;
                writers.extend(writer_of_file(name));
            }
            _ => {}
        }
    }
    if images.is_empty() {
        return Err(ServerBackupError::NoImage { folder: folder.to_owned() });
    }
    for name in DOCUMENTS {
        if !names.iter().any(|found| found.to_lowercase().ends_with(&name.to_lowercase())) {
            return Err(ServerBackupError::NoDocument { folder: folder.to_owned(), name });
        }
    }
    match ESSENTIAL.iter().find(|id| !writers.contains(id)) {
        Some(missing) => Err(ServerBackupError::NoWriter {
            writer: writer(*missing).map_or("A writer", |writer| writer.name),
        }),
        None => Ok((images, writers)),
    }
}

fn check_file(path: &Path) -> Result<(), ServerBackupError> {
    let mut bytes = Vec::new();
    let read =
        File::open(path).and_then(|file| file.take(DOCUMENT_BYTES_MAX as u64 + 1).read_to_end(&mut bytes));
    read.map_err(|cause| ServerBackupError::Unreadable { path: path.to_owned(), cause })?;
    check_document(&bytes)
        .map(drop)
        .map_err(|fault| ServerBackupError::Document { path: path.to_owned(), fault })
}
