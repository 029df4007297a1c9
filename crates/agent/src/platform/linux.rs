//! Linux.

mod packages;
mod socket;
mod system_log;
mod systemd;

pub use packages::{install_package, installed_package};
pub use socket::{Listener, ask};
pub use system_log::write as write_system_log;
pub use systemd::{
    ManagedProcess, install as install_service, service_state, start_service, stop_service,
    uninstall as uninstall_service,
};

use super::{FileSystem, FreeSpace, ProcessIdentity, Signal};
use rustix::fs::{FallocateFlags, fallocate, statfs, statvfs};
use rustix::io::Errno;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use stateward_system_state::server_backup::record::KnownNames;
use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use zeroize::Zeroizing;

/// Only for the owner.
const PRIVATE_FOLDER: u32 = 0o700;
const PRIVATE_FILE: u32 = 0o600;

/// The nicest of the nice values.
const LOWEST_PRIORITY: i32 = 19;

/// Where the home lies if nobody says otherwise: `/var/lib/stateward` for root, else under the user's state folder
/// (XDG Base Directory Specification 0.8). `None` for a user without a home folder.
pub fn default_home() -> Option<PathBuf> {
    if rustix::process::geteuid().is_root() {
        return Some(PathBuf::from("/var/lib/stateward"));
    }
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")))?;
    Some(state.join("stateward"))
}

/// Where hooks lie if nobody says otherwise: with the system's settings for root, else with the user's (XDG Base
/// Directory Specification 0.8). `None` for a user without a home folder.
pub fn default_hooks() -> Option<PathBuf> {
    if rustix::process::geteuid().is_root() {
        return Some(PathBuf::from("/etc/stateward/hooks"));
    }
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let settings = absolute("XDG_CONFIG_HOME").or_else(|| Some(absolute("HOME")?.join(".config")))?;
    Some(settings.join("stateward/hooks"))
}

/// Where the administrator's release keys lie, whoever runs the agent.
pub fn default_release_keys() -> Option<PathBuf> {
    Some(PathBuf::from("/etc/stateward/release-keys"))
}

/// Where distributions keep the list of certificate authorities that a machine trusts: Debian's, Red Hat's, SUSE's, Alpine's.
const AUTHORITIES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// What is restored to where it came from is laid below this.
pub fn original_root() -> PathBuf {
    PathBuf::from("/")
}

/// The certificate authorities that this machine trusts, as PEM.
pub fn trusted_authorities() -> io::Result<String> {
    let found = AUTHORITIES.iter().find(|path| Path::new(path).exists());
    found.map_or_else(|| Err(io::ErrorKind::NotFound.into()), fs::read_to_string)
}

/// Why what stands in a file must not be trusted, as the end of a sentence: another user than root and this one could have
/// written it. `None` if it may be.
pub fn why_not_to_trust(path: &Path, file: &File) -> io::Result<Option<String>> {
    let me = rustix::process::geteuid().as_raw();
    let may_others = |found: &fs::Metadata| {
        (found.uid() != 0 && found.uid() != me)
            || (found.mode() & WRITABLE_BY_OTHERS != 0 && found.mode() & STICKY == 0)
    };
    if !file.metadata()?.is_file() {
        return Ok(Some("it is no file".to_owned()));
    }
    if may_others(&file.metadata()?) {
        return Ok(Some("others may write it".to_owned()));
    }
    let folders = path.canonicalize()?;
    for folder in folders.ancestors().skip(1) {
        if may_others(&fs::metadata(folder)?) {
            return Ok(Some(format!("others may write to its folder `{}`", folder.display())));
        }
    }
    Ok(None)
}

/// Others may write.
const WRITABLE_BY_OTHERS: u32 = 0o022;

/// In a folder that others may write to, only a file's owner may rename or remove it.
const STICKY: u32 = 0o1000;

/// Why the program at `path` must not be run with this process's rights, as the end of a sentence: it is none, or
/// another user than root and this one could have written it, or put it there. `None` if it may be run.
pub fn why_not_to_run(path: &Path) -> io::Result<Option<String>> {
    let me = rustix::process::geteuid().as_raw();
    let program = path.canonicalize()?;
    let found = fs::metadata(&program)?;
    if !found.is_file() || found.mode() & 0o111 == 0 {
        return Ok(Some(
            "it isn't an executable file: make it executable (`chmod +x`), or remove it".to_owned(),
        ));
    }
    // The way to the name that is run, and the way to what that leads to.
    let ways = path.parent().into_iter().flat_map(Path::ancestors).chain(program.ancestors());
    for step in ways {
        let found = fs::metadata(step)?;
        let (shown, mode) = (step.display(), found.mode() & 0o7777);
        if found.uid() != 0 && found.uid() != me {
            let why = format!(
                "`{shown}` belongs to another user ({}): give it to root (`chown root`)",
                found.uid()
            );
            return Ok(Some(why));
        }
        let is_guarded = found.is_dir() && mode & STICKY != 0;
        if mode & WRITABLE_BY_OTHERS != 0 && !is_guarded {
            let why = format!("others may write to `{shown}` (mode {mode:o}): forbid it (`chmod go-w`)");
            return Ok(Some(why));
        }
    }
    Ok(None)
}

/// Lets a command begin a group of processes, so that it can be stopped with all that it starts.
pub fn begin_own_group(command: &mut Command) {
    command.process_group(0);
}

/// A command that runs, with all that it starts.
#[derive(Debug)]
pub struct Group(Child);

impl Group {
    /// Starts a command as a group of its own.
    pub fn start(command: &mut Command) -> io::Result<Self> {
        begin_own_group(command);
        command.spawn().map(Self)
    }

    /// How the command ended, once it has.
    pub fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        self.0.try_wait()
    }

    /// Stops the command and all that it has started. It may have ended by now; then there is nothing to stop.
    pub fn stop(&mut self) {
        if let Some(group) = i32::try_from(self.0.id()).ok().and_then(rustix::process::Pid::from_raw) {
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        let _ = self.0.wait();
    }
}

/// Gives a command nothing of our environment but where the machine's programs are, and a folder that is always there.
pub fn make_bare(command: &mut Command) {
    const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    command.env_clear().env("PATH", PATH).current_dir("/");
}

/// Whether a program can't be started at this moment because somebody is just writing it.
pub fn is_being_written(cause: &io::Error) -> bool {
    cause.kind() == io::ErrorKind::ExecutableFileBusy
}

/// Makes a folder and its parents, for the owner only. One that is there is no error.
pub fn make_private_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(PRIVATE_FOLDER).create(path)
}

/// Takes the rights of others away from a folder, if they have any.
pub fn restrict_folder(path: &Path) -> io::Result<()> {
    let mode = fs::metadata(path)?.permissions().mode();
    match mode & 0o077 {
        0 => Ok(()),
        _ => fs::set_permissions(path, Permissions::from_mode(mode & 0o700)),
    }
}

/// How a file for the owner only is opened for writing.
pub fn make_private_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).mode(PRIVATE_FILE);
    options
}

/// Secret bytes as they lie in a file, sealed for this machine. Nothing seals them here: `None`.
pub fn seal(_secret: &[u8]) -> io::Result<Option<Vec<u8>>> {
    Ok(None)
}

/// Opens what [`seal`] gave on the same machine; nothing here ever did.
pub fn unseal(_sealed: &[u8]) -> io::Result<Zeroizing<Vec<u8>>> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Whether other users may read the file.
pub fn is_readable_by_others(file: &File) -> bool {
    file.metadata().is_ok_and(|found| found.permissions().mode() & 0o077 != 0)
}

/// How a person closes a file or folder to other users.
pub fn close_to_others(path: &Path) -> String {
    format!("Close it to them: `chmod go= {}`", path.display())
}

/// Whether other users may do anything with a folder.
pub fn is_open_to_others(folder: &Path) -> io::Result<bool> {
    Ok(fs::metadata(folder)?.permissions().mode() & 0o077 != 0)
}

/// The kinds of file systems by their numbers (statfs(2), and linux/magic.h), and whether they lie on other machines. One
/// that programs provide (FUSE) may be either, and is not told of.
const FILE_SYSTEMS: [(u64, &str, bool); 19] = [
    (0xef53, "ext", false),
    (0x9123_683e, "btrfs", false),
    (0x5846_5342, "XFS", false),
    (0x2fc1_2fc1, "ZFS", false),
    (0xf2f5_2010, "F2FS", false),
    (0x0102_1994, "tmpfs", false),
    (0x794c_7630, "overlay", false),
    (0x4d44, "FAT", false),
    (0x2011_bab0, "exFAT", false),
    (0x6969, "NFS", true),
    (0x517b, "SMB", true),
    (0xff53_4d42, "SMB", true),
    (0xfe53_4d42, "SMB", true),
    (0x00c3_6400, "Ceph", true),
    (0x5346_414f, "AFS", true),
    (0x0102_1997, "9P", true),
    (0x0bd0_0bd0, "Lustre", true),
    (0x7461_636f, "OCFS2", true),
    (0x0116_1970, "GFS2", true),
];

/// What kind of file system a path, or the next folder above it that is there, lies on; `None` if it is not known.
pub fn file_system(path: &Path) -> Option<FileSystem> {
    let found = path.ancestors().find_map(|path| statfs(path).ok())?;
    // Its width and sign differ between machines; the number has 32 bits.
    let number = found.f_type as u64 & 0xffff_ffff;
    known_file_system(number)
}

fn known_file_system(number: u64) -> Option<FileSystem> {
    let (_, name, is_network) = FILE_SYSTEMS.into_iter().find(|(known, ..)| *known == number)?;
    Some(FileSystem { name, is_network })
}

/// What the file system at a path, or at the next folder above it that is there, can still take.
pub fn free_space(path: &Path) -> Option<FreeSpace> {
    let found = path.ancestors().find_map(|path| statvfs(path).ok())?;
    let bytes = found.f_bavail.saturating_mul(found.f_frsize);
    // Some file systems have no limit on files and tell a total of none.
    Some(FreeSpace { bytes, files: (found.f_files > 0).then_some(found.f_favail) })
}

/// Whether the error says that a disk or its file system fails: an input/output error, a file system that is damaged, or
/// one that the kernel has made read-only, as it does after such errors.
pub fn is_disk_failure(cause: &io::Error) -> bool {
    let errno = Errno::from_io_error(cause);
    matches!(errno, Some(Errno::IO | Errno::UCLEAN | Errno::ROFS))
        || cause.kind() == io::ErrorKind::ReadOnlyFilesystem
}

/// Makes sure that so many bytes of a new file can be written later, whatever else fills the disk.
pub fn set_space_aside(mut file: &File, bytes: u64) -> io::Result<()> {
    match fallocate(file, FallocateFlags::empty(), 0, bytes) {
        // A file system that can't: what is written has its place.
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => {
            file.write_all(&vec![b' '; usize::try_from(bytes).unwrap_or(usize::MAX)])?;
            file.sync_all()
        }
        done => Ok(done?),
    }
}

/// A path from the bytes that the operating system would give.
pub fn path_from_bytes(bytes: Vec<u8>) -> Option<PathBuf> {
    (!bytes.contains(&0)).then(|| PathBuf::from(OsString::from_vec(bytes)))
}

/// A path's bytes, as the operating system would give them.
pub fn path_bytes(path: &Path) -> Vec<u8> {
    path.as_os_str().as_bytes().to_vec()
}

/// How a path that a person names stands in a recovery point.
pub fn point_path(path: &Path) -> Vec<u8> {
    path_bytes(path)
}

/// Makes a path within a recovery point absolute.
pub fn absolute_in_point(path: &Path) -> io::Result<PathBuf> {
    std::path::absolute(path)
}

/// Makes a folder's entries durable.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// This process.
pub fn this_process() -> ProcessIdentity {
    let pid = std::process::id();
    process(pid).unwrap_or(ProcessIdentity { pid, started: 0, boot: String::new() })
}

/// The process that has this number now.
pub fn process(pid: u32) -> Option<ProcessIdentity> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (state, started) = parse_stat(&stat)?;
    // A zombie does nothing any more.
    if state == "Z" || state == "X" {
        return None;
    }
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    Some(ProcessIdentity { pid, started, boot: boot.trim().to_owned() })
}

/// State and start time of proc(5)'s `stat`: the 3rd and the 22nd field. The 2nd holds the program's name in
/// parentheses, with whatever it likes inside.
fn parse_stat(stat: &str) -> Option<(&str, u64)> {
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    let state = fields.next()?;
    Some((state, fields.nth(18)?.parse().ok()?))
}

/// Leaves the terminal's session, so that its end is not this process's.
pub fn begin_own_session() -> io::Result<()> {
    // The leader of a process group is refused; then it was started by a shell's job control, and SIGHUP is handled.
    match rustix::process::setsid() {
        Ok(_) | Err(rustix::io::Errno::PERM) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}

/// Has libraries that are loaded while the program runs come from the system's own folders: here they do.
pub fn keep_to_system_libraries() {}

/// Lets everything else on the machine go first, as far as it may: the calling thread and all that it starts from now
/// on. Whoever has the lowest priority already keeps it.
///
/// Linux keeps the nice value for each thread (setpriority(2), "C library/kernel differences"), and derives from it the
/// lowest level of best effort for the thread's disk requests as long as nobody sets another (ioprio_set(2)).
pub fn lower_priority() -> io::Result<()> {
    rustix::process::setpriority_process(None, LOWEST_PRIORITY)?;
    lower_own_session()
}

/// Where the kernel shares processors out by session (sched(7), "The autogroup feature"), nice values count within one
/// session only: a session that is this process's own is lowered as a whole, one that it shares is left alone.
fn lower_own_session() -> io::Result<()> {
    if rustix::process::getsid(None)? != rustix::process::getpid() {
        return Ok(());
    }
    match fs::write("/proc/self/autogroup", LOWEST_PRIORITY.to_string()) {
        // A kernel without the feature.
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

/// From now on standard output and errors go into `log`, and standard input is empty.
pub fn move_output_to(log: &File) -> io::Result<()> {
    rustix::stdio::dup2_stdin(File::open("/dev/null")?)?;
    rustix::stdio::dup2_stdout(log)?;
    rustix::stdio::dup2_stderr(log)?;
    Ok(())
}

/// A file that keeps nothing.
pub fn nowhere() -> PathBuf {
    PathBuf::from("/dev/null")
}

/// Calls `told` from a thread of its own for each signal. The second wish to stop ends the process at once with exit
/// code 130; whatever was acknowledged is durable by then.
pub fn signals(mut told: impl FnMut(Signal) + Send + 'static) -> io::Result<()> {
    let asked = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&asked))?;
        signal_hook::flag::register(signal, Arc::clone(&asked))?;
    }
    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for signal in signals.forever() {
            told(if signal == SIGHUP { Signal::TerminalClosed } else { Signal::Stop });
        }
    })?;
    Ok(())
}

/// This machine's name, as the kernel has it.
pub fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// The names that only the environment knows, for what a recording of Windows' programs must not have: there is none here.
pub fn known_names() -> KnownNames {
    KnownNames::default()
}

/// The operating system as it names itself (os-release(5)).
pub fn operating_system() -> String {
    Some(of_release("PRETTY_NAME=")).filter(|name| !name.is_empty()).unwrap_or_else(|| "Linux".to_owned())
}

/// Which operating system it is and which release, for programs: `debian` and `12`. Empty where it does not tell.
pub fn operating_system_release() -> (String, String) {
    (of_release("ID="), of_release("VERSION_ID="))
}

/// What os-release(5) says after `key`.
fn of_release(key: &str) -> String {
    let release =
        fs::read_to_string("/etc/os-release").or_else(|_| fs::read_to_string("/usr/lib/os-release"));
    let value =
        release.ok().and_then(|text| text.lines().find_map(|line| line.strip_prefix(key)).map(str::to_owned));
    value.unwrap_or_default().trim_matches(['"', '\'']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_told_by_its_number_and_start_even_with_a_hostile_name() {
        let line = "42 (a) b (c) R 1 42 42 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 987654 1 1";
        assert_eq!(parse_stat(line), Some(("R", 987_654)));
        assert_eq!(process(std::process::id()), Some(this_process()));
        assert!(this_process().started > 0);
    }

    #[test]
    fn a_lowered_thread_starts_lowered_threads_and_leaves_the_others_alone() {
        let nice = || rustix::process::getpriority_process(None).unwrap();
        let before = nice();
        let lowered = std::thread::spawn(move || {
            lower_priority().unwrap();
            (nice(), std::thread::spawn(nice).join().unwrap())
        });
        assert_eq!(lowered.join().unwrap(), (LOWEST_PRIORITY, LOWEST_PRIORITY));
        assert_eq!(nice(), before);
    }

    #[test]
    fn file_systems_of_other_machines_are_told_apart() {
        let is_network = |number| known_file_system(number).map(|found| found.is_network);
        assert_eq!(
            [0x6969, 0xff53_4d42, 0xef53, 7].map(is_network),
            [Some(true), Some(true), Some(false), None]
        );
        let folder = tempfile::tempdir().unwrap();
        assert!(!file_system(&folder.path().join("not/there")).is_some_and(|found| found.is_network));
    }

    #[test]
    fn a_folder_that_others_may_enter_is_closed_to_them() {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        restrict_folder(folder.path()).unwrap();
        assert_eq!(fs::metadata(folder.path()).unwrap().permissions().mode() & 0o777, 0o700);
    }
}
