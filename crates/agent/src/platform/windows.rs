//! Windows. What isn't built yet is refused with an error that says so.
//!
//! A home is kept to whoever runs the agent, the administrators and the system by its access list. Where the file system
//! keeps none, `stateward doctor` tells.

mod group;
mod packages;
mod services;
mod system_log;
mod trust;

pub use group::{Group, is_being_written, make_bare};
pub use packages::{install_package, installed_package};
pub use services::{
    ManagedProcess, install_service, service_state, start_service, stop_service, uninstall_service,
};
pub use system_log::write as write_system_log;
pub use trust::{trusted_authorities, why_not_to_run, why_not_to_trust};

use super::{FileSystem, FreeSpace, ProcessIdentity, Signal};
use stateward_format::wtf8;
use stateward_system_state::server_backup::record::KnownNames;
use stateward_windows::{
    access, console, job, libraries, metadata, pipe, process as processes, sealing, volume,
};
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::windows::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use zeroize::Zeroizing;

/// The names that only the environment knows, for what a recording of Windows' programs must not have.
pub fn known_names() -> KnownNames {
    let of = |names: &[&str]| -> Vec<String> {
        let values = names.iter().filter_map(std::env::var_os);
        values.map(|value| value.to_string_lossy().trim_start_matches('\\').to_owned()).collect()
    };
    KnownNames {
        machines: of(&["COMPUTERNAME", "LOGONSERVER"]),
        users: of(&["USERNAME"]),
        domains: of(&["USERDOMAIN", "USERDNSDOMAIN", "USERDOMAIN_ROAMINGPROFILE"]),
    }
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

/// What is restored to where it came from is laid below this: below no drive, for paths of recovery points begin with one.
pub fn original_root() -> PathBuf {
    PathBuf::from(r"\")
}

/// Lets a command begin a group of processes: Ctrl-C at the console isn't for it.
pub fn begin_own_group(command: &mut Command) {
    job::begin_group(command);
}

/// How a person closes a file or folder to other users: the system and the administrators are told by number, for their
/// names are other ones in each language.
pub fn close_to_others(path: &Path) -> String {
    let below = if path.is_dir() { "(OI)(CI)" } else { "" };
    format!(
        "Close it to them: `icacls \"{}\" /inheritance:r /grant *S-1-5-18:{below}F *S-1-5-32-544:{below}F`",
        path.display()
    )
}

/// Whether other users may do anything with a folder.
pub fn is_open_to_others(folder: &Path) -> io::Result<bool> {
    access::is_open_to_others(folder)
}

/// What kind of file system a path lies on, as far as that matters: `None` for one of this machine.
pub fn file_system(path: &Path) -> Option<FileSystem> {
    volume::is_remote(path).then_some(FileSystem { name: "the network", is_network: true })
}

/// What the volume of a path, or of the next folder above it that is there, can still take. NTFS has no limit on files.
pub fn free_space(path: &Path) -> Option<FreeSpace> {
    let bytes = path.ancestors().find_map(|path| volume::free_bytes(path).ok())?;
    Some(FreeSpace { bytes, files: None })
}

/// Whether the error says that a disk or its file system fails, or may not be written.
pub fn is_disk_failure(cause: &io::Error) -> bool {
    metadata::is_disk_failure(cause) || cause.kind() == io::ErrorKind::ReadOnlyFilesystem
}

/// Makes sure that so many bytes of a new file can be written later: what is written has its place.
pub fn set_space_aside(mut file: &File, bytes: u64) -> io::Result<()> {
    file.write_all(&vec![b' '; usize::try_from(bytes).unwrap_or(usize::MAX)])?;
    file.sync_all()
}

/// Makes a folder and its parents, for whoever runs the agent, the administrators and the system. One that is there is no
/// error.
pub fn make_private_folder(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    std::fs::create_dir_all(path)?;
    restrict_folder(path)
}

/// Takes the rights of others away from a folder, if they have any. A call that succeeds need not have done it: that it has
/// is looked for, and told where it has not, as on Linux' file systems without modes.
pub fn restrict_folder(path: &Path) -> io::Result<()> {
    if !access::is_open_to_others(path)? {
        return Ok(());
    }
    access::restrict(path)?;
    if access::is_open_to_others(path)? {
        tracing::warn!(path = %path.display(), "others may still enter this folder: its file system keeps no access lists");
    }
    Ok(())
}

/// How a file is opened for writing in a folder that is its owner's only.
pub fn make_private_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    options
}

/// Secret bytes as they lie in a file: sealed for this machine.
pub fn seal(secret: &[u8]) -> io::Result<Option<Vec<u8>>> {
    sealing::seal(secret).map(Some)
}

/// Opens what [`seal`] gave on the same machine.
pub fn unseal(sealed: &[u8]) -> io::Result<Zeroizing<Vec<u8>>> {
    sealing::open(sealed).map(Zeroizing::new)
}

/// Whether other users may read the file. They may, for all that is known, where its access list can't be read.
pub fn is_readable_by_others(file: &File) -> bool {
    access::is_file_open_to_others(file).unwrap_or(true)
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

/// How a path that a person names stands in a recovery point: `C:\Data` is `/C/Data`. What lies on no drive is in none.
pub fn point_path(path: &Path) -> Vec<u8> {
    stateward_system_state::point_path(path).unwrap_or_else(|| path_bytes(path))
}

/// Makes a path within a recovery point absolute; one that names no drive is as it stands there.
pub fn absolute_in_point(path: &Path) -> io::Result<PathBuf> {
    match path.has_root() && !path.is_absolute() {
        true => Ok(path.to_owned()),
        false => std::path::absolute(path),
    }
}

/// Makes a folder's entries durable, as far as its volume lets a folder be flushed: NTFS writes changes of folders into its
/// journal in their order.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    match metadata::sync_folder(path) {
        Err(cause) if cause.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        Err(cause) if metadata::is_unknown_to_file_system(&cause) => Ok(()),
        done => done,
    }
}

/// This process.
pub fn this_process() -> ProcessIdentity {
    let pid = std::process::id();
    process(pid).unwrap_or(ProcessIdentity { pid, started: 0, boot: String::new() })
}

/// The process that has this number now. When it was started tells it apart, whichever start of the machine that was. One
/// of which that can't be told is somebody else's.
pub fn process(pid: u32) -> Option<ProcessIdentity> {
    let started = processes::started(pid).ok()??;
    Some(ProcessIdentity { pid, started, boot: String::new() })
}

/// Leaves the console, so that its end is not this process's.
pub fn begin_own_session() -> io::Result<()> {
    processes::leave_console();
    Ok(())
}

/// Has libraries that are loaded while the program runs come from Windows' own folder only.
///
/// # Panics
/// If Windows refuses that, which it can't for a reason of the machine's.
pub fn keep_to_system_libraries() {
    libraries::load_from_system_only().expect("Windows takes its own folder");
}

/// Lets everything else on the machine go first: this process, and all that it starts from now on.
pub fn lower_priority() -> io::Result<()> {
    processes::lower_priority()
}

/// From now on standard output and errors go into `log`, and standard input is empty.
pub fn move_output_to(log: &File) -> io::Result<()> {
    processes::move_output(log, File::open(nowhere())?)
}

/// A file that keeps nothing.
pub fn nowhere() -> PathBuf {
    PathBuf::from("NUL")
}

/// Calls `told` from a thread of its own for what a person or the system tells by the console. The second wish to stop ends
/// the process at once with exit code 130; whatever was acknowledged is durable by then.
pub fn signals(mut told: impl FnMut(Signal) + Send + 'static) -> io::Result<()> {
    let events = console::listen()?;
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        let mut is_asked = false;
        for event in events {
            match event {
                console::Told::Stop if is_asked => end_at_once(),
                console::Told::Stop => {
                    is_asked = true;
                    told(Signal::Stop);
                }
                console::Told::Closed => told(Signal::TerminalClosed),
            }
        }
    })?;
    Ok(())
}

#[allow(clippy::exit, reason = "a person asked for the second time")]
fn end_at_once() -> ! {
    std::process::exit(130)
}

/// The side that answers: a named pipe for this user, the administrators and the system.
#[derive(Debug)]
pub struct Listener(pipe::Listener);

impl Listener {
    /// Listens for who asks about what lies at `path`.
    pub fn bind(path: &Path) -> io::Result<Self> {
        pipe::Listener::bind(&pipe_name(path)).map(Self)
    }

    /// Waits half a second at most for one who asks, and answers him if he may ask and the question has an answer.
    pub fn answer_next(&self, answer: impl FnOnce(&str) -> Option<String>) -> io::Result<()> {
        self.0.answer_next(answer)
    }
}

/// Asks who listens for `path`.
pub fn ask(path: &Path, question: &str) -> io::Result<String> {
    pipe::ask(&pipe_name(path), question)
}

/// Pipes lie in no folder, so a path is told by a hash of its letters (FNV-1a), large or small.
fn pipe_name(path: &Path) -> String {
    let shown = path.to_string_lossy().to_lowercase();
    let hash = shown.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!(r"\\.\pipe\stateward-{hash:016x}")
}

/// This machine's name.
pub fn host_name() -> String {
    std::env::var("COMPUTERNAME").unwrap_or_default()
}

/// The operating system.
pub fn operating_system() -> String {
    stateward_system_state::operating_system()
}

/// Which operating system it is and which release, for programs.
pub fn operating_system_release() -> (String, String) {
    ("windows".to_owned(), String::new())
}
