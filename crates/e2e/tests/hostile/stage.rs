//! Where forged objects are restored from: a store made by a [`Forger`], a target, and a folder beside it.

use stateward_e2e::process::{Outcome, Running, program};
use stateward_e2e::server::PASSPHRASE;
use stateward_e2e::{Outside, TestServer, memory};
use stateward_format::point::PackReference;
use stateward_format::{ChunkReference, StreamReference};
use stateward_testing::forge::{Segment, stream};
use stateward_testing::{ForgedEntry, ForgedPack, Forger};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// What the agent may hold of its own, in KiB. Trying a passphrase takes a quarter of it.
pub const MEMORY_KIB: u64 = 256 << 10;

/// How long it may take.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// What is in the file that every forged point holds besides.
pub const HONEST: &[u8] = b"this is as it should be\n";

/// A machine that restores what it does not know.
pub struct Stage {
    /// Who forges.
    pub forger: Forger,
    /// Beside the target.
    pub outside: Outside,
    server: TestServer,
}

/// What came of a restore.
pub struct Restored {
    /// What the program said.
    pub outcome: Outcome,
    /// Where to.
    pub target: PathBuf,
}

impl Stage {
    pub fn new() -> Self {
        let server = TestServer::fresh();
        let outside = Outside::plant(&server.path("outside"));
        let mut forger = Forger::new(4);
        let slot = forger.slot(PASSPHRASE);
        forger.put_slot(&slot);
        Self { forger, outside, server }
    }

    /// A path beside the target.
    pub fn path(&self, name: &str) -> PathBuf {
        self.server.path(name)
    }

    /// The chunk of [`HONEST`].
    pub fn honest(&self) -> ChunkReference {
        self.forger.chunk(HONEST)
    }

    /// Adds a pack of the honest chunk and of these segments; gives it and their stream.
    pub fn pack(&mut self, segments: &[Segment]) -> (PackReference, StreamReference) {
        let mut pack = ForgedPack::default().with(&self.forger.keys, HONEST);
        let mut chunks = Vec::new();
        for segment in segments {
            pack = pack.with(&self.forger.keys, segment.bytes());
            chunks.push(self.forger.chunk(segment.bytes()));
        }
        (self.forger.put_pack(&pack), stream(&chunks))
    }

    /// Adds a point of one component, which is this stream.
    pub fn point(&mut self, stream: StreamReference, packs: &[PackReference]) {
        let point = self.forger.point(&[("files", stream)], packs);
        self.forger.put_point(&point);
    }

    /// Adds a point with one segment of these entries within the topmost folder.
    pub fn point_of(&mut self, entries: &[ForgedEntry]) {
        let segment = entries.iter().fold(Segment::begin(), |segment, entry| segment.with(entry)).leave();
        let (pack, stream) = self.pack(&[segment]);
        self.point(stream, &[pack]);
    }

    /// Adds a point of several components, each of these entries.
    pub fn point_of_components(&mut self, components: &[&[ForgedEntry]]) {
        let (mut packs, mut streams) = (Vec::new(), Vec::new());
        for entries in components {
            let segment = entries.iter().fold(Segment::begin(), |segment, entry| segment.with(entry)).leave();
            let (pack, stream) = self.pack(&[segment]);
            packs.push(pack);
            streams.push(stream);
        }
        let names = ["one", "two", "three"];
        let components: Vec<_> = names.into_iter().zip(streams).collect();
        let point = self.forger.point(&components, &packs);
        self.forger.put_point(&point);
    }

    fn store(&self) -> PathBuf {
        self.path("store")
    }

    /// The folder in the store that holds all objects.
    pub fn root(&self) -> PathBuf {
        self.store().join(stateward_format::layout::vault_root(self.forger.vault))
    }

    /// Lays the store out.
    pub fn lay_out(&self) {
        self.forger.lay_out(&self.store());
    }

    /// `stateward recover` for this store; for people, unless `--json` is among the arguments.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program("stateward"));
        command.arg("--home").arg(self.server.home()).arg("recover");
        command.arg("--store").arg(self.store()).arg("--passphrase-file").arg(self.server.passphrase_file());
        command.args(arguments);
        command.env_remove("RUST_LOG").current_dir(self.server.folder());
        command
    }

    /// Runs a command within the bounds; the folder outside stays as it was.
    #[track_caller]
    pub fn run(&self, command: Command) -> Outcome {
        self.run_meanwhile(command, |_| {})
    }

    /// The same, calling `meanwhile` until it ends.
    #[track_caller]
    pub fn run_meanwhile(&self, command: Command, meanwhile: impl FnMut(&Running)) -> Outcome {
        let (outcome, peak_kib) = memory::watch(Running::start(command), PATIENCE, meanwhile);
        assert!(outcome.code().is_some_and(|code| code != 101), "it broke down: {outcome:#?}");
        assert!(peak_kib <= MEMORY_KIB, "{peak_kib} KiB: {outcome:#?}");
        self.outside.assert_untouched();
        outcome
    }

    /// The command that restores the latest point.
    pub fn restore_command(&self) -> (Command, PathBuf) {
        let target = self.path("target");
        let mut command = self.command(&["--recovery-point", "latest", "--json", "--target"]);
        command.arg(&target);
        (command, target)
    }

    /// Lays the store out and restores its latest point.
    #[track_caller]
    pub fn restore(&self) -> Restored {
        self.lay_out();
        let (command, target) = self.restore_command();
        let outcome = self.run(command);
        Restored { outcome, target }
    }

    /// Lays the store out and lists its points; a line of JSON each.
    #[track_caller]
    pub fn list(&self) -> Outcome {
        self.lay_out();
        self.run(self.command(&["--list", "--json"]))
    }
}

impl Restored {
    /// It ended with that code.
    #[track_caller]
    pub fn with_code(self, code: i32) -> Self {
        Self { outcome: self.outcome.expect_code(code), ..self }
    }

    /// It failed since files are lost.
    #[track_caller]
    pub fn with_losses(self) -> Self {
        let restored = self.with_code(1);
        assert_eq!(restored.outcome.error_code(), "files-lost");
        restored
    }

    /// The warnings, losses among them: code and path.
    pub fn told(&self) -> BTreeSet<(String, String)> {
        let text =
            |line: &serde_json::Value, field: &str| line[field].as_str().unwrap_or_default().to_owned();
        let lines = self.outcome.json();
        let warnings = lines.iter().filter(|line| line["type"] == "warning");
        warnings.map(|line| (text(line, "code"), text(line, "path"))).collect()
    }

    /// It told just that.
    #[track_caller]
    pub fn tells(self, told: &[(&str, &str)]) -> Self {
        let told: BTreeSet<_> =
            told.iter().map(|(code, path)| ((*code).to_owned(), (*path).to_owned())).collect();
        assert_eq!(self.told(), told, "{:#?}", self.outcome);
        self
    }

    /// It told that, among other things.
    #[track_caller]
    pub fn tells_of(self, code: &str) -> Self {
        assert!(self.told().iter().any(|(told, _)| told == code), "{code}: {:#?}", self.outcome);
        self
    }

    /// What lies in the target, links not followed: just these paths.
    #[track_caller]
    pub fn holds(self, paths: &[&str]) -> Self {
        let mut found = BTreeSet::new();
        below(&self.target, &self.target, &mut found);
        let expected: BTreeSet<_> = paths.iter().map(PathBuf::from).collect();
        assert_eq!(found, expected, "{:#?}", self.outcome);
        self
    }

    /// The file there is the honest one.
    #[track_caller]
    pub fn holds_honest(self, name: &str) -> Self {
        assert_eq!(fs::read(self.target.join(name)).unwrap(), HONEST, "{name}");
        self
    }

    /// Nobody but its owner can enter the target.
    #[track_caller]
    pub fn private(self) -> Self {
        assert_eq!(fs::metadata(&self.target).unwrap().permissions().mode() & 0o7777, 0o700);
        self
    }
}

fn below(root: &Path, folder: &Path, found: &mut BTreeSet<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        found.insert(entry.path().strip_prefix(root).unwrap().to_owned());
        if entry.file_type().unwrap().is_dir() {
            below(root, &entry.path(), found);
        }
    }
}
