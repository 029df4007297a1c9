//! A protected Windows server of a test's own: `stateward.exe` under Wine, spoken to as a person would.
//!
//! Wine is not Windows: what runs here shows that the program loads, and what it does with files, processes and the network.
//! It shows nothing of access lists, streams, links and whatever else Wine only says yes to
//! ([docs/windows-verification.md](../../../docs/windows-verification.md)).
//!
//! `scripts/test-windows.sh` builds the program, makes the folder that stands for its machine, and says where both are.

use crate::process::{Outcome, run};
use crate::server::{PASSPHRASE, VAULT};
use crate::vault::Access;
use serde_json::Value;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// Where Debian's package puts it.
const WINE: &str = "/usr/lib/wine/wine64";

/// One home below Wine and what belongs to it.
pub struct WindowsServer {
    folder: TempDir,
    program: PathBuf,
}

/// What `scripts/test-windows.sh` says under a name.
#[track_caller]
pub fn told(name: &str) -> PathBuf {
    let value = std::env::var_os(name);
    value.map(PathBuf::from).unwrap_or_else(|| panic!("{name} is not set: run scripts/test-windows.sh"))
}

/// The folder that stands for a machine: its drive `C:` is `drive_c` in it.
#[track_caller]
pub fn machine_folder() -> PathBuf {
    told("STATEWARD_WINE_PREFIX")
}

/// How a program of Windows names a path of this machine: Wine gives it the whole of it as the drive `Z:`.
pub fn windows_path(path: &Path) -> String {
    format!("Z:{}", path.to_str().expect("temp paths are UTF-8").replace('/', "\\"))
}

/// A command that runs a program of Windows.
pub fn wine(program: &Path) -> Command {
    let mut command = Command::new(WINE);
    command.arg(program);
    command.env("WINEPREFIX", told("STATEWARD_WINE_PREFIX")).env("WINEDEBUG", "-all").env_remove("DISPLAY");
    // Which bytes of names are which characters.
    command.env("LC_ALL", "C.UTF-8");
    // Nobody is asked whether to install what nobody needs.
    command.env("WINEDLLOVERRIDES", "mscoree=;mshtml=;winemenubuilder.exe=").env_remove("RUST_LOG");
    command
}

impl WindowsServer {
    /// A home that knows no vault yet.
    #[track_caller]
    pub fn fresh() -> Self {
        let folder = TempDir::with_prefix("stateward-windows-").expect("a temp folder can be made");
        let server = Self { folder, program: told("STATEWARD_WINDOWS_PROGRAM") };
        fs::write(server.path("passphrase"), format!("{PASSPHRASE}\n")).expect("a file can be written");
        server
    }

    /// A server that is registered with a vault, in its own name.
    #[track_caller]
    pub fn registered(access: &Access) -> Self {
        let server = Self::fresh();
        let ca_file = windows_path(&access.ca_file);
        let Access { url, client_id, client_secret, .. } = access;
        let login =
            ["login", "--url", url, "--ca-file", &ca_file, "--client-id", client_id, "--client-secret"];
        server.run(login.into_iter().chain([client_secret.as_str()])).done();
        server.run(["vault", "create", VAULT]).done();
        server.run(["vault", "credentials", VAULT, "--out", &server.named("credentials")]).done();
        let [credentials, passphrase] = ["credentials", "passphrase"].map(|name| server.named(name));
        server.run(["register", "--credentials", &credentials, "--passphrase-file", &passphrase]).done();
        server
    }

    /// A path beside the home, as this machine names it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The same, as the program names it.
    pub fn named(&self, name: &str) -> String {
        windows_path(&self.path(name))
    }

    /// A new folder on the drive that Windows lies on, as this machine names it and as the program does. On `Z:` others may write
    /// above everything. It goes with the machine.
    #[track_caller]
    pub fn on_system_drive(&self, name: &str) -> (PathBuf, String) {
        let unique = self.folder.path().file_name().expect("a temp folder has a name");
        let name = format!("{name}-{}", unique.to_str().expect("temp paths are UTF-8"));
        let folder = told("STATEWARD_WINE_PREFIX").join("drive_c").join(&name);
        fs::create_dir(&folder).expect("a folder can be made");
        (folder, format!("C:\\{name}"))
    }

    /// A command of its agent: `--home` and `--json` are given.
    pub fn command<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Command {
        let mut command = wine(&self.program);
        command.args(["--home", &self.named("home"), "--json"]).args(args).current_dir(self.folder.path());
        command
    }

    /// A command of Windows' own, such as Wine brings along.
    pub fn command_of(&self, program: &str, args: &[&str]) -> Command {
        let mut command = wine(Path::new(program));
        command.args(args).current_dir(self.folder.path());
        command
    }

    /// A program that does nothing, as long as what is given lives.
    #[track_caller]
    pub fn keep_machine(&self) -> KeptMachine {
        let mut command = self.command_of("cmd.exe", &["/k", "rem"]);
        let nowhere = || Stdio::null();
        command.stdin(Stdio::piped()).stdout(nowhere()).stderr(nowhere());
        KeptMachine(command.spawn().expect("Wine is there"))
    }

    /// Runs a command to its end.
    #[track_caller]
    pub fn run<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Outcome {
        run(self.command(args))
    }

    /// Backs all items up and waits; the last result.
    #[track_caller]
    pub fn back_up(&self) -> Value {
        self.run(["backup", "now", "--wait"]).done().last()
    }

    /// Restores the newest recovery point into a folder beside the home and waits.
    #[track_caller]
    pub fn restore(&self, target: &str, more: &[&str]) -> Outcome {
        let target = self.named(target);
        let args = ["restore", "--wait", "--recovery-point", "latest", "--target", &target];
        self.run(args.into_iter().chain(more.iter().copied()))
    }
}

/// A program that does nothing; ends when this is dropped.
#[derive(Debug)]
pub struct KeptMachine(Child);

impl Drop for KeptMachine {
    fn drop(&mut self) {
        // It may have ended with its Wine already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
