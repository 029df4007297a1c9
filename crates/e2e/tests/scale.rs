//! Very many, very long, very deep and very large: it comes back, within a bound of memory, and in a control group that
//! leaves no room for more. `STATEWARD_LONG=1` makes it a million files.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]
#![cfg(target_os = "linux")]

use rustix::fs::{SeekFrom, seek};
use stateward_e2e::compare::differences;
use stateward_e2e::limit::MemoryLimit;
use stateward_e2e::memory::{Peak, run_measured};
use stateward_e2e::server::restored;
use stateward_e2e::{TestServer, TestVault, depths, is_long};
use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::process::Command;

/// The most anonymous memory of agent and vault each, in KiB.
const MOST_KIB: u64 = 256 << 10;

/// What the control group of each leaves, pages of files included.
const LIMIT_BYTES: u64 = 320 << 20;

/// As deep as a tree is promised to come back; its path has twice as many bytes as the kernel takes at once.
const LEVELS: usize = 4000;

/// Names in one folder, each as long as a file system takes.
const NAMES: usize = 100_000;

/// Files in folders of a thousand.
const MANY: usize = 900_000;

const TERABYTE: u64 = 1 << 40;

/// Where the terabyte is not a hole.
const ISLANDS: [u64; 4] = [0, 4096 * 1234, TERABYTE / 2, TERABYTE - 6];

fn plant_names(top: &Path) {
    fs::create_dir(top).unwrap();
    for number in 0..NAMES {
        let name = format!("{number:0>255}");
        fs::write(top.join(name), format!("file {number}")).unwrap();
    }
}

fn plant_many(top: &Path) {
    for number in 0..MANY {
        let folder = top.join(format!("{:04}", number / 1000));
        if number.is_multiple_of(1000) {
            fs::create_dir_all(&folder).unwrap();
        }
        fs::write(folder.join(number.to_string()), format!("{number} of many\n").repeat(3 + number % 20))
            .unwrap();
    }
}

fn plant_terabyte(path: &Path) {
    let file = File::create(path).unwrap();
    file.set_len(TERABYTE).unwrap();
    ISLANDS.iter().for_each(|at| file.write_all_at(b"island", *at).unwrap());
}

/// Where its data begin and end.
fn extents(path: &Path) -> Vec<(u64, u64)> {
    let (file, mut at, mut found) = (File::open(path).unwrap(), 0, Vec::new());
    while let Ok(start) = seek(&file, SeekFrom::Data(at)) {
        at = seek(&file, SeekFrom::Hole(start)).unwrap();
        found.push((start, at));
    }
    found
}

fn assert_terabyte(source: &Path, restored: &Path) {
    assert_eq!(fs::metadata(restored).unwrap().len(), TERABYTE);
    assert_eq!(extents(restored), extents(source));
    let file = File::open(restored).unwrap();
    for at in ISLANDS {
        let mut island = [0; 6];
        file.read_exact_at(&mut island, at).unwrap();
        assert_eq!(&island, b"island", "at {at}");
    }
}

/// Removes the deep tree, which nothing else could, whatever becomes of the test.
struct Deep<'a>(&'a Path);

impl Drop for Deep<'_> {
    fn drop(&mut self) {
        if self.0.exists() {
            depths::remove(self.0);
        }
    }
}

/// Runs a command, within the limit if there is one, and holds it and the vault to the bound.
#[expect(clippy::print_stdout, reason = "the figures are what a person runs this for")]
fn measured(phase: &str, command: Command, limit: Option<&MemoryLimit>, vault: &TestVault) {
    let command = match limit {
        Some(limit) => limit.over(&command),
        None => command,
    };
    let (outcome, Peak { agent_kib, vault_kib }) = run_measured(command, vault.process().pid());
    let took = outcome.done().took.as_secs_f64();
    println!(
        "{phase}: {took:.1} s, peak anonymous MiB: agent {}, vault {}",
        agent_kib >> 10,
        vault_kib >> 10
    );
    for (who, kib) in [("agent", agent_kib), ("vault", vault_kib)] {
        assert!((1 << 10..=MOST_KIB).contains(&kib), "{phase}: {who} holds {kib} KiB");
    }
}

#[test]
fn very_many_very_long_very_deep_and_very_large_comes_back_in_little_memory() {
    let (of_agent, of_vault) = (MemoryLimit::of("agent", LIMIT_BYTES), MemoryLimit::of("vault", LIMIT_BYTES));
    if of_agent.is_none() || of_vault.is_none() {
        println!("This machine gives no control group: memory is measured, and not limited");
    }
    let folder = tempfile::tempdir().unwrap();
    let mut vault = TestVault::init(folder.path().join("data"), folder);
    let serve = vault.serve_command();
    vault.serve_by(of_vault.as_ref().map_or(serve, |limit| limit.over(&vault.serve_command())));
    let server = TestServer::registered(&vault);
    let (source, target) = (server.path("source"), server.path("restored"));
    let deep = source.join("deep");
    fs::create_dir_all(&deep).unwrap();
    let there = restored(&target, &source);
    let deep_restored = there.join("deep");
    let _removed = (Deep(&deep), Deep(&deep_restored));
    depths::plant(&deep, LEVELS);
    plant_names(&source.join("names"));
    plant_terabyte(&source.join("terabyte"));
    if is_long() {
        plant_many(&source.join("many"));
    }
    server.protect(&source);
    let restore = server.restore_command("latest", &target, &[]);
    let verify = server.command(["verify", "--full"]);
    let phases = [
        ("backup", server.backup_command()),
        ("unchanged", server.backup_command()),
        ("restore", restore),
        ("verify", verify),
    ];
    for (phase, command) in phases {
        measured(phase, command, of_agent.as_ref(), &vault);
    }
    for limit in [&of_agent, &of_vault].into_iter().flatten() {
        let peak = limit.peak_bytes().unwrap();
        assert!((1 << 20..=LIMIT_BYTES).contains(&peak), "the limit was not in force: {peak} bytes");
    }
    assert_eq!(depths::count(&deep_restored), LEVELS);
    assert_terabyte(&source.join("terabyte"), &there.join("terabyte"));
    let rest = if is_long() { &["names", "many"][..] } else { &["names"] };
    for name in rest {
        assert_eq!(differences(&source.join(name), &there.join(name)), Vec::<String>::new());
    }
}
