//! A protected server of a test's own: one `stateward --home`, spoken to as a person would.

use crate::process::{Outcome, Running, program, run};
use crate::vault::{Access, TestVault};
use serde_json::Value;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// The passphrase of every test server.
pub const PASSPHRASE: &str = "correct horse battery staple";

/// The name of the vault that tests make.
pub const VAULT: &str = "vault";

/// One home and what belongs to it.
pub struct TestServer {
    folder: TempDir,
    home: PathBuf,
    program: PathBuf,
    /// Instead of the test's own user.
    user: Option<u32>,
}

impl TestServer {
    /// A home that knows no vault yet.
    #[track_caller]
    pub fn fresh() -> Self {
        let folder = TempDir::with_prefix("stateward-server-").expect("a temp folder can be made");
        let home = folder.path().join("home");
        Self::in_folder(folder, home)
    }

    /// The same, with its home elsewhere.
    #[track_caller]
    pub fn fresh_at(home: &Path) -> Self {
        let folder = TempDir::with_prefix("stateward-server-").expect("a temp folder can be made");
        Self::in_folder(folder, home.to_owned())
    }

    fn in_folder(folder: TempDir, home: PathBuf) -> Self {
        let server = Self { folder, home, program: program("stateward"), user: None };
        let passphrase = server.passphrase_file();
        fs::write(&passphrase, format!("{PASSPHRASE}\n")).expect("a file can be written");
        fs::set_permissions(passphrase, fs::Permissions::from_mode(0o600)).expect("a mode can be set");
        server
    }

    /// A registered server.
    #[track_caller]
    pub fn registered(vault: &TestVault) -> Self {
        let server = Self::fresh();
        server.prepare_registration(vault);
        server.register("credentials", &[]).done();
        server
    }

    /// Makes a vault and vault credentials for this server.
    #[track_caller]
    pub fn prepare_registration(&self, vault: &TestVault) {
        self.login(&vault.access).done();
        self.run(["vault", "create", VAULT]).done();
        self.credentials("credentials", &[]).done();
    }

    /// A registered server in the deduplication domain of another, with that label and a passphrase of its own.
    #[track_caller]
    pub fn registered_in_domain(vault: &TestVault, member: &Self, label: &str) -> Self {
        let server = Self::fresh();
        let (passphrase, of_domain) = (format!("{PASSPHRASE} of {label}"), server.path("domain-passphrase"));
        fs::write(server.passphrase_file(), &passphrase).expect("a file can be written");
        let mut share = member.command(["domain", "share", "--generate-passphrase", "--passphrase-out"]);
        share.arg(&of_domain).arg("--out").arg(server.path("domain"));
        let shared = run(share).done().last();
        let domain = shared["domain"].as_str().expect("the result names the domain");
        server.login(&vault.access).done();
        server.credentials("credentials", &["--domain", domain]).done();
        let file = server.path("domain");
        let [file, of_domain] = [&file, &of_domain].map(|path| path.to_str().expect("temp paths are UTF-8"));
        let join = ["--label", label, "--domain", file, "--domain-passphrase-file", of_domain];
        server.register("credentials", &join).done();
        server
    }

    /// A registered server whose agent runs as that user; only root can make one.
    #[track_caller]
    pub fn registered_as(vault: &TestVault, user: u32) -> Self {
        let mut server = Self::fresh();
        let program = server.folder().join("stateward");
        // By a process of its own: a program that any process still has open for writing can't be started, and one that
        // another test begins meanwhile would have inherited that from this one.
        let copied = Command::new("cp").arg(&server.program).arg(&program).status();
        assert!(copied.is_ok_and(|status| status.success()), "the program can be copied");
        server.program = program;
        server.user = Some(user);
        let mut all = vec![server.folder().to_owned()];
        crate::vault::files_below(server.folder(), &mut all);
        for path in all {
            std::os::unix::fs::chown(path, Some(user), Some(user)).expect("root can give things away");
        }
        let ca_file = server.folder().join("ca.pem");
        fs::copy(&vault.access.ca_file, &ca_file).expect("the authority can be copied");
        fs::set_permissions(&ca_file, fs::Permissions::from_mode(0o644)).expect("a mode can be set");
        server.login(&Access { ca_file, ..vault.access.clone() }).done();
        server.run(["vault", "create", VAULT]).done();
        server.credentials("credentials", &[]).done();
        server.register("credentials", &[]).done();
        server
    }

    /// A server with a copy of this one's home, as a cloned machine has it. (There the cache would lie at the same path;
    /// here it is the copy's own.)
    #[track_caller]
    pub fn copied(&self) -> Self {
        let copy = Self::fresh();
        let mut cp = Command::new("cp");
        cp.arg("-a").arg(self.home()).arg(copy.home());
        run(cp).done();
        let registration = copy.home().join("registration.json");
        let text = fs::read_to_string(&registration).expect("the home is registered");
        let [from, to] = [self, &copy].map(|server| server.folder().to_str().expect("temp paths are UTF-8"));
        assert!(text.contains(from), "the cache's path stands in the registration");
        fs::write(registration, text.replace(from, to)).expect("a file can be written");
        copy
    }

    /// From now on it calls another process of its vault: what a change in the name service does for it.
    #[track_caller]
    pub fn move_to(&self, vault: &TestVault) {
        let path = self.home().join("registration.json");
        let text = fs::read_to_string(&path).expect("the home is registered");
        let mut registration: Value = serde_json::from_str(&text).expect("it is JSON");
        let url = registration.pointer_mut("/url").expect("a registration has the vault's URL");
        *url = vault.access.url.clone().into();
        fs::write(path, registration.to_string()).expect("a file can be written");
    }

    /// Where its things lie: the home and files beside it.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A path in [`Self::folder`].
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    /// Its `--home`.
    pub fn home(&self) -> PathBuf {
        self.home.clone()
    }

    /// The file with its passphrase.
    pub fn passphrase_file(&self) -> PathBuf {
        self.path("passphrase")
    }

    /// A command of its agent: `--home` and `--json` are given.
    pub fn command<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("--home").arg(self.home()).arg("--json").args(args);
        command.env_remove("RUST_LOG").current_dir(self.folder());
        if let Some(user) = self.user {
            command.uid(user).gid(user).env("HOME", self.folder());
        }
        command
    }

    /// Runs a command to its end.
    #[track_caller]
    pub fn run<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Outcome {
        run(self.command(args))
    }

    /// Runs a command as a person does, without `--json`.
    #[track_caller]
    pub fn as_person<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Outcome {
        let mut command = Command::new(&self.program);
        command.arg("--home").arg(self.home()).args(args).env_remove("RUST_LOG");
        run(command)
    }

    /// Starts a command.
    #[track_caller]
    pub fn start<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Running {
        Running::start(self.command(args))
    }

    /// Signs an administrator in.
    #[track_caller]
    pub fn login(&self, access: &Access) -> Outcome {
        let ca_file = access.ca_file.to_str().expect("temp paths are UTF-8");
        let (url, id, secret) = (&access.url, &access.client_id, &access.client_secret);
        self.run(["login", "--url", url, "--ca-file", ca_file, "--client-id", id, "--client-secret", secret])
    }

    /// Asks for vault credentials, into a file of that name.
    #[track_caller]
    pub fn credentials(&self, name: &str, more: &[&str]) -> Outcome {
        let mut command = self.command(["vault", "credentials", VAULT, "--out"]);
        command.arg(self.path(name)).args(more);
        run(command)
    }

    /// Registers with the credentials file of that name.
    #[track_caller]
    pub fn register(&self, name: &str, more: &[&str]) -> Outcome {
        let mut command = self.command(["register", "--credentials"]);
        command.arg(self.path(name)).arg("--passphrase-file").arg(self.passphrase_file()).args(more);
        run(command)
    }

    /// Protects files and folders under the label `files`.
    #[track_caller]
    pub fn protect(&self, path: &Path) {
        let mut command = self.command(["protect", "files"]);
        command.arg(path);
        run(command).done();
    }

    /// The command that backs all items up and waits.
    pub fn backup_command(&self) -> Command {
        self.command(["backup", "now", "--wait"])
    }

    /// Backs all items up; the last result.
    #[track_caller]
    pub fn backup(&self) -> Value {
        let result = run(self.backup_command()).done().last();
        assert_eq!(result["status"], "Completed", "{result}");
        result
    }

    /// The command that restores a recovery point and waits.
    pub fn restore_command(&self, point: &str, target: &Path, more: &[&str]) -> Command {
        let mut command = self.command(["restore", "--wait", "--recovery-point", point, "--target"]);
        command.arg(target).args(more);
        command
    }

    /// Restores a recovery point; its outcome.
    #[track_caller]
    pub fn restore(&self, point: &str, target: &Path, more: &[&str]) -> Outcome {
        run(self.restore_command(point, target, more))
    }

    /// The ids of all recovery points, newest first.
    #[track_caller]
    pub fn points(&self) -> Vec<String> {
        let lines = self.run(["recovery-point", "list"]).done().json();
        let id = |line: &Value| {
            let id = ["recovery_point", "id"].into_iter().find_map(|field| line[field].as_str());
            id.map(str::to_owned)
        };
        lines.iter().filter_map(id).collect()
    }
}

/// Where a restore lays what has that absolute path.
pub fn restored(target: &Path, path: &Path) -> PathBuf {
    target.join(path.strip_prefix("/").expect("sources have absolute paths"))
}
