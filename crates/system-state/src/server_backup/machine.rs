//! What is asked of a machine that runs Windows: its programs, its registry, its services, its volumes.
//!
//! `windows` answers for the machine itself; tests answer as they like. [`SystemCommands`] runs programs anywhere.

use crate::server_backup::console::decode_console;
use stateward_engine::Cancellation;
use std::collections::BTreeSet;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

/// A program to be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// Its name without `.exe`; it lies in the system's own folder.
    pub program: &'static str,
    /// What it is given.
    pub arguments: Vec<String>,
    /// How long it may take.
    pub time_out: Duration,
}

impl Invocation {
    /// A program with its arguments.
    pub fn new(program: &'static str, arguments: &[&str], time_out: Duration) -> Self {
        Self { program, arguments: arguments.iter().map(|text| (*text).to_owned()).collect(), time_out }
    }
}

/// How a program ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ended {
    /// Its exit code; `None` if it was ended from outside.
    pub code: Option<i32>,
    /// What it wrote to its output, as far as [`OUTPUT_BYTES_MAX`] goes.
    pub output: Vec<u8>,
    /// What it wrote to its errors, as far as [`OUTPUT_BYTES_MAX`] goes.
    pub errors: Vec<u8>,
}

impl Ended {
    /// All that it said.
    pub fn text(&self) -> String {
        let (mut text, errors) = (decode_console(&self.output), decode_console(&self.errors));
        if !errors.is_empty() {
            text.push('\n');
            text.push_str(&errors);
        }
        text
    }
}

/// Why a program did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// It isn't there.
    #[error("`{program}` isn't installed")]
    Missing {
        /// Which.
        program: &'static str,
    },
    /// It did not end in time and was stopped.
    #[error("`{program}` took longer than {} minutes and was stopped", .time_out.as_secs().div_ceil(60))]
    TimedOut {
        /// Which.
        program: &'static str,
        /// How long it had.
        time_out: Duration,
    },
    /// Somebody asked to stop.
    #[error("`{program}` was stopped, as it was asked for")]
    Cancelled {
        /// Which.
        program: &'static str,
    },
    /// It could not be started or waited for.
    #[error("`{program}` can't be run: {cause}")]
    Unusable {
        /// Which.
        program: &'static str,
        /// The operating system's reason.
        cause: io::Error,
    },
}

/// Runs programs.
pub trait Commands: Send + Sync {
    /// Runs a program to its end. `heard` is given each piece of its output as it comes. When time is out or somebody asks to
    /// stop, the program is ended; what it has asked a service to do goes on.
    fn run(
        &self,
        invocation: &Invocation,
        heard: &mut dyn FnMut(&[u8]),
        cancellation: &Cancellation,
    ) -> Result<Ended, CommandError>;
}

/// What a value of the registry holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegistryValue {
    /// `REG_SZ`, `REG_EXPAND_SZ`.
    Text(String),
    /// `REG_MULTI_SZ`.
    Texts(Vec<String>),
    /// `REG_DWORD`, `REG_QWORD`.
    Number(u64),
    /// Anything else, by its length in bytes.
    Other(usize),
}

impl RegistryValue {
    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Text(text) => text.is_empty(),
            Self::Texts(texts) => texts.iter().all(String::is_empty),
            Self::Number(_) => false,
            Self::Other(length) => *length == 0,
        }
    }
}

/// Reads the registry, as 64-bit programs see it. Keys begin with `HKLM\`; what is not there is no error.
pub trait Registry: Send + Sync {
    /// The names of the keys below a key; `None` if the key isn't there.
    fn subkeys(&self, key: &str) -> io::Result<Option<Vec<String>>>;
    /// A value.
    fn value(&self, key: &str, name: &str) -> io::Result<Option<RegistryValue>>;
}

/// How a service stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceState {
    /// There is none of this name.
    Missing,
    /// It may not be started.
    Disabled,
    /// It doesn't run, and is started when it is needed.
    Stopped,
    /// It runs.
    Running,
}

/// Asks the service control manager, and for what else runs.
pub trait Services: Send + Sync {
    /// How a service stands.
    fn state(&self, name: &str) -> io::Result<ServiceState>;
    /// The file names of all programs that run, such as `wbadmin.exe`, in small letters.
    fn programs(&self) -> io::Result<BTreeSet<String>>;
}

/// A volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// Such as `\\?\Volume{GUID}\`.
    pub id: String,
    /// Where it is mounted: drives (`D:\`) and folders.
    pub mounts: Vec<PathBuf>,
    /// Such as `NTFS`; empty if it has none.
    pub file_system: String,
    /// Whether it is a fixed disk's: not of a removable disk, not of a network.
    pub is_fixed: bool,
    /// Bytes in all.
    pub bytes: u64,
    /// Bytes that are free for this program.
    pub free_bytes: u64,
}

/// Why a volume can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// Somebody has it open and lets nobody in beside.
    #[error("another program holds it")]
    Held,
    /// It is locked, or this program may not open it: Windows tells no difference.
    #[error("it is locked, or may not be read")]
    LockedOrForbidden,
    /// That can't be told.
    #[error("{0}")]
    Unknown(io::Error),
}

/// Looks at volumes.
pub trait Volumes: Send + Sync {
    /// All of this machine.
    fn list(&self) -> io::Result<Vec<Volume>>;
    /// How many bytes are free below a path.
    fn free_bytes(&self, path: &Path) -> io::Result<u64>;
    /// Whether its access list lets the system itself do everything with a folder. What doesn't ask has nothing to say, which
    /// is an error and no answer.
    fn lets_system_do_all(&self, _folder: &Path) -> io::Result<bool> {
        Err(io::ErrorKind::Unsupported.into())
    }
    /// Opens the volume that the kernel knows by that name (`\Device\HarddiskVolume1`) for reading beside others, and closes it
    /// again.
    fn try_device(&self, _name: &str) -> Result<(), DeviceError> {
        Err(DeviceError::Unknown(io::ErrorKind::Unsupported.into()))
    }
}

/// No more of a program's output is kept, in bytes, and no more of its errors.
pub const OUTPUT_BYTES_MAX: usize = 16 << 20;

/// How often it is looked whether somebody asked to stop, and whether a program that has closed its output has ended.
const LOOK: Duration = Duration::from_millis(50);

/// Runs the programs of one folder: `C:\Windows\System32`, never what a path would find.
#[derive(Debug, Clone)]
pub struct SystemCommands {
    folder: PathBuf,
}

/// What a reader of a program has to say.
enum Heard {
    Output(Vec<u8>),
    Errors(Vec<u8>),
}

impl SystemCommands {
    /// Programs of that folder.
    pub fn of(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    fn start(&self, invocation: &Invocation) -> Result<Child, CommandError> {
        let program = invocation.program;
        let path = self.folder.join(format!("{program}{}", std::env::consts::EXE_SUFFIX));
        let mut command = Command::new(path);
        command.args(&invocation.arguments).current_dir(&self.folder);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().map_err(|cause| match cause.kind() {
            io::ErrorKind::NotFound => CommandError::Missing { program },
            _ => CommandError::Unusable { program, cause },
        })
    }
}

impl Commands for SystemCommands {
    fn run(
        &self,
        invocation: &Invocation,
        heard: &mut dyn FnMut(&[u8]),
        cancellation: &Cancellation,
    ) -> Result<Ended, CommandError> {
        let mut child = self.start(invocation)?;
        let (sender, receiver) = mpsc::channel();
        tell(child.stdout.take(), sender.clone(), Heard::Output);
        tell(child.stderr.take(), sender, Heard::Errors);
        let (program, begun) = (invocation.program, Instant::now());
        let mut ended = Ended::default();
        let mut is_silent = false;
        let failed = loop {
            if cancellation.is_cancelled() {
                break CommandError::Cancelled { program };
            }
            if begun.elapsed() >= invocation.time_out {
                break CommandError::TimedOut { program, time_out: invocation.time_out };
            }
            if is_silent {
                match child.try_wait() {
                    Ok(Some(status)) => {
                        ended.code = status.code();
                        return Ok(ended);
                    }
                    Ok(None) => thread::sleep(LOOK),
                    Err(cause) => break CommandError::Unusable { program, cause },
                }
                continue;
            }
            match receiver.recv_timeout(LOOK) {
                Ok(Heard::Output(bytes)) => {
                    heard(&bytes);
                    keep(&mut ended.output, &bytes);
                }
                Ok(Heard::Errors(bytes)) => keep(&mut ended.errors, &bytes),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => is_silent = true,
            }
        };
        // It may have ended by now; then there is nothing to stop.
        let _ = child.kill();
        let _ = child.wait();
        Err(failed)
    }
}

fn keep(kept: &mut Vec<u8>, bytes: &[u8]) {
    let room = OUTPUT_BYTES_MAX.saturating_sub(kept.len());
    kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
}

/// Reads in a thread of its own, which ends with the program, or with whoever holds its output.
fn tell(from: Option<impl Read + Send + 'static>, to: Sender<Heard>, kind: fn(Vec<u8>) -> Heard) {
    let Some(mut from) = from else { return };
    thread::spawn(move || {
        let mut buffer = vec![0; 16 << 10];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            if to.send(kind(buffer[..length].to_vec())).is_err() {
                return;
            }
        }
    });
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    fn run(script: &str, time_out: Duration, cancellation: &Cancellation) -> Result<Ended, CommandError> {
        let invocation = Invocation::new("sh", &["-c", script], time_out);
        SystemCommands::of("/bin").run(&invocation, &mut |_| {}, cancellation)
    }

    #[test]
    fn output_errors_and_exit_code_are_told_apart() {
        let ended = run("echo out; echo err >&2; exit 7", LONG, &Cancellation::default()).unwrap();
        assert_eq!(
            (ended.code, &ended.output[..], &ended.errors[..]),
            (Some(7), &b"out\n"[..], &b"err\n"[..])
        );
        assert_eq!(ended.text(), "out\n\nerr\n");
        let killed = run("kill -9 $$", LONG, &Cancellation::default()).unwrap();
        assert_eq!(killed.code, None);
    }

    #[test]
    fn output_is_heard_while_the_program_runs_and_may_end_it() {
        let cancellation = Cancellation::default();
        let invocation = Invocation::new("sh", &["-c", "echo 50%; exec sleep 600"], LONG);
        let mut heard = Vec::new();
        let mut hear = |bytes: &[u8]| {
            heard.extend_from_slice(bytes);
            cancellation.cancel();
        };
        let error = SystemCommands::of("/bin").run(&invocation, &mut hear, &cancellation).unwrap_err();
        assert!(matches!(error, CommandError::Cancelled { program: "sh" }), "{error}");
        assert_eq!(heard, b"50%\n");
    }

    #[test]
    fn a_program_that_hangs_with_or_without_its_output_is_stopped() {
        for script in ["exec sleep 600", "exec >&- 2>&-; exec sleep 600", "sleep 3 & exit 0"] {
            let error = run(script, Duration::from_millis(100), &Cancellation::default()).unwrap_err();
            assert!(matches!(error, CommandError::TimedOut { .. }), "{script}: {error}");
        }
    }

    #[test]
    fn what_is_not_there_is_missing() {
        let invocation = Invocation::new("no-such-program", &[], LONG);
        let ran = SystemCommands::of("/bin").run(&invocation, &mut |_| {}, &Cancellation::default());
        assert!(matches!(ran.unwrap_err(), CommandError::Missing { .. }));
    }
}
