//! A vault whose answers lie, to an agent that is registered with it.

mod bodies;
mod chain;
mod objects;
mod sessions;

use crate::behaviour::Behaviour;
use crate::proxy::{Answer, Asked, Proxy, Reply};
use crate::stage::{MEMORY_KIB, PATIENCE};
use serde_json::Value;
use stateward_e2e::process::{Outcome, Running};
use stateward_e2e::server::restored;
use stateward_e2e::{Outside, TestServer, TestVault, assert_same, memory, tree};
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use tempfile::TempDir;

/// All of them.
pub const ALL: &[Behaviour<Rig>] = &[
    chain::ROLLED_BACK_LIST,
    chain::ROLLED_BACK_HEAD,
    chain::FORKED_HEAD,
    chain::LAST_NUMBER,
    chain::INVENTED,
    chain::TWICE,
    objects::POINT_WITHHELD,
    objects::POINT_SWAPPED,
    objects::PACKS_WITHHELD,
    objects::PACKS_SWAPPED,
    objects::PACKS_ALTERED,
    objects::PACKS_SHORT,
    objects::PACKS_LONG,
    objects::SLOTS_WITHHELD,
    objects::SLOTS_FOREIGN,
    objects::SLOTS_BOMB,
    objects::RECEIPT_WITHHELD,
    sessions::REPLAYED,
    sessions::PACKS_INVENTED,
    sessions::LEASE,
    sessions::PACKS_MISSING,
    sessions::RECEIPT_GARBAGE,
    sessions::RECEIPT_OLD,
    sessions::RECEIPT_SIGNED_BY_ANOTHER,
    sessions::RECEIPT_TIME,
    sessions::ANOTHER_VAULT,
    sessions::TOKENS,
    sessions::REFUSES,
    bodies::NOT_JSON,
    bodies::DEEP_JSON,
    bodies::LONG_LIST,
    bodies::ENDLESS,
    bodies::DRIP,
    bodies::HEADERS,
    bodies::NEGATIVE_LENGTH,
    bodies::HUGE_LENGTH,
    bodies::BROKEN_OFF,
    bodies::REDIRECTED,
    bodies::COMPRESSED,
    bodies::CONTENT_TYPE,
    bodies::TERMINAL,
    bodies::STARTING,
];

/// The same in two parts, which can be played beside each other: what is told of points and packs, and how.
pub fn parts() -> (&'static [Behaviour<Rig>], &'static [Behaviour<Rig>]) {
    let first_of_second = sessions::REPLAYED.name;
    ALL.split_at(ALL.iter().position(|behaviour| behaviour.name == first_of_second).unwrap())
}

/// A true vault, the lying one before it, and a registered server with two recovery points.
pub struct Rig {
    /// Lies.
    pub proxy: Proxy,
    /// Is lied to.
    pub server: TestServer,
    /// Beside what is restored.
    pub outside: Outside,
    /// Does not lie.
    pub vault: TestVault,
    source: PathBuf,
    restores: u32,
}

impl Rig {
    pub fn new() -> Self {
        let folder = TempDir::with_prefix("stateward-vault-").unwrap();
        let data = folder.path().join("data");
        let mut vault = TestVault::init(data.clone(), folder);
        let file = data.join("vault.json");
        let mut settings: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        let address: SocketAddr = settings["listen"].as_str().unwrap().parse().unwrap();
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        settings["listen"] = Value::String(free.to_string());
        fs::write(&file, settings.to_string()).unwrap();
        vault.serve();
        let proxy = Proxy::start(&data, address, free);
        let server = TestServer::registered(&vault);
        let outside = Outside::plant(&server.path("outside"));
        let source = server.path("source");
        let size = tree::Size { small_files: 50, large_bytes: 3 << 20 };
        tree::plant(&source, size, &mut stateward_e2e::Dice::new(77));
        server.protect(&source);
        server.backup();
        let rig = Self { proxy, server, outside, vault, source, restores: 0 };
        rig.change();
        rig.server.backup();
        rig
    }

    /// Changes what is backed up, so that the next backup has something to send.
    pub fn change(&self) {
        let bytes = stateward_e2e::Dice::new(std::process::id().into()).bytes(100_000);
        let number = fs::read(self.source.join("changing")).map_or(0, |bytes| bytes.len());
        fs::write(self.source.join("changing"), &bytes[..(number + 1) % bytes.len()]).unwrap();
    }

    /// Lies so from now on about what is asked like that: a method and a path, `*` standing for any part of it.
    pub fn lie_about(&self, line: &'static str, reply: impl Fn(&Asked) -> Reply + Send + 'static) {
        self.proxy.lie(move |asked| match is_like(&asked.line, line) {
            true => reply(asked),
            false => Reply::Truth,
        });
    }

    /// The same, with one answer.
    pub fn answer(&self, line: &'static str, answer: Answer) {
        self.lie_about(line, move |_| Reply::Instead(answer.clone()));
    }

    /// The same, with what `twist` makes of the truth.
    pub fn twist(&self, line: &'static str, twist: impl Fn(&mut Answer) + Clone + Send + 'static) {
        self.lie_about(line, move |_| {
            let twist = twist.clone();
            Reply::Twisted(Box::new(move |mut answer| {
                twist(&mut answer);
                answer
            }))
        });
    }

    /// The same, with what `twist` makes of the JSON of the truth.
    pub fn twist_json(&self, line: &'static str, twist: impl Fn(&mut Value) + Clone + Send + 'static) {
        self.twist(line, move |answer| {
            let mut value = serde_json::from_slice(&answer.body).unwrap();
            twist(&mut value);
            answer.body = value.to_string().into_bytes();
        });
    }

    #[track_caller]
    fn run(&self, command: Command) -> Outcome {
        let (outcome, peak_kib) = memory::watch(Running::start(command), PATIENCE, |_| {});
        assert!(outcome.code().is_some_and(|code| code != 101), "it broke down: {outcome:#?}");
        assert!(peak_kib <= MEMORY_KIB, "{peak_kib} KiB: {outcome:#?}");
        self.outside.assert_untouched();
        outcome
    }

    /// Lists the recovery points.
    #[track_caller]
    pub fn list(&self) -> Outcome {
        self.run(self.server.command(["recovery-point", "list"]))
    }

    /// Backs up what was changed.
    #[track_caller]
    pub fn backup(&self) -> Outcome {
        self.change();
        self.run(self.server.backup_command())
    }

    /// Proves everything.
    #[track_caller]
    pub fn verify(&self) -> Outcome {
        self.run(self.server.command(["verify", "--full"]))
    }

    /// Restores the latest into a new folder.
    #[track_caller]
    pub fn restore(&mut self) -> (Outcome, PathBuf) {
        self.restores += 1;
        let target = self.server.path(&format!("restored-{}", self.restores));
        (self.run(self.server.restore_command("latest", &target, &[])), target)
    }

    /// The truth again: the next backup completes and comes back whole.
    #[track_caller]
    pub fn assert_mended(&mut self) {
        self.proxy.lie(|_| Reply::Truth);
        self.backup().done();
        let (outcome, target) = self.restore();
        outcome.done();
        assert_same(&self.source, &restored(&target, &self.source));
    }

    /// Forgets what the agent keeps of earlier backups in its cache.
    pub fn lose_cache(&self) {
        let _ = fs::remove_dir_all(self.server.home().join("cache"));
    }
}

fn is_like(line: &str, pattern: &str) -> bool {
    match pattern.split_once('*') {
        Some((begin, end)) => {
            line.len() >= begin.len() + end.len() && line.starts_with(begin) && line.ends_with(end)
        }
        None => line == pattern,
    }
}

/// It failed with that code.
#[track_caller]
pub fn assert_code(outcome: Outcome, exit: i32, code: &str) -> Outcome {
    let outcome = outcome.expect_code(exit);
    assert_eq!(outcome.error_code(), code, "{outcome:#?}");
    outcome
}

/// The codes of what it told besides.
pub fn warnings(outcome: &Outcome) -> Vec<String> {
    let lines = outcome.json();
    let warnings = lines.iter().filter(|line| line["type"] == "warning");
    warnings.filter_map(|line| line["code"].as_str().map(str::to_owned)).collect()
}
