//! Windows: what the standard library does there is done; what needs Win32 is refused with an error that says so.
//!
//! A home is kept to its owner by an access list, which no part of this program sets yet. So no home can be made on
//! Windows, and whatever needs one (registration, jobs) is refused before it begins.

use super::{FileSystem, FreeSpace, InstalledPackage, ProcessIdentity, Signal};
use crate::notifications::Occasion;
use crate::service::manager::{ServiceProblem, ServiceState};
use stateward_format::wtf8;
use stateward_model::PackageKind;
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::windows::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};

fn not_built(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, format!("{what} isn't built for Windows yet"))
}

/// Where the home lies if nobody says otherwise: where Windows keeps what belongs to no user.
pub fn default_home() -> Option<PathBuf> {
    let data = std::env::var_os("ProgramData").map(PathBuf::from)?;
    data.is_absolute().then(|| data.join("Stateward"))
}

/// Where hooks lie if nobody says otherwise: beside the home.
pub fn default_hooks() -> Option<PathBuf> {
    default_home().map(|home| home.join("hooks"))
}

/// Where the administrator's release keys lie: beside the home.
pub fn default_release_keys() -> Option<PathBuf> {
    default_home().map(|home| home.join("release-keys"))
}

/// Why what stands in a file must not be trusted: who may write it isn't known without its access list.
pub fn why_not_to_trust(_path: &Path, _file: &File) -> io::Result<Option<String>> {
    Ok(Some("telling who may write it isn't built for Windows yet".to_owned()))
}

/// Not built.
pub fn trusted_authorities() -> io::Result<String> {
    Err(not_built("Reading the machine's authorities"))
}

/// Not built.
pub fn write_system_log(_occasion: Occasion, _text: &str) -> io::Result<()> {
    Err(not_built("Writing into the event log"))
}

/// Not built.
pub fn installed_package() -> io::Result<Option<InstalledPackage>> {
    Err(not_built("Telling the agent's package"))
}

/// Not built.
pub fn install_package(_kind: PackageKind, _path: &Path, _output: &File) -> io::Result<ExitStatus> {
    Err(not_built("Installing a package"))
}

/// Why a program must not be run with this process's rights: who may write it isn't known without its access list.
pub fn why_not_to_run(_path: &Path) -> io::Result<Option<String>> {
    Ok(Some("running hooks isn't built for Windows yet: remove it".to_owned()))
}

/// Nothing is begun: no command is run here.
pub fn begin_own_group(_command: &mut Command) {}

/// Stops a command, and waits for it. What it started goes on.
pub fn stop_group(child: &mut Child) {
    // It may have ended by now; then there is nothing to stop.
    let _ = child.kill();
    let _ = child.wait();
}

/// Not built.
pub fn is_open_to_others(_folder: &Path) -> io::Result<bool> {
    Err(not_built("Reading a folder's access list"))
}

/// What kind of file system a path lies on: not asked for.
pub fn file_system(_path: &Path) -> Option<FileSystem> {
    None
}

/// What a file system can still take: not asked for.
pub fn free_space(_path: &Path) -> Option<FreeSpace> {
    None
}

/// Whether the error says that a disk fails: only what the standard library knows of it.
pub fn is_disk_failure(cause: &io::Error) -> bool {
    cause.kind() == io::ErrorKind::ReadOnlyFilesystem
}

/// Makes sure that so many bytes of a new file can be written later: what is written has its place.
pub fn set_space_aside(mut file: &File, bytes: u64) -> io::Result<()> {
    file.write_all(&vec![b' '; usize::try_from(bytes).unwrap_or(usize::MAX)])?;
    file.sync_all()
}

/// Not built.
pub fn make_private_folder(_path: &Path) -> io::Result<()> {
    Err(not_built("Keeping a folder to its owner by an access list"))
}

/// Not built.
pub fn restrict_folder(_path: &Path) -> io::Result<()> {
    Err(not_built("Keeping a folder to its owner by an access list"))
}

/// How a file is opened for writing in a folder that is its owner's only.
pub fn make_private_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    options
}

/// Whether other users may read the file: no access list is looked at, so they may for all that is known.
pub fn is_readable_by_others(_file: &File) -> bool {
    true
}

/// A path from the bytes that name it in files and recovery points: WTF-8.
pub fn path_from_bytes(bytes: Vec<u8>) -> Option<PathBuf> {
    let units = wtf8::decode(&bytes).ok()?;
    (!units.contains(&0)).then(|| PathBuf::from(OsString::from_wide(&units)))
}

/// The bytes that name a path in files and recovery points: WTF-8.
pub fn path_bytes(path: &Path) -> Vec<u8> {
    wtf8::encode(&path.as_os_str().encode_wide().collect::<Vec<u16>>())
}

/// Not built.
pub fn sync_folder(_path: &Path) -> io::Result<()> {
    Err(not_built("Making a folder's entries durable"))
}

/// This process.
pub fn this_process() -> ProcessIdentity {
    ProcessIdentity { pid: std::process::id(), started: 0, boot: String::new() }
}

/// The process that has this number: none is asked for, so one is taken to be there. A job is then never taken away from
/// a process that may live.
pub fn process(pid: u32) -> Option<ProcessIdentity> {
    Some(ProcessIdentity { pid, started: 0, boot: String::new() })
}

/// Not built.
pub fn begin_own_session() -> io::Result<()> {
    Err(not_built("Running a job in a process of its own"))
}

/// Not built.
pub fn lower_priority() -> io::Result<()> {
    Err(not_built("Lowering a process's priority"))
}

/// Not built.
pub fn move_output_to(_log: &File) -> io::Result<()> {
    Err(not_built("Moving a process's output to its log"))
}

/// Not built.
pub fn signals(_told: impl FnMut(Signal) + Send + 'static) -> io::Result<()> {
    Err(not_built("Stopping a job by Ctrl-C"))
}

/// The side that answers; not built, so there is none.
#[derive(Debug)]
pub enum Listener {}

impl Listener {
    /// Not built.
    pub fn bind(_path: &Path) -> io::Result<Self> {
        Err(not_built("Asking a running agent"))
    }

    /// There is none.
    pub fn answer_next(&self, _answer: impl FnOnce(&str) -> Option<String>) -> io::Result<()> {
        match *self {}
    }
}

/// Not built.
pub fn ask(_path: &Path, _question: &str) -> io::Result<String> {
    Err(not_built("Asking a running agent"))
}

/// Not built: there is no service.
pub fn service_state(_home: &Path) -> ServiceState {
    ServiceState { unit: None, is_packaged: false, is_of_home: false, is_managed: false }
}

/// Not built.
pub fn install_service(_program: &Path, _home: &Path) -> Result<ServiceState, ServiceProblem> {
    Err(no_service())
}

/// Not built.
pub fn uninstall_service(_home: &Path) -> Result<ServiceState, ServiceProblem> {
    Err(no_service())
}

/// Not built.
pub fn start_service() -> Result<(), ServiceProblem> {
    Err(no_service())
}

fn no_service() -> ServiceProblem {
    ServiceProblem::Failed(not_built("Running the agent as a service").to_string())
}

/// This machine's name.
pub fn host_name() -> String {
    std::env::var("COMPUTERNAME").unwrap_or_default()
}

/// The operating system.
pub fn operating_system() -> String {
    "Windows".to_owned()
}

/// Which operating system it is and which release, for programs.
pub fn operating_system_release() -> (String, String) {
    ("windows".to_owned(), String::new())
}
