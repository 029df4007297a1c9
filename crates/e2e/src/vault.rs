//! A vault of a test's own: made by `stateward-vault init`, served on a free port, stopped, killed, started again.

use crate::postgres;
use crate::process::{Running, program, run, wait_until};
use rustix::process::Signal;
use serde_json::Value;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// The kinds of objects in a vault's store, as folders name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectKind {
    /// Packs.
    Pack,
    /// Recovery points.
    Point,
    /// Receipts.
    Receipt,
    /// Key slots.
    Slot,
}

impl ObjectKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Pack, Self::Point, Self::Receipt, Self::Slot];

    fn folder(self) -> &'static str {
        match self {
            Self::Pack => "packs",
            Self::Point => "points",
            Self::Receipt => "receipts",
            Self::Slot => "keys",
        }
    }
}

/// How an administrator gets in, as `init` told it.
#[derive(Debug, Clone)]
pub struct Access {
    /// `https://host:port`.
    pub url: String,
    /// Its authority.
    pub ca_file: PathBuf,
    /// The service principal.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
}

/// A vault of a test's own; killed when it is dropped.
pub struct TestVault {
    /// How to get in.
    pub access: Access,
    data: PathBuf,
    process: Option<Running>,
    logs: String,
    _folder: TempDir,
}

/// How long a vault may take to be ready or to stop.
const DEADLINE: Duration = Duration::from_secs(60);

impl TestVault {
    /// Makes a vault in a fresh folder and serves it.
    #[track_caller]
    pub fn start() -> Self {
        Self::start_over(postgres::asked_for().as_deref())
    }

    /// The same with its database at a URL, or in its data folder.
    #[track_caller]
    pub fn start_over(database: Option<&str>) -> Self {
        let folder = TempDir::with_prefix("stateward-vault-").expect("a temp folder can be made");
        let data = folder.path().join("data");
        let mut vault = Self::init_over(database, data, folder);
        vault.serve();
        vault
    }

    /// Makes a vault in `data`, not served yet. `folder` is kept as long as it lives.
    #[track_caller]
    pub fn init(data: PathBuf, folder: TempDir) -> Self {
        Self::init_over(postgres::asked_for().as_deref(), data, folder)
    }

    #[track_caller]
    fn init_over(database: Option<&str>, data: PathBuf, folder: TempDir) -> Self {
        let mut init = Command::new(program("stateward-vault"));
        init.args(["init", "--listen", "127.0.0.1:0", "--json", "--data"]).arg(&data);
        init.args(database.map(|url| ["--database", url]).into_iter().flatten());
        let told = run(init).done().last();
        let text = |field: &str| match &told[field] {
            Value::String(text) => text.clone(),
            other => panic!("`init` tells no `{field}` but {other}: {told}"),
        };
        for field in ["tenant", "subscription"] {
            text(field);
        }
        let access = Access {
            url: text("url"),
            ca_file: text("ca_file").into(),
            client_id: text("client_id"),
            client_secret: text("client_secret"),
        };
        assert!(access.ca_file.is_absolute(), "{told}");
        Self { access, data, process: None, logs: String::new(), _folder: folder }
    }

    /// Another process of the same vault, not served yet: a data folder as its owner would make it on a second machine, with
    /// the first one's settings and keys, an address of its own, and the store mounted (here: linked).
    #[track_caller]
    pub fn beside(&self) -> Self {
        let folder = TempDir::with_prefix("stateward-vault-").expect("a temp folder can be made");
        let data = folder.path().join("data");
        fs::create_dir(&data).expect("a folder can be made");
        for name in ["signing.key", "tls"] {
            let mut cp = Command::new("cp");
            cp.arg("-a").arg(self.data.join(name)).arg(&data);
            run(cp).done();
        }
        std::os::unix::fs::symlink(self.data.join("store"), data.join("store")).expect("a link can be made");
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let address = free.expect("a port is free").to_string();
        let text = fs::read_to_string(self.data.join("vault.json")).expect("there are settings");
        let first = self.address();
        assert!(text.contains(first), "{text}");
        fs::write(data.join("vault.json"), text.replace(first, &address)).expect("a file can be written");
        let access = Access { url: format!("https://{address}"), ..self.access.clone() };
        Self { access, data, process: None, logs: String::new(), _folder: folder }
    }

    /// `host:port`.
    pub fn address(&self) -> &str {
        self.access.url.trim_start_matches("https://")
    }

    /// Serves it and waits until it is ready.
    #[track_caller]
    pub fn serve(&mut self) {
        self.serve_by(self.serve_command());
    }

    /// The command that serves it.
    pub fn serve_command(&self) -> Command {
        let mut serve = Command::new(program("stateward-vault"));
        serve.args(["serve", "--data"]).arg(&self.data);
        serve
    }

    /// Serves it by that command.
    #[track_caller]
    pub fn serve_by(&mut self, command: Command) {
        assert!(self.process.is_none(), "it is served already");
        let mut process = Running::start(command);
        wait_until("the vault is ready", DEADLINE, || {
            assert!(process.is_alive(), "the vault ended: {}", process.stderr());
            process.stderr().contains("listening on https://").then_some(())
        });
        self.process = Some(process);
    }

    /// The serving process.
    #[track_caller]
    pub fn process(&self) -> &Running {
        self.process.as_ref().expect("the vault is served")
    }

    /// Ends it by SIGTERM; it must end cleanly.
    #[track_caller]
    pub fn stop(&mut self) {
        let process = self.process.take().expect("the vault is served");
        process.signal(Signal::TERM);
        let outcome = process.wait().done();
        self.logs.push_str(&outcome.stdout);
        self.logs.push_str(&outcome.stderr);
    }

    /// Ends it by SIGKILL.
    #[track_caller]
    pub fn kill(&mut self) {
        let outcome = self.process.take().expect("the vault is served").kill();
        self.logs.push_str(&outcome.stdout);
        self.logs.push_str(&outcome.stderr);
    }

    /// All that its processes have logged.
    pub fn logs(&self) -> String {
        let running = self.process.as_ref().map(|process| process.stdout() + &process.stderr());
        self.logs.clone() + &running.unwrap_or_default()
    }

    /// Its data folder.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Its objects of a kind, over all vaults in it, sorted by path.
    pub fn objects(&self, kind: ObjectKind) -> Vec<PathBuf> {
        let vaults = self.data.join("store/vaults");
        let mut objects = Vec::new();
        for vault in fs::read_dir(vaults).into_iter().flatten().flatten() {
            files_below(&vault.path().join(kind.folder()), &mut objects);
        }
        objects.sort();
        objects
    }

    /// The bytes of its objects of a kind.
    pub fn bytes_of(&self, kind: ObjectKind) -> u64 {
        self.objects(kind).iter().map(|path| fs::metadata(path).map_or(0, |meta| meta.len())).sum()
    }

    /// The bytes of all its objects.
    pub fn bytes(&self) -> u64 {
        ObjectKind::ALL.into_iter().map(|kind| self.bytes_of(kind)).sum()
    }
}

/// Appends all plain files below a folder; things that vanish meanwhile are passed over.
pub fn files_below(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => files_below(&entry.path(), files),
            Ok(kind) if kind.is_file() => files.push(entry.path()),
            _ => {}
        }
    }
}
